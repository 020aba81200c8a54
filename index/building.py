"""A new segment put together from documents, and from the living documents of other segments."""

import json
from array import array
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, cast
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from whoosh.codec.whoosh3 import W3Codec
from whoosh.system import pack_ushort
from whoosh.util.numeric import length_to_byte

from .allowed import Mask
from .analysis import key
from .blocks import encoded
from .columns import GrowingLabels, GrowingNumbers
from .documents import SEPARATOR
from .fields import Fields, Kind
from .files import NAME, Codec, DurableStorage
from .inverting import MOST_TEXTS, Run, Words, code_of, inverted, merged
from .segments import CHECKSUMS, SegmentView
from .terms import TermTable, info

_LETTERS = 2_000_000  # inverted at once
_AT_ONCE = 10_000  # terms whose postings are written at once
_LENGTH_CODES = np.array([length_to_byte(length) for length in range(106_375)], np.uint8)

Row = Mapping[str, object]
LengthCodes = NDArray[np.uint8]


class _Terms:
    """What an indexed field holds: postings in runs, whose documents follow each other."""

    def __init__(self) -> None:
        self.words, self._runs = Words(), list[Run]()

    def take(self, view: SegmentView, field: str, places: NDArray[np.int64]) -> None:
        """The terms of another segment; ``places`` says where each of its documents goes, −1 for one that does not."""
        codes, sizes, docs, counts = [], [], [], []
        for term, holders, times in view.every(field):
            codes.append(code_of(term, self.words))
            sizes.append(len(holders))
            docs.append(holders)
            counts.append(times)
        if not codes:
            return
        where = places[np.concatenate(docs)]
        kept = where >= 0
        run = np.repeat(np.array(codes, np.uint64), sizes)[kept], where[kept], np.concatenate(counts)[kept]
        self.join(Run(run[0], run[1].astype(np.uint32), run[2]))

    def join(self, run: Run) -> None:
        self._runs.append(run)

    def whole(self) -> Run:
        """All postings, in the order of their codes."""
        return merged(self._runs)


class _Keys(_Terms):
    """An IDENT field: whole values."""

    def __init__(self) -> None:
        super().__init__()
        self._codes, self._docs = array("Q"), array("I")

    def add(self, document: int, values: tuple[str, ...]) -> None:
        for term in {key(value) for value in values} - {""}:
            self._codes.append(code_of(term, self.words))
            self._docs.append(document)

    def take(self, view: SegmentView, field: str, places: NDArray[np.int64]) -> None:
        self._settle()
        super().take(view, field, places)

    def whole(self) -> Run:
        self._settle()
        return super().whole()

    def _settle(self) -> None:
        """What was added becomes a run before another follows: runs stand in the order of their documents."""
        codes, docs = np.array(self._codes, np.uint64), np.array(self._docs, np.uint32)
        self.join(Run(codes, docs, np.ones(len(docs), np.uint32)))
        self._codes, self._docs = array("Q"), array("I")


class _Text(_Terms):
    """A TEXT field: its texts wait until there are many, and are inverted together."""

    def __init__(self) -> None:
        super().__init__()
        self._lengths = array("B")
        self._waiting, self._letters = list[str](), 0

    def add(self, document: int, text: str) -> None:
        self._waiting.extend([""] * (document - len(self._lengths) - len(self._waiting)))
        self._waiting.append(text)
        self._letters += len(text)
        if self._letters > _LETTERS or len(self._waiting) == MOST_TEXTS:
            self._invert()

    def _invert(self) -> None:
        if self._waiting:
            run, lengths = inverted(self._waiting, len(self._lengths), self.words)
            self.join(run)
            self._lengths.frombytes(_LENGTH_CODES[np.minimum(lengths, len(_LENGTH_CODES) - 1)].tobytes())
        self._waiting, self._letters = [], 0

    def take_lengths(self, document: int, codes: LengthCodes) -> None:
        """Those of many documents, from ``document`` on."""
        self.lengths(document)
        self._lengths.frombytes(codes.tobytes())

    def lengths(self, count: int) -> LengthCodes:
        """The length codes of so many documents."""
        self._invert()
        self._lengths.frombytes(bytes(count - len(self._lengths)))
        return np.array(self._lengths, np.uint8)


