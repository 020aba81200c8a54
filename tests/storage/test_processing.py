"""Access copies are made straight and clean, and nothing that somebody wrote, drew or stamped is lost by it."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFont

from storage.confined.processing import processed, repeated
from storage.confined.quality import measured
from storage.pages import PageImage, render
from storage.processing import Processing, Step
from tests.papers import FONT
from tests.storage.test_quality import INK, PAPER, page, turned

DPI = 200
RED = (200, 30, 40)


def done(image: Image.Image, limits: Processing | None = None) -> tuple[Image.Image, dict[str, Step]]:
    made, steps = processed(image, measured(image)["tilt"], DPI, limits or Processing())
    return made, {step.name: step for step in steps}


def ink(image: Image.Image, box: tuple[int, int, int, int] | None = None) -> int:
    part = image.crop(box) if box else image
    return sum(part.convert("L").histogram()[:150])


def dotted(image: Image.Image, places: list[tuple[int, int]], size: int = 2) -> Image.Image:
    made = image.copy()
    for x, y in places:
        ImageDraw.Draw(made).rectangle((x, y, x + size - 1, y + size - 1), INK)
    return made


def on_a_bed(sheet: Image.Image, tilt: float = 0) -> Image.Image:
    """A small sheet on the black bed of a scanner for A4."""
    bed = Image.new(sheet.mode, (1654, 2339), 15)
    bed.paste(sheet, (100, 120))
    return bed.rotate(-tilt, Image.Resampling.BICUBIC, fillcolor=15)


@pytest.mark.parametrize("degrees", [-5.0, -1.2, -0.4, 0.4, 2.0, 5.5])
def test_a_page_that_lies_askew_is_straight_in_the_copy(degrees: float) -> None:
    made, steps = done(turned(page(), degrees))
    assert steps["deskew"].numbers[0] == pytest.approx(degrees, abs=0.2)
    assert measured(made)["tilt"] == pytest.approx(0, abs=0.2)
    assert made.size == page().size


@pytest.mark.parametrize("degrees", [0.0, 0.1, -0.2])
def test_a_page_that_lies_straight_is_not_touched(degrees: float) -> None:
    image = turned(page(), degrees)
    made, steps = done(image)
    assert made is image
    assert not steps


def test_a_black_edge_becomes_paper_and_the_print_beside_it_stays() -> None:
    clean = page()
    for side in ((0, 0, 1654, 40), (0, 2299, 1654, 2339), (0, 0, 40, 2339), (1614, 0, 1654, 2339)):
        edged = clean.copy()
        edged.paste(12, side)
        made, steps = done(edged)
        assert set(steps) == {"borders"}
        assert measured(made)["border"] < 0.05
        assert ImageChops.difference(made, clean).getbbox() is None


@pytest.mark.parametrize("tilt", [0.0, 2.0, -3.0])
def test_a_small_sheet_on_the_bed_is_cut_out_with_all_that_stands_on_it(tilt: float) -> None:
    sheet = page(DPI, 20).crop((0, 0, 1160, 1640))
    made, steps = done(on_a_bed(sheet, tilt))
    assert {"borders", "crop"} <= set(steps)
    assert made.size == (pytest.approx(1160, abs=10), pytest.approx(1640, abs=10))
    assert measured(made)["border"] < 0.05
    assert ink(made) == pytest.approx(ink(sheet), rel=0.05)


def test_specks_go_and_everything_that_belongs_to_writing_stays() -> None:
    specks = [(300, 1900), (800, 2000), (1400, 2200), (1239, 2059)]
    clean = page()
    made, steps = done(dotted(clean, specks))
    assert set(steps) == {"despeckle"}
    assert ImageChops.difference(made, clean).getbbox() is None


def test_dots_of_letters_marks_and_leaders_stay() -> None:
    image = Image.new("L", (1654, 2339), PAPER)
    draw, face = ImageDraw.Draw(image), ImageFont.truetype(FONT, 22)
    for row, words in enumerate(["i", "j", "氵", "汉", "。", "37.5", "：", "…………", "ä", "％", "心"]):
        draw.text((200 + 130 * row, 300 + 170 * row), words, INK, face)
    for at in range(60):
        draw.ellipse((200 + 14 * at, 2200, 201 + 14 * at, 2201), INK)
    made, steps = done(image)
    assert made is image
    assert not steps


def test_a_full_stop_that_stands_alone_is_larger_than_a_speck() -> None:
    image = dotted(page(lines=5), [(800, 1800)], size=6)
    made, steps = done(image)
    assert made is image
    assert not steps


def test_specks_without_number_are_a_pattern() -> None:
    places = [(100 + 60 * x, 700 + 60 * y) for x in range(24) for y in range(26)]
    image = dotted(page(lines=3), places)
    made, steps = done(image)
    assert made is image
    assert not steps


def handwriting(colour: int) -> Image.Image:
    rng = random.Random(3)
    image = Image.new("L", (1654, 2339), PAPER)
    draw = ImageDraw.Draw(image)
    for line in range(14):
        for word in range(12):
            x, y = 150 + 110 * word, 250 + 130 * line + 3 * word
            stroke = [(x + rng.randint(0, 70), y + rng.randint(-25, 25)) for _point in range(5)]
            draw.line(stroke, fill=colour, width=2)
            draw.ellipse((x + 75, y - 20, x + 79, y - 16), colour)
    return image


@pytest.mark.parametrize("colour", [40, 120, 200])
def test_handwriting_stays_in_pen_and_in_faint_pencil(colour: int) -> None:
    image = handwriting(colour)
    made, steps = done(image)
    assert set(steps) <= {"deskew"}
    if not steps:
        assert made is image


def seal() -> Image.Image:
    image = page(lines=12).convert("RGB")
    draw = ImageDraw.Draw(image)
    draw.ellipse((900, 1500, 1200, 1800), outline=RED, width=9)
    draw.text((980, 1600), "医务科", RED, ImageFont.truetype(FONT, 50))
    for at in range(40):  # what the stamp left only in part
        draw.point((920 + 7 * at, 1840), RED)
    return image


def table() -> Image.Image:
    image = Image.new("L", (1654, 2339), PAPER)
    for at in range(200, 2200, 100):
        ImageDraw.Draw(image).line((100, at, 1550, at), INK, 1)
    for at in range(100, 1551, 290):
        ImageDraw.Draw(image).line((at, 200, at, 2100), INK, 1)
    return image


def photograph() -> Image.Image:
    noise = Image.effect_noise((200, 290), 60).resize((1654, 2339), Image.Resampling.BICUBIC)
    return dotted(noise, [(400, 400)]).convert("RGB")


def ultrasound() -> Image.Image:
    """Light on black up to its edges, with words in white."""
    image = Image.new("RGB", (1654, 2339), (8, 8, 8))
    image.paste(photograph().resize((900, 900)), (380, 500))
    ImageDraw.Draw(image).text((60, 40), "BPD 9.2cm", "white", ImageFont.truetype(FONT, 40))
    return image


def glued() -> Image.Image:
    """A dark picture that reaches the edge of a printed page."""
    image = page().convert("RGB")
    image.paste(ultrasound().resize((600, 500)), (1054, 1700))
    return image


def coloured() -> Image.Image:
    image = page().convert("RGB")
    image.paste((10, 40, 120), (0, 0, 1654, 150))
    return image


@pytest.mark.parametrize("made", [seal, table, photograph, ultrasound, glued, coloured])
def test_seals_thin_lines_photographs_and_coloured_paper_are_left_alone(
    made: Callable[[], Image.Image],
) -> None:
    image = made()
    kept, steps = done(image)
    assert kept is image
    assert not steps


def test_a_table_and_a_seal_that_lie_askew_keep_all_their_lines() -> None:
    for image in (table(), seal()):
        fill = PAPER if image.mode == "L" else (PAPER,) * 3
        made, steps = done(image.rotate(-2, Image.Resampling.BICUBIC, fillcolor=fill))
        assert set(steps) == {"deskew"}
        assert ink(made) == pytest.approx(ink(image), rel=0.25)
        assert measured(made)["red"] == pytest.approx(measured(image)["red"], rel=0.1)


def test_lines_that_run_from_top_to_bottom_are_straightened_only_by_what_is_told_of_them() -> None:
    image = page().transpose(Image.Transpose.ROTATE_90)
    made, steps = done(image)
    assert made is image
    assert not steps


def test_what_is_switched_off_is_not_done() -> None:
    edged = turned(dotted(page(lines=12), [(800, 2000)]), 2)
    edged.paste(12, (0, 0, 40, 2339))
    for off, left in (("deskew", {"borders"}), ("borders", {"deskew"}), ("despeckle", {"borders", "deskew"})):
        _made, steps = done(edged, Processing(**{off: False}))  # type: ignore[arg-type]
        assert left <= set(steps)
        assert off not in steps
    assert not done(edged, Processing(deskew=False, borders=False, despeckle=False))[1]
    assert "deskew" not in done(edged, Processing(deskew_most_tenths=15))[1]


def test_the_same_steps_give_the_same_picture() -> None:
    sheet = dotted(page(DPI, 20).crop((0, 0, 1160, 1640)), [(500, 1400)])
    for image in (on_a_bed(sheet, 2), on_a_bed(sheet, 2).convert("RGB")):
        made, steps = processed(image, 2.0, DPI, Processing())
        assert {step.name for step in steps} == {"borders", "deskew", "crop", "despeckle"}
        again = repeated(image, [Step.of(step.told()) for step in steps])
        assert again.tobytes() == made.tobytes()


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (2, 2), (17, 33), (5000, 40), (40, 5000)])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_picture_of_any_size_is_treated(size: tuple[int, int], mode: str) -> None:
    for fill in ("white", "black", "gray"):
        done(Image.new(mode, size, fill))
    half = Image.new(mode, size, "white")
    half.paste("black", (0, 0, max(1, size[0] // 3), size[1]))
    done(half)
    done(Image.effect_noise(size, 90).convert(mode))


@pytest.mark.parametrize(
    "said", [{}, {"name": "blur", "numbers": [1]}, {"name": "crop", "numbers": []},
             {"name": "crop", "numbers": ["1"]}, {"name": "deskew", "numbers": [float("nan")]},
             {"name": "crop", "numbers": [1] * 5000}, {"name": "crop", "numbers": 3}],
)  # fmt: skip
def test_what_a_child_says_it_has_done_is_not_taken_on_trust(said: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Step.of(said)


def drawn(file: Path, name: str, **how: object) -> list[PageImage]:
    output = file.parent / name
    output.mkdir()
    return render(file, output, **how)  # type: ignore[arg-type]


def test_a_copy_that_was_lost_is_drawn_again_to_the_byte_and_as_scanned_too(tmp_path: Path) -> None:
    file = tmp_path / "scan.tif"
    page(lines=3).save(
        file, dpi=(DPI, DPI), save_all=True, append_images=[on_a_bed(page().crop((0, 0, 1160, 1640)), 2)]
    )
    _first, second = drawn(file, "made", processing=Processing())
    assert [step.name for step in second.steps][:3] == ["borders", "deskew", "crop"]
    (again,) = drawn(file, "again", first_page=2, steps=second.steps)
    assert again.image.read_bytes() == second.image.read_bytes()
    assert again.thumbnail.read_bytes() == second.thumbnail.read_bytes()
    (plain,) = drawn(file, "plain", first_page=2)
    assert not plain.steps
    assert (plain.width, plain.height) == (1654, 2339)
    assert second.quality.tilt == plain.quality.tilt == pytest.approx(2, abs=0.2)
    with Image.open(second.image) as picture:
        assert picture.size == (second.width, second.height)
