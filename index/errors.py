"""What can go wrong. Every message is one English sentence, fit for a translator's table."""

from enum import StrEnum


class Reason(StrEnum):
    """Why an index cannot be used. In each case the remedy is to rebuild it."""

    MISSING = "missing"
    OUTDATED = "outdated"
    UNREADABLE = "unreadable"


class Damaged(Exception):
    """The index cannot be used as it is: answer from the database and rebuild it."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"The index is {reason}: {detail}")
        self.reason = reason


class Busy(Exception):
    """Another process is writing. Nothing was changed; try again later."""


class TooSlow(Exception):
    """The time allowed for a search ran out before there was an answer."""


class QuerySyntax(ValueError):
    """What a person typed cannot be understood; ``position`` is where, in characters from the start."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.message = message
        self.position = position
