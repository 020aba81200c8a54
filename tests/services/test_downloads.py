"""下载: a whole record as a searchable PDF, for whoever may take it away, told before its first byte."""

from io import BytesIO

import pikepdf
import pypdfium2
import pytest

from archive.errors import ArchiveError, Forbidden, NotFound
from archive.services import corrections, downloads, levels, page_desk, page_tiles, pages
from tests import papers
from tests.archives import begins
from tests.conftest import CAST, Hospital
from tests.services.lending import approved
from tests.services.searching import archived, component
from tests.services.test_derive import work_off
from tests.services.test_intake import upload

MAY = {"archivist", "senior"}


@begins
def drafted(hospital: Hospital, record: int) -> tuple[int, int]:
    """A record of three pages, two of which are those of an item."""
    item = component(hospital, record, "手术记录")
    upload(hospital, "archivist", record, papers.pdf("住院病案首页"))
    upload(hospital, "archivist", item, papers.pdf("术中粘连已松解", "手术记录续页"), "手术.pdf")
    work_off(hospital.site)
    return record, item


@begins
def scanned(hospital: Hospital, drafted: tuple[int, int]) -> tuple[int, int]:
    """The same, archived."""
    archived(hospital, drafted[0])
    return drafted


def whole(hospital: Hospital, node: int, account: str = "archivist") -> bytes:
    with hospital.uow(account, readonly=True) as uow:
        made = downloads.searchable(uow, uow.node(node))
    return b"".join(made.pieces)


def said(content: bytes) -> list[str]:
    return [page.get_textpage().get_text_range().strip() for page in pypdfium2.PdfDocument(content)]


def test_a_record_is_one_file_with_its_items_as_contents(
    hospital: Hospital, scanned: tuple[int, int]
) -> None:
    made = whole(hospital, scanned[0])
    assert said(made) == ["住院病案首页", "术中粘连已松解", "手术记录续页"]
    with pikepdf.open(BytesIO(made)) as pdf, pdf.open_outline() as outline:
        assert [entry.title for entry in outline.root] == ["手术记录"]
        assert str(pdf.docinfo.Subject) == "文字仅供查找，以图像为准。"
        first = pdf.pages[0].get_images()["/I"].read_raw_bytes()
    with hospital.uow("archivist", readonly=True) as uow:
        assert first == pages.image(uow, uow.node(scanned[0]), 1), "untouched"
    assert said(whole(hospital, scanned[1])) == ["术中粘连已松解", "手术记录续页"]


def test_a_correction_is_what_is_found_in_it(hospital: Hospital, scanned: tuple[int, int]) -> None:
    with hospital.uow("archivist") as uow:
        corrections.correct(uow, uow.node(scanned[1]), 1, text="术中粘连已松开", version=0)
    assert said(whole(hospital, scanned[1]))[0] == "术中粘连已松开"


def test_only_who_may_take_it_away_gets_it(hospital: Hospital, scanned: tuple[int, int]) -> None:
    for account in sorted(CAST):
        if account in MAY:
            assert len(said(whole(hospital, scanned[0], account))) == 3
        else:
            with pytest.raises(ArchiveError):
                whole(hospital, scanned[0], account)


def test_whoever_reads_by_a_grant_gets_no_file_without_their_name_on_it(
    hospital: Hospital, scanned: tuple[int, int]
) -> None:
    approved(hospital, "clinician2", scanned[0], kind="eread")
    with hospital.uow("clinician2", readonly=True) as uow:
        node = uow.node(scanned[0])
        assert pages.is_marked(uow, node)
        with pytest.raises(Forbidden):
            downloads.searchable(uow, node)


def test_a_right_that_ends_while_the_file_is_on_its_way_ends_the_file(
    hospital: Hospital, scanned: tuple[int, int]
) -> None:
    with hospital.uow("archivist", readonly=True) as uow:
        made = downloads.searchable(uow, uow.node(scanned[0]))
    pieces = made.pieces
    begun = [next(pieces) for _piece in range(3)]
    with hospital.uow("senior") as uow:
        levels.change(uow, uow.node(scanned[0]), level=3, reason="涉及隐私")
    with pytest.raises(ArchiveError):
        list(pieces)
    assert begun


def test_a_page_that_is_taken_out_meanwhile_does_not_come_along(
    hospital: Hospital, drafted: tuple[int, int]
) -> None:
    with hospital.uow("archivist", readonly=True) as uow:
        made = downloads.searchable(uow, uow.node(drafted[0]))
    with hospital.uow("archivist") as uow:
        home = uow.node(drafted[0])
        desk = page_tiles.of(uow, home)
        page_desk.set_aside(uow, home, pages=[desk.sheets[0].page], version=desk.version)
    assert said(b"".join(made.pieces)) == ["术中粘连已松解", "手术记录续页"]


def test_a_record_without_pages_is_no_file(hospital: Hospital, record: int) -> None:
    with hospital.uow("archivist", readonly=True) as uow, pytest.raises(NotFound):
        downloads.searchable(uow, uow.node(record))
