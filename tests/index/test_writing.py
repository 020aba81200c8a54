import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import index as full_text
from index import (
    Busy,
    Differences,
    Drop,
    Everything,
    Field,
    FieldSpec,
    Index,
    Kind,
    Masks,
    Put,
    Reason,
    Sort,
    Term,
)

from .naive import FIELDS, Texts


def bodies_of(index: Index, who: Masks) -> dict[int, str]:
    """Which of the words 旧 and 新 each document holds."""
    found = {}
    for word in ("旧", "新"):
        for hit in index.search(Term(word), who, texts_of=Texts({}), limit=1000).hits:
            found[hit.number] = found.get(hit.number, "") + word
    return found


def test_the_newest_version_wins_in_whatever_order_changes_come(index: Index, everyone: Masks) -> None:
    index.apply([Put(1, 5, {"body": "新"}), Put(1, 3, {"body": "旧"})])
    index.apply([Put(1, 4, {"body": "旧"})])
    assert bodies_of(index, everyone) == {1: "新"}
    index.apply([Put(1, 6, {"body": "旧"}), Put(2, 1, {"body": "新"})])
    assert bodies_of(index, everyone) == {1: "旧", 2: "新"}


def test_applying_again_changes_nothing(index: Index, everyone: Masks) -> None:
    changes = [Put(1, 1, {"body": "新"}), Put(2, 1, {"body": "新"}), Drop(2), Drop(7)]
    index.apply(changes)
    generation = index.generation()
    index.apply([Put(1, 1, {"body": "新"}), Drop(7)])
    assert index.generation() == generation
    index.apply(changes)
    assert bodies_of(index, everyone) == {1: "新"}


def test_a_dropped_document_comes_back_when_it_is_put_again(index: Index, everyone: Masks) -> None:
    index.apply([Put(1, 5, {"body": "旧"})])
    index.apply([Drop(1)])
    assert bodies_of(index, everyone) == {}
    index.apply([Drop(1), Put(1, 5, {"body": "新"})])
    assert bodies_of(index, everyone) == {1: "新"}


def test_each_change_raises_the_generation_and_so_does_a_rebuild(index: Index, tmp_path: Path) -> None:
    seen = [index.generation()]
    index.apply([Put(1, 1, {})])
    seen.append(index.generation())
    index.rebuild([])
    seen.append(index.generation())
    index.rebuild([Put(1, 1, {})])
    seen.append(index.generation())
    assert seen == sorted(set(seen))


def test_an_open_index_sees_what_another_writes(index: Index, tmp_path: Path, everyone: Masks) -> None:
    other = full_text.open(tmp_path / "index", FIELDS)
    index.apply([Put(1, 1, {"body": "新"})])
    assert bodies_of(other, everyone) == {1: "新"}
    other.rebuild([Put(2, 1, {"body": "新"})])
    assert bodies_of(index, everyone) == {2: "新"}


@pytest.mark.parametrize(
    "wrong",
    [{"unknown": "a"}, {"year": "2024"}, {"body": 1}, {"code": "a\x1fb"}, {"born": 5}, {"year": 1 << 60}],
)
def test_one_document_that_does_not_fit_keeps_out_all(
    index: Index, everyone: Masks, wrong: dict[str, object]
) -> None:
    index.apply([Put(1, 1, {"body": "旧"})])
    generation = index.generation()
    with pytest.raises((TypeError, ValueError)):
        index.apply([Put(1, 2, {"body": "新"}), Put(2, 1, wrong)])  # type: ignore[arg-type]
    with pytest.raises((TypeError, ValueError)):
        index.rebuild([Put(1, 2, {"body": "新"}), Put(2, 1, wrong)])  # type: ignore[arg-type]
    assert bodies_of(index, everyone) == {1: "旧"}
    assert index.generation() == generation


def test_a_number_out_of_range_is_refused(index: Index) -> None:
    for number, stamp in ((-1, 1), (1 << 31, 1), (1, -1), (1, 1 << 63)):
        with pytest.raises(ValueError, match="range"):
            index.apply([Put(number, stamp, {})])


