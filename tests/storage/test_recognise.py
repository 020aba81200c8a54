"""Printed Chinese is recognised, whichever way the page lies, and a bad page does not stop the next."""

import os
import signal
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFont

from bench.recognition import edits
from bench.served import tree
from storage.limits import Reason, Refused
from storage.recognise import Recognised, Recogniser

FONTS = [
    Path("/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc"),
    Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
    Path(__file__).resolve().parents[2] / "archive/static/fonts/NotoSansSC-Regular.ttf",
]
HEADING = "出院记录"
RECORD = [
    (
        "患者王秀兰，女，67岁，因“反复咳嗽、咳痰10年，加重伴气促3天”于2023年11月08日入院。入院查体：体温37.8℃，"
        "脉搏98次/分，呼吸24次/分，血压142/86mmHg。桶状胸，双肺叩诊过清音，双下肺可闻及散在湿啰音。"
    ),
    (
        "入院后完善血常规、C反应蛋白、胸部CT等检查，诊断为慢性阻塞性肺疾病急性加重。予以抗感染、解痉平喘、"
        "化痰及低流量吸氧治疗，患者症状明显缓解，复查动脉血气分析示氧分压回升。"
    ),
    "出院医嘱：规律吸入布地奈德福莫特罗，戒烟，避免受凉，两周后呼吸内科门诊复诊。",
]


def face_of(font: Path, points: int) -> ImageFont.FreeTypeFont:
    """A collection holds the Japanese face first, whose 门 looks like 内; the third is that of mainland China."""
    return ImageFont.truetype(font, points, index=2 if font.suffix == ".ttc" else 0)


@pytest.fixture(scope="module")
def font() -> Path:
    found = next((font for font in FONTS if font.exists()), None)
    return found or pytest.skip("there is no Chinese font here")


def wrapped(face: ImageFont.FreeTypeFont, width: int, paragraphs: list[str]) -> list[str]:
    lines = []
    for paragraph in paragraphs:
        line = "　　"
        for letter in paragraph:
            if face.getlength(line + letter) > width:
                lines.append(line)
                line = ""
            line += letter
        lines.append(line)
    return lines


@pytest.fixture(scope="module")
def record(font: Path) -> Image.Image:
    """A discharge record as a scanner at 200 dpi sees it."""
    face = face_of(font, 32)
    page = Image.new("L", (1654, 1000), 245)
    draw = ImageDraw.Draw(page)
    draw.text((700, 60), HEADING, 30, face_of(font, 56))
    for row, line in enumerate(wrapped(face, 1654 - 360, RECORD)):
        draw.text((180, 200 + row * 52), line, 30, face)
    return page


@pytest.fixture(scope="module")
def recogniser() -> Iterator[Recogniser]:
    with Recogniser() as one:
        yield one


def saved(image: Image.Image, folder: Path) -> Path:
    path = folder / "page.jpg"
    image.save(path, quality=80)
    return path


@pytest.fixture
def upright(recogniser: Recogniser, record: Image.Image, tmp_path: Path) -> Recognised:
    return recogniser.recognise(saved(record, tmp_path))


def folded(text: str) -> str:
    """Without the difference of full and half width, which recognition does not keep."""
    return unicodedata.normalize("NFKC", text).replace(" ", "").replace("。", ".")


def test_fewer_than_two_in_a_hundred_characters_are_wrong(upright: Recognised):
    written, read = folded(HEADING + "".join(RECORD)), folded(upright.text.replace("\n", ""))
    assert edits(written, read) / len(written) < 0.02
    assert upright.confidence > 0.9


def test_paragraphs_are_whole_so_that_a_phrase_over_a_line_break_is_found(upright: Recognised):
    paragraphs = upright.text.splitlines()
    assert paragraphs[0] == HEADING
    assert [one[:4] for one in paragraphs[1:]] == [one[:4] for one in RECORD]


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_page_on_its_side_is_read_and_tells_how_to_turn_it(
    recogniser: Recogniser, record: Image.Image, tmp_path: Path, turn: int
):
    lying = record.crop((0, 0, 1654, 400)).rotate(turn, expand=True)
    found = recogniser.recognise(saved(lying, tmp_path))
    assert found.rotation == turn
    assert found.text.startswith(HEADING)
    (heading,) = [line for line in found.lines if line.text == HEADING]
    inked = lying.point(lambda value: 255 if value < 128 else 0)
    assert inked.crop(heading[:4]).getbbox()
    width, height = heading.x1 - heading.x0, heading.y1 - heading.y0
    assert (height > width) == (turn in {90, 270})


RED = (198, 30, 34)


def test_words_under_a_red_stamp_are_read_and_the_ring_of_the_stamp_is_not(
    recogniser: Recogniser, record: Image.Image, upright: Recognised, tmp_path: Path
):
    page = record.convert("RGB")
    stamp = Image.new("RGB", page.size, "white")
    draw = ImageDraw.Draw(stamp)
    draw.ellipse((700, 200, 1000, 500), outline=RED, width=8)
    draw.regular_polygon((850, 350, 60), 5, fill=RED)
    stamped = ImageChops.multiply(page, stamp)
    assert recogniser.recognise(saved(stamped, tmp_path)).text == upright.text