class Building:
    """在建段: documents are added, other segments taken over, and all of it is written at the end."""

    def __init__(self, storage: DurableStorage, fields: Fields) -> None:
        self._storage = storage
        self._segment = Codec().new_segment(storage, NAME)
        self._numbers = {"number": GrowingNumbers(), "stamp": GrowingNumbers()}
        self._labels: dict[str, GrowingLabels] = {}
        self._texts: dict[str, _Text] = {}
        self._keys: dict[str, _Keys] = {}
        self.size = 0
        for spec in fields.values():
            match spec.kind:
                case Kind.TEXT:
                    self._texts[spec.name] = _Text()
                case Kind.INTEGER | Kind.DATE:
                    self._numbers[spec.name] = GrowingNumbers()
                case Kind.IDENT | Kind.KEYWORD:
                    self._labels[spec.name] = GrowingLabels()
                    if spec.kind is Kind.IDENT:
                        self._keys[spec.name] = _Keys()

    def add(self, row: Row) -> None:
        """A document, as ``documents.stored`` gives it."""
        for name, value in row.items():
            if name in self._numbers:
                self._numbers[name].add(self.size, cast(int, value))
            elif name in self._texts:
                self._texts[name].add(self.size, cast(str, value))
            else:
                values = cast(tuple[str, ...], value)
                self._labels[name].add(self.size, SEPARATOR.join(values).encode())
                if name in self._keys:
                    self._keys[name].add(self.size, values)
        self.size += 1

    def take(self, view: SegmentView, alive: Mask) -> None:
        """The living documents of another segment."""
        kept = np.flatnonzero(alive)
        places = np.where(alive, np.cumsum(alive) - 1 + self.size, -1)
        for name, numbers in self._numbers.items():
            numbers.take(self.size, view.numbers(name)[kept])
        for name, labels in self._labels.items():
            codes, known = view.labels(name)
            labels.take(self.size, codes[kept], known)
        for name, text in self._texts.items():
            text.take_lengths(self.size, view.length_codes(name)[kept])
        for name, terms in (self._texts | self._keys).items():
            terms.take(view, name, places)
        self.size += len(kept)

    def finish(self) -> Any:
        """Writes the segment, safe on the disk, and gives what a table of contents says of it."""
        columns = {name: numbers.written(self.size) for name, numbers in self._numbers.items()}
        columns |= {name: labels.written(self.size) for name, labels in self._labels.items()}
        lengths = {name: text.lengths(self.size) for name, text in self._texts.items()}
        columns |= {f"_{name}_len": codes.tobytes() for name, codes in lengths.items()}
        for name, written in columns.items():
            with self._storage.create_file(W3Codec.column_filename(self._segment, name)) as file:
                file.write(written)
        with self._segment.create_file(self._storage, CHECKSUMS) as file:
            file.write(json.dumps({name: crc32(written) for name, written in columns.items()}).encode())
        self._write_terms(lengths)
        self._segment.set_doc_count(self.size)
        self._segment.create_compound_file(self._storage)
        return self._segment

    def _write_terms(self, lengths: dict[str, LengthCodes]) -> None:
        self._segment._fieldlengths = defaultdict(int)
        table = TermTable(self._segment.create_file(self._storage, W3Codec.TERMS_EXT))
        numbers: dict[str, int] = {}
        table.extras["fieldmap"] = numbers
        with self._segment.create_file(self._storage, W3Codec.POSTS_EXT) as file:
            for name, terms in (self._texts | self._keys).items():
                run = terms.whole()
                if len(run.codes):
                    numbers[name] = len(numbers)
                    if name in lengths:
                        self._segment._fieldlengths[name] = int(run.counts.sum())
                    own = lengths.get(name, np.zeros(self.size, np.uint8))
                    _write_field(file, table, pack_ushort(numbers[name]), run, terms.words, own)
        table.close()


def _write_field(
    file: Any, table: TermTable, field: bytes, run: Run, words: Words, lengths: LengthCodes
) -> None:
    """The posting lists of a field, in the order of their terms, and what the table says of each."""
    begins = np.flatnonzero(np.diff(run.codes, prepend=run.codes[:1] ^ np.uint64(1)))
    ends = np.append(begins[1:], len(run.codes))
    terms = words.terms(run.codes[begins])
    order = np.array(sorted(range(len(terms)), key=terms.__getitem__))
    own = lengths[run.docs]
    infos = info(len(terms))
    infos["weight"] = np.add.reduceat(run.counts.astype(np.float64), begins)
    infos["documents"], infos["first"], infos["last"] = ends - begins, run.docs[begins], run.docs[ends - 1]
    infos["shortest"], infos["longest"] = np.minimum.reduceat(own, begins), np.maximum.reduceat(own, begins)
    infos["heaviest"] = np.maximum.reduceat(run.counts, begins)
    position = file.tell()
    for start in range(0, len(order), _AT_ONCE):
        some = order[start : start + _AT_ONCE]
        bounds = (begins[some], ends[some], infos["shortest"][some], infos["longest"][some])
        lists = [
            encoded(run.docs[begin:end], run.counts[begin:end], short, long)
            for begin, end, short, long in zip(*(part.tolist() for part in bounds), strict=True)
        ]
        sizes = np.array([len(one) for one in lists])
        infos["size"][some] = sizes
        infos["offset"][some] = position + np.cumsum(sizes) - sizes
        position += int(sizes.sum())
        file.write(b"".join(lists))
        table.add_terms(field, [terms[at] for at in some.tolist()], infos[some])
