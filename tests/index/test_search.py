from collections.abc import Callable
from datetime import date

import numpy as np
import pytest

from index import (
    NOBODY,
    Among,
    And,
    Everything,
    Field,
    Index,
    Limits,
    Masks,
    Not,
    Or,
    Phrase,
    Put,
    Query,
    Range,
    Said,
    Sort,
    Suggestion,
    Term,
    Tier,
    TooSlow,
    Total,
    suggesting,
)

from .naive import Texts

Fill = Callable[..., Texts]


def found(index: Index, texts: Texts, who: Masks, query: Query) -> list[int]:
    return [hit.number for hit in index.search(query, who, texts_of=texts, limit=100).hits]


def bodies(*texts: str) -> list[Put]:
    return [Put(number, 1, {"body": text}) for number, text in enumerate(texts, start=1)]


def holding(**tiers: list[int]) -> Masks:
    """Who holds some numbers at some tiers."""
    masks = {name: np.isin(np.arange(20), numbers) for name, numbers in tiers.items()}
    return Masks(**masks)


def test_a_phrase_is_found_across_a_line_break_and_in_either_script(
    index: Index, filled: Fill, everyone: Masks
) -> None:
    texts = filled(*bodies("慢性支氣\n管 炎", "支气，管炎，气管", "支气管扩张并肺炎管炎"))
    assert found(index, texts, everyone, Term("支气管炎")) == [1]


def test_one_character_finds_it_wherever_it_stands(index: Index, filled: Fill, everyone: Masks) -> None:
    texts = filled(*bodies("痰", "咳痰", "痰多", "咳嗽", "铁锈色痰 3 天"))
    assert sorted(found(index, texts, everyone, Term("痰"))) == [1, 2, 3, 5]


def test_a_rare_character_of_a_name_is_found(index: Index, filled: Fill, everyone: Masks) -> None:
    texts = filled(*bodies("张𠮷", "张吉", "张\ue123"))
    assert found(index, texts, everyone, Term("张𠮷")) == [1]
    assert found(index, texts, everyone, Term("\ue123")) == [3]


def test_numbers_and_words_are_found_whole(index: Index, filled: Fill, everyone: Masks) -> None:
    texts = filled(*bodies("血压120/80mmHg", "血压 1120/80", "行CT检查", "行ECT检查", "体温36.5℃"))
    assert found(index, texts, everyone, Term("120/80")) == [1]
    assert found(index, texts, everyone, Term("CT检查")) == [3]
    assert found(index, texts, everyone, Term("36.5")) == [5]


def test_an_identifier_is_found_whole_however_it_is_typed(
    index: Index, filled: Fill, everyone: Masks
) -> None:
    texts = filled(Put(1, 1, {"code": ("ZY-2024-0001", "BL 77")}), Put(2, 1, {"code": "ZY-2024-00011"}))
    assert found(index, texts, everyone, Term("ｚｙ－2024—0001")) == [1]
    assert found(index, texts, everyone, Field("code", Term("bl77"))) == [1]
    assert found(index, texts, everyone, Term("ZY-2024")) == []


def test_a_keyword_is_one_of_its_values(index: Index, filled: Fill, everyone: Masks) -> None:
    texts = filled(Put(1, 1, {"dept": ("儿科", "内科")}), Put(2, 1, {"dept": "内科"}), Put(3, 1, {}))
    assert sorted(found(index, texts, everyone, Field("dept", Term("內科")))) == [1, 2]
    assert found(index, texts, everyone, Field("dept", Term("儿科"))) == [1]
    assert found(index, texts, everyone, Field("dept", Term("科"))) == []


def test_ranges_include_their_ends_and_nothing_without_a_value(
    index: Index, filled: Fill, everyone: Masks
) -> None:
    texts = filled(
        *(Put(year, 1, {"year": year, "born": date(2024, 1, year)}) for year in (1, 2, 3)),
        Put(9, 1, {"year": -5}),
        Put(10, 1, {}),
    )
    assert sorted(found(index, texts, everyone, Range("year", 1, 2))) == [1, 2]
    assert sorted(found(index, texts, everyone, Range("year", None, 1))) == [1, 9]
    assert found(index, texts, everyone, Range("born", date(2024, 1, 3))) == [3]
    assert sorted(found(index, texts, everyone, Not(Range("year", 1, 2)))) == [3, 9, 10]


