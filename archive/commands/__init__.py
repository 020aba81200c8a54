"""The commands of `juanzong`, a file a subject; each registers itself with the parser."""

from archive.commands import auditing, backups, care, importing, people, running

REGISTER = (running.register, people.register, care.register, backups.register, auditing.register, importing.register)