def test_what_is_printed_in_red_is_read(
    recogniser: Recogniser, record: Image.Image, font: Path, tmp_path: Path
):
    page = Image.new("RGB", (1654, 1160), (245, 245, 245))
    page.paste(record.convert("RGB"), (0, 160))
    ImageDraw.Draw(page).text((500, 60), "云川县卫生健康局文件", RED, face_of(font, 64))
    found = recogniser.recognise(saved(page, tmp_path))
    assert found.text.startswith("云川县卫生健康局文件")
    assert HEADING in found.text


def test_a_blank_page_has_no_text(recogniser: Recogniser, tmp_path: Path):
    found = recogniser.recognise(saved(Image.new("L", (800, 1000), 250), tmp_path))
    assert (found.text, found.lines, found.rotation, found.confidence) == ("", (), 0, 0.0)


def test_a_page_that_cannot_be_read_does_not_stop_the_next(
    recogniser: Recogniser, record: Image.Image, tmp_path: Path
):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff" + bytes(2000))
    with pytest.raises(Refused) as refused:
        recogniser.recognise(broken)
    assert refused.value.reason is Reason.BROKEN
    assert recogniser.recognise(saved(record.crop((0, 0, 1654, 160)), tmp_path)).text == HEADING


def test_a_child_that_was_killed_is_followed_by_another(record: Image.Image, tmp_path: Path):
    heading = saved(record.crop((0, 0, 1654, 160)), tmp_path)
    others = set(tree(os.getpid()))
    with Recogniser() as recogniser:
        assert recogniser.recognise(heading).text == HEADING
        (reading,) = set(tree(os.getpid())) - others
        os.kill(reading, signal.SIGKILL)
        with pytest.raises(Refused) as refused:
            recogniser.recognise(heading)
        assert refused.value.reason is Reason.TOO_MUCH_MEMORY
        assert recogniser.recognise(heading).text == HEADING


def printed(places: list[tuple[int, int, str]], font: Path, folder: Path) -> Path:
    page = Image.new("L", (1654, 900), 245)
    for x, y, words in places:
        ImageDraw.Draw(page).text((x, y), words, 30, face_of(font, 30))
    return saved(page, folder)


def test_two_columns_are_read_one_after_the_other(recogniser: Recogniser, font: Path, tmp_path: Path):
    left = [
        "为了规范急救医疗服务，维护急救医疗",
        "秩序，完善急救医疗服务体系，实现救",
        "死扶伤的宗旨，结合本市实际情况，制",
    ]
    right = [
        "定本条例。市和区人民政府应当加强对",
        "急救医疗服务工作的领导，将急救医疗",
        "事业纳入国民经济和社会发展的规划。",
    ]
    places = [(150 + 700 * column, 200 + 50 * row, words) for column, lines in enumerate((left, right))
              for row, words in enumerate(lines)]  # fmt: skip
    found = recogniser.recognise(printed([(600, 80, "急救医疗服务条例"), *places], font, tmp_path))
    assert found.text.startswith("急救医疗服务条例\n")
    assert "宗旨，结合本市实际情况，制定本条例" in found.text.replace("\n", "").replace(",", "，")


def test_a_table_is_read_row_by_row(recogniser: Recogniser, font: Path, tmp_path: Path):
    rows = [("项目", "结果", "参考值", "单位"), ("白细胞计数", "11.2", "3.5-9.5", "10^9/L"),
            ("血红蛋白", "108", "115-150", "g/L"), ("血小板计数", "231", "125-350", "10^9/L")]  # fmt: skip
    places = [(x, 120 + 60 * row, cell) for row, cells in enumerate(rows)
              for x, cell in zip((150, 600, 900, 1250), cells, strict=True)]  # fmt: skip
    found = recogniser.recognise(printed(places, font, tmp_path))
    assert found.text.splitlines() == [" ".join(cells) for cells in rows]


def test_one_line_in_a_corner_of_a_wide_page_is_found_where_it_stands(
    recogniser: Recogniser, record: Image.Image, tmp_path: Path
):
    page = Image.new("L", (2480, 3508), 245)
    line = record.crop((180, 200, 1474, 250))
    page.paste(line, (1150, 3300))
    (found,) = recogniser.recognise(saved(page, tmp_path)).lines
    assert found.text.startswith("患者王秀兰")
    assert (found.x0, found.y0) == (pytest.approx(1150 + 64, abs=24), pytest.approx(3300, abs=24))
    assert (found.x1, found.y1) == (pytest.approx(1150 + 1294, abs=24), pytest.approx(3350, abs=24))


def test_a_page_without_ink_has_no_lines(recogniser: Recogniser, tmp_path: Path):
    assert recogniser.recognise(saved(Image.new("L", (1654, 1000), 245), tmp_path)).lines == ()
