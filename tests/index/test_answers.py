"""Answers that are kept for a moment: read once, and nobody's but for whoever holds the very same."""

import weakref
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest

from index import (
    Everything,
    Field,
    Index,
    Limits,
    Masks,
    Not,
    Put,
    Query,
    Sort,
    Term,
    TooSlow,
    Total,
    answers,
)

from .naive import Texts

Fill = Callable[..., Texts]
PHRASE = Term("支气管炎")


class Counted:
    """What serves texts, and how many it was asked for."""

    def __init__(self, texts: Texts) -> None:
        self._texts, self.asked = texts, 0

    def __call__(self, numbers: Sequence[int], name: str) -> Mapping[int, str]:
        self.asked += len(numbers)
        return self._texts(numbers, name)


@pytest.fixture
def texts(filled: Fill) -> Counted:
    return Counted(
        filled(*(Put(n, 1, {"body": "支气管炎", "dept": "儿科", "year": n}) for n in range(1, 13)))
    )


def masks(*tiers: Sequence[int]) -> Masks:
    return Masks(*(np.isin(np.arange(20), tier) for tier in tiers))


def found(index: Index, texts: Counted, who: Masks, query: Query = PHRASE) -> list[int]:
    return sorted(hit.number for hit in index.search(query, who, texts_of=texts, limit=50).hits)


def test_the_counts_beside_hits_and_the_next_page_read_no_text_again(
    index: Index, texts: Counted, everyone: Masks
) -> None:
    first = index.search(PHRASE, everyone, texts_of=texts, limit=5)
    read = texts.asked
    counts = index.facets(PHRASE, everyone, ["dept"], texts_of=texts)
    second = index.search(PHRASE, everyone, texts_of=texts, limit=5, after=first.next)
    again = index.search(PHRASE, everyone, texts_of=texts, limit=5)
    by_year = index.search(PHRASE, everyone, texts_of=texts, limit=5, sort=Sort("year"))
    assert (read, texts.asked) == (12, 12)
    assert counts.counts["dept"] == (("儿科", 12),)
    assert not {hit.number for hit in first.hits} & {hit.number for hit in second.hits}
    assert again == first
    assert [hit.number for hit in by_year.hits] == [12, 11, 10, 9, 8]


def test_a_page_reads_few_texts_to_count_and_the_counts_behind_it_read_on(
    index: Index, filled: Fill, everyone: Masks
) -> None:
    texts = Counted(filled(*(Put(n, 1, {"body": "支气管炎", "dept": "儿科"}) for n in range(1, 100))))
    haste = Limits(counting=20)
    page = index.search(PHRASE, everyone, texts_of=texts, limit=5, limits=haste)
    assert not page.total.exact
    assert 20 <= page.total.count <= texts.asked <= 32 + 32
    counts = index.facets(PHRASE, everyone, ["dept"], texts_of=texts, limits=haste)
    assert texts.asked == 99
    assert counts.total == Total(99, exact=True)
    assert counts.counts["dept"] == (("儿科", 99),)


def test_whoever_holds_something_else_at_any_tier_gets_an_answer_of_their_own(
    index: Index, texts: Counted
) -> None:
    every, some = list(range(20)), [3, 4]
    assert found(index, texts, masks(every, every, every)) == list(range(1, 13))
    for less in (masks(every, every, some), masks(every, some, every), masks(some, every, every)):
        assert found(index, texts, less) == some
    # What is read is the same for these two; of whom one may know not.
    without = Not(Field("title", Term("A1")))
    assert found(index, texts, masks(every, every, some), without) == list(range(1, 13))
    assert found(index, texts, masks(every, some, some), without) == some


def test_a_changed_index_answers_anew(index: Index, texts: Counted, filled: Fill, everyone: Masks) -> None:
    assert len(found(index, texts, everyone)) == 12
    filled(Put(13, 1, {"body": "支气管炎"}), Put(1, 2, {"body": "支气，气管，管炎"}))
    known = dict.fromkeys(range(2, 14), "支气管炎") | {1: "支气，气管，管炎"}
    newer = index.search(
        PHRASE, everyone, texts_of=lambda numbers, _name: {n: known[n] for n in numbers}, limit=50
    )
    assert sorted(hit.number for hit in newer.hits) == list(range(2, 14))


def test_an_answer_is_kept_for_a_moment_only(
    index: Index, texts: Counted, everyone: Masks, monkeypatch: pytest.MonkeyPatch
) -> None:
    found(index, texts, everyone)
    monkeypatch.setattr(answers, "SECONDS", 0.0)  # as if the moment were over
    texts.asked = 0
    index.facets(PHRASE, everyone, ["dept"], texts_of=texts)
    assert texts.asked == 12


def test_nothing_of_who_asked_is_kept_with_the_answer(index: Index, texts: Counted) -> None:
    who = masks(*[range(20)] * 3)
    asker, reader = weakref.ref(who), Counted(texts)
    served = weakref.ref(reader)
    assert len(found(index, reader, who)) == 12
    assert index.stats().kept > 0
    del who, reader
    assert (asker(), served()) == (None, None)


def test_a_search_that_was_given_up_leaves_no_answer(index: Index, texts: Counted, everyone: Masks) -> None:
    with pytest.raises(TooSlow):
        index.search(Everything(), everyone, texts_of=texts, limit=5, limits=Limits(seconds=-1))
    assert found(index, texts, everyone, Everything()) == list(range(1, 13))


def test_what_is_being_used_is_nobody_elses_meanwhile(index: Index, texts: Counted, everyone: Masks) -> None:
    inner: list[list[int]] = []

    def meanwhile(numbers: Sequence[int], name: str) -> Mapping[int, str]:
        if not inner:
            inner.append([])
            inner.append(found(index, texts, everyone))
        return texts(numbers, name)

    outer = index.search(PHRASE, everyone, texts_of=meanwhile, limit=50)
    assert inner[1] == sorted(hit.number for hit in outer.hits) == list(range(1, 13))


def test_what_is_too_large_is_not_kept(
    index: Index, texts: Counted, everyone: Masks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "ROOM", 100)  # less than any answer takes
    found(index, texts, everyone)
    texts.asked = 0
    index.facets(PHRASE, everyone, ["dept"], texts_of=texts)
    assert texts.asked == 12
