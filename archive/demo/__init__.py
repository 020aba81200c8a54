"""An invented hospital to try the archive with: people, wording, page images."""
