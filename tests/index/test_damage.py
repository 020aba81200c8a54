import re
from contextlib import suppress
from pathlib import Path
from random import Random

import numpy as np
import pytest
from whoosh.util.numeric import length_to_byte

import index as full_text
from index import (
    And,
    Damaged,
    Everything,
    Field,
    Index,
    Masks,
    Not,
    Or,
    Phrase,
    Put,
    Range,
    Reason,
    Sort,
    Term,
)

from .naive import FIELDS, Texts

DOCUMENTS = {
    number: Put(
        number,
        1,
        {
            "body": f"慢性支气管炎 {number}",
            "title": "张三",
            "code": f"ZY-{number}",
            "dept": "儿科",
            "year": number,
        },
    )
    for number in range(40)
}
TEXTS = Texts(DOCUMENTS)
CODES = sorted(f"ZY-{number}" for number in DOCUMENTS)
QUERY = And(
    (Or((Term("支气管炎"), Term("张"))), Not(Phrase("肺炎")), Field("dept", Term("儿科")), Range("year", 1))
)


@pytest.fixture
def segment(index: Index, tmp_path: Path) -> Path:
    """The only segment of an index with forty documents."""
    index.rebuild(DOCUMENTS.values())
    (found,) = (tmp_path / "index").rglob("*.seg")
    return found


def use(folder: Path, who: Masks) -> None:
    """Open an index afresh and read all of it."""
    index = full_text.open(folder, FIELDS)
    index.search(QUERY, who, texts_of=TEXTS, limit=10, sort=Sort("code"))
    index.search(Everything(), who, texts_of=TEXTS, limit=10)
    index.facets(QUERY, who, ["dept", "year"], texts_of=TEXTS)
    index.suggest("code", "zy", who)
    index.check([(1, 1)])


@pytest.mark.parametrize("left", [0, 10, 500, -1])
def test_a_segment_that_was_cut_short_is_unreadable(
    segment: Path, tmp_path: Path, everyone: Masks, left: int
) -> None:
    segment.write_bytes(segment.read_bytes()[:left])
    with pytest.raises(Damaged) as damaged:
        use(tmp_path / "index", everyone)
    assert damaged.value.reason is Reason.UNREADABLE


def test_a_segment_that_is_gone_is_missing(segment: Path, tmp_path: Path, everyone: Masks) -> None:
    segment.unlink()
    with pytest.raises(Damaged) as damaged:
        use(tmp_path / "index", everyone)
    assert damaged.value.reason is Reason.MISSING


@pytest.mark.parametrize(
    ("pattern", "content"), [("*.toc", b""), ("*.toc", b"x" * 400), ("*.json", b"{"), ("*.json", b"[]")]
)
def test_a_table_of_contents_that_makes_no_sense_is_unreadable(
    segment: Path, tmp_path: Path, everyone: Masks, pattern: str, content: bytes
) -> None:
    (found,) = (tmp_path / "index").rglob(pattern)
    found.write_bytes(content)
    with pytest.raises(Damaged) as damaged:
        use(tmp_path / "index", everyone)
    assert damaged.value.reason is Reason.UNREADABLE


def test_wherever_bytes_changed_the_index_answers_or_says_that_it_is_damaged(
    segment: Path, tmp_path: Path, everyone: Masks
) -> None:
    whole, random = segment.read_bytes(), Random(4)
    for at in range(0, len(whole), max(1, len(whole) // 150)):
        hurt = bytearray(whole)
        hurt[at : at + 2] = random.randbytes(2)
        segment.write_bytes(hurt)
        with suppress(Damaged):
            use(tmp_path / "index", everyone)


@pytest.mark.parametrize(
    "column",
    [
        np.arange(40, dtype="<i8").tobytes(),  # which documents, and in which years they are
        np.ones(40, "<i8").tobytes(),  # their stamps
        "".join(CODES).encode(),  # the labels of a field
        np.cumsum([0, 0, *map(len, CODES)]).astype("<i8").tobytes(),  # where each of them ends
        bytes([length_to_byte(7)] * 40),  # how long the texts are
    ],
    ids=["numbers", "stamps", "labels", "where labels end", "lengths"],
)
def test_a_bit_that_turned_in_a_column_is_noticed(
    segment: Path, tmp_path: Path, everyone: Masks, column: bytes
) -> None:
    whole = segment.read_bytes()
    places = [found.start() for found in re.finditer(re.escape(column), whole)]
    assert places
    for place in places:
        hurt = bytearray(whole)
        hurt[place + len(column) // 2] ^= 1
        segment.write_bytes(hurt)
        with pytest.raises(Damaged) as damaged:
            use(tmp_path / "index", everyone)
        assert damaged.value.reason is Reason.UNREADABLE


def test_a_rebuild_heals(segment: Path, tmp_path: Path, everyone: Masks) -> None:
    segment.write_bytes(b"")
    Index(tmp_path / "index", FIELDS).rebuild(DOCUMENTS.values())
    use(tmp_path / "index", everyone)
