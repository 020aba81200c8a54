"""One of several acts may be refused without undoing the others: each is tried within a savepoint."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from sqlalchemy.orm.exc import StaleDataError

from archive.errors import ArchiveError, Invalid, Stale
from archive.i18n import _
from archive.uow import UnitOfWork


@contextmanager
def attempt(uow: UnitOfWork) -> Iterator[None]:
    """Runs the block within a savepoint: what it raises leaves neither rows nor events behind.

    Raises Stale where somebody else saved first, and whatever the block raises.
    """
    mark = uow.mark()
    try:
        with uow.session.begin_nested():
            yield
    except BaseException as error:
        uow.forget_since(mark)
        if isinstance(error, StaleDataError):
            raise Stale from error
        raise


MOST = 500
"""So many at once: one transaction, and a person can still read what became of them."""


@dataclass(frozen=True)
class Outcome:
    """What became of one of several things that were worked on at once."""

    ref: UUID
    refusal: str | None


def each(uow: UnitOfWork, refs: Iterable[UUID], act: Callable[[UUID], object]) -> list[Outcome]:
    """Does `act` with each of several things: one refused does not hold up the others. Raises Invalid for too many."""
    wanted = list(dict.fromkeys(refs))
    if len(wanted) > MOST:
        raise Invalid(_("At most %(num)d at once. Choose fewer, then the rest.", num=MOST))
    return [Outcome(ref, refusal(uow, partial(act, ref))) for ref in wanted]


def refusal(uow: UnitOfWork, act: Callable[[], object]) -> str | None:
    """Does `act` within a savepoint; gives why it was refused, in words, or nothing."""
    try:
        with attempt(uow):
            act()
    except ArchiveError as error:
        return " ".join(getattr(error, "fields", {}).values()) or str(error)
    return None
