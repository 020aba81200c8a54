"""Access copies are made smaller and marked with the name of their reader."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from storage.copies import mime, scaled, turned, watermark

FONTS = [
    Path(__file__).resolve().parents[2] / "archive/static/fonts/NotoSansSC-Regular.ttf",
    Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
]
READER = ["王小明 工号 100234", "2026-11-21 09:30"]


@pytest.fixture(scope="module")
def font() -> Path:
    found = next((font for font in FONTS if font.exists()), None)
    return found or pytest.skip("there is no Chinese font here")


def page(colour: str = "white", size: tuple[int, int] = (1654, 2339), mode: str = "RGB") -> bytes:
    out = BytesIO()
    Image.new(mode, size, colour).save(out, "JPEG", dpi=(200, 200))
    return out.getvalue()


def opened(jpeg: bytes) -> Image.Image:
    return Image.open(BytesIO(jpeg))


def changed(before: bytes, after: bytes) -> Image.Image:
    """White where the page was visibly changed."""
    return ImageChops.difference(opened(before).convert("L"), opened(after).convert("L")).point(
        lambda value: 255 if value > 16 else 0
    )


@pytest.mark.parametrize("colour", ["white", "black", "gray", "yellow"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_the_mark_is_seen_in_every_part_of_every_page(font: Path, colour: str, mode: str):
    before = page(colour, mode=mode)
    after = watermark(before, READER, font)
    seen = changed(before, after)
    width, height = seen.size
    parts = [
        (x * width // 3, y * height // 4, (x + 1) * width // 3, (y + 1) * height // 4)
        for x in range(3)
        for y in range(4)
    ]
    assert all(seen.crop(part).getbbox() for part in parts)
    assert opened(after).size == (width, height)
    assert opened(after).info["dpi"] == (200, 200)


def test_the_text_below_the_mark_can_still_be_read(font: Path):
    marked = opened(watermark(page(), READER, font)).convert("L")
    assert marked.getextrema()[0] > 128


def test_each_reader_has_a_mark_of_his_own(font: Path):
    assert watermark(page(), READER, font) != watermark(page(), ["李四 工号 100235", READER[1]], font)


@pytest.mark.parametrize("kind", ["WEBP", "JPEG"])
def test_a_page_as_small_as_a_thumbnail_is_marked_and_turned_too_and_stays_what_it_is(font: Path, kind: str):
    out = BytesIO()
    Image.new("RGB", (170, 240), "white").save(out, kind)
    before = out.getvalue()
    marked, upright = watermark(before, READER, font), turned(before, 90)
    assert changed(before, marked).getbbox()
    assert opened(upright).size == (240, 170)
    assert {mime(each) for each in (before, marked, upright)} == {f"image/{kind.lower()}"}


@pytest.mark.parametrize("words", [[], ["", "  "]])
def test_a_page_never_goes_out_unmarked(font: Path, words: list[str]):
    with pytest.raises(ValueError, match="words"):
        watermark(page(), words, font)


def test_a_page_is_made_smaller_and_never_larger():
    original = page()
    assert opened(scaled(original, 800)).size == (800, 1131)
    assert scaled(original, 1654) == original
    assert scaled(original, 5000) == original
