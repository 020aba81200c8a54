"""A page in full detail: what the master holds beyond its access copy, with the same steps, in squares that fit together."""

from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageDraw

from storage import detail
from storage.detail import SIDE, Detail, cut, packed, square, told
from storage.limits import Limits, Reason, Refused
from storage.pages import render
from storage.processing import BORDERS, CROP, DESKEW, DESPECKLE, Step
from tests.storage.test_quality import page


def fine(width: int, height: int) -> Image.Image:
    """Columns of one pixel, black and white by turns, with a thick line from corner to corner."""
    whole = Image.new("L", (width, height))
    row = b"\0\xff" * (width // 2)
    whole.frombytes(row * height)
    ImageDraw.Draw(whole).line((0, 0, width, height), 128, 40)
    return whole


def saved(image: Image.Image, file: Path, dpi: int | None = None) -> Path:
    image.save(file, **({"dpi": (dpi, dpi)} if dpi else {}))
    return file


def made(file: Path, steps: Sequence[Step] = (), rotation: int = 0, limits: Limits | None = None) -> bytes:
    output = file.parent / f"squares-{len(list(file.parent.iterdir()))}"
    output.mkdir()
    return cut(file, 1, output, steps=steps, rotation=rotation, limits=limits)


def put_together(file: bytes) -> Image.Image:
    found = told(BytesIO(file))
    whole = Image.new("L", (found.width, found.height))
    for place in range(len(found.lengths)):
        row, column = divmod(place, found.columns)
        jpeg = square(BytesIO(file), column, row)
        assert jpeg
        whole.paste(Image.open(BytesIO(jpeg)).convert("L"), (column * SIDE, row * SIDE))
    return whole


def test_a_long_strip_shows_what_its_copy_has_lost(tmp_path: Path) -> None:
    strip = fine(11800, 600)
    file = saved(strip, tmp_path / "strip.png", 300)
    (copy,) = render(file, tmp_path)
    with Image.open(copy.image) as small:
        assert small.width == 5000
        assert small.convert("L").crop((100, 200, 400, 240)).getextrema()[0] > 60, "its columns run together"
    whole = put_together(made(file))
    assert whole.size == strip.size
    apart = ImageChops.difference(whole, strip).crop((512, 100, 5000, 180)).histogram()
    assert sum(apart[32:]) < sum(apart) * 0.01
    assert put_together(made(file, rotation=90)).size == (600, 11800)


def test_the_steps_that_made_the_copy_make_the_squares_too(tmp_path: Path) -> None:
    sheet = page(600).crop((300, 300, 2700, 2700))
    file = saved(sheet, tmp_path / "sheet.png", 600)
    steps = [
        Step(BORDERS, (245, 245, 245, *([30] * 192))), Step(DESKEW, (2.0, 245, 245, 245)),
        Step(CROP, (60, 80, 1101, 1001)), Step(DESPECKLE, (200, 200, 260, 240)),
    ]  # fmt: skip
    (copy,) = render(file, tmp_path, steps=steps)
    whole = put_together(made(file, steps=steps))
    assert (copy.width, copy.height, whole.size) == (1041, 921, (2082, 1842))
    with Image.open(copy.image) as small:
        soft = [
            each.convert("L").reduce(4) for each in (small, whole.resize(small.size, Image.Resampling.BOX))
        ]
    assert ImageChops.difference(*soft).getextrema()[1] < 40, "both lie on each other"
    assert soft[0].getextrema()[0] < 120, "and there is something to see"


def test_where_the_copy_has_everything_there_is_nothing_to_be_drawn(tmp_path: Path) -> None:
    assert told(BytesIO(made(saved(page(300), tmp_path / "a4.png", 300)))) == Detail(
        0, 0, limited=False, lengths=()
    )
    assert told(BytesIO(made(saved(page(100), tmp_path / "plain.png")))).width == 0
    scan = tmp_path / "scan.pdf"
    page(450).save(scan, "PDF", resolution=450)
    assert told(BytesIO(made(scan))).width == pytest.approx(page(450).width, abs=2)


def test_what_is_too_large_is_drawn_as_finely_as_it_may_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The bound is 72 million pixels: a smaller one asks the same in a tenth of the time.
    monkeypatch.setattr(detail, "FINEST", replace(detail.FINEST, pixels=4_000_000))
    file = saved(fine(8000, 800), tmp_path / "strip.png")
    found = told(BytesIO(made(file)))
    assert found.limited
    assert found.width * found.height == pytest.approx(4_000_000, rel=0.01)
    with pytest.raises(Refused) as refused:
        made(file, limits=Limits(pixels=1_000_000))
    assert refused.value.reason is Reason.TOO_LARGE_PICTURE


@pytest.mark.parametrize(
    "said", [{}, {"width": 10, "height": 10, "limited": 0, "lengths": []},
             {"width": -1, "height": 1, "limited": 0, "lengths": [3]},
             {"width": 600, "height": 1, "limited": 0, "lengths": [3, -3]}, {"width": "x"}],
)  # fmt: skip
def test_what_a_child_says_of_its_squares_is_not_taken_on_trust(said: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Detail.of(said)


def test_a_square_that_is_not_there_is_none_and_a_file_that_is_cut_off_is_refused() -> None:
    file = packed(Detail(600, 600, limited=False, lengths=(1, 2, 3, 4)), b"abbcccdddd")
    assert [square(BytesIO(file), column, row) for row in (0, 1) for column in (0, 1)] == [
        b"a", b"bb", b"ccc", b"dddd"
    ]  # fmt: skip
    assert [square(BytesIO(file), *place) for place in ((2, 0), (0, 2), (-1, 1), (1, -1))] == [None] * 4
    for cut_off in (b"", file[:20], file[:-1]):
        with pytest.raises(ValueError, match=r"no header|cut off"):
            square(BytesIO(cut_off), 1, 1)
