"""How far a search goes: each step looks at the clock, and texts are read in bearable portions."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from index import (
    Everything,
    Facets,
    Field,
    Index,
    Limits,
    Masks,
    Or,
    Phrase,
    Put,
    Query,
    Sort,
    Term,
    TooSlow,
    Total,
    checking,
    clock,
    counting,
    matches,
    ordering,
    space,
    suggesting,
)

from .naive import Texts

Fill = Callable[..., Texts]
MANY = tuple("甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳")
TIME = 2


class Slowly:
    """A clock that stands still, but for a second whenever a certain step is done."""

    def __init__(self, patched: pytest.MonkeyPatch, where: Any, step: str) -> None:
        self.steps, self._step = 0, getattr(where, step)
        patched.setattr(clock, "monotonic", lambda: float(self.steps))
        patched.setattr(where, step, self._slow)

    @property
    def _slow(self) -> Callable[..., Any]:
        def slow(*given: Any, **more: Any) -> Any:
            self.steps += 1
            return self._step(*given, **more)

        return slow


@pytest.fixture
def texts(filled: Fill) -> Texts:
    """Three segments, in each of which every word stands."""
    batches = [
        [
            Put(number, 1, {
                "body": "，".join(MANY), "code": f"A{number}", "dept": f"{number}科", "year": number,
                "ward": f"{number}区", "finding": f"{number}项",
            }) for number in range(start, start + 8)
        ] for start in (0, 8, 16)
    ]  # fmt: skip
    for batch in batches:
        filled(*batch)
    return Texts({put.number: put for batch in batches for put in batch})


ANY = Or(tuple(map(Term, MANY)))
STEPS = {
    "a leaf is looked up": (matches, "look_up", ANY, Sort()),
    "a leaf is judged": (matches.Matches, "_truth", ANY, Sort()),
    "a leaf is scored": (matches.Matches, "_scores", ANY, Sort()),
    "a segment is ordered": (ordering, "_Run", Everything(), Sort("code")),
    "postings are read": (space.SegmentView, "postings_from", Field("body", ANY), Sort()),
}


@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
@pytest.mark.parametrize("name", STEPS)
def test_no_step_of_a_search_begins_after_its_time(
    index: Index, texts: Texts, everyone: Masks, monkeypatch: pytest.MonkeyPatch, name: str, *, warm: bool
) -> None:
    where, step, query, sort = STEPS[name]
    if warm:  # the lists of the words are kept, but no answer: with other limits it would be another one
        index.search(query, everyone, texts_of=texts, limit=5, sort=sort, limits=Limits(texts=1))
    slowly = Slowly(monkeypatch, where, step)
    if warm and name == "postings are read":
        assert index.search(query, everyone, texts_of=texts, limit=5, sort=sort).hits
        assert not slowly.steps, "they are kept"
        return
    with pytest.raises(TooSlow):
        index.search(query, everyone, texts_of=texts, limit=5, sort=sort, limits=Limits(seconds=TIME))
    assert slowly.steps == TIME


def test_no_field_is_counted_after_the_time(
    index: Index, texts: Texts, everyone: Masks, monkeypatch: pytest.MonkeyPatch
) -> None:
    slowly = Slowly(monkeypatch, counting, "_of_numbers")
    with pytest.raises(TooSlow):
        index.facets(Everything(), everyone, ["year"] * 5, texts_of=texts, limits=Limits(seconds=TIME))
    assert slowly.steps == TIME


@pytest.mark.parametrize("field", ["code", "dept"])
def test_no_value_is_suggested_after_the_time(
    index: Index, texts: Texts, everyone: Masks, monkeypatch: pytest.MonkeyPatch, field: str
) -> None:
    typed = {"code": "a", "dept": "1"}[field]
    assert len(index.suggest(field, typed, everyone)) == 10
    slowly = Slowly(monkeypatch, suggesting, "key")  # of what was typed, and then of each value
    with pytest.raises(TooSlow):
        index.suggest(field, typed, everyone, limits=Limits(seconds=TIME))
    assert slowly.steps <= TIME + 1


def test_a_page_that_was_found_in_time_is_shown_though_its_scores_come_late(
    index: Index, texts: Texts, everyone: Masks, monkeypatch: pytest.MonkeyPatch
) -> None:
    slowly = Slowly(monkeypatch, matches.Matches, "_scores")
    found = index.search(
        ANY, everyone, texts_of=texts, limit=5, sort=Sort("year"), limits=Limits(seconds=TIME)
    )
    assert [hit.number for hit in found.hits] == [23, 22, 21, 20, 19]
    assert slowly.steps == len(MANY)


def test_when_the_texts_come_too_late_what_was_nominated_is_counted(
    index: Index, filled: Fill, everyone: Masks, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = filled(*(Put(number, 1, {"body": "支气，气管，管炎", "dept": "儿科"}) for number in range(900)))
    slowly = Slowly(monkeypatch, checking, "saying")
    found = index.facets(Phrase("支气管炎"), everyone, ["dept"], texts_of=texts, limits=Limits(seconds=4))
    assert slowly.steps == 3, "a quarter of the time is left to count"
    assert found == Facets({"dept": (("儿科", 900 - 32 - 128 - 500),)}, Total(0, exact=False), exact=False)


class Counting:
    """Serves long texts and remembers how much at once."""

    def __init__(self, length: int) -> None:
        self.letters, self.asked = list[int](), 0
        self._text = "支气，气管，管炎" + "。" * length

    def __call__(self, numbers: Sequence[int], _field: str) -> dict[int, str]:
        self.letters.append(len(numbers) * len(self._text))
        self.asked += len(numbers)
        return dict.fromkeys(numbers, self._text)


def long_texts(index: Index, count: int, words: int) -> None:
    """Documents of so many words; what the texts say besides does not matter to the index."""
    index.apply([Put(number, 1, {"body": "支气，气管，管炎" + "，甲" * words}) for number in range(count)])


@pytest.mark.parametrize("ask", ["search", "facets"])
def test_long_texts_are_read_in_portions(
    index: Index, everyone: Masks, monkeypatch: pytest.MonkeyPatch, ask: str
) -> None:
    monkeypatch.setattr(checking, "_LETTERS", 10_000)
    long_texts(index, 100, 1_000)
    texts = Counting(1_000)
    query: Query = Phrase("支气管炎")
    if ask == "search":
        assert not index.search(query, everyone, texts_of=texts, limit=5).hits
    else:
        assert index.facets(query, everyone, ["dept"], texts_of=texts).exact
    assert texts.asked == 100
    assert max(texts.letters) <= 11_000


def test_the_clock_is_looked_at_between_portions_and_the_next_page_goes_on(
    index: Index, everyone: Masks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "_LETTERS", 10_000)
    long_texts(index, 30, 1_000)
    slowly = Slowly(monkeypatch, checking, "saying")
    seen, after = 0, None
    while seen == 0 or after:
        before = slowly.steps
        page = index.search(
            Phrase("支气管炎"),
            everyone,
            texts_of=Counting(1_000),
            limit=5,
            after=after,
            limits=Limits(seconds=TIME),
        )
        assert slowly.steps - before <= 2
        after, seen = page.next, seen + 1
    assert seen > 1
    assert slowly.steps >= 3


def test_a_long_text_counts_as_several(index: Index, everyone: Masks) -> None:
    long_texts(index, 100, 10)
    short, long = Counting(100), Counting(90_000)
    for texts in (short, long):
        index.facets(Phrase("支气管炎"), everyone, [], texts_of=texts, limits=Limits(texts=100))
    assert short.asked == 100
    assert long.asked < 100