def test_a_phrase_that_is_excluded_is_checked_in_the_text(
    index: Index, filled: Fill, everyone: Masks
) -> None:
    texts = filled(*bodies("支气管炎", "支气，气管，管炎", "肺炎"))
    assert sorted(found(index, texts, everyone, Not(Term("支气管炎")))) == [2, 3]
    assert found(index, texts, everyone, And((Term("管炎"), Not(Phrase("支气管炎"))))) == [2]


def test_who_may_not_read_a_document_is_told_neither_by_a_word_nor_by_its_negation(
    index: Index, filled: Fill
) -> None:
    texts = filled(
        Put(1, 1, {"body": "艾滋病", "dept": "感染科"}), Put(2, 1, {"body": "感冒", "dept": "感染科"})
    )
    clerk = holding(discover=[1, 2])
    reader_of_the_other = holding(discover=[1, 2], identify=[2], read=[2])
    for query in (
        Term("艾滋病"),
        Not(Term("艾滋病")),
        Or((Not(Term("感冒")), Term("艾滋"))),
        Phrase("艾滋病"),
    ):
        assert found(index, texts, clerk, query) == []
    assert found(index, texts, reader_of_the_other, Not(Term("艾滋病"))) == [2]
    assert sorted(found(index, texts, clerk, Field("dept", Term("感染科")))) == [1, 2]
    assert found(index, texts, clerk, Not(Field("dept", Term("感染科")))) == []


def test_a_double_negation_gives_back_no_more_than_may_be_read(index: Index, filled: Fill) -> None:
    texts = filled(*bodies("艾滋病", "感冒"))
    some = holding(discover=[1, 2], identify=[1, 2], read=[2])
    assert found(index, texts, some, Not(Not(Term("感冒")))) == [2]
    assert found(index, texts, some, Not(Not(Term("艾滋病")))) == []


def test_nobody_gets_nothing(index: Index, filled: Fill) -> None:
    texts = filled(Put(1, 1, {"code": "A1", "dept": "儿科", "body": "感冒"}))
    for query in (Everything(), And(()), Term("感冒"), Not(Term("肺炎")), Field("dept", Term("儿科"))):
        results = index.search(query, NOBODY, texts_of=texts, limit=10)
        assert (results.hits, results.total, results.next) == ((), Total(0, exact=True), None)
        assert index.facets(query, NOBODY, ["dept"], texts_of=texts).counts == {"dept": ()}
    assert index.suggest("code", "A", NOBODY) == ()


def test_a_number_beyond_the_mask_is_not_allowed(index: Index, filled: Fill) -> None:
    texts = filled(*bodies("感冒", "感冒", "感冒"))
    short = np.ones(2, np.bool_)
    assert found(index, texts, Masks(short, short, short), Term("感冒")) == [1]


def test_reading_without_discovering_finds_nothing(index: Index, filled: Fill) -> None:
    texts = filled(*bodies("感冒"))
    assert found(index, texts, holding(identify=[1], read=[1]), Term("感冒")) == []


def test_a_mask_that_is_none_is_refused(index: Index, filled: Fill) -> None:
    class Careless:
        def mask(self, _: Tier) -> None:
            return None

    texts = filled(*bodies("感冒"))
    with pytest.raises(TypeError):
        index.search(Everything(), Careless(), texts_of=texts, limit=10)  # type: ignore[arg-type]


def test_the_better_match_comes_first(index: Index, filled: Fill, everyone: Masks) -> None:
    texts = filled(
        Put(1, 1, {"body": "肺炎" + "，其他情况" * 50}),
        Put(2, 1, {"body": "肺炎，肺炎，肺炎" + "，其他情况" * 50}),
        Put(3, 1, {"body": "感冒"}),
        Put(4, 1, {"title": "肺炎"}),
    )
    assert found(index, texts, everyone, Term("肺炎")) == [4, 2, 1]


SAID = Said(Term("心梗"), (Term("急性心肌梗死"), Term("心肌梗死"), Term("AMI")))
FILLER = "，其他情况" * 20


