from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from index import Drop, Index, Masks, Put

from .naive import FIELDS, Texts

Build = Callable[[Mapping[int, Put]], Index]


@contextmanager
def built(documents: Mapping[int, Put], *, past: bool = True) -> Iterator[Index]:
    """An index of some documents. With a past: replaced and dropped documents, several segments, a merge."""
    with TemporaryDirectory() as folder:
        index = Index(Path(folder), FIELDS)
        if past:
            _live(index, documents)
        else:
            index.rebuild(documents.values())
        yield index


def _live(index: Index, documents: Mapping[int, Put]) -> None:
    quarters = [[put for put in documents.values() if put.number % 4 == rest] for rest in range(4)]
    replaced = [Put(put.number, 0, {"body": "肺炎发作", "dept": "旧"}) for put in quarters[1]]
    index.rebuild([*quarters[0], *quarters[3], *replaced, Put(11, 0, {"title": "旧"})])
    index.apply([*quarters[1], Drop(11)])
    index.apply(quarters[2])


@pytest.fixture
def index(tmp_path: Path) -> Index:
    """An empty index."""
    index = Index(tmp_path / "index", FIELDS)
    index.rebuild([])
    return index


@pytest.fixture
def everyone() -> Masks:
    """May see all."""
    full = np.ones(1000, np.bool_)
    return Masks(full, full, full)


@pytest.fixture
def filled(index: Index) -> Callable[..., Texts]:
    """Put documents into the index; gives what serves their texts."""

    def fill(*documents: Put) -> Texts:
        index.apply(documents)
        return Texts({put.number: put for put in documents})

    return fill
