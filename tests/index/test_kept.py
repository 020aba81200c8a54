"""What is kept between searches: nobody has anything of another's, nothing outlives its index, and it stays small."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import index as full_text
from index import (
    Allowed,
    Drop,
    Everything,
    Field,
    Index,
    Masks,
    Put,
    Query,
    Range,
    Sealed,
    Sort,
    Term,
    Tier,
    answers,
)
from index import space as spaces
from index.kept import Kept
from index.segments import SegmentView

from .naive import FIELDS, Texts

Fill = Callable[..., Texts]
QUERIES: tuple[Query, ...] = (
    Term("感冒"), Term("感"), Term("感冒了"), Field("dept", Term("儿科")), Range("year", 0, 99), Everything(),
)  # fmt: skip


def patients(*numbers: int) -> list[Put]:
    return [Put(n, 1, {"body": "感冒了", "dept": "儿科", "year": n, "code": f"A{n}"}) for n in numbers]


def holding(*numbers: int) -> Masks:
    mask = np.isin(np.arange(20), numbers)
    return Masks(mask, mask, mask)


def found(index: Index, texts: Texts, who: Allowed, query: Query) -> list[int]:
    return sorted(hit.number for hit in index.search(query, who, texts_of=texts, limit=50).hits)


def test_a_revoked_right_is_gone_at_once(index: Index, filled: Fill) -> None:
    texts = filled(*patients(1, 2, 3))
    for query in QUERIES:
        assert found(index, texts, holding(1, 2, 3), query) == [1, 2, 3]
        assert found(index, texts, holding(1, 3), query) == [1, 3]
    assert index.facets(Everything(), holding(1, 3), ["year"], texts_of=texts).counts["year"] == (
        (1, 1),
        (3, 1),
    )
    assert [one.value for one in index.suggest("code", "a", holding(1, 3))] == ["A1", "A3"]


def test_a_right_revoked_in_the_same_array_is_gone_at_once(index: Index, filled: Fill) -> None:
    texts, who = filled(*patients(1, 2, 3)), holding(1, 2, 3)
    for query in QUERIES:
        who.read[2] = True
        assert found(index, texts, who, query) == [1, 2, 3]
        who.read[2] = False  # the three tiers are one array
        assert found(index, texts, who, query) == [1, 3]


class SealedMasks:
    """Somebody with these masks sealed."""

    def __init__(self, masks: Masks) -> None:
        self._masks = {tier: Sealed(masks.mask(tier)) for tier in Tier}

    def mask(self, tier: Tier) -> Sealed:
        return self._masks[tier]


def test_who_comes_with_sealed_masks_finds_what_they_say_and_no_more(index: Index, filled: Fill) -> None:
    texts = filled(*patients(1, 2, 3))
    for query in QUERIES:
        both, one = SealedMasks(holding(1, 3)), SealedMasks(holding(3))
        for _time in range(2):
            assert found(index, texts, both, query) == [1, 3]
            assert found(index, texts, one, query) == [3]
        assert found(index, texts, holding(1, 3), query) == [1, 3]


def test_a_sealed_mask_is_a_copy_that_nobody_can_write_in(index: Index, filled: Fill) -> None:
    texts, masks = filled(*patients(1, 2)), holding(1, 2)
    sealed = SealedMasks(masks)
    masks.read[2] = False
    assert found(index, texts, sealed, Term("感冒")) == [1, 2]
    mask = sealed.mask(Tier.READ).mask
    with pytest.raises(ValueError, match="read-only"):
        mask[2] = False
    with pytest.raises(ValueError, match="WRITEABLE"):
        mask.flags.writeable = True
    for nothing in (None, [True], np.ones(3), np.ones((2, 2), np.bool_)):
        with pytest.raises(TypeError):  # also for a caller whose types nobody checks
            Sealed(nothing)  # type: ignore[arg-type]


def test_a_right_at_one_tier_alone_is_revoked_as_surely(index: Index, filled: Fill) -> None:
    texts = filled(*patients(1, 2))
    both, one = np.isin(np.arange(20), [1, 2]), np.isin(np.arange(20), [2])
    assert found(index, texts, Masks(both, both, both), Term("感冒")) == [1, 2]
    for less in (Masks(both, both, one), Masks(both, one, both), Masks(one, both, both)):
        assert found(index, texts, less, Term("感冒")) == [2]
    assert found(index, texts, Masks(both, both, both), Term("感冒")) == [1, 2]


def test_two_persons_at_once_never_share(index: Index, filled: Fill) -> None:
    texts = filled(*patients(*range(16)))
    people = [[n for n in range(16) if n >> bit & 1] for bit in range(4)]

    def right(turn: int) -> bool:
        own, query = people[turn % 4], QUERIES[turn % len(QUERIES)]
        return found(index, texts, holding(*own), query) == own

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(right, range(240)))


def test_what_is_written_while_it_is_kept_is_found(index: Index, filled: Fill, tmp_path: Path) -> None:
    texts = filled(*patients(1, 2))
    reader = full_text.open(tmp_path / "index", FIELDS)
    assert [found(reader, texts, holding(1, 2, 3), query) for query in QUERIES] == [[1, 2]] * len(QUERIES)
    more = filled(*patients(3))
    index.apply([Drop(1)])
    everyone = Texts({**texts.documents, **more.documents})
    assert [found(reader, everyone, holding(1, 2, 3), query) for query in QUERIES] == [[2, 3]] * len(QUERIES)
    by_code = reader.search(Everything(), holding(1, 2, 3), texts_of=everyone, limit=9, sort=Sort("code"))
    assert [hit.number for hit in by_code.hits] == [3, 2]


def test_many_people_and_many_words_take_no_more_room_than_there_is(
    index: Index, filled: Fill, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spaces, "ROOM_FOR_DECODED", 20_000)
    monkeypatch.setattr(spaces, "ROOM_FOR_POSTINGS", 20_000)
    monkeypatch.setattr(spaces, "ROOM_FOR_HELD", 20_000)
    monkeypatch.setattr(answers, "ROOM", 20_000)
    texts = filled(*patients(*range(16)))
    index = full_text.open(tmp_path / "index", FIELDS)
    for turn in range(300):
        own = [n for n in range(16) if turn >> n & 1]
        assert found(index, texts, holding(*own), Term("感冒")) == own
        assert found(index, texts, holding(*own), Term(f"感冒{turn}")) == []
    assert 40_000 < index.stats().kept <= 4 * 20_000 + 5_000, "most of them full, and some columns"


def test_what_was_decoded_of_a_segment_is_not_decoded_again_after_a_commit(
    index: Index, filled: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = {**filled(*patients(1, 2, 3)).documents, **filled(*patients(4, 5)).documents}
    everyone, decode = holding(*range(20)), SegmentView._decoded
    for query in QUERIES:
        assert found(index, Texts(texts), everyone, query) == [1, 2, 3, 4, 5]
    texts |= filled(*patients(6)).documents
    index.apply([Drop(2)])
    sizes = list[int]()

    def counted(view: SegmentView, position: int) -> Any:
        sizes.append(view.size)
        return decode(view, position)

    monkeypatch.setattr(SegmentView, "_decoded", counted)
    for query in QUERIES:
        assert found(index, Texts(texts), everyone, query) == [1, 3, 4, 5, 6]
    assert sizes
    assert set(sizes) == {1}, "of the segment that has come since"


def test_nothing_is_kept_of_a_segment_that_is_gone() -> None:
    kept = Kept[int](100_000, lambda _value: 500)
    for key in (("a", 1), ("b", 1), ("b", 2)):
        kept.get(key, lambda: 7)
    kept.keep_only({"a", "c"})
    assert kept.size == 1000
    assert kept.get(("a", 1), lambda: 8) == 7
    assert kept.get(("b", 1), lambda: 8) == 8


def test_what_was_used_least_recently_goes_first() -> None:
    made: list[str] = []
    kept = Kept[str](3 * 1000, lambda _value: 500)

    def get(name: str) -> str:
        def make() -> str:
            made.append(name)
            return name

        return kept.get(name, make)

    for name in ("a", "b", "c", "a", "d", "a", "b"):
        assert get(name) == name
    assert made == ["a", "b", "c", "d", "b"]


def test_what_is_larger_than_the_room_is_not_kept() -> None:
    kept = Kept[bytes](5000, len)
    assert kept.get("small", lambda: b"1") == b"1"
    assert kept.get("large", lambda: bytes(9000)) == bytes(9000)
    assert kept.get("small", lambda: b"2") == b"1"


def test_a_mask_of_another_tier_is_not_taken_for_this_one(index: Index, filled: Fill) -> None:
    texts = filled(*patients(1, 2))
    one, two = np.isin(np.arange(20), [1]), np.isin(np.arange(20), [2])
    assert found(index, texts, Masks(one, two, two), Everything()) == [1]
    assert found(index, texts, Masks(two, one, one), Everything()) == [2]
    assert found(index, texts, Masks(one, two, one), Term("感冒")) == []
