import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from index import saying as ways
from index.analysis import HAN, flat, fold, says, wanted
from index.saying import hides_han, saying

CHARACTERS = "发發肺A aB1２3，.㈱ﬁß·-\n　\u200b⼀é/Ⅻ℃e\u0301か\u3099ｶﾞ𠮷"


@settings(max_examples=400)
@given(
    st.lists(st.text(CHARACTERS, max_size=10) | st.text(max_size=8), max_size=4),
    # Of shorter words few are a phrase that must be looked for in the text.
    st.text(CHARACTERS, min_size=2, max_size=5),
)
def test_what_texts_say_is_what_they_say_when_they_are_folded_whole(texts: list[str], words: str) -> None:
    phrase = wanted(words).phrase
    assume(phrase)
    assert phrase
    assert saying(texts, phrase).tolist() == [says(flat(text), phrase) for text in texts]


def test_a_mark_behind_a_sign_makes_another_letter_of_it() -> None:
    assert saying(["体温36℃", "体温36℃\u0301"], flat("36℃")).tolist() == [True, False]


@pytest.mark.parametrize("at_once", [1 << 18, 5, 1], ids=["together", "a few", "each alone"])
@given(
    texts=st.lists(st.text("发發肺炎𠮷\u200b\ufe0f\uf900⼀㊀㈱ \n　\0ＡaB1，", max_size=12), max_size=4),
    phrase=st.text("发肺炎豈一株", min_size=1, max_size=3),
)
def test_what_texts_say_in_chinese_is_the_same_however_it_is_found_out(
    at_once: int, texts: list[str], phrase: str
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ways, "_LETTERS", at_once)
        found = saying(texts, flat(phrase)).tolist()
    assert found == [says(flat(text), flat(phrase)) for text in texts]


def test_no_letter_hides_chinese_that_is_not_found() -> None:
    every = (chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)
    hidden = {letter: "".join(re.findall(f"[{HAN}]+", fold(letter))) for letter in every if hides_han(letter)}
    assert len(hidden) > 1000
    texts = {f"肺{letter}炎": f"肺{shown}炎" for letter, shown in hidden.items() if fold(letter) == shown}
    texts |= {letter: shown for letter, shown in hidden.items() if len(shown) == 1}
    assert [text for text, phrase in texts.items() if not saying([text], phrase).all()] == []
