from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import (
    And,
    Field,
    FieldSpec,
    Kind,
    Not,
    Or,
    Phrase,
    Query,
    QuerySyntax,
    Range,
    Reading,
    Term,
    alike,
    parse,
)
from index.fields import by_name
from index.language import LONGEST_QUERY, MOST_WORDS
from index.plan import plan

DEPT, CODE = FieldSpec("dept", Kind.KEYWORD), FieldSpec("code", Kind.IDENT)
YEAR, DAY, TITLE = FieldSpec("year", Kind.INTEGER), FieldSpec("day", Kind.DATE), FieldSpec("title", Kind.TEXT)
LABELS: dict[str, FieldSpec | Reading] = {
    "科室": DEPT,
    "年份": YEAR,
    "日期": DAY,
    "题名": TITLE,
    "Dept": DEPT,
    "档号": CODE,
}


def _ward(text: str, *, whole: bool) -> Query:
    if text == "火星科":
        raise ValueError("No department is called so.")
    return Field("dept", Term(f"{text}{len(text)}")) if not whole else Field("code", Term(text))


LABELS["病区"] = Reading(_ward)
CK, EK = Field("dept", Term("产科2")), Field("dept", Term("儿科2"))

FEVER, COUGH, ASTHMA = Term("发热"), Term("咳嗽"), Term("哮喘")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("发热", FEVER),
        (" 发热　咳嗽\n", And((FEVER, COUGH))),
        ("发热，咳嗽、哮喘。", And((FEVER, COUGH, ASTHMA))),
        ('"慢性 咳嗽"', Phrase("慢性 咳嗽")),
        ("“慢性 咳嗽”发热", And((Phrase("慢性 咳嗽"), FEVER))),
        ("「慢性咳嗽」", Phrase("慢性咳嗽")),
        ("发热 -咳嗽", And((FEVER, Not(COUGH)))),
        ("－咳嗽", Not(COUGH)),
        ("发热 - 咳嗽", And((FEVER, COUGH))),
        ("发热 ---- 咳嗽", And((FEVER, COUGH))),
        ("发热 OR 咳嗽", Or((FEVER, COUGH))),
        ("发热 OR 咳嗽 哮喘", Or((FEVER, And((COUGH, ASTHMA))))),
        ("(发热 OR 咳嗽) -哮喘", And((Or((FEVER, COUGH)), Not(ASTHMA)))),
        ("-（发热 咳嗽）", Not(And((FEVER, COUGH)))),
        ("or 发热", And((Term("or"), FEVER))),
        ("科室:儿科", Field("dept", Term("儿科"))),
        ("科室：儿科", Field("dept", Term("儿科"))),
        ("ＤＥＰＴ:儿科", Field("dept", Term("儿科"))),
        ('科室:"普通 外科"', Field("dept", Phrase("普通 外科"))),
        ("-科室:儿科", Not(Field("dept", Term("儿科")))),
        ("题名:(发热 OR 咳嗽)", Field("title", Or((FEVER, COUGH)))),
        ("档号:ZY-2024-0001", Field("code", Term("ZY-2024-0001"))),
        ("病区:产科", CK),
        ("病区：＝产科", Field("code", Term("产科"))),
        ('病区:="产科"', Field("code", Term("产科"))),
        ("-病区:(产科 OR -儿科)", Not(Or((CK, Not(EK))))),
        ("体温:36.5", Term("体温:36.5")),
        ("10:30", Term("10:30")),
        ("年份:2024", Range("year", 2024, 2024)),
        ("年份:2024..2026", Range("year", 2024, 2026)),
        ("年份:２０２４～２０２６", Range("year", 2024, 2026)),
        ("年份:2024..", Range("year", 2024, None)),
        ("年份:..2026", Range("year", None, 2026)),
        ("日期:2024", Range("day", date(2024, 1, 1), date(2024, 12, 31))),
        ("日期:2024-02", Range("day", date(2024, 2, 1), date(2024, 2, 29))),
        ("日期:2024/5/31", Range("day", date(2024, 5, 31), date(2024, 5, 31))),
        ("日期:2024年5月1日..2024年6月", Range("day", date(2024, 5, 1), date(2024, 6, 30))),
    ],
)
def test_what_people_type_is_understood(typed: str, meant: Query) -> None:
    assert parse(typed, LABELS) == meant


