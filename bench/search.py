"""`make bench-search` begins with this: prints one table for each number of documents. JUANZONG_BENCH_DOCUMENTS names them.

Stock Whoosh writes some forty documents a second, so it takes part up to JUANZONG_BENCH_STOCK of them.
"""

import itertools
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from random import Random

import numpy as np

from bench import corpus, opened
from bench.corpus import CLASSES, EVERYBODY, PEOPLE, Person
from bench.engines import Asked, Engine, Fts5, Ours, Tantivy, Whoosh
from bench.figures import Table, most_held, percentiles, size
from bench.names import beginnings, name_of
from index import FieldSpec, Index, Kind, Masks, Put, Term, alike

DOCUMENTS = tuple(map(int, os.environ.get("JUANZONG_BENCH_DOCUMENTS", "2000,10000,100000").split(",")))
"""Sizes of the collection: one for stock Whoosh, one for a look in between, and one as large as an archive of some years."""
STOCK = size("STOCK", 2_000)
"""Stock Whoosh takes part up to so many documents: with more its writing alone would take most of an hour."""
QUERIES = 40
"""Searches of each kind: the 95th percentile is the second slowest."""
COMMIT = 200
"""Documents that the product's worker takes into the index at once."""
INDEXED = "documents indexed a second"
AIMS = {Fts5.name: (None, 1.0), Tantivy.name: (0.7, 1 / 3), Whoosh.name: (8.0, 10.0)}
"""How many times as fast as each the index shall be among 100,000 documents: indexing, and the p95 of every kind of search."""


@dataclass(frozen=True)
class Cell:
    """What is printed; and the number in it that is compared, if any: documents a second, or late milliseconds."""

    said: str
    compared: float | None = None


Column = dict[str, Cell]


def main() -> int:
    corpus.required()
    _find_again()
    for count in DOCUMENTS:
        _compare(count)
    return 0


def _find_again() -> None:
    """Whether a title finds the question and answer that it stands over: as the product looks for what is alike."""
    questions = corpus.questions()
    texts = {number: text for number, (_title, text) in enumerate(questions)}
    everything = np.ones(len(texts), np.bool_)
    who, places = Masks(everything, everything, everything), list[int]()

    def texts_of(numbers: Sequence[int], _field: str) -> dict[int, str]:
        return {number: texts[number] for number in numbers}

    with tempfile.TemporaryDirectory(prefix="juanzong-bench-") as folder:
        index = Index(Path(folder) / "index", [FieldSpec("body", Kind.TEXT)])
        index.rebuild(Put(number, 1, {"body": text}) for number, text in texts.items())
        for number, (title, _text) in enumerate(questions):
            literally = Term(title)
            found = index.search(alike(literally) or literally, who, texts_of=texts_of, limit=10)
            hits = [hit.number for hit in found.hits]
            places.append(hits.index(number) + 1 if number in hits else 0)
    within, rank = sum(map(bool, places)), sum(1 / place for place in places if place)
    print(f"\n{len(places):,} titles find what they stand over: {within / len(places):.3f} within the first ten (aim ≥ 0.65), "
          f"mean reciprocal rank {rank / len(places):.3f} (aim ≥ 0.54)")  # fmt: skip


def _compare(count: int) -> None:
    documents = list(corpus.documents(count))
    length = sum(len(one.text.encode()) for one in documents)
    print(f"\n{count:,} documents of {corpus.LETTERS:,} characters, {length / 2**20:,.0f} MB of text")
    with tempfile.TemporaryDirectory(prefix="juanzong-bench-") as folder:
        columns = {
            kind.name: dict(_measured(kind(), Path(folder) / kind.name, documents, length))
            for kind in _taking_part(count)
        }
    ours = columns[Ours.name]
    table = Table("milliseconds of CPU: p50 / p95 / p95 first", *columns, width=22)
    for what in ours:
        table.row(what, *(column[what].said if what in column else "" for column in columns.values()))
    print()
    for name, column in columns.items():
        if name in AIMS:
            print(_beside(ours, name, column))
    print(
        f"The most memory that this process held, with all of them in it: {most_held():,.0f} MB", flush=True
    )


def _taking_part(count: int) -> Iterator[type[Engine]]:
    yield Ours
    yield Fts5
    if find_spec("tantivy"):
        yield Tantivy
    else:
        print("NOT RUN: tantivy is not installed.")
    if count <= STOCK:
        yield Whoosh
    else:
        told = " and ".join(f"≥ {aim:g} ×" for aim in AIMS[Whoosh.name] if aim)
        print(f"NOT RUN: stock Whoosh beyond {STOCK:,} documents, so nothing is known here of {told}.")


def _beside(ours: Column, name: str, theirs: Column) -> str:
    """How many times as fast the index is, and where it is so least."""
    indexing, searching = AIMS[name]
    rate = (ours[INDEXED].compared or 0.0) / (theirs[INDEXED].compared or 1.0)
    ratios = {
        what: late / own for what, cell in theirs.items()
        if what != INDEXED and (late := cell.compared) is not None and (own := ours[what].compared)
    }  # fmt: skip
    least = min(ratios, key=lambda what: ratios[what])
    aim = f" (≥ {indexing:g})" if indexing else ""
    return (
        f"Times as fast as {name}: indexing {rate:.1f}{aim}; the p95 of searches {ratios[least]:.2f} at least, of “{least}” "
        f"(≥ {searching:.2g}), {max(ratios.values()):,.1f} at most; in brackets the aims among 100,000"
    )


