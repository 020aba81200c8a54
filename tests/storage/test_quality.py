"""What is measured of a page is what somebody would see: how it lies, how sharp it is, whether anything is on it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from storage.confined.quality import measured
from storage.pages import Quality, render
from tests.papers import FONT

PAPER, INK = 245, 25
WORDS = "患者因停经三十六周入院，查体未见异常，超声提示胎盘下缘覆盖宫颈内口，予以保胎治疗。"


def page(dpi: int = 200, lines: int = 30) -> Image.Image:
    """An A4 page of print, as a good scanner sees it."""
    image = Image.new("L", (round(8.27 * dpi), round(11.69 * dpi)), PAPER)
    face = ImageFont.truetype(FONT, round(10.5 / 72 * dpi))
    for line in range(lines):
        ImageDraw.Draw(image).text((0.9 * dpi, (1 + 0.28 * line) * dpi), WORDS, INK, face)
    return image


def turned(image: Image.Image, clockwise: float) -> Image.Image:
    return image.rotate(-clockwise, Image.Resampling.BICUBIC, fillcolor=PAPER)


@pytest.mark.parametrize("degrees", [-5.0, -2.0, -1.0, -0.4, 0.0, 0.3, 1.2, 3.0, 5.5])
def test_a_tilt_is_told_to_a_fifth_of_a_degree(degrees: float) -> None:
    for image in (page(), page(150, 8), page(300, 3)):
        assert measured(turned(image, degrees))["tilt"] == pytest.approx(degrees, abs=0.2)


def test_blurred_print_is_told_from_sharp_print_at_any_fineness() -> None:
    for dpi in (150, 200, 300):
        sharp = page(dpi)
        soft = sharp.filter(ImageFilter.GaussianBlur(dpi / 80))
        assert measured(sharp)["sharpness"] > 0.6
        assert measured(soft)["sharpness"] < 0.25
        assert measured(soft)["tilt"] == pytest.approx(0, abs=0.2)


def test_on_a_page_without_ink_nothing_can_be_judged() -> None:
    noisy = Image.effect_noise((1654, 2339), 12).point(lambda value: min(255, value + PAPER - 128))
    for blank in (Image.new("L", (1654, 2339), PAPER), noisy, Image.new("RGB", (600, 800), "white")):
        assert measured(blank) | {"border": 0.0} == {
            "ink": pytest.approx(0, abs=0.0004), "tilt": None, "sharpness": None, "border": 0.0, "red": 0.0,
            "cut": 0, "bitonal": False,
        }  # fmt: skip
    assert measured(page(lines=1))["ink"] > 0.0005


@pytest.mark.parametrize(
    "side", [(0, 0, 1654, 40), (0, 2299, 1654, 2339), (0, 0, 40, 2339), (1614, 0, 1654, 2339)]
)
def test_a_black_edge_is_seen_on_any_side(side: tuple[int, int, int, int]) -> None:
    image = page()
    assert measured(image)["border"] < 0.05
    ImageDraw.Draw(image).rectangle(side, 0)
    assert measured(image)["border"] > 0.9


def test_a_seal_is_red_and_black_print_is_not() -> None:
    image = page().convert("RGB")
    assert measured(image)["red"] == 0
    ImageDraw.Draw(image).ellipse((700, 1500, 1000, 1800), outline=(200, 30, 40), width=14)
    assert measured(image)["red"] > 0.001


def test_print_that_runs_over_an_edge_is_told_and_a_border_or_a_rule_is_not() -> None:
    whole = page()
    assert measured(whole)["cut"] == 0
    for cut in (
        whole.crop((200, 0, 1654, 2339)),
        whole.crop((0, 0, 900, 2339)),
        whole.crop((0, 0, 1654, 1237)),
    ):
        assert measured(cut)["cut"] >= 8
    bordered = whole.copy()
    ImageDraw.Draw(bordered).rectangle((0, 0, 40, 2339), 0)
    ImageDraw.Draw(bordered).line((0, 600, 1654, 600), INK, 3)
    assert measured(bordered)["cut"] <= 1


def test_a_scan_in_black_and_white_alone_is_told_in_a_picture_and_in_a_pdf(tmp_path: Path) -> None:
    for name, mode in (("a.tif", "1"), ("b.tif", "L"), ("c.pdf", "1"), ("d.pdf", "L"), ("e.png", "1")):
        page().convert(mode).save(tmp_path / name, dpi=(200, 200), resolution=200)
        (tmp_path / name[0]).mkdir()
        (made,) = render(tmp_path / name, tmp_path / name[0])
        assert made.quality.bitonal == (mode == "1")


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (2, 2), (17, 33), (5000, 40), (40, 5000)])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_picture_of_any_size_is_measured(size: tuple[int, int], mode: str) -> None:
    for fill in ("white", "black", "gray"):
        Quality.of(measured(Image.new(mode, size, fill)))
    Quality.of(measured(Image.effect_noise(size, 90).convert(mode)))


def test_every_page_that_is_drawn_comes_with_what_was_measured(tmp_path: Path) -> None:
    file = tmp_path / "scan.tif"
    turned(page(), 2.0).save(
        file, dpi=(200, 200), save_all=True, append_images=[Image.new("L", (1654, 2339), PAPER)]
    )
    (tmp_path / "out").mkdir()
    first, second = render(file, tmp_path / "out")
    assert first.quality.tilt == pytest.approx(2.0, abs=0.2)
    assert second.quality.tilt is None


Changed = Callable[[dict[str, object]], object]


@pytest.mark.parametrize("change", [
    lambda said: said.pop("ink"), lambda said: said.update(ink="much"), lambda said: said.update(tilt=float("nan")),
    lambda said: said.update(border=float("inf")), lambda said: said.update(red=None),
])  # fmt: skip
def test_what_a_child_says_is_not_taken_on_trust(change: Changed) -> None:
    said = measured(page())
    change(said)
    with pytest.raises((KeyError, TypeError, ValueError)):
        Quality.of(said)
