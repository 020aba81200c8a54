"""The commands of `juanzong`, a file a subject; each registers itself with the parser."""

from archive.commands import running

REGISTER = (running.register,)
