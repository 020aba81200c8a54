"""Pages of a foreign file become a file of their own, as they are, and nothing of the others comes along."""

import random
import struct
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageSequence
from pypdf import PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    NameObject,
    StreamObject,
    TextStringObject,
)
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from storage.extraction import Extract, extract
from storage.limits import MIB, Limits, Reason, Refused
from storage.pages import inspect, render

DATA = Path(__file__).resolve().parents[2].parent / "shared/data"
REAL = ["pdf/multicolumn.pdf", "pdf/pdflatex-4-pages.pdf", "pdf/imagemagick-images.pdf", "images/multipage.tiff",
        "images/g4-multi.tiff"]  # fmt: skip


def real(name: str) -> Path:
    """A file that nobody here made."""
    if not (DATA / name).exists():
        pytest.skip(f"the test data has no {name}")
    return DATA / name


@pytest.fixture
def output(tmp_path: Path) -> Path:
    folder = tmp_path / "parts"
    folder.mkdir()
    return folder


def looks(file: Path, folder: Path) -> list[bytes]:
    folder.mkdir(exist_ok=True)
    return [pixels(page.image) for page in render(file, folder)]


def pixels(file: Path) -> bytes:
    with Image.open(file) as image:
        return image.tobytes()


def saved(writer: PdfWriter, path: Path) -> Path:
    with path.open("wb") as file:
        writer.write(file)
    return path


def pdf(path: Path, *draws: Callable[[Canvas], Any]) -> Path:
    canvas = Canvas(str(path), pagesize=(300, 420), pageCompression=0, invariant=1)
    for draw in draws:
        draw(canvas)
        canvas.showPage()
    canvas.save()
    return path


def words(text: str) -> Callable[[Canvas], Any]:
    return lambda canvas: canvas.drawString(30, 300, text)


def jpeg(seed: int) -> bytes:
    out = BytesIO()
    noise = random.Random(seed).randbytes(120 * 160)
    Image.frombytes("L", (120, 160), noise).save(out, "JPEG", quality=90)
    return out.getvalue()


def plain(file: Path) -> bytes:
    """All that a PDF holds, its streams opened."""
    reader = PdfReader(file)
    numbers = sorted(reader.xref[0])
    objects = [reader.get_object(number) for number in numbers]
    return b"".join(
        one.get_data() if isinstance(one, StreamObject) else repr(one).encode() for one in objects
    )


# Pages are what they were


@pytest.mark.parametrize("name", REAL)
def test_each_page_by_itself_and_all_backwards_look_as_they_did(name: str, tmp_path: Path, output: Path):
    whole = looks(real(name), tmp_path / "whole")
    numbers = list(range(1, len(whole) + 1))

    made = extract(real(name), [*([number] for number in numbers), numbers[::-1]], output)

    assert [part.page_count for part in made] == [1] * len(whole) + [len(whole)]
    for number, part in zip(numbers, made, strict=False):
        assert looks(part.file, tmp_path / f"part {number}") == [whole[number - 1]]
    assert looks(made[-1].file, tmp_path / "backwards") == whole[::-1]


@pytest.mark.parametrize(
    "name", ["images/hopper_orientation_6.jpg", "pdf/minimal-document.pdf", "images/g4-multi.tiff"]
)
def test_a_part_that_is_the_whole_file_is_its_very_bytes(name: str, output: Path):
    facts = inspect(real(name))

    (made,) = extract(real(name), [range(1, facts.page_count + 1)], output)

    assert made == Extract(made.file, facts.mime, facts.page_count)
    assert made.file.read_bytes() == real(name).read_bytes()


def test_the_same_pages_give_the_same_bytes(output: Path):
    one, other = extract(real("pdf/multicolumn.pdf"), [[2, 3], [2, 3]], output)

    assert one.file.read_bytes() == other.file.read_bytes()


def test_a_photograph_in_a_pdf_keeps_its_bytes(tmp_path: Path, output: Path):
    photographs = [jpeg(seed) for seed in range(3)]
    file = pdf(tmp_path / "in.pdf", *(
        lambda canvas, photograph=photograph: canvas.drawImage(ImageReader(BytesIO(photograph)), 0, 0, 300, 420)
        for photograph in photographs
    ))  # fmt: skip

    (made,) = extract(file, [[2]], output)

    assert photographs[1] in plain(made.file)


