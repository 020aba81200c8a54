"""The commands of `juanzong`, a file a subject; each registers itself with the parser."""

from archive.commands import (
    auditing,
    backups,
    care,
    cataloguing,
    coding,
    demo,
    filing,
    importing,
    people,
    running,
)

REGISTER = (
    running.register, demo.register, people.register, care.register, backups.register, auditing.register,
    importing.register, filing.register, cataloguing.register, coding.register,
)  # fmt: skip
