"""What searches have worked out and others may use again, as long as there is room for it."""

from collections import OrderedDict
from collections.abc import Callable, Container, Hashable
from threading import Lock
from typing import Generic, TypeVar

_Value = TypeVar("_Value")

_OVERHEAD = 500  # bytes of an entry beside what it holds


class Kept(Generic[_Value]):
    """缓存: values by their keys, shared by threads. What was used least recently goes when there is no more room."""

    def __init__(self, room: int, size_of: Callable[[_Value], int]) -> None:
        self._room = room
        self._size_of = size_of
        self._values: OrderedDict[Hashable, tuple[_Value, int]] = OrderedDict()
        self._lock = Lock()
        self.size = 0
        """Bytes, about: never more than the room."""

    def keep_only(self, first: Container[Hashable]) -> None:
        """Forget every value whose key, which must be a tuple, begins with something else."""
        with self._lock:
            gone = [key for key in self._values if isinstance(key, tuple) and key[0] not in first]
            for key in gone:
                self.size -= self._values.pop(key)[1]

    def get(self, key: Hashable, make: Callable[[], _Value]) -> _Value:
        """The value of a key, made if it is not there. Threads that come at once may each make it, and get their own."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key][0]
        value = make()
        size = self._size_of(value) + _OVERHEAD
        with self._lock:
            if key not in self._values and size <= self._room:
                self._values[key] = value, size
                self.size += size
                while self.size > self._room:
                    self.size -= self._values.popitem(last=False)[1][1]
        return value
