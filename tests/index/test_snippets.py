import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from index import And, Field, Not, Or, Phrase, Term, snippet

from .strategies import queries, texts

TEXT = "患者男，65岁。慢性支氣\n管炎急性發作，血压120/80mmHg。既往有支气管炎病史。"


def marked(text: str, width: int = 200) -> list[str]:
    return [piece for piece, hit in snippet(TEXT, Term(text), width) if hit]


def test_a_hit_is_marked_as_it_is_written() -> None:
    assert marked("支气管炎") == ["支氣\n管炎", "支气管炎"]
    assert marked("120/80") == ["120/80"]
    assert marked("MMHG") == ["mmHg"]
    assert marked("65") == ["65"]


def test_part_of_a_word_is_not_marked() -> None:
    assert marked("mm") == []
    assert marked("12") == []


def test_the_passage_with_the_most_hits_is_shown() -> None:
    text = "无关。" * 50 + "发热" + "无关。" * 50 + "发热伴咳嗽" + "无关。" * 50
    pieces = snippet(text, And((Term("发热"), Term("咳嗽"))), 40)
    assert [piece for piece, hit in pieces if hit] == ["发热", "咳嗽"]
    assert pieces[0] == pieces[-1] == ("…", False)
    assert sum(len(piece) for piece, _ in pieces) == 42


def test_without_a_hit_the_beginning_is_shown() -> None:
    assert snippet(TEXT, Term("糖尿病"), 5) == [("患者男，6", False), ("…", False)]
    assert snippet("", Term("糖尿病"), 5) == []


def test_what_was_excluded_or_asked_of_another_field_is_not_marked() -> None:
    query = And((Or((Term("发作"), Phrase("急性 发作"))), Not(Term("血压")), Field("title", Term("病史"))))
    assert [piece for piece, hit in snippet(TEXT, query, 200, field="body") if hit] == ["急性發作"]
    assert [piece for piece, hit in snippet(TEXT, query, 200, field="title") if hit] == ["急性發作", "病史"]


def test_a_variation_selector_stays_with_its_character() -> None:
    assert snippet("葛\U000e0100氏", Term("葛"), 10) == [("葛\U000e0100", True), ("氏", False)]


@given(texts | st.text(), queries, st.integers(1, 30))
def test_the_pieces_are_a_stretch_of_the_text(text: str, query: object, width: int) -> None:
    pieces = snippet(text, query, width)  # type: ignore[arg-type]
    shown = "".join(piece for piece, _ in pieces if piece != "…" or "…" in text)
    assert shown in unicodedata.normalize("NFC", text)
    assert all(piece for piece, _ in pieces)
