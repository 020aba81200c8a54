"""A form that was refused comes back as it was sent, with the reason: nobody types twice what was not taken."""

from collections.abc import Callable

from archive.errors import ArchiveError
from archive.uow import UnitOfWork


def why(error: ArchiveError) -> str:
    """The reason in words; what is said of single fields, where there is such, says more than that they are marked."""
    return " ".join(getattr(error, "fields", {}).values()) or str(error)


def again(uow: UnitOfWork, error: ArchiveError, page: Callable[[ArchiveError], str]) -> tuple[str, int]:
    """The page once more, drawn as things stand without the act that was refused, and the status of the refusal."""
    uow.undo()
    return page(error), error.status
