"""A person's words are laid over the boxes in which a machine saw lines."""

from hypothesis import given
from hypothesis import strategies as st

from storage.alignment import aligned


def said(lines: list[str], text: str) -> list[str]:
    boxes = [[0, 40 * row, 500, 40 * row + 30, line] for row, line in enumerate(lines)]
    found = aligned(boxes, text)
    assert [line[:4] for line in found] == [box[:4] for box in boxes]
    return [line[4] for line in found]


def test_a_misread_character_is_mended_where_it_stands():
    assert said(["诊断：糖尿疒，", "建议随访"], "诊断：糖尿病，建议随访") == ["诊断：糖尿病，", "建议随访"]


def test_what_was_left_out_goes_to_the_line_in_which_it_stands():
    assert said(["患者因咳三天", "入院"], "患者因反复咳嗽三天入院") == ["患者因反复咳嗽三天", "入院"]


def test_what_is_no_text_leaves_its_box_without_words():
    assert said(["出院记录", "~|/", "诊断：肺炎"], "出院记录\n诊断：肺炎") == ["出院记录", "", "诊断：肺炎"]


def test_words_keep_their_spaces():
    assert said(["BP 120/8O mmHg", "HR 80"], "BP 120/80 mmHg\nHR 80") == ["BP 120/80 mmHg", "HR 80"]


def test_where_the_machine_saw_nothing_there_is_no_box():
    assert said([], "全文") == []


@given(st.lists(st.text("一二三四 ab", max_size=12), max_size=6), st.text("一二三四 \nab", max_size=60))
def test_no_character_is_doubled_and_none_changes_its_order(lines: list[str], text: str):
    joined = "".join("".join(said(lines, text)).split())
    rest = iter("".join(text.split()))
    assert all(char in rest for char in joined)
