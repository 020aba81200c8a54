import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from threading import Event
from typing import Any

import pytest

import index as full_text
from index import And, Drop, Everything, Index, Masks, Not, Or, Phrase, Put, Query, Sort, Term, engine

from .naive import FIELDS, Texts

ROUNDS = 25


@pytest.fixture(autouse=True)
def restless_threads() -> Iterator[None]:
    """Threads take turns a thousand times as often as usual, so that what they must not share shows."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(usual)


def document(number: int, stamp: int) -> Put:
    return Put(
        number,
        stamp,
        {"body": f"慢性支气管炎急性发作 {number} 支气管", "code": f"ZY-{number}", "year": stamp},
    )


TEXTS = Texts({number: document(number, 0) for number in range(ROUNDS * 2)})


def test_threads_that_share_an_index_find_what_one_alone_finds(index: Index, everyone: Masks) -> None:
    for start in range(0, 50, 10):
        index.apply([document(number, 1) for number in range(start, start + 10)])
    queries: list[Query] = [
        Term("支"), Phrase("支气管炎"), Or((Term("急性"), Term("7"))), And((Term("管"), Not(Term("8")))), Everything(),
    ]  # fmt: skip

    def answers(_: int) -> list[object]:
        found = [
            index.search(query, everyone, texts_of=TEXTS, limit=60, sort=Sort("code")) for query in queries
        ]
        return [*found, index.suggest("code", "ZY-1", everyone)]

    alone = answers(0)
    with ThreadPoolExecutor(6) as pool:
        assert all(found == alone for found in pool.map(answers, range(60)))


def searched_while(write: Callable[[], None], reader: Index, who: Masks) -> int:
    """Search until the writing is done; each answer is one state of the index, whole. Gives how many were seen."""
    done, seen = Event(), set()

    def search() -> None:
        while not done.is_set():
            results = reader.search(Everything(), who, texts_of=TEXTS, limit=100)
            stamps = reader.facets(Everything(), who, ["year"], texts_of=TEXTS).counts["year"]
            assert len(results.hits) == results.total.count == 10
            assert len(stamps) == 1, "documents of one step only"
            seen.add(results.generation)

    with ThreadPoolExecutor(2) as pool:
        searching = [pool.submit(search) for _ in range(2)]
        try:
            write()
        finally:
            done.set()
        for one in searching:
            one.result()
    return len(seen)


def test_a_search_during_changes_sees_each_step_whole(index: Index, tmp_path: Path, everyone: Masks) -> None:
    index.apply([document(number, 0) for number in range(10)])
    reader = full_text.open(tmp_path / "index", FIELDS)

    def write() -> None:
        for stamp in range(1, ROUNDS):
            index.apply([document(number, stamp) for number in range(10)])

    assert searched_while(write, reader, everyone) > 1


def test_a_search_during_rebuilds_sees_each_index_whole(
    index: Index, tmp_path: Path, everyone: Masks
) -> None:
    index.apply([document(number, 0) for number in range(10)])
    reader = full_text.open(tmp_path / "index", FIELDS)

    def write() -> None:
        for stamp in range(1, ROUNDS):
            index.rebuild([document(number, stamp) for number in range(stamp, stamp + 10)])

    assert searched_while(write, reader, everyone) > 1


def test_what_was_dropped_is_gone_at_once(index: Index, tmp_path: Path, everyone: Masks) -> None:
    reader = full_text.open(tmp_path / "index", FIELDS)
    for number in range(5):
        index.apply([document(number, 1), Drop(number - 1)])
        assert [
            hit.number for hit in reader.search(Term("急性"), everyone, texts_of=TEXTS, limit=9).hits
        ] == [number]


def test_what_a_thread_has_opened_is_not_replaced_by_something_older(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One looks which state is the newest, and is held up; meanwhile there is a newer one, and another thread comes."""
    index.apply([document(1, 1)])
    index.generation()
    reader, generations, held_up = Index(tmp_path / "index", FIELDS), list[int](), Event()
    opened, latest = engine.opened, engine.latest

    def noted(storage: Any, segments: list[Any], generation: int, previous: Any) -> Any:
        generations.append(generation)
        return opened(storage, segments, generation, previous)

    def slow(storage: Any) -> int:
        found = latest(storage)
        if not held_up.is_set():
            held_up.set()
            index.apply([document(2, 1)])
            comes = threads.submit(reader.generation)
            wait([comes], timeout=0.5)
        return found

    monkeypatch.setattr(engine, "remove_strays", lambda *_: None)  # as until the writer comes to it
    monkeypatch.setattr(engine, "opened", noted)
    monkeypatch.setattr(engine, "latest", slow)
    with ThreadPoolExecutor(1) as threads:
        reader.generation()
    reader.generation()
    assert held_up.is_set()
    assert generations == sorted(set(generations))