def test_what_was_typed_stands_above_what_is_said_for_it(index: Index, filled: Fill, everyone: Masks) -> None:
    """Also where the other words are longer and rarer, or there are several of them at once, or they come again and again."""
    typed = ("心梗", "心梗，未见急性心肌梗死")
    others = ("急性心肌梗死", "心肌梗死，AMI", "AMI，AMI，AMI", "心肌梗死" * 8)
    texts = filled(*bodies(*(said + FILLER for said in typed + others), *["心梗" + FILLER * 9] * 30))
    order = found(index, texts, everyone, SAID)
    assert sorted(order) == list(range(1, 37))
    assert set(order[:2]) == {1, 2}


def test_what_is_said_in_several_ways_counts_as_the_best_of_them(
    index: Index, filled: Fill, everyone: Masks
) -> None:
    texts = filled(*bodies("心肌梗死，AMI", "心肌梗死", "胸痛"), Put(4, 1, {"title": "AMI"}))

    def score(query: Query) -> float:
        return {hit.number: hit.score for hit in index.search(query, everyone, texts_of=texts, limit=9).hits}[
            1
        ]

    ways = [Said(SAID.typed, (way,)) for way in SAID.otherwise[1:]]
    assert score(Said(SAID.typed, SAID.otherwise[1:])) == max(map(score, ways))
    assert score(ways[0]) < score(ways[0].otherwise[0])


def test_a_hit_says_in_which_fields_it_was_found(index: Index, filled: Fill, everyone: Masks) -> None:
    texts = filled(Put(1, 1, {"title": "支气管炎", "body": "支气，管炎，气管", "code": "支气管炎"}))
    (hit,) = index.search(Term("支气管炎"), everyone, texts_of=texts, limit=10).hits
    assert hit.fields == {"title", "code"}


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        (Sort("year", descending=False), [2, 3, 1, 4, 5]),
        (Sort("year"), [1, 3, 2, 5, 4]),
        (Sort("born", descending=False), [1, 2, 3, 4, 5]),
        (Sort("born"), [3, 2, 1, 5, 4]),
        (Sort("code", descending=False), [3, 1, 2, 4, 5]),
        (Sort("dept"), [1, 3, 5, 4, 2]),
    ],
)
def test_pages_in_any_order_give_each_hit_once(
    index: Index, filled: Fill, sort: Sort, order: list[int]
) -> None:
    texts = filled(
        Put(1, 1, {"year": 9, "born": date(2000, 1, 1), "code": "B", "dept": "儿科"}),
        Put(2, 1, {"year": 5, "born": date(2000, 1, 2), "code": "C"}),
        Put(3, 1, {"year": 7, "born": date(2000, 1, 3), "code": "A", "dept": "儿"}),
        Put(4, 1, {}),
        Put(5, 1, {"born": date(1999, 1, 1)}),
    )
    who = holding(discover=[1, 2, 3, 4, 5], identify=[1, 2, 3])
    seen, after = [], None
    for _ in range(5):
        page = index.search(Everything(), who, texts_of=texts, limit=1, after=after, sort=sort)
        seen += [hit.number for hit in page.hits]
        after = page.next
    assert (seen, after) == (order, None)


def test_a_cursor_of_another_order_is_refused(index: Index, filled: Fill, everyone: Masks) -> None:
    texts = filled(*bodies("感冒", "感冒"))
    with pytest.raises(ValueError, match="another order"):
        index.search(Everything(), everyone, texts_of=texts, limit=1, after=("A", 1))
    with pytest.raises(ValueError, match="another order"):
        index.search(Everything(), everyone, texts_of=texts, limit=1, after=(1.5, 1), sort=Sort("code"))


@pytest.mark.parametrize(
    "query",
    [Field("nothing", Term("a")), Field("year", Term("a")), Range("body", 1), Field("body", Range("x"))],
)
def test_a_query_that_does_not_fit_the_fields_is_refused(
    index: Index, filled: Fill, everyone: Masks, query: Query
) -> None:
    with pytest.raises(ValueError, match="field"):
        found(index, filled(*bodies("感冒")), everyone, query)


@pytest.mark.parametrize("number", [2**70, -(2**70)])
def test_a_number_that_no_document_can_have_is_refused_like_any_other_misfit(
    index: Index, filled: Fill, everyone: Masks, number: int
) -> None:
    with pytest.raises(ValueError, match="number"):
        found(index, filled(*bodies("感冒")), everyone, Among("told", frozenset({1, number}), Tier.DISCOVER))


