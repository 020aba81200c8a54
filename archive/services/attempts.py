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
    mark = uow.mark()
    try:
        with uow.session.begin_nested():
            yield
    except BaseException as error:
        uow.forget_since(mark)
        if isinstance(error, StaleDataError):
            raise Stale from error
        raise
