"""Archival numbers are read and written alike, in both standards."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.numbering import ArchivalNumber, normalised, parse

SAMPLES = (
    "A439-WS·2015·D30·003-005", "Z109-WS·2011·Y·办公室-0001", "Z008-WS·2019·Y-037", "C015-WY·TZGG·2019·D10-00001",
    "J019-ZY·JC·CC·2019·D30-001-001", "J019-KU·01·2017-001-001", "A002-RS-001-002", "X032-KJ·KY·01-003",
    "K021-ZP·2019·D30-025-005", "H001-ZY·BL·2026·D30-000123-004", "H001-ZY·MZ·2026·D15-000456",
    "H001-ZY·TS·2026·D10-00037", "Z109-WS·2011-Y-BGS-0001",
)  # fmt: skip


@pytest.mark.parametrize("number", SAMPLES)
def test_a_number_is_parsed_and_rendered_unchanged(number: str) -> None:
    assert str(parse(number)) == number


@pytest.mark.parametrize("typed", ["H001-ZY•BL•2026•D30-000123", "h001-zy·bl·2026·d30-000123", " H001-ZY.BL.2026.D30-000123 ",
                                   "H001－ZY・BL・2026・D30－000123"])  # fmt: skip
def test_a_middle_dot_typed_as_another_dot_is_understood(typed: str) -> None:
    assert normalised(typed) == "H001-ZY·BL·2026·D30-000123"


@pytest.mark.parametrize(
    "wrong", ["", "H001", "ZY·BL·2026", "H001-ZY·BL·2026·D30-", "H001-ZY·BL·26·D30-1", "1001-WS·2011·Y-0001"]
)
def test_what_follows_neither_standard_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="not an archival number"):
        parse(wrong)


letters = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=2)


@given(
    fonds=st.from_regex(r"[A-Z]\d{3}", fullmatch=True), category=letters, sub=st.none() | letters,
    year=st.integers(1949, 2099), retention=st.sampled_from(["Y", "D10", "D15", "D30"]), serial=st.integers(1, 999_999),
    item=st.none() | st.integers(1, 999),
)  # fmt: skip
def test_any_number_given_by_volume_is_read_back(
    fonds: str, category: str, sub: str | None, year: int, retention: str, serial: int, item: int | None
) -> None:
    full = f"{category}·{sub}" if sub else category
    number = ArchivalNumber(fonds, full, str(year), retention, volume=f"{serial:06d}",
                            item=f"{item:03d}" if item else None, syntax="volume")  # fmt: skip
    read = parse(str(number))
    assert (read.fonds, read.category, read.year, read.retention) == (fonds, full, str(year), retention)
    assert str(read) == str(number)