def test_the_check_names_what_is_missing_stale_and_stray(index: Index) -> None:
    index.apply([Put(1, 1, {}), Put(2, 1, {}), Put(3, 1, {})])
    assert not index.check([(3, 1), (2, 1), (1, 1)])
    assert index.check([(2, 2), (1, 1), (4, 1)]) == Differences(missing=(4,), stale=(2,), stray=(3,))
    assert index.check([]) == Differences(missing=(), stale=(), stray=(1, 2, 3))


def test_many_small_changes_leave_few_segments_and_every_document(
    index: Index, tmp_path: Path, everyone: Masks
) -> None:
    for number in range(60):
        index.apply(
            [
                Put(number, 1, {"body": "旧", "code": f"A{number}", "dept": f"{number % 3}科"}),
                Drop(number - 30),
            ]
        )
        index.apply(
            [Put(number, 2, {"body": "新", "code": f"A{number}", "dept": f"{number % 3}科", "year": number})]
        )
    assert bodies_of(index, everyone) == dict.fromkeys(range(30, 60), "新")
    found = index.search(Field("dept", Term("1科")), everyone, texts_of=Texts({}), limit=5, sort=Sort("year"))
    assert [hit.number for hit in found.hits] == [58, 55, 52, 49, 46]
    assert index.facets(Everything(), everyone, ["dept"], texts_of=Texts({})).counts["dept"][0] == ("0科", 10)
    assert len(list((tmp_path / "index").rglob("*.seg"))) < 12
    assert not index.check((number, 2) for number in range(30, 60))


def test_after_a_purge_nothing_of_a_dropped_document_is_on_the_disk(
    index: Index, tmp_path: Path, everyone: Masks
) -> None:
    index.apply(Put(number, 1, {"body": "新", "code": f"A{number}"}) for number in range(9))
    index.apply(
        [
            Put(9, 1, {"body": "旧患", "code": "SECRET"}),
            Put(10, 1, {"body": "新"}),
            Put(11, 1, {"body": "新"}),
        ]
    )

    def on_disk(word: str) -> bool:
        return any(word.encode() in file.read_bytes() for file in (tmp_path / "index").rglob("*.seg"))

    index.apply([Drop(9)])
    assert bodies_of(index, everyone) == dict.fromkeys([*range(9), 10, 11], "新")
    assert on_disk("旧患")
    assert on_disk("SECRET")
    index.purge()
    assert not on_disk("旧患")
    assert not on_disk("SECRET")
    assert not on_disk("secret")
    assert bodies_of(index, everyone) == dict.fromkeys([*range(9), 10, 11], "新")
    generation = index.generation()
    index.purge()
    assert index.generation() == generation


def test_a_rebuild_replaces_everything_and_tells_how_far_it_is(index: Index, everyone: Masks) -> None:
    index.apply([Put(1, 1, {"body": "旧"})])
    done: list[int] = []
    index.rebuild((Put(number, 1, {"body": "新"}) for number in (5, 6, 70)), progress=done.append)
    assert done == [1, 2, 3]
    assert bodies_of(index, everyone) == dict.fromkeys((5, 6, 70), "新")


def test_until_a_rebuild_is_done_the_old_index_answers(index: Index, everyone: Masks) -> None:
    index.apply([Put(1, 1, {"body": "旧"})])

    def documents() -> Iterator[Put]:
        for number in range(5):
            assert bodies_of(index, everyone) == {1: "旧"}
            yield Put(number, 1, {"body": "新"})

    index.rebuild(documents())
    assert bodies_of(index, everyone) == dict.fromkeys(range(5), "新")


