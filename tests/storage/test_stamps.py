"""The strip below a certified page: nothing of the page is covered, and the code in it can be read by a machine."""

from io import BytesIO
from pathlib import Path

from PIL import Image, ImageChops

from archive.services import printing
from storage.stamps import Stamp, listed, stamped

FONT = Path(__file__).parents[2] / "archive/static/fonts/NotoSansSC-Regular.ttf"
CODE = "ABCDE-FGHIJ-KLMNO-PQRST-UVWXY-Z"


def stamp(line: str = "FY2026-000001") -> Stamp:
    return Stamp("复印件 与原件一致", line, printing.squares(CODE), FONT)


def opened(picture: bytes) -> Image.Image:
    return Image.open(BytesIO(picture)).convert("RGB")


def test_the_page_stays_whole_above_its_stamp() -> None:
    out = BytesIO()
    page = Image.linear_gradient("L").resize((1240, 1754))
    page.save(out, "JPEG", dpi=(150, 150))
    whole = opened(stamped(out.getvalue(), stamp()).jpeg)
    assert whole.width == 1240
    assert whole.height > 1754
    above = whole.crop((0, 0, 1240, 1754 - 16))
    assert (
        max(
            high
            for _low, high in ImageChops.difference(
                above, page.convert("RGB").crop(above.getbbox())
            ).getextrema()
        )
        < 12
    )
    other = opened(stamped(out.getvalue(), stamp("FY2026-000002")).jpeg)
    differing = ImageChops.difference(whole, other).getbbox()
    assert differing
    assert differing[1] >= 1754 - 16
    assert Image.open(BytesIO(stamped(out.getvalue(), stamp()).jpeg)).info["dpi"] == (150, 150)


def test_every_square_of_the_code_is_there_on_a_small_page_too() -> None:
    for width in (700, 1240, 2480):
        out = BytesIO()
        Image.new("L", (width, 900), 255).save(out, "JPEG")
        whole = opened(stamped(out.getvalue(), stamp()).jpeg).convert("L")
        squares, grey = printing.squares(CODE), whole.tobytes()
        side = whole.height - 900 - 4
        step = side // (len(squares) + 4)
        left = width - side - 2 + (side - step * (len(squares) + 4)) // 2
        top = 900 + 3 + (side - step * (len(squares) + 4)) // 2
        seen = [
            [grey[(top + (y + 2) * step + step // 2) * width + left + (x + 2) * step + step // 2] < 128
             for x in range(len(squares))]
            for y in range(len(squares))
        ]  # fmt: skip
        assert seen == squares, width


def test_a_long_list_goes_on_on_further_sheets() -> None:
    rows = [("00218647-2", "检验报告" * 9, str(number)) for number in range(100)]
    sheets = list(listed("复制页清单", [("病案号", "00218647")], rows, FONT))
    assert len(sheets) == 3
    assert {opened(sheet).size for sheet in sheets} == {(1240, 1754)}
    assert len(list(listed("复制页清单", [], [], FONT))) == 1
    facts = [("病案", f"00218647-{number}") for number in range(80)]
    many = [opened(sheet) for sheet in listed("谁看过我的病历", facts, rows[:3], FONT)]
    assert len(many) == 3
    ends = [
        ImageChops.invert(sheet.convert("L")).point(lambda ink: 255 if ink > 60 else 0).getbbox()
        for sheet in many
    ]
    assert all(end and end[3] <= 1754 - 100 for end in ends), "nothing is drawn below the sheet"
    lone = opened(list(listed("谁看过我的病历", facts, [], FONT))[-1])
    assert ImageChops.difference(many[-1], lone).getbbox(), "the rows come after the facts"