def test_text_is_neither_sorted_nor_counted_nor_suggested(
    index: Index, filled: Fill, everyone: Masks
) -> None:
    texts = filled(*bodies("感冒"))
    with pytest.raises(ValueError, match="sorted"):
        index.search(Everything(), everyone, texts_of=texts, limit=1, sort=Sort("body"))
    with pytest.raises(ValueError, match="counted"):
        index.facets(Everything(), everyone, ["body"], texts_of=texts)
    with pytest.raises(ValueError, match="suggests"):
        index.suggest("body", "感", everyone)


def test_a_total_says_when_there_are_more(index: Index, filled: Fill, everyone: Masks) -> None:
    texts = filled(*bodies(*["感冒"] * 12))
    three = index.search(Term("感冒"), everyone, texts_of=texts, limit=2, limits=Limits(total=3))
    all_of_them = index.search(Term("感冒"), everyone, texts_of=texts, limit=2, limits=Limits(total=12))
    assert (three.total, all_of_them.total) == (Total(3, exact=False), Total(12, exact=True))


def test_a_search_that_may_read_few_texts_goes_on_with_the_next_page(
    index: Index, filled: Fill, everyone: Masks
) -> None:
    documents = [
        Put(n, 1, {"body": "支气管炎" if n % 10 == 0 else "支气，气管，管炎"}) for n in range(1, 101)
    ]
    texts = filled(*documents)
    seen, after, totals = [], None, []
    while not totals or after:
        page = index.search(
            Term("支气管炎"), everyone, texts_of=texts, limit=5, after=after, limits=Limits(texts=1)
        )
        totals.append(page.total)
        seen += [hit.number for hit in page.hits]
        after = page.next
    assert sorted(seen) == list(range(10, 101, 10))
    assert not totals[0].exact
    assert all(total.count <= 10 for total in totals)
    other = Or((Term("支气管炎"), Term("没有")))
    counts = index.facets(other, everyone, ["dept"], texts_of=texts, limits=Limits(texts=1))
    assert not counts.exact


def test_a_search_without_time_is_too_slow(index: Index, filled: Fill, everyone: Masks) -> None:
    texts = filled(*bodies("感冒"))
    for query in (Term("感"), Term("感冒"), Everything()):
        with pytest.raises(TooSlow):
            index.search(query, everyone, texts_of=texts, limit=1, limits=Limits(seconds=0))


def test_facets_count_each_value_once_for_each_hit(index: Index, filled: Fill) -> None:
    texts = filled(
        Put(1, 1, {"dept": ("儿科", "内科", "儿科"), "year": 2024, "ward": "东"}),
        Put(2, 1, {"dept": "内科", "year": 2024, "ward": "西"}),
        Put(3, 1, {"year": 2025}),
    )
    who = holding(discover=[1, 2, 3], identify=[2])
    facets = index.facets(Everything(), who, ["dept", "year", "ward"], texts_of=texts)
    assert facets.counts == {
        "dept": (("内科", 2), ("儿科", 1)),
        "year": ((2024, 2), (2025, 1)),
        "ward": (("西", 1),),
    }


def test_suggestions_are_written_as_the_documents_write_them(
    index: Index, filled: Fill, everyone: Masks
) -> None:
    filled(Put(1, 1, {"code": ("ZY-1", "BL-1")}), Put(2, 1, {"code": "ZY-2"}), Put(3, 1, {"code": "ZY-2"}))
    found_values = [(one.value, one.count) for one in index.suggest("code", "ｚｙ", everyone)]
    assert found_values == [("ZY-2", 2), ("ZY-1", 1)]
    assert len(index.suggest("code", "zy", everyone, limit=1)) == 1
    assert index.suggest("code", " ", everyone) == ()


def test_of_many_identifiers_the_first_that_one_holds_are_suggested(
    index: Index, filled: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suggesting, "MOST_IDENTIFIERS", 3)
    for start in (1, 7, 13):  # three segments
        filled(*(Put(n, 1, {"code": ("甲", f"A{n:02}")}) for n in range(start, start + 6)))
    filled(Put(19, 1, {"code": "A05"}))
    some = holding(discover=[2, 5, 9, 11, 14, 19])
    assert index.suggest("code", "a", some) == (
        Suggestion("A05", 2), Suggestion("A02", 1), Suggestion("A09", 1),
    )  # fmt: skip
    assert index.suggest("code", "甲", some) == (Suggestion("甲", 5),)
    assert index.suggest("code", "a1", some) == (Suggestion("A11", 1), Suggestion("A14", 1))
