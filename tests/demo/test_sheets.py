from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from random import Random

import numpy as np
import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from archive.demo import office, sheets, wording
from archive.demo.paper import Page
from archive.demo.scene import Scene
from archive.demo.sheets import Header

A4 = {200: (1654, 2339), 300: (2480, 3508)}


def drawn(
    scene: Scene, code: str, font: Path, *, dpi: int = 200, seed: int = 3, **header: str
) -> Image.Image:
    text = wording.component_text(code, scene.who, scene.stay, scene.case, Random(5))
    above = replace(Header.of(scene.who, scene.stay, wording.title(code, scene.case)), **header)
    return sheets.sheet(code, text, above, dpi=dpi, seed=seed, font_path=font)


def ink(image: Image.Image) -> float:
    """The share of dark pixels within the margins."""
    grey = np.asarray(image.convert("L"))
    inner = grey[grey.shape[0] // 20 : -grey.shape[0] // 20, grey.shape[1] // 10 : -grey.shape[1] // 20]
    return float((inner < 110).mean())


def red(image: Image.Image) -> int:
    """How many pixels are of the seal's colour."""
    colours = np.asarray(image.convert("RGB")).astype(int)
    return int(
        ((colours[..., 0] > 150) & (colours[..., 0] - colours[..., 1] > 70) & (colours[..., 2] < 130)).sum()
    )


@pytest.mark.parametrize("dpi", [200, 300])
def test_a_page_is_a4_at_its_resolution_and_says_so(stay_of, font: Path, dpi: int) -> None:
    page = drawn(stay_of("CK", "scar"), "RY", font, dpi=dpi)
    assert page.size == A4[dpi]
    assert page.info["dpi"] == (dpi, dpi)
    assert 0.01 < ink(page) < 0.2


def test_every_component_can_be_printed(stay_of, font: Path) -> None:
    left = set(wording.TITLES)
    for dept, key in (
        ("CK", "previa"),
        ("CK", "vaginal"),
        ("CK", "prom"),
        ("XSEK", "asphyxia"),
        ("FK", "missed"),
    ):
        scene = stay_of(dept, key)
        for code in left & set(wording.components(scene.case)):
            text = wording.component_text(code, scene.who, scene.stay, scene.case, Random(5))
            heading = Header.of(scene.who, scene.stay, wording.title(code, scene.case))
            made = sheets.pages(code, text, heading, dpi=100, seed=1, font_path=font)
            assert made
            assert all(ink(page) > 0.002 for page in made), code
            left.discard(code)
    assert left == set()


def test_the_same_seed_gives_the_same_page_and_another_seed_another(stay_of, font: Path) -> None:
    scene = stay_of("EK", "pneumonia")
    one, same, other = (sheets.as_jpeg(drawn(scene, "FZ", font, seed=seed)) for seed in (3, 3, 4))
    assert one == same
    assert one != other


def test_a_report_bears_a_red_seal_and_is_scanned_in_colour(stay_of, font: Path) -> None:
    page = drawn(stay_of("EK", "pneumonia"), "FZ", font)
    assert page.mode == "RGB"
    assert red(page) > 1500


def test_a_plain_note_bears_no_seal(stay_of, font: Path) -> None:
    assert red(drawn(stay_of("EK", "pneumonia"), "RY", font)) < 200


def test_some_plain_notes_are_scanned_in_grey(stay_of, font: Path) -> None:
    scene = stay_of("EK", "pneumonia")
    assert {drawn(scene, "RY", font, seed=seed).mode for seed in range(8)} == {"L", "RGB"}


def test_the_barcode_of_a_front_page_can_be_read_after_scanning(stay_of, font: Path) -> None:
    page = drawn(stay_of("CK", "scar"), "SY", font, barcode="00218647-1", received="2026.05.19")
    assert [found.text for found in zxingcpp.read_barcodes(page)] == ["00218647-1"]


@pytest.mark.parametrize("days", [0, 1, 2, 3, 4, 8])
def test_a_temperature_chart_is_drawn_of_a_stay_of_any_length(stay_of, font: Path, days: int) -> None:
    scene = stay_of("EK", "pneumonia")
    leaves = scene.stay.admitted_at + timedelta(days=days, hours=7)
    stayed = replace(scene, stay=replace(scene.stay, discharged_at=leaves))
    assert 0.005 < ink(drawn(stayed, "TW", font, dpi=100)) < 0.2


def test_a_heart_trace_is_one_long_page(stay_of, font: Path) -> None:
    page = drawn(stay_of("CK", "vaginal"), "TJ", font)
    assert page.width > 2.5 * page.height


def test_a_long_text_goes_on_over_pages_that_all_name_the_patient(stay_of, font: Path) -> None:
    scene = stay_of("CK", "scar")
    text = wording.component_text("RY", scene.who, scene.stay, scene.case, Random(5))
    heading = Header.of(scene.who, scene.stay, "病程记录")
    made = sheets.pages("BC", "\n".join([text] * 3), heading, dpi=100, seed=1, font_path=font)
    assert len(made) == 2
    with pytest.raises(sheets.Overflow):
        sheets.sheet("BC", "\n".join([text] * 3), heading, dpi=100, seed=1, font_path=font)


def test_a_document_has_a_red_heading(font: Path) -> None:
    notice = office.document(Random(2), year=2025, number=18)
    heading = Header(notice.title, (("文号", notice.number),))
    page = sheets.sheet(sheets.OFFICIAL, notice.text, heading, dpi=150, seed=1, font_path=font)
    assert red(page.crop((0, 0, page.width, page.height // 4))) > 2000


def test_lines_keep_within_the_column_lose_nothing_and_never_begin_with_a_comma(font: Path) -> None:
    page = Page(210, 297, dpi=150, font_path=font, rng=Random(1))
    text = "测得血压120/80mmHg，心率88次/分；（复查）血红蛋白118g/L，“未见异常”。" * 12
    lines = page.wrap(text, 10.5, 600)
    assert "".join(lines) == text
    assert len(lines) > 5
    assert not any(line[0] in "，。；）”" for line in lines)
    assert not any(line[-1] in "（“" for line in lines[:-1])
    assert all(page.width(line, 10.5) <= 600 + page.size(10.5) for line in lines)


def test_a_number_is_not_torn_apart_at_the_end_of_a_line(font: Path) -> None:
    page = Page(210, 297, dpi=150, font_path=font, rng=Random(1))
    lines = page.wrap("血红蛋白复查结果118g/L正常" * 20, 10.5, 400)
    assert sum(line.count("118g/L") for line in lines) == 20


def test_rare_characters_are_in_the_font(font: Path) -> None:
    page = Page(60, 20, dpi=150, font_path=font, rng=Random(1))
    missing = page.width("\U0010fffd", 10)
    assert [page.width(rare, 10) for rare in "㛃𬍛䶮𬸚"] == [page.width("王", 10)] * 4
    for rare in "㛃𬍛䶮𬸚":
        page.draw.rectangle((0, 0, *page.image.size), fill="white")
        page.text((20, 20), rare, 24)
        shape = np.asarray(page.image).copy()
        page.draw.rectangle((0, 0, *page.image.size), fill="white")
        page.text((20, 20), "\U0010fffd", 24)
        assert missing > 0
        assert (shape != np.asarray(page.image)).any(), rare


def test_pages_become_one_tiff_one_pdf_and_single_images(stay_of, font: Path) -> None:
    scene = stay_of("EK", "pneumonia")
    made = [drawn(scene, code, font, dpi=150) for code in ("RY", "FZ", "TW")]
    with Image.open(BytesIO(sheets.as_tiff(made))) as tiff:
        assert tiff.n_frames == 3
        assert round(float(tiff.info["dpi"][0])) == 150
    document = pypdfium2.PdfDocument(sheets.as_pdf(made))
    assert len(document) == 3
    assert document[0].get_textpage().get_text_range() == ""
    assert [round(side / 72 * 25.4) for side in document[0].get_size()] == [210, 297]
    for encoded, kind in ((sheets.as_jpeg(made[0]), "JPEG"), (sheets.as_png(made[0]), "PNG")):
        with Image.open(BytesIO(encoded)) as image:
            assert (image.format, image.size) == (kind, made[0].size)
    assert sheets.as_pdf(made) == sheets.as_pdf(made)


def test_bitonal_pages_become_a_fax_tiff(stay_of, font: Path) -> None:
    page = drawn(stay_of("EK", "pneumonia"), "RY", font, dpi=150).convert("1")
    with Image.open(BytesIO(sheets.as_tiff([page, page]))) as tiff:
        assert (tiff.n_frames, tiff.info["compression"]) == (2, "group4")


def test_a_born_digital_pdf_gives_its_text_back(stay_of, font: Path) -> None:
    scene = stay_of("CK", "scar")
    text = wording.component_text("CY", scene.who, scene.stay, scene.case, Random(5))
    made = sheets.text_pdf("出院记录", f"{text}\n特殊用字：㛃𬍛", font_path=font)
    assert made == sheets.text_pdf("出院记录", f"{text}\n特殊用字：㛃𬍛", font_path=font)
    found = "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(made))
    flat = "".join(found.split())
    assert "出院记录" in flat
    assert scene.who.name in flat
    assert "切口保持" in flat or "保持切口" in flat
    assert "㛃" in flat
