"""Orders are sorted only as far as somebody turns the pages, and are the same as if all had been sorted."""

from collections.abc import Callable
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import Everything, Index, Masks, Put, Sort, ordering, segments
from index.query import Term

from .naive import Texts

Fill = Callable[..., Texts]
Numbers = st.lists(st.integers(-50, 5_000), unique=True, max_size=200)


def sorted_in_small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """As among a million: here hundreds of documents would all be sorted at once."""
    monkeypatch.setattr(ordering, "_FIRST_CHUNK", 3)
    monkeypatch.setattr(ordering, "_ALIKE", 1)


@pytest.mark.parametrize("values", [1, 2, 5, 70])
@pytest.mark.parametrize("down", [True, False])
def test_where_many_are_alike_the_number_decides(
    index: Index, filled: Fill, everyone: Masks, monkeypatch: pytest.MonkeyPatch, values: int, *, down: bool
) -> None:
    sorted_in_small_pieces(monkeypatch)
    chance = Random(values)
    years = {number: chance.randrange(values) for number in chance.sample(range(1000), 150)}
    texts = filled(*(Put(number, 1, {"year": year}) for number, year in years.items()))
    sign = -1 if down else 1
    expected = sorted(years, key=lambda number: (sign * years[number], sign * number))
    order = Sort("year", descending=down)
    for limit in (7, 150):
        found, after = list[int](), None
        while len(found) < len(years):
            page = index.search(Everything(), everyone, texts_of=texts, limit=limit, after=after, sort=order)
            found += [hit.number for hit in page.hits]
            after = page.next
        assert found == expected
        assert after is None


def test_what_nothing_speaks_for_comes_by_number(
    index: Index, filled: Fill, everyone: Masks, monkeypatch: pytest.MonkeyPatch
) -> None:
    sorted_in_small_pieces(monkeypatch)
    numbers = Random(1).sample(range(1000), 200)
    texts = filled(*(Put(number, 1, {"dept": "儿科"}) for number in numbers))
    page = index.search(Everything(), everyone, texts_of=texts, limit=150)
    assert [hit.number for hit in page.hits] == sorted(numbers, reverse=True)[:150]


@given(Numbers)
def test_the_newest_come_first(numbers: list[int]) -> None:
    found = ordering.newest_first(np.arange(len(numbers)), np.array(numbers, np.int64))
    assert [numbers[at] for at in found] == sorted(numbers, reverse=True)


@pytest.mark.parametrize("sorted_", [0, 10**9])
def test_one_character_is_found_as_often_as_it_stands_there(
    index: Index, filled: Fill, everyone: Masks, monkeypatch: pytest.MonkeyPatch, sorted_: int
) -> None:
    """Whether the lists are sorted, where they are short, or counted."""
    monkeypatch.setattr(segments, "_SORTED", sorted_)
    said = {1: "肺炎", 2: "肺炎肺癌肺叶", 3: "肺癌肺", 4: "心", 5: "肺"}
    texts = filled(*(Put(number, 1, {"body": body}) for number, body in said.items()))
    page = index.search(Term("肺"), everyone, texts_of=texts, limit=9)
    assert sorted(hit.number for hit in page.hits) == [1, 2, 3, 5]
    (view,) = (part.view for part in index._open().parts if part.view.size == len(said))
    found = view.postings_from("body", "肺", lambda: None)
    assert (found.docs.tolist(), found.counts.tolist()) == ([0, 1, 2, 4], [1, 3, 2, 1])
