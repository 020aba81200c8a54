"""Whatever is asked for: an answer in time, or a sentence that says what is wrong with the question."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from itertools import count
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from index import FieldSpec, Index, Kind, Masks, Put, QuerySyntax, Sort, Tier, alike, parse, snippet
from index.spotting import joining
from tests import naughty
from tests.soaking import how_many

FIELDS = (
    FieldSpec("numbers", Kind.IDENT, Tier.DISCOVER),
    FieldSpec("dept", Kind.KEYWORD, Tier.DISCOVER),
    FieldSpec("year", Kind.INTEGER, Tier.DISCOVER),
    FieldSpec("date", Kind.DATE, Tier.DISCOVER),
    FieldSpec("title", Kind.TEXT, Tier.IDENTIFY),
    FieldSpec("text", Kind.TEXT),
)
LABELS = {spec.name: spec for spec in FIELDS} | dict(
    zip(("科室", "年度", "题名"), (FIELDS[1], FIELDS[2], FIELDS[4]), strict=True)
)
SORTS = (Sort(), Sort("numbers"), Sort("date", descending=False), Sort("dept"), Sort("year"))
DOCUMENTS, LETTERS = 1_200, 900
COMMON = (
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面"
)
"""Few characters, each in every document: nothing is slower to look up than what stands everywhere."""
AT_MOST = 300_000
"""Calls for a question, with its second page, counts, likeness, passages and suggestions. Calls and not seconds: they are the
same however much else the machine does, and what never ends calls without end.
"""
FEW = 120
"""Questions made up in a usual run."""

pieces = (
    st.sampled_from(naughty.QUERIES)
    | st.sampled_from(naughty.VALUES)
    | st.text(COMMON, min_size=1, max_size=6)
)
joints = st.sampled_from(
    [" ", "", " OR ", " -", ":", "：", '"', "(", ")", "..", "，", " “", "” ", " 科室:", " year:", " -text:"]
)
questions = st.lists(st.tuples(joints, pieces), min_size=1, max_size=12).map(
    lambda parts: "".join(sum(parts, ()))
)


@pytest.fixture(scope="module")
def texts() -> list[str]:
    chance = Random(5)
    return ["".join(chance.choices(COMMON + "，。 ", k=LETTERS)) for _ in range(DOCUMENTS)]


@pytest.fixture(scope="module")
def searched(texts: list[str], tmp_path_factory: pytest.TempPathFactory) -> Index:
    index = Index(tmp_path_factory.mktemp("naughty") / "index", FIELDS)
    index.rebuild(
        Put(number, 1, {
            "text": text, "title": text[:30], "numbers": (f"N{number}", text[:4]), "dept": f"{number % 7}科",
            "year": 2000 + number % 30, "date": date(2000 + number % 30, 1, 1 + number % 28),
        }) for number, text in enumerate(texts)
    )  # fmt: skip
    joining()  # a table that is made once counts for no question
    return index


def asked(index: Index, texts: Sequence[str], typed: str, sort: Sort) -> str:
    """What becomes of a question. TooSlow, which its limit of time would raise, is a fault like any other."""
    with called() as calls:
        outcome = answered(index, texts, typed, sort)
    assert next(calls) < AT_MOST, f"{typed!r} takes too many calls"
    return outcome


@contextmanager
def called() -> Iterator[Iterator[int]]:
    """Counts the calls of what is done within, of Python and of C: the next number is how many they were."""
    calls, before = count(), sys.getprofile()
    sys.setprofile(lambda _frame, event, _argument: next(calls) if "call" in event else None)
    try:
        yield calls
    finally:
        sys.setprofile(before)


def answered(index: Index, texts: Sequence[str], typed: str, sort: Sort) -> str:
    try:
        query = parse(typed, LABELS)
    except QuerySyntax as refused:
        return "refused" if refused.message and 0 <= refused.position <= 1_000 else "without a sentence"
    everything = np.ones(len(texts), np.bool_)
    who = Masks(everything, everything, everything)

    def texts_of(numbers: Sequence[int], _field: str) -> dict[int, str]:
        return {number: texts[number] for number in numbers}

    first = index.search(query, who, texts_of=texts_of, limit=30, sort=sort)
    if first.next:
        index.search(query, who, texts_of=texts_of, limit=30, sort=sort, after=first.next)
    index.facets(query, who, ["dept", "year"], texts_of=texts_of)
    if likeness := alike(query):
        index.search(likeness, who, texts_of=texts_of, limit=20)
    for hit in first.hits[:10]:
        snippet(texts[hit.number], query, 90, field="text")
    for name in ("numbers", "dept"):
        index.suggest(name, typed, who)
    return "found" if first.hits else "nothing"


@pytest.mark.parametrize("sort", SORTS, ids=lambda sort: sort.field or "relevance")
def test_every_naughty_question_is_answered_in_time_or_refused_with_a_sentence(
    searched: Index, texts: list[str], sort: Sort
) -> None:
    part = SORTS.index(sort)
    every = [*naughty.QUERIES, *naughty.VALUES]
    outcomes = {asked(searched, texts, typed, sort) for typed in (every if part == 0 else every[part::11])}
    assert outcomes <= {"found", "nothing", "refused"}
    assert part or len(outcomes) == 3


def made_up(index: Index, texts: Sequence[str], count: int) -> None:
    def ask(typed: str, sort: Sort) -> None:
        assert asked(index, texts, typed, sort) in {"found", "nothing", "refused"}

    unhurried = settings(
        max_examples=count, derandomize=count <= FEW, database=None,
        phases=(Phase.explicit, Phase.generate), suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    unhurried(given(questions, st.sampled_from(SORTS))(ask))()


def test_a_question_that_is_made_up_is_answered_in_time_or_refused(searched: Index, texts: list[str]) -> None:
    made_up(searched, texts, FEW)


@pytest.mark.soak
def test_questions_that_are_made_up_for_long_are_answered_in_time_or_refused(
    searched: Index, texts: list[str], record_property: Callable[[str, object], None]
) -> None:
    count = how_many("questions", usual=10_000)
    made_up(searched, texts, count)
    record_property(
        "soak",
        f"{count:,} questions made up for the index: each answered within its time, or refused with a sentence",
    )
