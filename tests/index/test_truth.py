"""The index against a plain reading of every document, and against an index that holds only what somebody may see."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index import (
    RELEVANCE,
    Everything,
    Index,
    Limits,
    Masks,
    Not,
    Put,
    Query,
    Results,
    Sort,
    Term,
    Tier,
    suggesting,
)

from . import naive
from .conftest import built
from .naive import SPECS, Texts
from .strategies import archives, masks, queries

PATIENT = Limits(seconds=600)
SORTS = [
    RELEVANCE,
    *(Sort(name, descending=down) for name in ("code", "ward", "born") for down in (True, False)),
]
PLAIN = [Everything(), Term("发"), Term("肺"), Term("a"), Not(Term("炎"))]

slowly = settings(max_examples=45)


def everything_about(index: Index, query: Query, who: Masks, texts: Texts, sort: Sort) -> list[Results]:
    """All pages of a search, two hits a page."""
    pages, after = [], None
    while not pages or after:
        page = index.search(query, who, texts_of=texts, limit=2, after=after, sort=sort, limits=PATIENT)
        pages.append(page)
        after = page.next
    return pages


@slowly
@given(archives, st.lists(st.tuples(queries, masks), min_size=1, max_size=6), st.sampled_from(SORTS))
def test_a_search_finds_what_reading_everything_would_find(
    documents: Mapping[int, Put], asked: list[tuple[Query, Masks]], sort: Sort
) -> None:
    with built(documents) as index:
        for query, who in asked:
            expected = naive.hits(query, documents, who)
            pages = everything_about(index, query, who, Texts(documents, who), sort)
            found = [hit.number for page in pages for hit in page.hits]
            assert sorted(found) == sorted(expected), "each once, on one of the pages"
            assert {page.total.count for page in pages} == {len(expected)}
            assert all(page.total.exact for page in pages)
            counts = index.facets(query, who, ["dept", "finding", "year"], texts_of=Texts(documents)).counts
            for name, counted in counts.items():
                assert dict(counted) == values_of(name, expected, documents, who)


def values_of(name: str, numbers: set[int], documents: Mapping[int, Put], who: Masks) -> dict[Any, int]:
    counts: dict[Any, int] = {}
    for number in numbers:
        value = documents[number].values.get(name)
        if value is None or naive.held(who, number) < SPECS[name].tier:
            continue
        for one in set(value) if isinstance(value, tuple) else {value}:
            counts[one] = counts.get(one, 0) + 1
    return counts


def seen_by(who: Masks, documents: Mapping[int, Put]) -> dict[int, Put]:
    """The archive as it would be if what somebody may not see did not exist."""
    seen = {}
    for number, put in documents.items():
        tier = naive.held(who, number)
        if tier >= Tier.DISCOVER:
            values = {name: value for name, value in put.values.items() if SPECS[name].tier <= tier}
            seen[number] = Put(number, put.stamp, values)
    return seen


@slowly
@given(archives, masks, st.lists(queries, min_size=1, max_size=4), st.sampled_from(SORTS))
def test_what_somebody_may_not_see_changes_nothing_for_them(
    documents: Mapping[int, Put], who: Masks, asked: list[Query], sort: Sort
) -> None:
    seen = seen_by(who, documents)
    with built(documents) as whole, built(seen, past=False) as part:
        for query in [*PLAIN, *asked]:
            with_hidden = everything_about(whole, query, who, Texts(documents, who), sort)
            without = everything_about(part, query, who, Texts(seen), sort)
            # Scores are compared exactly: a difference in the last digit would also tell.
            assert [page.hits for page in with_hidden] == [page.hits for page in without]
            assert [page.total for page in with_hidden] == [page.total for page in without]
            assert [page.next for page in with_hidden] == [page.next for page in without]
            names = ["dept", "ward", "finding", "year"]
            shown = whole.facets(query, who, names, texts_of=Texts(documents))
            assert shown == part.facets(query, who, names, texts_of=Texts(seen))
        for name in ("code", "dept", "ward", "finding"):
            for prefix in ("z", "发", "儿", "i"):
                assert whole.suggest(name, prefix, who) == part.suggest(name, prefix, who)
        with pytest.MonkeyPatch.context() as patched:
            for most in (1, 2, 3):
                patched.setattr(suggesting, "MOST_IDENTIFIERS", most)
                assert whole.suggest("code", "z", who) == part.suggest("code", "z", who)
