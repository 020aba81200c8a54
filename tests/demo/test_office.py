from random import Random

import pytest

from archive.demo import office
from archive.demo.hospital import DEPARTMENTS


def documents(count: int = 80) -> list[office.Document]:
    rng = Random(6)
    return [office.document(rng, year=2025, number=n) for n in range(1, count + 1)]


def test_the_same_seed_gives_the_same_documents() -> None:
    assert documents() == documents()


def test_documents_are_of_many_kinds_dated_in_their_year_and_long_enough_to_read() -> None:
    made = documents()
    assert {"通知", "会议纪要", "制度", "请示", "批复", "报告", "决定", "函", "方案"} == {
        one.kind for one in made
    }
    assert all(
        one.issued_on.year == 2025 and f"〔2025〕{n}号" in one.number for n, one in enumerate(made, start=1)
    )
    assert all(200 <= len(one.text) <= 900 and not set("{}") & set(one.title + one.text) for one in made)
    assert {one.retention for one in made} == {"Y", "D30", "D10"}
    assert len({one.title for one in made}) > 35


def test_a_report_on_a_year_is_written_at_its_end() -> None:
    assert all(one.issued_on.month == 12 for one in documents() if one.kind == "报告")


@pytest.mark.parametrize("category", office.CATEGORIES)
def test_every_other_category_has_entries(category: str) -> None:
    rng = Random(2)
    entries = [office.entry(rng, category, year=2024) for _ in range(12)]
    assert len({entry.title for entry in entries}) > 2
    assert all(entry.dept in DEPARTMENTS and 60 < len(entry.summary) < 400 for entry in entries)
    assert not any(set("{}") & set(entry.title + entry.summary) for entry in entries)


def test_there_are_no_entries_of_an_unknown_category() -> None:
    with pytest.raises(LookupError):
        office.entry(Random(1), "XX", year=2024)
