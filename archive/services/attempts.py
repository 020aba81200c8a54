"""One of several acts may be refused without undoing the others: each is tried within a savepoint."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm.exc import StaleDataError

from archive.errors import Stale
from archive.uow import UnitOfWork


@contextmanager
def attempt(uow: UnitOfWork) -> Iterator[None]:
    """Runs the block within a savepoint: what it raises leaves neither rows nor events behind.

    Raises Stale where somebody else saved first, and whatever the block raises.
    """
    wrote, told = uow.session.info.get("wrote", False), len(uow.events)
    try:
        with uow.session.begin_nested():
            yield
    except BaseException as error:
        # The savepoint took everything back, so nothing is left that the journal must tell.
        uow.session.info["wrote"] = wrote
        del uow.events[told:]
        if isinstance(error, StaleDataError):
            raise Stale from error
        raise