@pytest.mark.parametrize(
    "compression", ["group4", "tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits", "raw"]
)
@pytest.mark.parametrize("big", [False, True], ids=["TIFF", "BigTIFF"])
def test_a_frame_of_a_tiff_keeps_its_compressed_bytes(
    *, compression: str, big: bool, tmp_path: Path, output: Path
):
    mode = "1" if compression == "group4" else "L"
    frames = [
        Image.frombytes("L", (90, 70), random.Random(seed).randbytes(6300)).convert(mode) for seed in range(3)
    ]
    file = tmp_path / "in.tif"
    frames[0].save(
        file,
        "TIFF",
        save_all=True,
        append_images=frames[1:],
        compression=compression,
        dpi=(300, 300),
        big_tiff=big,
    )

    one, turned = extract(file, [[2], [3, 1]], output)

    assert strips(one.file) == [strips(file)[1]]
    assert strips(turned.file) == [strips(file)[2], strips(file)[0]]
    with Image.open(one.file) as image:
        assert image.info["dpi"] == (300, 300)


def strips(file: Path) -> list[list[bytes]]:
    """The compressed bytes of each frame, as the file's own directory names them."""
    content = file.read_bytes()
    with Image.open(file) as image:
        return [
            [content[start : start + size] for start, size in zip(frame.tag_v2[273], frame.tag_v2[279], strict=True)]
            for frame in ImageSequence.Iterator(image)
        ]  # fmt: skip


def test_the_preview_between_the_pages_of_a_tiff_is_no_page(tmp_path: Path, output: Path):
    pages = [Image.new("L", (60, 80), shade) for shade in (250, 10, 200)]
    file = tmp_path / "in.tif"
    pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:], tiffinfo={254: 0})
    mark_as_preview(file, frame=1)

    (made,) = extract(file, [[2]], output)

    with Image.open(made.file) as image:
        assert image.getpixel((5, 5)) == 200


def mark_as_preview(file: Path, *, frame: int) -> None:
    """Set NewSubfileType 1 in the directory of a frame."""
    content = bytearray(file.read_bytes())
    (start,) = struct.unpack_from("<I", content, 4)
    for _ in range(frame):
        (many,) = struct.unpack_from("<H", content, start)
        (start,) = struct.unpack_from("<I", content, start + 2 + 12 * many)
    (many,) = struct.unpack_from("<H", content, start)
    table = content[start + 2 : start + 2 + 12 * many]
    subfile = next(place for place in range(many) if struct.unpack_from("<H", table, 12 * place)[0] == 254)
    struct.pack_into("<HHII", content, start + 2 + 12 * subfile, 254, 4, 1, 1)
    file.write_bytes(content)


# Nothing of the other pages comes along


def test_a_picture_that_another_page_shows_stays_behind_though_both_have_one_list(
    tmp_path: Path, output: Path
):
    mine, other = jpeg(1), jpeg(2)
    file = pdf(
        tmp_path / "in.pdf",
        lambda canvas: canvas.drawImage(ImageReader(BytesIO(mine)), 0, 0, 300, 420),
        lambda canvas: canvas.drawImage(ImageReader(BytesIO(other)), 0, 0, 300, 420),
    )
    writer = PdfWriter(clone_from=file)
    shared = DictionaryObject()
    for page in writer.pages:
        shared.update(
            {name: page["/Resources"]["/XObject"].raw_get(name) for name in page["/Resources"]["/XObject"]}
        )
    for page in writer.pages:
        page["/Resources"][NameObject("/XObject")] = shared
    file = saved(writer, tmp_path / "shared.pdf")

    (made,) = extract(file, [[1]], output)

    assert mine in plain(made.file)
    assert other not in plain(made.file)


def test_what_other_pages_say_is_nowhere_in_the_part(tmp_path: Path, output: Path):
    def second(canvas: Canvas) -> None:
        canvas.bookmarkPage("second")
        canvas.addOutlineEntry("outline of the second", "second")
        canvas.drawString(30, 300, "secret of the second")

    def first(canvas: Canvas) -> None:
        canvas.drawString(30, 300, "words of the first")
        canvas.linkRect("", "second", (20, 20, 100, 100))

    writer = PdfWriter(clone_from=pdf(tmp_path / "in.pdf", first, second))
    writer.add_attachment("list.txt", b"secret attachment")
    writer.add_metadata({"/Title": "secret title"})

    (made,) = extract(saved(writer, tmp_path / "full.pdf"), [[1]], output)

    held = plain(made.file)
    assert b"words of the first" in held
    assert b"secret" not in held
    assert b"outline" not in held


