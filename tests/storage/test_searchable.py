"""A searchable PDF: the images are the very bytes that were given, the words are found and never seen."""

from collections.abc import Iterator
from io import BytesIO

import pikepdf
import pypdfium2
import pytest
from PIL import Image, ImageChops
from pypdf import PdfReader

from storage.searchable import Sheet, searchable_pdf
from storage.textlines import TextLine, turned

SIZE = (600, 800)
LINES = [[60, 80, 540, 120, "出院诊断：妊娠合并子宫瘢痕"], [60, 140, 300, 170, "BP 120/80 mmHg 𠮷"]]


def jpeg(shade: int, mode: str = "RGB") -> bytes:
    out = BytesIO()
    Image.new(mode, SIZE, shade).save(out, "JPEG", quality=80)
    return out.getvalue()


def whole(*sheets: Sheet) -> bytes:
    return b"".join(searchable_pdf(sheets, title="ZY·BL-0001", subject="文字仅供查找"))


def test_the_images_are_embedded_byte_for_byte():
    pictures = [jpeg(90), jpeg(200, "L")]
    made = whole(*(Sheet(picture, 200, LINES) for picture in pictures))
    with pikepdf.open(BytesIO(made)) as pdf:
        assert pdf.check_pdf_syntax() == []
        assert [page.get_images()["/I"].read_raw_bytes() for page in pdf.pages] == pictures
        assert [float(side) for side in pdf.pages[0].mediabox][2:] == [216.0, 288.0]
        assert str(pdf.docinfo.Subject) == "文字仅供查找"


@pytest.mark.parametrize("reader", ["pdfium", "pypdf"])
def test_the_words_are_found_as_they_were_written(reader: str):
    made = whole(Sheet(jpeg(90), 200, LINES))
    if reader == "pdfium":
        said = pypdfium2.PdfDocument(made)[0].get_textpage().get_text_range()
    else:
        said = PdfReader(BytesIO(made)).pages[0].extract_text()
    for line in LINES:
        assert str(line[4]) in said


def test_the_words_stand_where_the_lines_are():
    page = pypdfium2.PdfDocument(whole(Sheet(jpeg(90), 72, LINES)))[0]
    found = page.get_textpage()
    first, last = found.get_charbox(0), found.get_charbox(12)
    assert found.get_text_range(12, 1) == "痕"
    assert first[0] == pytest.approx(60, abs=3)
    assert last[2] == pytest.approx(540, abs=3)
    assert 800 - 125 < first[1] < first[3] < 800 - 75


def test_nothing_of_the_words_is_seen():
    with_words, without = (
        pypdfium2.PdfDocument(whole(Sheet(jpeg(90), 72, lines)))[0].render().to_pil() for lines in (LINES, [])
    )
    assert ImageChops.difference(with_words.convert("L"), without.convert("L")).getbbox() is None


def test_a_line_that_lies_on_its_side_is_found_too():
    made = whole(Sheet(jpeg(90), 200, [[60, 80, 100, 700, "骑缝章在此"]]))
    assert "骑缝章在此" in pypdfium2.PdfDocument(made)[0].get_textpage().get_text_range()


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_page_that_was_turned_is_shown_so_with_its_words_and_the_same_image(rotation: int):
    upright = [TextLine(60, 80, 540, 120, "出院诊断：妊娠"), TextLine(60, 140, 400, 170, "处理意见")]
    width, height = SIZE if rotation == 180 else SIZE[::-1]
    lying = [list(turned(line, 360 - rotation, width, height)[:5]) for line in upright]
    made = whole(Sheet(jpeg(90), 72, lying, rotation))
    page = pypdfium2.PdfDocument(made)[0]
    assert page.get_rotation() == rotation
    assert page.get_textpage().get_text_range().split() == [line.text for line in upright]
    with pikepdf.open(BytesIO(made)) as pdf:
        assert pdf.pages[0].get_images()["/I"].read_raw_bytes() == jpeg(90)


def test_items_are_its_table_of_contents():
    made = whole(
        Sheet(jpeg(90), 200, [], heading="手术记录"),
        Sheet(jpeg(91), 200, []),
        Sheet(jpeg(92), 200, [], heading="出院记录"),
    )
    with pikepdf.open(BytesIO(made)) as pdf, pdf.open_outline() as outline:
        assert [entry.title for entry in outline.root] == ["手术记录", "出院记录"]
        assert [pdf.pages.index(pikepdf.Page(entry.destination[0])) for entry in outline.root] == [0, 2]


def test_a_page_leaves_before_the_next_is_read():
    read: list[int] = []

    def sheets() -> Iterator[Sheet]:
        for number in range(3):
            read.append(number)
            yield Sheet(jpeg(90), 200, LINES)

    pieces, sent = searchable_pdf(sheets(), title=""), 0
    for piece in pieces:
        sent += piece.count(b"/DCTDecode")
        assert len(read) - sent <= 1
    assert sent == 3


def test_a_record_without_pages_is_an_empty_file_that_opens():
    with pikepdf.open(BytesIO(whole())) as pdf:
        assert len(pdf.pages) == 0