@pytest.mark.parametrize(
    ("typed", "position", "sentence"),
    [
        ("", 0, "Type at least one word to search for."),
        ("。-", 0, "Type at least one word to search for."),
        ("发热 OR", 3, "OR needs a word on both sides."),
        ("OR 发热", 0, "OR needs a word on both sides."),
        ("发热 (咳嗽", 3, "This bracket is never closed."),
        ("发热) 咳嗽", 2, "This bracket closes nothing."),
        ('发热 "咳嗽', 3, "This quotation mark is never closed."),
        ("科室: 儿科", 3, "A value must follow the colon."),
        ("科室:()", 3, "A value must follow the colon."),
        ("病区:=", 3, "A value must follow the colon."),
        ("发热 病区:()", 6, "A value must follow the colon."),
        ("发热 病区:火星科", 6, "No department is called so."),
        ("病区:(产科 OR 火星科)", 3, "No department is called so."),
        ("年份:去年", 3, "Write a number, or a range as 2024..2026."),
        ("年份:2026..2024", 3, "The range ends before it begins."),
        ("年份:1..2..3", 3, "Write a range as 2024..2026."),
        ("日期:2024-02-30", 3, "Write a date as 2024-05-31, or a range as 2024-05..2024-07."),
        ("日期:0000", 3, "Write a date as 2024-05-31, or a range as 2024-05..2024-07."),
        ("(" * 11 + "发热" + ")" * 11, 10, "There are too many brackets within brackets."),
        ("咳" * (LONGEST_QUERY + 1), LONGEST_QUERY, "This is too long to search for."),
    ],
)
def test_what_cannot_be_understood_is_pointed_at(typed: str, position: int, sentence: str) -> None:
    with pytest.raises(QuerySyntax) as refused:
        parse(typed, LABELS)
    assert (refused.value.message, refused.value.position) == (sentence, position)


def test_too_many_words_are_refused() -> None:
    assert parse("咳 " * MOST_WORDS, LABELS)
    with pytest.raises(QuerySyntax, match="too many words"):
        parse("咳 " * (MOST_WORDS + 1), LABELS)


_PIECES = [
    "发热",
    "OR",
    "-",
    "－",
    "(",
    "）",
    '"',
    "“",
    "”",
    ":",
    "：",
    "..",
    "科室:",
    "年份:",
    "日期:",
    "2024",
    " ",
    "a",
    "\ud800",
]
anything = st.text() | st.lists(st.sampled_from(_PIECES), max_size=30).map("".join)


@given(anything)
def test_nothing_that_is_typed_breaks_the_parser(typed: str) -> None:
    try:
        plan(parse(typed, LABELS), by_name([DEPT, CODE, YEAR, DAY, TITLE]))
    except QuerySyntax as refused:
        position = refused.position
    else:
        position = 0
    assert 0 <= position <= len(typed)


def test_a_label_that_nobody_allowed_reaches_no_field() -> None:
    assert parse("code:1", {}) == Term("code:1")


def test_what_is_alike_is_asked_only_of_plain_words_of_some_length() -> None:
    assert alike(parse("支气管炎 发作", {})) == Or(
        tuple(map(Term, ("支气", "气管", "管炎", "发作"))), least=2
    )
    for exact in ('"支气管炎发作"', "支气管炎 -发作", "支气管炎 OR 发作时", "支气", "炎"):
        assert alike(parse(exact, {})) is None, exact
    longest = alike(Term("".join(map(chr, range(0x4E00, 0x4E00 + 300)))))
    assert longest is not None
    assert (len(longest.parts), longest.least) == (40, 14)
