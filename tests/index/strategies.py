"""Random archives, people and questions for hypothesis."""

from datetime import date
from typing import Any

import numpy as np
from hypothesis import strategies as st

from index import (
    Among,
    And,
    Everything,
    Field,
    Masks,
    Not,
    Or,
    Phrase,
    Put,
    Query,
    Range,
    Said,
    Term,
    Tier,
    Whole,
)

# Few characters, so that words repeat: common and rare ones (beyond the basic plane, private use), both scripts,
# full and half width, a variation selector, signs and spaces.
CHARACTERS = "肺炎发發𠮷\ue123AａB1２.，； \n　\u200b\U000e0100é"
NUMBERS = st.integers(0, 10)

texts = st.text(CHARACTERS, min_size=1, max_size=14)
words = st.text("肺炎發𠮷Ａ1", min_size=1, max_size=3) | st.text(CHARACTERS, min_size=1, max_size=5)
codes = st.sampled_from(["ZY-1", "ＺＹ-２", "zy 1", "发1", "發 1", "ZY-11"])
labels = st.sampled_from(["儿科", "兒科", "内科", "ICU", "icu"])
labels_or_more = labels | st.tuples(labels, labels)
dates = st.dates(date(2000, 1, 1), date(2000, 1, 9))


def puts(number: int) -> st.SearchStrategy[Put]:
    values = st.fixed_dictionaries(
        {},
        optional={
            "code": codes | st.tuples(codes, codes),
            "dept": labels_or_more,
            "year": st.integers(1, 5),
            "title": texts,
            "ward": labels_or_more,
            "born": dates,
            "body": texts,
            "finding": labels_or_more,
        },
    )
    return values.map(lambda found: Put(number, 1, found))


archives = st.sets(NUMBERS, min_size=1).flatmap(
    lambda numbers: st.fixed_dictionaries({number: puts(number) for number in sorted(numbers)})
)

_flags = st.lists(st.booleans(), max_size=13).map(lambda flags: np.array(flags, np.bool_))
_tiers = st.lists(st.integers(0, 3), min_size=8, max_size=13).map(np.array)
_nested = _tiers.map(lambda tiers: Masks(*(tiers > tier for tier in range(3))))
masks = _nested | st.builds(Masks, _flags, _flags, _flags)

_terms: st.SearchStrategy[Query] = (
    st.builds(Term, words)
    | st.builds(Phrase, texts)
    | st.builds(Whole, words | texts)
    | st.builds(Term, codes)
)
_ranges: st.SearchStrategy[Query] = st.builds(
    Range, st.just("year"), st.none() | st.integers(0, 6), st.none() | st.integers(0, 6)
) | st.builds(Range, st.just("born"), st.none() | dates, st.none() | dates)
_told: st.SearchStrategy[Query] = st.builds(
    Among,
    st.just("told"),
    st.frozensets(st.integers(-1, 12)),
    st.sampled_from(Tier),
    st.sampled_from([None, "year"]),
)
_fielded: st.SearchStrategy[Query] = st.builds(
    Field,
    st.sampled_from(["code", "title", "body"]),
    st.builds(Term, words | codes) | st.builds(Whole, words),
) | st.builds(Field, st.sampled_from(["dept", "ward", "finding"]), st.builds(Term, labels))


def _joined(parts: st.SearchStrategy[Query]) -> st.SearchStrategy[Any]:
    several = st.lists(parts, max_size=3).map(tuple)
    either = st.builds(Or, several, st.integers(1, 3))
    said = st.builds(Said, parts, several)
    return st.builds(And, several) | either | said | st.builds(Not, parts)


queries = st.recursive(_terms | _fielded | _ranges | _told | st.just(Everything()), _joined, max_leaves=5)
