"""`make bench-search` begins with this: prints one table for each number of documents. JUANZONG_BENCH_DOCUMENTS names them.

Stock Whoosh writes some forty documents a second, so it takes part up to JUANZONG_BENCH_STOCK of them.
"""

import itertools
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from bench import corpus
from bench.corpus import EVERYBODY, PEOPLE
from bench.engines import Asked, Engine, Fts5, Ours, Tantivy, Whoosh
from bench.names import name_of
from index import FieldSpec, Index, Kind, Masks, Put, Term, alike

DOCUMENTS = tuple(map(int, os.environ.get("JUANZONG_BENCH_DOCUMENTS", "10000,100000").split(",")))
"""Sizes of the collection: a small one for a look in between, and one as large as an archive of some years."""
STOCK = int(os.environ.get("JUANZONG_BENCH_STOCK", "2000"))
"""Stock Whoosh takes part up to so many documents: with more its writing alone would take most of an hour."""
QUERIES = 40
"""Searches of each kind: the 95th percentile is the third slowest."""


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
    size = sum(len(one.text.encode()) for one in documents)
    print(f"\n{count:,} documents of {corpus.LETTERS:,} characters, {size / 2**20:,.0f} MB of text\n")
    print(
        f"| {'milliseconds of CPU: p50 / p95 / p95 first':<42} |"
        + "".join(f" {name:>22} |" for name in _names(count))
    )
    print(f"|{'-' * 44}|" + "|".join("-" * 23 + ":" for _name in _names(count)) + "|", flush=True)
    with tempfile.TemporaryDirectory(prefix="juanzong-bench-") as folder:
        table: dict[str, list[str]] = {}
        for engine in _engines(count):
            for what, said in _measured(engine, Path(folder) / engine.name, documents, size):
                table.setdefault(what, []).append(said)
    for what, cells in table.items():
        print(f"| {what:<42} |" + "".join(f" {said:>22} |" for said in cells))
    print(
        f"\nThe most memory that this process held: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB"
    )


def _engines(count: int) -> Iterator[Engine]:
    yield Ours()
    yield Fts5()
    try:
        yield Tantivy()
    except ImportError:
        print("NOT RUN: tantivy is not installed.")
    if count <= STOCK:
        yield Whoosh()


def _names(count: int) -> list[str]:
    return [engine.name for engine in _engines(count)]


def _measured(
    engine: Engine, folder: Path, documents: list[corpus.Document], size: int
) -> Iterator[tuple[str, str]]:
    begin = time.process_time()
    written = engine.build(folder, documents)
    yield "documents indexed a second", f"{len(documents) / (time.process_time() - begin):,.0f}"
    yield "size ÷ text", f"{written / size:.2f}"
    for what, asked in _searches([one.text for one in documents]):
        yield what, _timed(engine.facets if what == "facets" else engine.ask, asked)
    if isinstance(engine, Ours):
        terms = [Asked((word,), EVERYBODY) for word in _two([one.text for one in documents])]
        yield "passages of ten hits", _timed(engine.highlight, terms)
        yield "memory, opened once and ten times, MB", _memory(folder, len(documents))


def _memory(folder: Path, count: int) -> str:
    """The most that a process of its own held."""
    # Our own module and a folder of our own making: nothing that anybody typed.
    command = [sys.executable, "-m", "bench.opened", str(folder), str(count)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603


def _two(texts: list[str]) -> list[str]:
    return corpus.phrases(texts, 2, QUERIES + 1)


def _searches(texts: list[str]) -> Iterator[tuple[str, list[Asked]]]:
    """What is asked, by its kind."""
    two, four = _two(texts), corpus.phrases(texts, 4, QUERIES + 1)
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


def _timed(act: Callable[[Asked], int], asked: list[Asked]) -> str:
    """The median and the 95th percentile of searches asked again, and the latter when they were asked for the first time."""
    first = _times(act, asked)  # whoever turns to page 50 comes from page 49 then
    again = _times(act, asked)
    slow = int(QUERIES * 0.95)
    told = f"{again[QUERIES // 2]:,.2f} / {again[slow]:,.2f}"
    return told if asked[0].page else f"{told} / {first[slow]:,.2f}"


def _times(act: Callable[[Asked], int], asked: list[Asked]) -> list[float]:
    """Milliseconds of each, ascending; without the first one, which warms what all share."""
    times = []
    for one in asked[: QUERIES + 1]:
        begin = time.process_time()
        act(one)
        times.append((time.process_time() - begin) * 1000)
    return sorted(times[1:])


if __name__ == "__main__":
    sys.exit(main())
