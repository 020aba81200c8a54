"""What of other pages might come along with a page that is taken out of a PDF, by each way that leads there; and how much
memory and time it takes.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Pdf, Stream

from storage.extraction import extract
from storage.limits import MIB, Limits, Reason, Refused
from tests.storage.test_extraction import jpeg, plain

Drawn = Sequence[tuple[bytes, Any]]
"""What each page draws, and its lists; of which the second must not come along with the first, where there are two."""
FULL = b"q 300 0 0 420 0 0 cm /%s Do Q"
BOX = Array([0, 0, 300, 420])


def picture(pdf: Pdf, content: bytes, **said: Any) -> Any:
    made = Stream(pdf, content, Type=Name.XObject, Subtype=Name.Image, Width=120, Height=160, BitsPerComponent=8,
                  ColorSpace=Name.DeviceGray, Filter=Name.DCTDecode, **said)  # fmt: skip
    return pdf.make_indirect(made)


def form(pdf: Pdf, content: bytes, resources: Any = None, **said: Any) -> Any:
    made = Stream(pdf, content, Type=Name.XObject, Subtype=Name.Form, BBox=BOX, **said)
    if resources is not None:
        made["/Resources"] = resources
    return pdf.make_indirect(made)


def shared(pdf: Pdf, **kinds: Any) -> Any:
    return pdf.make_indirect(Dictionary(**kinds))


def of_forms(pdf: Pdf, mine: Any, other: Any) -> Drawn:
    """Each page draws a form of its own; the forms have one list."""
    both = shared(pdf, XObject=Dictionary(Im1=mine, Im2=other))
    one, two = (form(pdf, FULL % name, both) for name in (b"Im1", b"Im2"))
    return tuple((FULL.replace(b"300", b"1").replace(b"420", b"1") % b"Fm", Dictionary(XObject=Dictionary(Fm=each)))
                 for each in (one, two))  # fmt: skip


def of_words(pdf: Pdf, mine: Any, other: Any) -> Drawn:
    """A text that looks like a name is none."""
    font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    both = shared(pdf, XObject=Dictionary(Im1=mine, Im2=other), Font=Dictionary(F=font))
    words = b" BT /F 12 Tf 20 20 Td (a/Im2) Tj ET /Span << /ActualText (/Im2 Do) >> BDC EMC % /Im2 Do"
    return (FULL % b"Im1" + words, both), (FULL % b"Im2", both)


def of_forms_without_lists(pdf: Pdf, mine: Any, other: Any) -> Drawn:
    """One form, drawn by both pages, uses the list of the page: the name means another picture on each."""
    inner, outer = form(pdf, FULL % b"Im"), form(pdf, b"/Inner Do", Dictionary())
    one, two = (Dictionary(XObject=Dictionary(Fm=outer, Inner=inner, Im=each)) for each in (mine, other))
    one["/XObject"]["/Unused"] = other
    return (b"/Fm Do", one), (b"/Fm Do", two)


def of_patterns(pdf: Pdf, mine: Any, other: Any) -> Drawn:
    both = shared(pdf, XObject=Dictionary(Im1=mine, Im2=other))
    tiles = Dictionary()
    for name in (b"Im1", b"Im2"):
        tile = Stream(pdf, FULL % name, Type=Name.Pattern, PatternType=1, PaintType=1, TilingType=1, BBox=BOX, XStep=300,
                      YStep=420, Resources=both)  # fmt: skip
        tiles["/P" + name.decode()] = pdf.make_indirect(tile)
    lists = shared(pdf, Pattern=tiles)
    one, two = (b"/Pattern cs /P%s scn 0 0 300 420 re f" % name for name in (b"Im1", b"Im2"))
    return (one, lists), (two, lists)


def of_glyphs(pdf: Pdf, mine: Any, other: Any) -> Drawn:
    """A font whose glyphs draw pictures: a page takes those that it shows, in a form too that sets no font itself."""
    glyphs = Dictionary()
    for name in (b"Im1", b"Im2"):
        drawn = b"1000 0 0 0 1000 1000 d1 q 1000 0 0 1000 0 0 cm /%s Do Q" % name
        glyphs["/g" + name.decode()] = pdf.make_stream(drawn)
    font = pdf.make_indirect(
        Dictionary(Type=Name.Font, Subtype=Name.Type3, FontBBox=Array([0, 0, 1000, 1000]), CharProcs=glyphs,
                   FontMatrix=Array([0.001, 0, 0, 0.001, 0, 0]), FirstChar=97, LastChar=98, Widths=Array([1000, 1000]),
                   Encoding=Dictionary(Type=Name.Encoding, Differences=Array([97, Name.gIm1, Name.gIm2])),
                   Resources=shared(pdf, XObject=Dictionary(Im1=mine, Im2=other)))
    )  # fmt: skip
    texts = Dictionary({f"/T{code}": form(pdf, b"(%s) Tj" % code.encode()) for code in "ab"})
    lists = shared(pdf, Font=Dictionary(F=font), XObject=texts)
    one, two = (b"BT /F 200 Tf 20 20 Td /T%s Do ET" % code for code in (b"a", b"b"))
    return (one, lists), (two, lists)


def of_soft_masks(pdf: Pdf, mine: Any, other: Any) -> Drawn:
    both = shared(pdf, XObject=Dictionary(Im1=mine, Im2=other))
    group = Dictionary(S=Name.Transparency, CS=Name.DeviceGray)
    states = Dictionary()
    for name in (b"Im1", b"Im2"):
        mask = Dictionary(S=Name.Luminosity, G=form(pdf, FULL % name, both, Group=group))
        states["/S" + name.decode()] = pdf.make_indirect(Dictionary(Type=Name.ExtGState, SMask=mask))
    lists = shared(pdf, ExtGState=states)
    one, two = (b"/S%s gs 0 0 300 420 re f" % name for name in (b"Im1", b"Im2"))
    return (one, lists), (two, lists)


def of_side_ways(pdf: Pdf, mine: Any, other: Any) -> Drawn:
    """What is said of a picture, a form and a font, but is not seen, leads to the other page."""
    told = pdf.make_stream(b"secret of the picture", Type=Name.Metadata, Subtype=Name.XML)
    lead = Dictionary(Program=Dictionary(Private=other, LastModified=b"secret of the program"))
    mine["/Alternates"] = Array([Dictionary(Image=other)])
    mine["/Metadata"], mine["/StructParent"], mine["/OPI"] = told, 4, lead
    font = Dictionary(
        Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica, PieceInfo=lead, Metadata=told
    )
    one = form(pdf, FULL % b"Im1" + b" BT /F 9 Tf (x) Tj ET /OC /L BDC EMC",
               Dictionary(XObject=Dictionary(Im1=mine), Font=Dictionary(F=font), PieceInfo=lead,
                          Properties=Dictionary(L=Dictionary(Type=Name.OCG, Name=b"seen", Lead=lead))),
               PieceInfo=lead, Metadata=told, StructParents=3, Ref=lead, OPI=lead)  # fmt: skip
    return (b"/Fm Do", Dictionary(XObject=Dictionary(Fm=one))), (
        FULL % b"Im2",
        Dictionary(XObject=Dictionary(Im2=other)),
    )


WAYS: list[Callable[[Pdf, Any, Any], Drawn]] = [
    of_forms, of_words, of_forms_without_lists, of_patterns, of_glyphs, of_soft_masks, of_side_ways,
]  # fmt: skip


def pages(pdf: Pdf, drawn: Drawn) -> None:
    for content, resources in drawn:
        page = Dictionary(
            Type=Name.Page, MediaBox=BOX, Contents=pdf.make_stream(content), Resources=resources
        )
        pdf.pages.append(pikepdf.Page(pdf.make_indirect(page)))


def lead_astray(pdf: Pdf) -> None:
    """Each first page says much of the second beside it, and the file says something of all."""
    each = [page.obj for page in pdf.pages]
    for page, other in zip(each[::2], each[1::2], strict=True):
        secret = pdf.make_stream(b"secret of the page", Type=Name.Metadata, Subtype=Name.XML)
        go = Dictionary(
            S=Name.GoTo, D=Array([other, Name.Fit]), Next=Dictionary(S=Name.JavaScript, JS=b"secret script")
        )
        page["/Metadata"], page["/PieceInfo"] = secret, Dictionary(App=Dictionary(Private=other))
        page["/AA"], page["/B"], page["/StructParents"] = Dictionary(O=go), Array([Dictionary(P=other)]), 0
        page["/Thumb"] = Stream(
            pdf, b"secret!!!", Width=3, Height=3, ColorSpace=Name.DeviceGray, BitsPerComponent=8
        )
        page["/Annots"] = pdf.make_indirect(
            Array([Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]), A=go, P=other)])
        )
    element = pdf.make_indirect(
        Dictionary(Type=Name.StructElem, S=Name.P, Pg=each[1], K=0, ActualText=b"secret words")
    )
    pdf.Root["/StructTreeRoot"] = Dictionary(Type=Name.StructTreeRoot, K=Array([element]))
    pdf.Root["/Names"] = Dictionary(
        Dests=Dictionary(Names=Array([b"secret name", Array([each[1], Name.Fit])]))
    )
    pdf.Root["/AcroForm"] = Dictionary(Fields=Array([Dictionary(T=b"secret field", V=b"secret value")]))
    pdf.Root["/OpenAction"] = Array([each[1], Name.Fit])


@pytest.fixture(scope="module")
def parts() -> Iterator[list[Path]]:
    """The first page of each two, by itself, all taken out of one file."""
    with TemporaryDirectory() as folder, Pdf.new() as pdf:
        for place, way in enumerate(WAYS):
            pages(pdf, way(pdf, *(picture(pdf, jpeg(number)) for number in (2 * place, 2 * place + 1))))
        lead_astray(pdf)
        pdf.save(file := Path(folder, "in.pdf"))
        yield [
            part.file for part in extract(file, [[2 * place + 1] for place in range(len(WAYS))], Path(folder))
        ]


@pytest.mark.parametrize("place", range(len(WAYS)), ids=[way.__name__ for way in WAYS])
def test_a_page_brings_what_it_shows_and_nothing_of_another(parts: list[Path], place: int):
    held = plain(parts[place])

    assert jpeg(2 * place) in held
    assert jpeg(2 * place + 1) not in held
    assert b"secret" not in held
    with Pdf.open(parts[place]) as made:
        streams = [one for one in made.objects if isinstance(one, Stream)]
        assert sum(one.get("/Subtype") == "/Image" for one in streams) == 1
        assert set(made.Root.keys()) == {"/Type", "/Pages"}
        assert set(made.pages[0].obj.keys()) <= {
            "/Type",
            "/Parent",
            "/MediaBox",
            "/CropBox",
            "/Contents",
            "/Resources",
        }


def test_a_form_that_means_another_picture_on_each_page_keeps_both(tmp_path: Path):
    with Pdf.new() as pdf:
        pages(pdf, of_forms_without_lists(pdf, *(picture(pdf, jpeg(number)) for number in (1, 2))))
        pages(pdf, of_words(pdf, *(picture(pdf, jpeg(number)) for number in (3, 4))))
        pdf.save(tmp_path / "in.pdf")

    (made,) = extract(
        tmp_path / "in.pdf", [[2, 1, 3]], tmp_path
    )  # where one looked as the other it would be refused

    held = plain(made.file)
    assert [jpeg(number) in held for number in (1, 2, 3, 4)] == [True, True, True, False]


def test_a_part_with_a_picture_that_nothing_shows_is_refused(tmp_path: Path):
    """A font may say that any stream is its file."""
    with Pdf.new() as pdf:
        mine, other = (picture(pdf, jpeg(number)) for number in (1, 2))
        told = Dictionary(Type=Name.FontDescriptor, FontName=Name.Odd, Flags=4, FontFile2=other)
        font = Dictionary(Type=Name.Font, Subtype=Name.TrueType, BaseFont=Name.Odd, FontDescriptor=told)
        lists = Dictionary(XObject=Dictionary(Im1=mine, Im2=other), Font=Dictionary(F=font))
        pages(pdf, ((FULL % b"Im1" + b" BT /F 9 Tf ( ) Tj ET", lists), (FULL % b"Im2", lists)))
        pdf.save(tmp_path / "in.pdf")

    with pytest.raises(Refused) as refused:
        extract(tmp_path / "in.pdf", [[1]], tmp_path)

    assert refused.value.reason is Reason.NOT_APART
    assert "2 pictures, of which 1 " in refused.value.detail


# What it takes

WIDE, HIGH = 2000, 2100  # 12 MB as RGB


def test_neither_memory_nor_the_time_of_a_step_grows_with_the_pages(tmp_path: Path):
    """200 MB of pictures with 160 of memory and 1 second a step; some pages have marks, which are drawn first."""
    with Pdf.new() as pdf:
        for number in range(17):
            raw = partial(Stream, pdf, bytes([number * 9]) * (WIDE * HIGH * 3))
            image = raw(Type=Name.XObject, Subtype=Name.Image, Width=WIDE, Height=HIGH, ColorSpace=Name.DeviceRGB,
                        BitsPerComponent=8)  # fmt: skip
            pages(pdf, ((FULL % b"Im", Dictionary(XObject=Dictionary(Im=pdf.make_indirect(image)))),))
            if number < 4:
                seen = form(pdf, b"1 0 0 rg 0 0 300 420 re f")
                mark = Dictionary(
                    Type=Name.Annot,
                    Subtype=Name.Stamp,
                    Rect=Array([9, 9, 99, 99]),
                    F=4,
                    AP=Dictionary(N=seen),
                )
                pdf.pages[-1].obj["/Annots"] = Array([mark])
        pdf.save(tmp_path / "in.pdf", compress_streams=False)

    limits = Limits(memory_bytes=160 * MIB, cpu_seconds=1, file_bytes=2048 * MIB)
    (made,) = extract(tmp_path / "in.pdf", [range(1, 17)], tmp_path, limits=limits)

    assert made.page_count == 16
    assert made.file.stat().st_size > 12 * WIDE * HIGH * 3  # pdfium packs what it writes
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith("settled")] == []


def test_want_of_memory_is_not_taken_for_a_page_that_would_look_different(tmp_path: Path):
    with Pdf.new() as pdf:
        long = b"q Q " * (16 * MIB)
        font = Dictionary(F=Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica))
        pages(pdf, ((long, Dictionary(Font=font)), (b"", Dictionary())))
        pdf.save(tmp_path / "in.pdf")

    with pytest.raises(Refused) as refused:
        extract(tmp_path / "in.pdf", [[1]], tmp_path, limits=Limits(memory_bytes=48 * MIB))

    assert refused.value.reason is Reason.TOO_LARGE_APART


@pytest.mark.parametrize("state", ["locked against printing", "a broken table of contents"])
def test_marks_become_part_of_the_page_whatever_state_the_file_is_in(state: str, tmp_path: Path):
    with Pdf.new() as pdf:
        pages(pdf, of_forms(pdf, *(picture(pdf, jpeg(number)) for number in (1, 2))))
        seen = form(pdf, b"(a mark) pop 1 0 0 rg 0 0 300 420 re f")
        rect = Array([9, 9, 99, 99])
        mark = Dictionary(Type=Name.Annot, Subtype=Name.Stamp, Rect=rect, F=4, AP=Dictionary(N=seen))
        pdf.pages[0].obj["/Annots"] = Array([mark])
        locked = pikepdf.Encryption(owner="x", user="") if state.startswith("locked") else False
        pdf.save(file := tmp_path / "in.pdf", encryption=locked)
    if not locked:
        file.write_bytes(re.sub(rb"startxref\n\d+", b"startxref\n7", file.read_bytes()))

    (made,) = extract(file, [[1]], tmp_path)

    held = plain(made.file)
    assert [jpeg(1) in held, jpeg(2) in held, b"(a mark)" in held] == [True, False, True]
