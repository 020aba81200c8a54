"""The index as its users see it."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from time import sleep

import numpy as np

from . import search as searching
from . import suggesting, writing
from .allowed import Allowed
from .answers import Answers
from .checking import TextsOf
from .clock import Clock
from .documents import Change, Put
from .errors import Busy, Damaged, Reason
from .fields import FieldSpec, by_name, fingerprint
from .files import NAME, DurableStorage
from .place import Place, Pointer, remove_strays
from .query import Query
from .results import RELEVANCE, Cursor, Differences, Facets, Results, Sort, Stats, Suggestion
from .schema import whoosh_schema
from .search import USUAL, Asked, Limits
from .snapshot import Snapshot, contents, latest, opened
from .writing import Progress

_TRIES = 40  # a commit replaces its predecessor's files; a reader that comes between looks again
_PAUSE = 0.005
_TOC_BITS = 32


class Index:
    """全文索引: a cache of what can be found, never the truth. One object serves all threads of a process.

    Any number of processes may search; one at a time writes. A search answers from the newest generation.
    """

    def __init__(self, path: Path, fields: Iterable[FieldSpec]) -> None:
        self._place = Place(path)
        self._fields = by_name(fields)
        self._fingerprint = fingerprint(self._fields)
        self._schema = whoosh_schema(self._fields)
        self._snapshot: Snapshot | None = None
        self._answers = Answers()
        self._opening = Lock()

    def generation(self) -> int:
        """A number that grows with every change. Raises Damaged."""
        return self._open().generation

    def search(
        self,
        query: Query,
        allowed: Allowed,
        *,
        texts_of: TextsOf,
        limit: int,
        after: Cursor | None = None,
        sort: Sort = RELEVANCE,
        limits: Limits = USUAL,
    ) -> Results:
        """One page of hits. Raises Damaged, TooSlow, and ValueError for what does not fit the fields."""
        asked = Asked(self._open(), self._fields, query, allowed, texts_of, limits, self._answers)
        return searching.search(asked, limit=limit, after=after, sort=sort)

    def facets(
        self,
        query: Query,
        allowed: Allowed,
        names: Sequence[str],
        *,
        texts_of: TextsOf,
        limits: Limits = USUAL,
    ) -> Facets:
        """How many hits have each value of some KEYWORD and INTEGER fields. Raises as ``search`` does."""
        asked = Asked(self._open(), self._fields, query, allowed, texts_of, limits, self._answers)
        return searching.facets(asked, names)

    def suggest(
        self,
        name: str,
        prefix: str,
        allowed: Allowed,
        *,
        limit: int = 10,
        limits: Limits = USUAL,
    ) -> tuple[Suggestion, ...]:
        """Values of an IDENT or KEYWORD field that begin with a prefix, among documents held at its tier."""
        if name not in self._fields:
            raise ValueError(f"no field is called {name!r}")
        clock = Clock(limits.seconds)
        spec = self._fields[name]
        return suggesting.suggest(self._open(), spec, allowed, prefix, limit=limit, clock=clock)

    def apply(self, changes: Iterable[Change], *, wait: float = 5.0) -> None:
        """Put and drop documents as one step that survives a power cut; again is as good as once.

        Raises Busy after ``wait`` seconds, Damaged, and ValueError or TypeError for a document that does not fit.
        """
        with self._place.writing(wait=wait):
            snapshot = self._open()
            with self._tidied() as storage:
                writing.write_changes(storage, self._fields, changes, snapshot)

    def purge(self, *, wait: float = 5.0) -> None:
        """Leave nothing of dropped and replaced documents on the disk, as the destruction of a record demands.

        Until then they are only marked. Takes as long as writing the segments that they lie in. Raises as ``apply``.
        """
        with self._place.writing(wait=wait):
            snapshot = self._open()
            with self._tidied() as storage:
                writing.write_without_remains(storage, self._fields, snapshot)

    def rebuild(
        self, documents: Iterable[Put], progress: Progress | None = None, *, wait: float = 5.0
    ) -> None:
        """Write a new index aside and put it in the place of the old one, which is searched until then.

        Also makes the first one, and replaces one that is damaged. Raises as ``apply`` does.
        """
        with self._place.writing(wait=wait):
            epoch = self._place.new_epoch()
            try:
                writing.write_all(self._storage(epoch), self._fields, documents, progress)
            except BaseException:
                self._place.remove_epoch(epoch)
                raise
            self._place.point_to(Pointer(epoch, self._fingerprint))

    def check(self, expected: Iterable[tuple[int, int]]) -> Differences:
        """Compare with the numbers and stamps that should be there, each number once."""
        return _differences(self._open(), expected)

    def stats(self) -> Stats:
        """How large it is. Raises Damaged."""
        snapshot = self._open()
        parts = snapshot.parts
        living = sum(int(np.count_nonzero(part.alive)) for part in parts)
        folder = self._place.folder(self._place.pointer().epoch)
        size = sum(path.stat().st_size for path in folder.glob("*.seg"))
        deleted = sum(part.view.size for part in parts) - living
        return Stats(living, deleted, len(parts), size, snapshot.space.kept + self._answers.size)

    def tidy(self) -> None:
        """Remove what killed writers left behind, unless somebody is writing. Raises Damaged."""
        with suppress(Busy), self._place.writing(wait=0), self._tidied():
            pass

    def _storage(self, epoch: int) -> DurableStorage:
        return DurableStorage(str(self._place.folder(epoch)))

    @contextmanager
    def _tidied(self) -> Iterator[DurableStorage]:
        """The storage to write in, cleaned afterwards whatever happened."""
        epoch = self._place.pointer().epoch
        storage = self._storage(epoch)
        try:
            yield storage
        finally:
            toc = latest(storage)
            segments = {segment.segment_id() for segment in contents(storage, self._schema, toc)}
            remove_strays(self._place.folder(epoch), f"_{NAME}_{toc}.toc", segments)
            self._place.remove_others(keep=epoch)

    def _current(self) -> tuple[int, int]:
        """Epoch and table of contents; that is −1 while another process replaces it. Raises Damaged."""
        pointer = self._place.pointer()
        if pointer.fields != self._fingerprint:
            raise Damaged(Reason.OUTDATED, "it was built for other fields or by another version")
        return pointer.epoch, latest(self._storage(pointer.epoch))

    def _open(self) -> Snapshot:
        """The newest snapshot. Raises Damaged."""
        for _ in range(_TRIES):
            try:
                # Looks and opens in one, or an older state might replace a newer one.
                with self._opening:
                    return self._snapshot_of(*self._current())
            except FileNotFoundError:
                sleep(_PAUSE)
            except OSError as error:
                raise Damaged(Reason.UNREADABLE, repr(error)) from error
        raise Damaged(Reason.MISSING, "its files are not there")

    def _snapshot_of(self, epoch: int, toc: int) -> Snapshot:
        generation = epoch << _TOC_BITS | toc
        if self._snapshot is None or self._snapshot.generation != generation:
            storage = self._storage(epoch)
            segments = contents(storage, self._schema, toc)
            self._snapshot = opened(storage, segments, generation, self._snapshot)
            self._answers = Answers()  # those of before keep files open that are gone
        return self._snapshot


def _differences(snapshot: Snapshot, expected: Iterable[tuple[int, int]]) -> Differences:
    rows = np.fromiter(expected, np.dtype((np.int64, 2)))
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    numbers, stamps = writing.stamps(snapshot)
    missing = rows[~np.isin(rows[:, 0], numbers), 0]
    stray = numbers[~np.isin(numbers, rows[:, 0])]
    both, ours, theirs = np.intersect1d(numbers, rows[:, 0], return_indices=True)
    stale = both[stamps[ours] != rows[theirs, 1]]
    return Differences(tuple(missing.tolist()), tuple(stale.tolist()), tuple(stray.tolist()))
