"""Blame: an error inside ``foreign()`` is the file's, one outside is ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from errno import EFBIG

from storage.limits import Reason, Refused


@contextmanager
def foreign(*, page: int | None = None) -> Iterator[None]:
    """Turn whatever a decoder raises over foreign bytes into ``Refused``."""
    try:
        yield
    except Refused as refused:
        refused.page = refused.page or page
        raise
    except MemoryError as error:
        raise Refused(Reason.TOO_MUCH_MEMORY, page=page) from error
    except OSError as error:
        if error.errno == EFBIG:
            raise Refused(Reason.TOO_MUCH_OUTPUT, page=page) from error
        if error.errno is not None:  # a full disk, a missing right: no fault of the file, which has no errno
            raise
        raise _broken(error, page) from error
    # Decoders let escape whatever a hostile file provokes: struct.error, IndexError, SyntaxError, ZeroDivisionError …
    except Exception as error:
        raise _broken(error, page) from error


def _broken(error: Exception, page: int | None) -> Refused:
    return Refused(Reason.BROKEN, page=page, detail=f"{type(error).__name__}: {error}"[:500])
