"""The commands of `juanzong`, a file a subject; each registers itself with the parser."""

from archive.commands import backups, care, people, running

REGISTER = (running.register, people.register, care.register, backups.register)
