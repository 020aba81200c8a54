from hypothesis import assume, given, settings
from hypothesis import strategies as st

from index.analysis import flat, says, wanted
from index.spotting import saying

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
