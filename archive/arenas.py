"""Memory that threads share: glibc gives each thread a heap of its own, and what one has freed no other uses again."""

import ctypes
from contextlib import suppress

_ARENA_MAX = -8
"""M_ARENA_MAX of glibc's malloc.h."""
MOST = 2


def share() -> bool:
    """Lets all threads that are yet to begin, and processes forked from here, use few heaps. Gives whether this system can.

    With sixteen threads and an index in use the web process held a sixth more without.
    """
    with suppress(AttributeError, OSError):  # another C library than glibc
        return bool(ctypes.CDLL(None).mallopt(_ARENA_MAX, MOST))
    return False