def test_a_rebuild_that_is_called_off_leaves_the_old_index(
    index: Index, tmp_path: Path, everyone: Masks
) -> None:
    index.apply([Put(1, 1, {"body": "旧"})])
    before = sorted((tmp_path / "index").iterdir())

    def call_off(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index.rebuild([Put(1, 2, {"body": "新"})], progress=call_off)
    assert bodies_of(index, everyone) == {1: "旧"}
    assert sorted((tmp_path / "index").iterdir()) == before


def test_a_number_that_comes_twice_stops_a_rebuild(index: Index, everyone: Masks) -> None:
    index.apply([Put(1, 1, {"body": "旧"})])
    with pytest.raises(ValueError, match="twice"):
        index.rebuild([Put(1, 1, {}), Put(2, 1, {}), Put(1, 2, {})])
    assert bodies_of(index, everyone) == {1: "旧"}


def test_one_writes_at_a_time(index: Index, tmp_path: Path, everyone: Masks) -> None:
    other = Index(tmp_path / "index", FIELDS)

    def documents() -> Iterator[Put]:
        with pytest.raises(Busy):
            other.apply([Put(9, 1, {"body": "旧"})], wait=0)
        with pytest.raises(Busy):
            other.rebuild([], wait=0)
        full_text.open(tmp_path / "index", FIELDS)
        yield Put(1, 1, {"body": "新"})

    index.rebuild(documents())
    assert bodies_of(other, everyone) == {1: "新"}


def test_opening_removes_what_a_killed_writer_left(index: Index, tmp_path: Path, everyone: Masks) -> None:
    index.apply([Put(1, 1, {"body": "新"})])
    (epoch,) = (entry for entry in (tmp_path / "index").iterdir() if entry.is_dir())
    kept = sorted((tmp_path / "index").rglob("*"))
    for name in (
        "main_0123456789abcdef.seg",
        "main_0123456789abcdef.trm",
        "_main_1.toc",
        "_main_9.toc.1234.5",
        "x.run",
    ):
        (epoch / name).write_bytes(b"left")
    (epoch / "main.tmp").mkdir()
    (epoch / "main.tmp" / "part.ctmp").write_bytes(b"left")
    (tmp_path / "index" / "123").mkdir()
    full_text.open(tmp_path / "index", FIELDS)
    assert sorted((tmp_path / "index").rglob("*")) == kept
    assert bodies_of(index, everyone) == {1: "新"}


def test_an_index_that_never_was_is_missing_and_a_rebuild_makes_it(tmp_path: Path, everyone: Masks) -> None:
    with pytest.raises(full_text.Damaged) as missing:
        full_text.open(tmp_path / "new", FIELDS)
    assert missing.value.reason is Reason.MISSING
    assert not (tmp_path / "new").exists()
    Index(tmp_path / "new", FIELDS).rebuild([Put(1, 1, {"body": "新"})])
    assert bodies_of(full_text.open(tmp_path / "new", FIELDS), everyone) == {1: "新"}


def test_an_index_deleted_and_rebuilt_behind_an_open_one_is_noticed(
    index: Index, tmp_path: Path, everyone: Masks
) -> None:
    index.apply([Put(1, 1, {"body": "旧"})])
    assert bodies_of(index, everyone) == {1: "旧"}
    shutil.rmtree(tmp_path / "index")
    with pytest.raises(full_text.Damaged):
        index.generation()
    Index(tmp_path / "index", FIELDS).rebuild([Put(1, 1, {"body": "新"})])
    assert bodies_of(index, everyone) == {1: "新"}


def test_fields_of_another_shape_make_an_index_outdated_but_tiers_and_weights_do_not(
    index: Index, tmp_path: Path
) -> None:
    heavier = [FieldSpec(spec.name, spec.kind, weight=9) for spec in FIELDS]
    assert full_text.open(tmp_path / "index", heavier).generation() == index.generation()
    for fields in (FIELDS[1:], [*FIELDS[1:], FieldSpec("code", Kind.TEXT)]):
        with pytest.raises(full_text.Damaged) as outdated:
            full_text.open(tmp_path / "index", fields)
        assert outdated.value.reason is Reason.OUTDATED


@pytest.mark.parametrize("name", ["number", "stamp", "_x", "X", "a-b", ""])
def test_a_field_needs_a_usable_name(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        FieldSpec(name, Kind.TEXT)
