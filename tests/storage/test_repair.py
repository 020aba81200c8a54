"""Damaged PDF files: what can be found again is read from a copy, and what cannot is refused, never shown as white pages."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from storage.limits import Reason, Refused
from storage.pages import inspect, render
from storage.repair import repaired
from tests import papers

REAL = Path(__file__).parents[3] / "shared/data/pdf"
CUT = (0.3, 0.6, 0.9)


def harmed(whole: bytes) -> Iterator[bytes]:
    yield from (whole[: int(len(whole) * share)] for share in CUT)


def drawn(path: Path, folder: Path) -> int:
    folder.mkdir()
    return len(render(path, folder))


def test_a_file_that_was_cut_off_gives_the_pages_that_came(tmp_path: Path) -> None:
    whole = papers.pdf("一", "二", "三", "四")
    path = tmp_path / "cut.pdf"
    path.write_bytes(whole[: whole.rindex(b"xref\n0")])
    with pytest.raises(Refused):
        inspect(path)
    before = path.read_bytes()
    copy = repaired(path, tmp_path)
    assert inspect(copy).page_count == 4
    pages = render(copy, tmp_path)
    assert [page.text for page in pages] == ["一", "二", "三", "四"]
    assert path.read_bytes() == before, "the master stays as it came"


def test_of_real_files_that_were_cut_off_a_part_is_found_again_or_nothing(tmp_path: Path) -> None:
    found = 0
    for number, file in enumerate(sorted(REAL.glob("*.pdf"))):
        for part, content in enumerate(harmed(file.read_bytes())):
            folder = tmp_path / f"{number}-{part}"
            folder.mkdir()
            path = folder / "cut.pdf"
            path.write_bytes(content)
            with suppress(Refused):
                assert drawn(repaired(path, folder), folder / "pages") >= 1
                found += 1
    if REAL.is_dir():
        assert found >= 20


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"%PDF-1.7\n" + bytes(500), Reason.BROKEN),
        (papers.scan("一"), Reason.BROKEN),
        (papers.pdf("一", password="secret"), Reason.ENCRYPTED),
    ],
    ids=["nothing in it", "a picture", "a password"],
)
def test_where_nothing_helps_it_is_refused(tmp_path: Path, content: bytes, reason: Reason) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(Refused) as refused:
        repaired(path, tmp_path)
    assert refused.value.reason is reason
    assert not (tmp_path / "repaired.pdf").exists()


def test_a_file_that_lost_its_key_with_its_end_is_not_shown_as_white_pages(tmp_path: Path) -> None:
    whole = papers.pdf("一", "二", password="secret")
    path = tmp_path / "cut.pdf"
    path.write_bytes(whole[: whole.rindex(b"trailer")])
    with pytest.raises(Refused):
        repaired(path, tmp_path)
