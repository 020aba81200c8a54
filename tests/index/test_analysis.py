import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.analysis import (
    LONGEST,
    flat,
    fold,
    says,
    terms,
    wanted,
)


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("慢性支氣管炎急性發作", "慢性支气管炎急性发作"),  # traditional
        ("ＣＴ检查（増强）", "ct检查(増强)"),  # full width
        ("ｶﾙﾃ", "カルテ"),  # half width
        ("体温36.5℃", "体温36.5°c"),
        ("葛\U000e0100饰", "葛饰"),  # variation selector of a name
        ("肺\u200b炎\ufeff", "肺炎"),  # invisible
        ("⼼⾎管", "心血管"),  # radicals, as some PDF files have them
        ("J001–WS·2024", "j001-ws•2024"),
    ],
)
def test_what_reads_alike_folds_alike(written: str, typed: str) -> None:
    assert fold(written) == fold(typed)


@given(st.text())
def test_folding_what_is_folded_changes_nothing_that_is_looked_up(text: str) -> None:
    once = fold(text)
    assert terms(unicodedata.normalize("NFKC", once)) == terms(text)


def test_chinese_gives_overlapping_pairs_and_its_last_character() -> None:
    assert terms("支气管炎") == {"支气": 1, "气管": 1, "管炎": 1, "炎": 1}


@pytest.mark.parametrize("name", ["张\U00020bb7", "张\ue123", "张㐂", "张𫝈"])
def test_rare_characters_of_names_are_characters(name: str) -> None:
    assert terms(name) == {fold(name): 1, fold(name[1]): 1}


def test_spaces_and_line_breaks_between_chinese_characters_do_not_matter() -> None:
    assert terms("慢 性\n支\r\n气　管炎") == terms("慢性支气管炎")


def test_a_sign_ends_a_run() -> None:
    assert "者男" not in terms("患者，男")


def test_words_and_numbers_are_terms_of_their_own() -> None:
    assert set(terms("血压120/80mmHg")) == {"血压", "压", "120", "80", "mmhg"}


def test_each_character_begins_exactly_one_term_for_each_time_it_is_there() -> None:
    stored = terms("咳嗽咳痰，咳血 咳")
    assert sum(count for term, count in stored.items() if term.startswith("咳")) == 4


def test_an_endless_word_is_cut_and_then_compared_in_the_text() -> None:
    word = "a" * (LONGEST + 1)
    assert set(terms(word)) == {"a" * LONGEST}
    assert wanted(word).phrase == word
    assert wanted("a" * LONGEST).phrase is None


@pytest.mark.parametrize(
    ("text", "phrase", "said"),
    [
        ("行CT 检查一次", "CT检查", True),
        ("行ECT检查", "CT检查", False),
        ("ECT检查后CT检查", "CT检查", True),
        ("blood  pressure", "blood pressure", True),
        ("bloodpressure", "blood pressure", False),
        ("12 0/80", "120/80", False),
        ("1120/80", "120/80", False),
        ("120/800", "120/80", False),
        ("血压 120 / 80", "120/80", True),
        ("80mmHg", "80 mmHg", True),
        ("慢性支气\n管炎", "支气管炎", True),
        ("支气，管炎", "支气管炎", False),
    ],
)
def test_a_phrase_is_found_word_by_word(text: str, phrase: str, said: bool) -> None:  # noqa: FBT001
    assert says(flat(text), flat(phrase)) is said
