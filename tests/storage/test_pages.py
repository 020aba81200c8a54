"""Foreign files become page images, thumbnails and text, or are refused with a reason."""

import random
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from storage.limits import MIB, Limits, Reason, Refused
from storage.pages import PageImage, Rendition, inspect, render

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared/data"
FONTS = ROOT / "archive/static/fonts"
A4 = (595.28, 841.89)


def real(name: str) -> Path:
    """A file that nobody here made."""
    if not (DATA / name).exists():
        pytest.skip(f"the test data has no {name}")
    return DATA / name


def pdf(path: Path, draw: Callable[[Canvas], None], size: tuple[float, float] = A4) -> Path:
    canvas = Canvas(str(path), pagesize=size)
    draw(canvas)
    canvas.showPage()
    canvas.save()
    return path


def picture(path: Path, size: tuple[int, int] = (200, 300), mode: str = "RGB", **options: Any) -> Path:
    """White paper with a black square in its upper left corner."""
    image = Image.new(mode, size, "white")
    ImageDraw.Draw(image).rectangle((0, 0, size[0] // 4, size[1] // 4), "black")
    image.save(path, **options)
    return path


def raw_pdf(
    picture: bytes, *, width: int, height: int, bits: int = 8, filters: str = "/FlateDecode"
) -> bytes:
    """A page with one picture all over, as a header alone can promise it."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</XObject<</I 5 0 R>>>>>>",
        b"<</Length 31>>stream\nq 595 0 0 842 0 0 cm /I Do Q    \nendstream",
        f"<</Type/XObject/Subtype/Image/Width {width}/Height {height}/BitsPerComponent {bits}"
        f"/ColorSpace/DeviceGray/Filter{filters}/Length {len(picture)}>>stream\n".encode()
        + picture
        + b"\nendstream",
    ]
    out, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj%s endobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"xref\n0 6\n0000000000 65535 f \n%strailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n"
    return out + end % (table, len(out))


def only_page(path: Path, output: Path, **options: Any) -> PageImage:
    (page,) = render(path, output, **options)
    return page


def is_dark(page: PageImage, box: tuple[int, int, int, int]) -> bool:
    with Image.open(page.image) as image:
        return image.convert("L").crop(box).getextrema()[0] < 128


def corner(page: PageImage) -> str:
    """In which corner the black square of ``picture`` is now."""
    with Image.open(page.image) as image:
        grey, (width, height) = image.convert("L"), image.size
    places = {"upper left": (4, 4), "upper right": (width - 5, 4), "lower left": (4, height - 5)}
    return next((name for name, place in places.items() if grey.getpixel(place) < 128), "lower right")


def refusal(work: Callable[[], Any]) -> Refused:
    with pytest.raises(Refused) as refused:
        work()
    return refused.value


# What a file is


@pytest.mark.parametrize(
    ("name", "mime", "pages"),
    [
        ("pdf/pdflatex-4-pages.pdf", "application/pdf", 4),
        ("pdf/imagemagick-images.pdf", "application/pdf", 6),
        ("images/g4-multi.tiff", "image/tiff", 3),
        ("images/hopper_orientation_6.jpg", "image/jpeg", 1),
    ],
)
def test_real_files_are_known(name: str, mime: str, pages: int):
    facts = inspect(real(name))
    assert (facts.mime, facts.page_count, facts.encrypted) == (mime, pages, False)


@pytest.mark.parametrize(
    ("kind", "mime"),
    [
        ("PNG", "image/png"),
        ("BMP", "image/bmp"),
        ("GIF", "image/gif"),
        ("WEBP", "image/webp"),
        ("JPEG2000", "image/jp2"),
    ],
)
def test_a_name_proves_nothing(tmp_path: Path, kind: str, mime: str):
    path = picture(tmp_path / "patient.pdf", format=kind)
    assert inspect(path).mime == mime
    assert corner(only_page(path, tmp_path)) == "upper left"


def test_a_pdf_that_forbids_printing_opens_and_says_so(tmp_path: Path):
    from reportlab.lib.pdfencrypt import StandardEncryption

    path = tmp_path / "forbids.pdf"
    canvas = Canvas(str(path), encrypt=StandardEncryption("", ownerPassword="owner", canPrint=0))
    canvas.drawString(100, 100, "for reading only")
    canvas.save()
    assert inspect(path).encrypted
    assert only_page(path, tmp_path).text == "for reading only"


def test_a_pdf_that_had_to_be_repaired_says_so(tmp_path: Path):
    whole = raw_pdf(zlib.compress(b"\0" * 100), width=10, height=10)
    path = tmp_path / "moved.pdf"
    path.write_bytes(whole.replace(b"0000000009", b"0000000099"))
    assert inspect(path).repaired
    path.write_bytes(whole)
    assert not inspect(path).repaired


# PDF files


def test_a_pdf_gives_pages_thumbnails_and_text(tmp_path: Path):
    heard: list[int] = []
    pages = render(real("pdf/pdflatex-4-pages.pdf"), tmp_path, on_page=lambda page: heard.append(page.number))
    assert heard == [1, 2, 3, 4]
    for page in pages:
        with Image.open(page.image) as image, Image.open(page.thumbnail) as thumbnail:
            assert (image.format, image.size) == ("JPEG", (page.width, page.height))
            assert thumbnail.format == "WEBP"
            assert max(thumbnail.size) == 240
    assert (pages[0].width, pages[0].height, pages[0].dpi) == (1654, 2339, 200)
    assert pages[0].text.startswith(
        "Hello, here is some text without a meaning. This text should show what a printed"
    )


def test_the_boxes_of_lines_lie_on_their_ink(tmp_path: Path):
    page = only_page(real("pdf/google-doc-document.pdf"), tmp_path)
    title = page.lines[0]
    assert title.text == "Example document"
    assert is_dark(page, title[:4])
    above, below = title.y0 - title.height, title.y1 + title.height // 4
    assert not is_dark(page, (title.x0, above, title.x1, title.y0 - 2))
    assert not is_dark(page, (title.x0, title.y1 + 2, title.x1, below))


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_the_boxes_turn_with_the_page(tmp_path: Path, rotation: int):
    def draw(canvas: Canvas) -> None:
        canvas.setPageRotation(rotation)
        canvas.setFont("Helvetica", 20)
        canvas.drawString(60, 500, "turned")

    page = only_page(pdf(tmp_path / "turned.pdf", draw), tmp_path)
    (line,) = page.lines
    assert page.rotation == rotation
    assert (line.height > line.x1 - line.x0) == (rotation in {90, 270})
    with Image.open(page.image) as image:
        assert is_dark(page, line[:4])
        image.paste("white", (line.x0 - 4, line.y0 - 4, line.x1 + 4, line.y1 + 4))
        assert image.convert("L").getextrema()[0] > 200


def test_text_beside_the_page_is_not_found(tmp_path: Path):
    def draw(canvas: Canvas) -> None:
        canvas.drawString(100, 100, "seen")
        canvas.drawString(100, 2000, "hidden")

    assert only_page(pdf(tmp_path / "beside.pdf", draw), tmp_path).text == "seen"


def test_two_columns_are_read_one_after_the_other(tmp_path: Path):
    text = render(real("pdf/multicolumn.pdf"), tmp_path)[0].text
    assert text.splitlines()[:3] == ["Two-Column Document with Lorem Ipsum", "Your Name", "January 3, 2024"]
    assert "Lorem ipsum dolor sit amet, consectetuer adipiscing elit. Ut purus elit, vestibulum ut" in text


def test_what_was_filled_into_a_form_is_drawn(tmp_path: Path):
    def draw(canvas: Canvas) -> None:
        canvas.acroForm.textfield(name="name", value="Wang", x=100, y=600, width=300, height=40)

    page = only_page(pdf(tmp_path / "form.pdf", draw), tmp_path)
    assert is_dark(page, (300, 580, 700, 650))


def test_chinese_without_a_font_of_its_own_is_drawn(tmp_path: Path):
    if not FONTS.exists():
        pytest.skip("the shipped font is not here")

    def draw(canvas: Canvas) -> None:
        pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
        canvas.setFont("STSong-Light", 24)
        canvas.drawString(100, 700, "住院病案首页")

    page = only_page(pdf(tmp_path / "no-font.pdf", draw), tmp_path, fonts=FONTS)
    assert page.text == "住院病案首页"
    assert is_dark(page, page.lines[0][:4])


def test_a_scan_in_a_pdf_keeps_its_fineness(tmp_path: Path):
    scan = ImageReader(Image.new("L", (2480, 3508), 200))
    page = only_page(pdf(tmp_path / "scan.pdf", lambda canvas: canvas.drawImage(scan, 0, 0, *A4)), tmp_path)
    assert (page.dpi, page.height) == (300, 3508)


def test_a_huge_sheet_is_drawn_smaller(tmp_path: Path):
    page = only_page(pdf(tmp_path / "plan.pdf", Canvas.saveState, size=(14400, 7200)), tmp_path)
    assert (page.width, page.height, page.dpi) == (5000, 2500, 25)


# Pictures


def test_a_fine_tiff_of_many_pages_becomes_pages_at_300_dpi(tmp_path: Path):
    pages = render(real("images/g4-multi.tiff"), tmp_path)
    assert [(page.width, page.height, page.dpi) for page in pages] == [(2480, 3508, 300)] * 3
    assert len({page.image.read_bytes() for page in pages}) == 3


def test_previews_between_the_pages_of_a_tiff_are_no_pages(tmp_path: Path):
    page, preview = Image.new("L", (800, 1000), 255), Image.new("L", (80, 100), 255)
    preview.encoderinfo = {"tiffinfo": {254: 1}}
    path = tmp_path / "scan.tiff"
    page.save(path, save_all=True, append_images=[preview, page])
    assert [page.width for page in render(path, tmp_path)] == [800, 800]


@pytest.mark.parametrize(
    ("orientation", "turned"),
    [(1, (0, "upper left")), (3, (180, "lower right")), (6, (90, "upper right")), (8, (270, "lower left"))],
)
@pytest.mark.parametrize(("kind", "mode"), [("JPEG", "RGB"), ("PNG", "RGB"), ("TIFF", "RGB"), ("TIFF", "L")])
def test_a_photograph_stands_upright(
    tmp_path: Path, kind: str, mode: str, orientation: int, turned: tuple[int, str]
):
    exif = Image.Exif()
    exif[0x0112] = orientation
    page = only_page(picture(tmp_path / "photograph", mode=mode, format=kind, exif=exif), tmp_path)
    assert (page.rotation, corner(page)) == turned
    assert (page.width > page.height) == (orientation in {6, 8})


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16", "I", "F", "YCbCr"])
def test_every_kind_of_pixel_can_be_shown(tmp_path: Path, mode: str):
    white = {"I;16": 65535, "I": 65535, "F": 255.0, "CMYK": (0, 0, 0, 0), "YCbCr": (255, 128, 128)}.get(
        mode, "white"
    )
    path = tmp_path / "picture.tiff"
    Image.new(mode, (60, 40), white).save(path)
    page = only_page(path, tmp_path)
    with Image.open(page.image) as image:
        assert image.mode in {"L", "RGB"}
        assert image.convert("L").getextrema()[0] > 250


def test_what_is_transparent_is_white_as_paper(tmp_path: Path):
    path = tmp_path / "signature.png"
    Image.new("RGBA", (50, 50), (0, 0, 0, 0)).save(path)
    with Image.open(only_page(path, tmp_path).image) as image:
        assert image.convert("L").getextrema() == (255, 255)


def test_an_access_copy_tells_nothing_of_the_camera(tmp_path: Path):
    exif = Image.Exif()
    exif[0x010F] = "SECRET CAMERA"
    path = picture(
        tmp_path / "p.jpg", exif=exif, comment=b"SECRET COMMENT", icc_profile=b"SECRET PROFILE" * 20
    )
    assert b"SECRET" in path.read_bytes()
    page = only_page(path, tmp_path)
    assert b"SECRET" not in page.image.read_bytes() + page.thumbnail.read_bytes()


def test_a_small_picture_is_not_blown_up(tmp_path: Path):
    page = only_page(picture(tmp_path / "small.png"), tmp_path, rendition=Rendition(thumbnail=500))
    with Image.open(page.thumbnail) as thumbnail:
        assert (page.width, page.height) == thumbnail.size == (200, 300)


# Jobs


def test_a_job_that_was_killed_goes_on_where_it_was(tmp_path: Path):
    class Killed(Exception):
        pass

    def kill(page: PageImage) -> None:
        if page.number == 2:
            raise Killed

    path = real("pdf/pdflatex-4-pages.pdf")
    with pytest.raises(Killed):
        render(path, tmp_path, on_page=kill)
    assert [page.number for page in render(path, tmp_path, first_page=3)] == [3, 4]
    assert render(path, tmp_path, first_page=5) == []


# Refusals


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", Reason.EMPTY),
        ("张三的病历".encode(), Reason.NOT_A_KNOWN_FORMAT),
        (b"PK\x03\x04" + bytes(100), Reason.NOT_A_KNOWN_FORMAT),
        (b"%PDF-1.7\n%%EOF\n", Reason.BROKEN),
        (b"\xff\xd8\xff" + bytes(100), Reason.BROKEN),
        (b"II*\0" + bytes(100), Reason.BROKEN),
    ],
)
def test_what_is_no_document_is_refused(tmp_path: Path, content: bytes, reason: Reason):
    path = tmp_path / "upload.pdf"
    path.write_bytes(content)
    assert refusal(lambda: inspect(path)).reason is reason


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("pdf/libreoffice-writer-password.pdf", Reason.ENCRYPTED),
        ("images/decompression_bomb.gif", Reason.TOO_LARGE_PICTURE),
        ("images/decompression_bomb.ico", Reason.NOT_A_KNOWN_FORMAT),
        ("images/oom-225817ca0f8c663be7ab4b9e717b02c661e66834.tif", Reason.BROKEN),
    ],
)
def test_real_bombs_and_locks_are_refused(tmp_path: Path, name: str, reason: Reason):
    path = real(name)
    assert refusal(lambda: inspect(path)).reason is reason
    assert refusal(lambda: render(path, tmp_path)).reason is reason


@pytest.mark.parametrize("name", ["pdf/pdflatex-4-pages.pdf", "pdf/minimal-document.pdf"])
def test_a_pdf_that_was_cut_off_is_refused(tmp_path: Path, name: str):
    path = tmp_path / "cut.pdf"
    whole = real(name).read_bytes()
    for share in (0.1, 0.5, 0.8):
        path.write_bytes(whole[: int(len(whole) * share)])
        assert refusal(lambda: inspect(path)).reason is Reason.BROKEN


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_a_picture_that_was_cut_off_is_refused(tmp_path: Path, kind: str):
    path = picture(tmp_path / "cut", size=(900, 900), format=kind)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert refusal(lambda: render(path, tmp_path)).reason is Reason.BROKEN


def test_a_picture_of_four_thousand_million_points_is_refused_by_its_header(tmp_path: Path):
    header = b"IHDR" + (64000).to_bytes(4) * 2 + bytes([1, 0, 0, 0, 0])
    chunks = (13).to_bytes(4) + header + zlib.crc32(header).to_bytes(4)
    path = tmp_path / "bomb.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks + bytes(4) + b"IDAT" + zlib.crc32(b"IDAT").to_bytes(4))
    assert refusal(lambda: inspect(path)).reason is Reason.TOO_LARGE_PICTURE


def test_a_later_page_that_is_too_large_is_refused_with_its_number(tmp_path: Path):
    path = tmp_path / "scan.tiff"
    small, large = Image.new("1", (500, 500)), Image.new("1", (2000, 2000))
    small.save(path, save_all=True, append_images=[small, large])
    refused = refusal(lambda: render(path, tmp_path, limits=Limits(pixels=1_000_000)))
    assert (refused.reason, refused.page) == (Reason.TOO_LARGE_PICTURE, 3)


def test_a_small_pdf_with_a_huge_picture_is_refused(tmp_path: Path):
    rows = zlib.compress(bytes(30000 // 8) * 30000, 9)
    path = tmp_path / "bomb.pdf"
    path.write_bytes(raw_pdf(rows, width=30000, height=30000, bits=1))
    assert path.stat().st_size < 150_000
    assert refusal(lambda: render(path, tmp_path)).reason is Reason.TOO_LARGE_PICTURE


def test_a_picture_is_drawn_or_refused_and_never_left_out(tmp_path: Path):
    """pdfium draws white where it lacks memory, so a page could lose its picture and nobody would know."""
    path = tmp_path / "scan.pdf"
    path.write_bytes(raw_pdf(zlib.compress(bytes(6000 * 6000), 9), width=6000, height=6000))
    drawn = []
    for megabytes in (20, 80, 160, 250, 320):
        with suppress(Refused):
            page = only_page(path, tmp_path, limits=Limits(memory_bytes=megabytes * MIB))
            drawn.append(is_dark(page, (100, 100, 200, 200)))
    assert drawn
    assert all(drawn)


def test_a_small_pdf_that_unfolds_into_millions_of_strokes_is_refused(tmp_path: Path):
    strokes = zlib.compress(b"0 0 m 500 800 l 20 30 m 30 50 l S\n" * 3_000_000, 9)
    whole = raw_pdf(zlib.compress(b"\0"), width=1, height=1)
    page = b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(strokes), strokes)
    start, end = whole.index(b"<</Length 31>>"), whole.index(b" endobj\n5 0 obj")
    path = tmp_path / "strokes.pdf"
    path.write_bytes(whole[:start] + page + whole[end:])
    refused = refusal(lambda: render(path, tmp_path, limits=Limits(memory_bytes=256 * MIB)))
    assert (refused.reason, refused.page) == (Reason.TOO_MUCH_MEMORY, 1)


def test_too_many_pages_are_refused():
    limits = Limits(pages=3)
    assert (
        refusal(lambda: inspect(real("pdf/pdflatex-4-pages.pdf"), limits=limits)).reason
        is Reason.TOO_MANY_PAGES
    )
    assert inspect(real("images/g4-multi.tiff"), limits=limits).page_count == 3


def test_a_page_that_would_take_too_much_room_is_refused(tmp_path: Path):
    limits = Limits(file_bytes=20_000)
    refused = refusal(lambda: render(real("pdf/minimal-document.pdf"), tmp_path, limits=limits))
    assert (refused.reason, refused.page) == (Reason.TOO_MUCH_OUTPUT, 1)


@pytest.mark.parametrize(
    "name", ["pdf/google-doc-document.pdf", "images/g4-multi.tiff", "pdf/smile-lzw.tiff"]
)
def test_a_damaged_file_gives_pages_or_a_refusal_and_nothing_else(tmp_path: Path, name: str):
    whole = real(name).read_bytes()
    chance = random.Random(name)
    for _ in range(5):
        damaged = bytearray(whole)
        for _ in range(chance.choice((1, 20, 400))):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path = tmp_path / "damaged"
        path.write_bytes(damaged)
        with suppress(Refused):
            for page in render(path, tmp_path):
                with Image.open(page.image) as image:
                    assert image.size == (page.width, page.height)
