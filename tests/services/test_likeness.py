"""Scanned twice, or only alike: the same sheet again is found, two filled-in forms are not taken for one."""

from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from archive.services.scanning import likeness
from tests.papers import FONT

FORM = """云川县妇幼保健院
护理记录单
姓名：王一一 病案号：30000000
11月{day}日 体温36.{tenth} 脉搏8{tenth} 呼吸1{tenth}
患者一般情况可，切口无渗血。"""


def picture(text: str, *, tilt: float = 0, shift: int = 0) -> Image.Image:
    page = Image.new("L", (1240, 1754), 250)
    face = ImageFont.truetype(FONT, 36)
    for place, line in enumerate(text.splitlines()):
        ImageDraw.Draw(page).text((120 + shift, 140 + 90 * place + shift), line, 10, face)
    return page.rotate(tilt, Image.Resampling.BICUBIC, fillcolor=250)


def fingerprint(image: Image.Image, folder: Path, name: str) -> str:
    image.thumbnail((240, 240))
    out = BytesIO()
    image.save(out, "WEBP", quality=70, method=2)
    file = folder / f"{name}.webp"
    file.write_bytes(out.getvalue())
    return likeness.fingerprint(file)


def same(one: str, two: str, folder: Path, **scanned: float) -> bool:
    first = fingerprint(picture(one), folder, "one")
    second = fingerprint(picture(two, **scanned), folder, "two")  # type: ignore[arg-type]
    return likeness.is_same(apart(first, second), one, two)


def apart(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def test_the_same_sheet_a_little_askew_and_shifted_is_the_same(tmp_path: Path) -> None:
    sheet = FORM.format(day=12, tenth=5)
    assert same(sheet, sheet, tmp_path, tilt=0.3, shift=6)


def test_the_same_form_of_another_day_is_another_sheet(tmp_path: Path) -> None:
    assert not same(FORM.format(day=12, tenth=5), FORM.format(day=13, tenth=8), tmp_path)


def test_a_letter_that_was_misread_makes_no_other_sheet(tmp_path: Path) -> None:
    sheet = FORM.format(day=12, tenth=5) * 3
    assert likeness.is_same(5, sheet, sheet.replace("渗血", "渗皿", 1))


def test_pictures_without_text_are_compared_by_what_they_show(tmp_path: Path) -> None:
    curve, other = Image.new("L", (800, 800), 255), Image.new("L", (800, 800), 255)
    ImageDraw.Draw(curve).line([(x, 400 + x % 97) for x in range(800)], 0, 9)
    ImageDraw.Draw(other).line([(x, 100 + x) for x in range(800)], 0, 9)
    one, two = fingerprint(curve.copy(), tmp_path, "one"), fingerprint(other, tmp_path, "two")
    again = fingerprint(curve, tmp_path, "again")
    assert likeness.is_same(apart(one, again), "", "")
    assert not likeness.is_same(apart(one, two), "", "")
