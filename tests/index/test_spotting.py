"""Words are found in the text as it was written, and in the very places where they stand in the folded text."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import Spotter
from index.analysis import HAN, LETTER, fold, units

from .strategies import texts, words


def marked(text: str, *looked_for: str) -> list[str]:
    return [text[start:stop] for start, stop in Spotter(looked_for).spans(text)]


@pytest.mark.parametrize(
    ("text", "word", "said"),
    [
        ("慢性支氣\n管　炎，支气管炎", "支气管炎", ["支氣\n管　炎", "支气管炎"]),
        ("行CT 检查，又行ＣＴ检查，未行ECT检查", "ct检查", ["CT 检查", "ＣＴ检查"]),
        ("血压 120 / 80，1120/80，120/800", "120/80", ["120 / 80"]),
        ("T 36.5℃，次日36.5 °C，后36.5", "36.5℃", ["36.5℃", "36.5 °C"]),
        ("Ⅱ度裂伤，II度裂伤，III度", "ii度", ["Ⅱ度", "II度"]),
        ("体重5㎏……5kg", "5 KG", ["5㎏", "5kg"]),
        ("胎\u200b盘早剥", "胎盘", ["胎\u200b盘"]),
        ("𠮷田氏，葛\U000e0100城", "𠮷田", ["𠮷田"]),
        ("葛\U000e0100城", "葛", ["葛\U000e0100"]),
        ("", "胎盘", []),
        ("无", "，", []),
    ],
)
def test_a_word_is_found_however_it_is_written(text: str, word: str, said: list[str]) -> None:
    assert marked(text, word) == said


def test_of_several_words_the_longest_wins_and_each_is_found() -> None:
    assert marked("胎盘早剥，胎盘，早剥", "胎盘", "胎盘早剥", "早剥") == ["胎盘早剥", "胎盘", "早剥"]


def test_nothing_to_look_for_is_found_nowhere() -> None:
    assert not Spotter(["", "……"])
    assert Spotter([]).spans("胎盘") == []
    assert Spotter(["胎盘"])


@given(texts | st.text(), st.lists(words | st.text(max_size=3), min_size=1, max_size=3))
def test_it_says_what_folding_the_whole_text_says(text: str, looked_for: list[str]) -> None:
    text = unicodedata.normalize("NFC", text)
    assert Spotter(looked_for).spans(text) == slowly(text, looked_for)


def slowly(text: str, looked_for: list[str]) -> list[tuple[int, int]]:
    """By folding every character, and looking in what that gives."""
    phrases = sorted({tuple(found) for word in looked_for if (found := units(word))}, key=len, reverse=True)
    if not phrases:
        return []
    pattern = re.compile("|".join(r"\s*".join(map(_unit, phrase)) for phrase in phrases))
    parts = [fold(character) for character in text]
    offsets = [at for at, part in enumerate(parts) for _ in part] + [len(text)]
    spans, last = [], 0
    for hit in pattern.finditer("".join(parts)):
        start, stop = offsets[hit.start()], offsets[hit.end() - 1] + 1
        while stop < offsets[hit.end()]:
            stop += 1
        if start >= last:
            spans.append((start, stop))
            last = stop
    return spans


def _unit(unit: str) -> str:
    for kind in (LETTER, r"\d"):
        if re.match(kind, unit) and not re.match(f"[{HAN}]", unit):
            return f"(?<!{kind}){re.escape(unit)}(?!{kind})"
    return re.escape(unit)