def test_a_filled_in_form_is_seen_and_the_fields_of_other_pages_stay_behind(tmp_path: Path, output: Path):
    def field(name: str, value: str) -> Callable[[Canvas], Any]:
        return lambda canvas: canvas.acroForm.textfield(
            name=name, value=value, x=30, y=300, width=200, height=30
        )

    file = pdf(tmp_path / "in.pdf", field("one", "seen value"), field("two", "secret value"))

    (made,) = extract(file, [[1]], output)

    assert b"seen value" in plain(made.file)
    assert b"secret" not in plain(made.file)


def test_a_page_that_would_show_what_was_hidden_is_refused(tmp_path: Path, output: Path):
    """A layer that is switched off is so by the whole file, not by its page."""
    writer = PdfWriter(clone_from=pdf(tmp_path / "in.pdf", words("open"), words("another")))
    layer = writer._add_object(
        DictionaryObject(
            {NameObject("/Type"): NameObject("/OCG"), NameObject("/Name"): TextStringObject("hidden")}
        )
    )
    page = writer.pages[0]
    drawn = StreamObject()
    drawn.set_data(b"/OC /Hidden BDC 0 0 300 200 re f EMC")
    contents = page.raw_get("/Contents")
    page[NameObject("/Contents")] = ArrayObject([contents, writer._add_object(drawn)])
    page["/Resources"][NameObject("/Properties")] = DictionaryObject({NameObject("/Hidden"): layer})
    off = DictionaryObject(
        {NameObject("/OFF"): ArrayObject([layer]), NameObject("/Order"): ArrayObject([layer])}
    )
    writer.root_object[NameObject("/OCProperties")] = DictionaryObject(
        {NameObject("/OCGs"): ArrayObject([layer]), NameObject("/D"): off}
    )

    with pytest.raises(Refused) as refused:
        extract(saved(writer, tmp_path / "layers.pdf"), [[1]], output)

    assert (refused.value.reason, refused.value.page) == (Reason.NOT_APART, 1)


# What cannot be done


def test_a_page_that_the_file_does_not_have_is_our_fault_and_not_the_files(output: Path):
    with pytest.raises(Exception, match="no such pages"):
        extract(real("pdf/multicolumn.pdf"), [[4]], output)


def test_a_part_without_pages_is_our_fault_too(output: Path):
    with pytest.raises(Exception, match="no such pages"):
        extract(real("pdf/multicolumn.pdf"), [[]], output)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("pdf/libreoffice-writer-password.pdf", Reason.ENCRYPTED),
        ("pdf/files.json", Reason.NOT_A_KNOWN_FORMAT),
        ("images/decompression_bomb.gif", Reason.TOO_LARGE_PICTURE),
    ],
)
def test_what_cannot_be_read_is_refused_as_it_is_when_it_is_drawn(name: str, reason: Reason, output: Path):
    with pytest.raises(Refused) as refused:
        extract(real(name), [[1]], output)

    assert refused.value.reason is reason


def test_parts_may_not_fill_the_disk(output: Path):
    numbers = [1, 2, 3] * 200
    with pytest.raises(Refused) as refused:
        extract(real("pdf/multicolumn.pdf"), [numbers] * 3, output, limits=Limits(file_bytes=MIB // 8))

    assert refused.value.reason is Reason.TOO_MUCH_OUTPUT


def test_damaged_files_give_parts_that_look_right_or_are_refused(tmp_path: Path, output: Path):
    """Bytes are changed at random: whatever comes out has been compared with what it came from."""
    whole, chance = real("images/g4-multi.tiff").read_bytes(), random.Random(7)
    outcomes = set()
    for turn in range(8):
        damaged = bytearray(whole)
        for _ in range(6):
            damaged[chance.randrange(8, len(damaged))] = chance.randrange(256)
        file = tmp_path / f"damaged-{turn}.tif"
        file.write_bytes(damaged)
        try:
            (made,) = extract(file, [[2]], output)
        except Refused as refused:
            outcomes.add(str(refused.reason))
        else:
            outcomes.add("made")
            assert inspect(made.file).page_count == 1
    assert "made" in outcomes