def _measured(
    engine: Engine, folder: Path, documents: list[corpus.Document], length: int
) -> Iterator[tuple[str, Cell]]:
    texts, begin = [one.text for one in documents], time.process_time()
    written = engine.build(folder, documents)
    rate = len(documents) / (time.process_time() - begin)
    yield INDEXED, Cell(f"{rate:,.0f}", rate)
    yield "size ÷ text", Cell(f"{written / length:.2f}")
    for what, asked in _searches(texts):
        yield what, _timed(engine.facets if what == "facets" else engine.ask, asked)
    yield "a person's first search, aim ≤ 20", _timed_once(lambda: engine.ask, _of_new_people(texts))
    if isinstance(engine, Ours):
        terms = [Asked((word,), EVERYBODY) for word in corpus.phrases(texts, 2, QUERIES + 1)]
        yield "passages of ten hits", _timed(engine.highlight, terms)
        begun = [Asked((number,), EVERYBODY) for number in beginnings(len(documents))]
        yield "completion of a number's beginning", _timed(engine.complete, begun)
        with get_context("spawn").Pool(1) as apart:
            once, often = apart.apply(opened.held, (folder, len(documents)))
        yield "memory, opened once and ten times, MB", Cell(f"{once:,.0f} / {often:,.0f}")
        yield (
            f"term, after a commit of {COMMIT} documents",
            _timed_once(_committing(engine, documents), terms),
        )


def _searches(texts: list[str]) -> Iterator[tuple[str, list[Asked]]]:
    """What is asked, by its kind."""
    two, four = (corpus.phrases(texts, length, QUERIES + 1) for length in (2, 4))
    common = ["患者", "治疗", "可以", "医院", "规定", "应当", "检查"] * (QUERIES // 7 + 1)
    yield "term", [Asked((word,), EVERYBODY) for word in two]
    yield "common term", [Asked((word,), EVERYBODY) for word in common]
    yield "two terms", [Asked(words, EVERYBODY) for words in itertools.pairwise(two)]
    yield "phrase of four characters, verified", [Asked((word,), EVERYBODY) for word in four]
    yield "name", [Asked((name_of(number),), EVERYBODY, field="name") for number in range(QUERIES + 1)]
    for person in PEOPLE:
        yield f"term, {person.name} person", [Asked((word,), person) for word in two]
    yield "common term by year", [Asked((word,), EVERYBODY, by_year=True) for word in common]
    yield "common term, page 50", [Asked((word,), EVERYBODY, page=49) for word in common]
    yield "facets", [Asked((word,), EVERYBODY) for word in common]


def _of_new_people(texts: list[str]) -> list[Asked]:
    """Each search by somebody with other rights, for words that nobody has asked for: nothing is kept of either."""
    chance, words = Random(5), corpus.phrases(texts, 2, 2 * (QUERIES + 1))[QUERIES + 1 :]
    return [
        Asked((word,), Person(f"new {turn}", frozenset(chance.sample(range(CLASSES), 40 + 8 * turn))))
        for turn, word in enumerate(words)
    ]


def _committing(engine: Ours, documents: list[corpus.Document]) -> Callable[[], Callable[[Asked], int]]:
    """What gets a search ready: a commit, as the worker makes one while people search."""
    chance, stamps = Random(6), itertools.count(2)

    def ready() -> Callable[[Asked], int]:
        engine.commit(chance.sample(documents, min(COMMIT, len(documents))), next(stamps))
        return engine.ask

    return ready


def _timed(act: Callable[[Asked], int], asked: list[Asked]) -> Cell:
    """The median and the 95th percentile of searches asked again, and the latter when they were asked for the first time."""
    first = _times(lambda: act, asked)  # whoever turns to page 50 comes from page 49 then
    usual, late = percentiles(_times(lambda: act, asked))
    told = f"{usual:,.2f} / {late:,.2f}"
    return Cell(told if asked[0].page else f"{told} / {percentiles(first)[1]:,.2f}", late)


def _timed_once(ready: Callable[[], Callable[[Asked], int]], asked: list[Asked]) -> Cell:
    """The median and the 95th percentile of searches that nobody asks again."""
    usual, late = percentiles(_times(ready, asked))
    return Cell(f"{usual:,.2f} / {late:,.2f}", late)


def _times(ready: Callable[[], Callable[[Asked], int]], asked: list[Asked]) -> list[float]:
    """Milliseconds of each, without getting ready for it, and without the first one, which warms what all share."""
    times = []
    for one in asked[: QUERIES + 1]:
        act, begin = ready(), time.process_time()
        act(one)
        times.append((time.process_time() - begin) * 1000)
    return times[1:]


if __name__ == "__main__":
    sys.exit(main())
