"""Lines on a page become text that reads as it was written and is found by searching."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.textlines import TextLine, clean, in_reading_order, join_lines, turned

EM = 30


def line(row: float, text: str, *, x: int = 100, width: int | None = None, size: int = EM) -> TextLine:
    """A line as wide as its Chinese text, in the given row."""
    y = int(100 + row * EM * 1.6)
    return TextLine(x, y, x + (width or size * len(text)), y + size, text)


def test_a_chinese_sentence_goes_on_over_the_line_break():
    page = [
        line(0, "患者因反复咳嗽咳痰十年", x=100 + 2 * EM),
        line(1, "加重伴气促三天入院查体"),
        line(2, "双肺可闻及湿啰音。"),
    ]
    page[0] = page[0]._replace(x1=page[1].x1)
    assert join_lines(page) == "患者因反复咳嗽咳痰十年加重伴气促三天入院查体双肺可闻及湿啰音。"


def test_an_indented_line_begins_a_paragraph():
    full = "一二三四五六七八九十"
    page = [line(0, full), line(1, full), line(2, full[2:], x=100 + 2 * EM), line(3, "末行。")]
    assert join_lines(page).splitlines() == [full * 2, full[2:] + "末行。"]


def test_a_short_line_ends_its_paragraph():
    page = [line(0, "主诉：咳嗽三天。"), line(1, "现病史：患者三天前受凉后出现咳嗽咳痰。")]
    assert join_lines(page).splitlines() == ["主诉：咳嗽三天。", "现病史：患者三天前受凉后出现咳嗽咳痰。"]


def test_a_heading_stands_alone():
    text = "患者因反复咳嗽咳痰十年加重伴气促三天入"
    page = [line(0, "出院记录", size=60, width=len(text) * EM), line(2, text)]
    assert join_lines(page).splitlines() == ["出院记录", text]


def test_words_keep_their_space_and_a_broken_word_is_mended():
    page = [
        line(0, "The patient was dis-", width=600),
        line(1, "charged in a well-", width=600),
        line(2, "Known state on day", width=600),
        line(3, "three.", width=200),
    ]
    assert join_lines(page) == "The patient was discharged in a well-Known state on day three."


def test_latin_among_chinese_needs_no_space():
    page = [line(0, "患者于昨日上午十时行头颅CT"), line(1, "检查未见异常。")]
    assert join_lines(page) == "患者于昨日上午十时行头颅CT检查未见异常。"


def test_the_cells_of_a_form_stay_apart_and_in_their_row():
    page = [
        line(0, "张三", x=250),
        line(0, "姓名："),
        line(0.1, "男", x=700),
        line(0, "性别：", x=550),
        line(1, "科室："),
        line(1, "呼吸内科", x=250),
    ]
    assert join_lines(page).splitlines() == ["姓名： 张三 性别： 男", "科室： 呼吸内科"]


def test_a_line_that_was_found_in_two_pieces_is_whole():
    left = line(0, "住院病案")
    assert join_lines([line(0, "首页", x=left.x1 + 4), left]) == "住院病案首页"


def test_columns_are_read_one_after_the_other_below_their_title():
    left = [line(2 + row, f"左栏第{row}行文字一二三四五") for row in range(5)]
    right = [line(2 + row, f"右栏第{row}行文字一二三四五", x=600) for row in range(5)]
    title = line(0, "住院须知", x=400)
    text = join_lines([right[0], title, *left, *right[1:]])
    assert text.startswith("住院须知\n左栏第0行")
    assert text.index("左栏第4行") < text.index("右栏第0行") < text.index("右栏第4行")


def test_a_stamp_along_the_margin_does_not_cut_the_text():
    page = [line(row, "一二三四五六七八九十") for row in range(8)]
    stamp = TextLine(20, 100, 50, 500, "归档专用章")
    assert join_lines([stamp, *page]).splitlines() == ["一二三四五六七八九十" * 8, "归档专用章"]


def test_nothing_gives_nothing():
    assert join_lines([]) == ""
    assert join_lines([line(0, " \x00 ", width=30)]) == ""


@pytest.mark.parametrize(
    ("found", "meant"),
    [
        ("病 历 首 页", "病历首页"),
        ("血压 120 / 80 mmHg", "血压 120 / 80 mmHg"),
        ("⽂档⾸页", "文档首页"),
        ("心\x00电\ufffe图\ud800", "心电图"),
        ("㑇𠮷 𠮷", "㑇𠮷𠮷"),
        ("  a \t\r\n b  ", "a b"),
    ],
)
def test_a_line_is_cleaned(found: str, meant: str):
    assert clean(found) == meant


SHAPES = st.tuples(st.integers(0, 2000), st.integers(0, 3000), st.integers(1, 1500), st.integers(1, 200))
LINES = st.builds(
    lambda shape, text: TextLine(shape[0], shape[1], shape[0] + shape[2], shape[1] + shape[3], text),
    SHAPES,
    st.text("病案历史abc 12。，", min_size=0, max_size=20),
)


@given(st.lists(LINES, max_size=40))
def test_however_lines_lie_no_character_is_lost(lines: list[TextLine]):
    written = Counter("".join(line.text for line in lines)) - Counter({" ": 10**6})
    read = Counter(join_lines(lines)) - Counter({" ": 10**6, "\n": 10**6})
    assert read == written


@given(LINES, st.sampled_from([0, 90, 180, 270]))
def test_turning_a_page_there_and_back_changes_nothing(one: TextLine, degrees: int):
    width, height = 4000, 5000
    there = turned(one, degrees, width, height)
    if degrees in {90, 270}:
        width, height = height, width
    assert turned(there, -degrees % 360, width, height) == one


def test_a_page_with_very_many_lines_is_joined():
    lines = [TextLine(x * 40, y * 20, x * 40 + 35, y * 20 + 15, "字") for x in range(100) for y in range(200)]
    assert join_lines(lines).count("字") == 20_000


def test_a_second_column_of_two_lines_is_read_after_the_first():
    left = [line(row, "左栏的文字从上到下一行接着一行", x=100) for row in range(10)]
    right = [line(row, "右栏只有两行文字接在左栏之后", x=700) for row in range(2)]
    text = join_lines(
        [each for pair in zip(left, [*right, *[None] * 8], strict=True) for each in pair if each]
    )
    assert "右栏" not in text[: len(left) * len(left[0].text)]
    assert [one.x0 for one in in_reading_order([*right, *left])] == [100] * 10 + [700] * 2


def test_labels_and_values_of_a_form_stay_beside_each_other():
    rows = [("白细胞计数", "11.2"), ("红细胞计数", "4.12"), ("血红蛋白", "108"), ("血小板计数", "231")] * 3
    page = [
        each
        for row, (name, value) in enumerate(rows)
        for each in (line(row, name), line(row, value, x=700, width=90))
    ]
    assert join_lines(page).splitlines()[0] == "白细胞计数 11.2"
