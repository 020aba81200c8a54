"""A process of two threads that search until a file says stop, each answer one whole state: ``python reader.py folder stop``."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

import index as full_text
from index import Everything, Field, Index, Masks, Phrase, Sort, Term
from tests.index.naive import FIELDS

ALL = np.ones(2_000, np.bool_)
EVERYONE = Masks(ALL, ALL, ALL)
TEN = Field("dept", Term("十"))


class Reader:
    def __init__(self, index: Index, stop: Path) -> None:
        self.index, self.stop = index, stop
        self.searches, self.states, self._lock = 0, set[int](), Lock()

    def read(self) -> None:
        while not self.stop.exists():
            self._look()

    def _look(self) -> None:
        """What every commit writes anew is there ten times, of one version, in whichever way it is asked for."""
        found = self.index.search(
            TEN, EVERYONE, texts_of=_no_texts, limit=8, sort=Sort("code", descending=False)
        )
        assert (found.total.count, found.total.exact, len(found.hits)) == (10, True, 8)
        rest = self.index.search(TEN, EVERYONE, texts_of=_no_texts, limit=8, after=found.next,
                                 sort=Sort("code", descending=False))  # fmt: skip
        assert [hit.number for hit in found.hits + rest.hits] == list(range(10))
        assert [
            count
            for _, count in self.index.facets(TEN, EVERYONE, ["ward"], texts_of=_no_texts).counts["ward"]
        ] == [10]
        assert len({version.value for version in self.index.suggest("ward", "第", EVERYONE)}) == 1
        # Who asks the text for a passage reads it from elsewhere: here it always says so.
        texts = self.index.search(Phrase("编号7者"), EVERYONE, texts_of=_always, limit=900)
        assert 7 in {hit.number for hit in texts.hits}
        everything = self.index.search(Everything(), EVERYONE, texts_of=_no_texts, limit=900)
        assert len(everything.hits) == everything.total.count >= 10
        assert len({hit.number for hit in everything.hits}) == len(everything.hits)
        with self._lock:
            self.searches += 6
            self.states.add(found.generation)


def _no_texts(numbers: object, _field: str) -> dict[int, str]:
    raise LookupError("nothing here needs a text")


def _always(numbers: list[int], _field: str) -> dict[int, str]:
    return dict.fromkeys(numbers, "编号7者")


def main() -> None:
    reader = Reader(full_text.open(Path(sys.argv[1]), FIELDS), Path(sys.argv[2]))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(reader.read) for _ in range(2)]:
            done.result()
    sys.stdout.write(f"{reader.searches} {len(reader.states)}\n")


if __name__ == "__main__":
    main()
