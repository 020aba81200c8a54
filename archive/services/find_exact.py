"""Finding a patient by exact number and a second factor, for a purpose: no list to browse, no hint for the curious."""
