"""The language of the search box: fields by their names, values by what people call them, and nothing told by an error."""

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from archive.actor import Actor
from archive.errors import ArchiveError, NotFound
from archive.i18n import speaking
from archive.models import Node, Patient, PatientAlias
from archive.names import name_key, readings
from archive.policy.rights import Overlay
from archive.services import completion, relocation, search, search_labels, tree
from archive.services.completion import Offer
from archive.services.findings import Filters
from archive.services.search import Misunderstood
from tests import naughty
from tests.archives import begins
from tests.conftest import CAST, Hospital
from tests.services.searching import TEST, archived, component, indexed, patient, written

OWN, BABY, SPECIAL = "00218647", "00300001", "00400001"


@begins
def shelf(hospital: Hospital) -> dict[str, int]:
    """A mother and her baby, who was called otherwise before, and a record that only few may know of (S2)."""
    found = {
        "own": patient(hospital, OWN, "刘婷婷", diagnosis="前置胎盘", diagnosis_code="O44.100"),
        "baby": patient(hospital, BABY, "陈朵朵", ward="EK", diagnosis="支气管肺炎", diagnosis_code="J18.000",
                        admitted_on="2025-02-01", discharged_on="2025-02-09", birth="2025-01-20"),
        "special": patient(hospital, SPECIAL, "毛晓燕", diagnosis="人类免疫缺陷病毒病", diagnosis_code="B20.900"),
    }  # fmt: skip
    found["operation"] = component(hospital, found["own"], "手术记录")
    written(hospital, found["operation"], "术中诊断：中央性前置胎盘伴植入。")
    for name in ("own", "baby", "special"):
        written(hospital, found[name], "入院记录")
        archived(hospital, found[name])
    with hospital.site.uow(Actor.system("test")) as uow:
        for mrn, mother, former in (
            (OWN, "赵秀英", "刘小花"),
            (BABY, "刘婷婷", "刘婷婷之女"),
            (SPECIAL, "孙玉兰", "毛毛"),
        ):
            known = uow.session.scalars(
                select(Patient).where(Patient.mrn == mrn), execution_options=TEST
            ).one()
            known.mother, known.mother_key = mother, name_key(mother)
            uow.session.add(PatientAlias(patient_id=known.id, kind="former_name", value=former))
    indexed(hospital)
    return found


def found(hospital: Hospital, account: str, text: str, filters: Filters = search.NOTHING) -> set[int]:
    """The files that a search shows, by words or by name."""
    with hospital.uow(account, readonly=True) as uow:
        results = search.find(uow, text, filters)
        return {group.view.id for group in results.groups} | {view.id for view in results.called}


MEANT = (
    ("科室:产科", "own special"), ("科室:儿科", "baby"), ("科室:儿", "baby"), ("科室：EK", "baby"), ("ward:儿科", "baby"),
    ("department:CK -ward:儿科", "own special"), ("科室:(产科 OR 儿科)", "own baby special"), ("-科室:产科", "baby"),
    ("年份:2024..2026 科室:儿科", "baby"), ("年度:2026", "own special"), ("year:2025", "baby"),
    ("状态:已归档", "own baby special"), ("state:archived", "own baby special"), ("状态:草稿", ""),
    ("类型:病案 科室:儿科", "baby"), ("类型:住院病案", "own baby special"), ("kind:component", "own"),
    ("出院日期:2025-02", "baby"), ("日期:2025-02-09", "baby"), ("入院日期:2025-02-01", "baby"),
    ("入院:2026-11..", "own special"), ("出院日期:..2025", "baby"), ("出生日期:2025-01", "baby"),
    ("病案号:218647", "own"), ("病案号:00218647", "own"), ("mrn:218647", "own"), ("病案号:21864", ""),
    ("档号:H001-ZY.BL.2026", "own special"), ("档号:H001-ZY·BL·2025·D30-000001", "baby"),
    ("档号:=H001-ZY·BL·2026·D30-000001", "own"), ("档号:=H001-ZY·BL·2026", ""), ("档号:H001*", "own baby special"),
    ("母亲姓名:刘婷婷", "baby"), ("母亲姓名:刘", "baby"),
    ("母亲:=刘婷", ""), ("母亲:ltt", "baby"), ("mother:liutingting", "baby"),
    ("曾用名:刘婷婷之女", "baby"), ("曾用名:刘", "own baby"), ("曾用名:=刘", ""), ("-曾用名:刘", "special"),
    ("姓名:=刘婷婷", "own"), ("姓名:婷婷", "own"), ("姓名:=婷婷", ""), ("主要诊断:=前置胎盘", "own"), ("主要诊断:=胎盘", ""),
    ("diagnosis:胎盘", "own"), ("诊断编码:O44.100", "own"), ("离院方式:=医嘱离院", "own baby special"),
    ("全文:中央性前置胎盘 曾用名:刘小花", "own"), ("全文:中央性前置胎盘 入院日期:2026", "own"), ("入院日期:2025 中央性", ""),
    ("诊断编码:=O44.100", "own"), ("年份:=2025", "baby"), ("日期:＝2025-02-09", "baby"), ("病案号:=218647", "own"),
    ("中央性 档号:=H001-ZY·BL·2026·D30-000001", "own"), ("刘小花", "own"), ("赵秀英", "own"),
)  # fmt: skip


def test_values_are_called_what_people_call_them(hospital: Hospital, shelf: dict[str, int]) -> None:
    for text, expected in MEANT:
        assert found(hospital, "archivist", text) == {shelf[name] for name in expected.split()}, text


def test_labels_are_understood_in_both_languages_whatever_the_page_speaks(
    hospital: Hospital, shelf: dict[str, int]
) -> None:
    for locale in ("zh_CN", "en"):
        with speaking(locale):
            for text in (
                "科室:儿科",
                "ward:儿科",
                "状态:已归档 科室:儿科",
                "state:Archived 科室:儿科",
                "类型:住院病案 dept:儿科",
            ):
                assert found(hospital, "archivist", text) == {shelf["baby"]}, (locale, text)


TOLD = (
    ("clinician", "母亲姓名:刘婷婷", ""), ("clinician2", "母亲姓名:刘婷婷", "baby"), ("clinician2", "母亲姓名:赵秀英", ""),
    ("clinician", "曾用名:刘小花", "own"), ("clinician2", "曾用名:刘小花", ""), ("clinician2", "刘小花", ""),
    ("clinician", "曾用名:毛毛", ""), ("head", "曾用名:毛毛", "special"), ("clinician", "出生日期:2025-01", ""),
    ("clinician", "-母亲姓名:赵秀英", ""), ("clinician2", "-母亲姓名:赵秀英", "baby"), ("clinician", "-出生日期:2025", "own"),
    ("clinician", "档号:H001-ZY·BL·2026", "own"), ("head", "档号:H001-ZY·BL·2026", "own special"),
    ("clinician", "入院日期:2025", "baby"), ("clinician", "姓名:=陈朵朵", ""), ("clinician", "主要诊断:=前置胎盘", ""),
    ("stranger", "科室:产科", ""), ("auditor", "母亲姓名:刘婷婷", ""), ("sysadmin", "曾用名:刘", ""), ("clerk", "档号:H001", ""),
    ("clinician", "病案号:400001", ""), ("clinician", "赵秀英", "own"), ("clinician2", "赵秀英", ""),
)  # fmt: skip


def test_a_condition_tells_nothing_of_what_one_may_not_know_at_its_tier(
    hospital: Hospital, shelf: dict[str, int]
) -> None:
    for account, text, expected in TOLD:
        assert found(hospital, account, text) == {shelf[name] for name in expected.split()}, (account, text)


WRONG = (
    ("发热 科室:火星科", 6, "没有名称如此的科室。"), ("状态:高兴", 3, "没有名称如此的状态。"),
    ("类型:诗", 3, "没有名称如此的档案类型。"), ("年份:2026..2024", 3, "范围的终点在起点之前。"),
    ("出院日期:昨天", 5, "日期请写成 2024-05-31，范围写成 2024-05..2024-07。"),
    ("胎盘 (出血", 3, "此处的括号没有闭合。"), ("科室:", 3, "冒号后面要有内容。"), ("母亲姓名:=", 5, "冒号后面要有内容。"),
)  # fmt: skip


def test_what_cannot_be_read_says_where_in_the_words_of_the_reader(hospital: Hospital) -> None:
    indexed(hospital)
    for text, position, sentence in WRONG:
        with hospital.uow("clinician", readonly=True) as uow, pytest.raises(Misunderstood) as refused:
            search.find(uow, text)
        assert (refused.value.position, str(refused.value)) == (position, sentence), text


def test_a_search_stays_below_the_folder_that_it_is_narrowed_to(
    hospital: Hospital, shelf: dict[str, int]
) -> None:
    with hospital.uow("archivist", readonly=True) as uow:
        own = uow.node(shelf["own"])
        tops = {"own": own.uuid, "series": uow.node(own.parent_id).uuid,
                "category": hospital.category(uow, "ZY·BL").uuid, "other": hospital.category(uow, "WS").uuid}  # fmt: skip
    expected = {"own": "own", "series": "own special", "category": "own baby special", "other": ""}
    for name, there in expected.items():
        for text in ("入院记录", "状态:已归档", ""):
            got = found(hospital, "archivist", text, Filters(under=str(tops[name])))
            assert got == {shelf[one] for one in there.split()}, (name, text)
    assert found(hospital, "archivist", "刘婷婷", Filters(under=str(tops["other"]))) == set()
    assert found(hospital, "clinician", "状态:已归档", Filters(under=str(tops["series"]))) == {shelf["own"]}


def test_within_a_branch_is_found_what_was_moved_there(hospital: Hospital, shelf: dict[str, int]) -> None:
    """A file takes its items along; of a folder nothing that lies in it is indexed again."""
    file = patient(hospital, "00500001", "高原", diagnosis="妊娠期糖尿病")
    written(hospital, component(hospital, file, "手术记录"), "术中见粘连。")
    indexed(hospital)
    with hospital.uow("senior") as uow:
        fonds = uow.node(hospital.category(uow, "ZY·BL").parent_id)
        other = tree.add(uow, fonds, kind="category", fields={"code": "ZY·XX", "title": "新类"})
        home, away = uow.node(uow.node(file).parent_id), uow.node(uow.node(shelf["baby"]).parent_id)
        tops = {
            "home": home.uuid,
            "away": away.uuid,
            "other": other.uuid,
            "category": hospital.category(uow, "ZY·BL").uuid,
        }

    def within(name: str) -> bool:
        return found(hospital, "senior", "粘连", Filters(under=str(tops[name]))) == {file}

    assert [within(name) for name in tops] == [True, False, False, True]
    with hospital.uow("senior") as uow:
        assert relocation.move(uow, uow.node(file), to=uow.node(away.id))
    indexed(hospital)
    assert [within(name) for name in tops] == [False, True, False, True]
    with hospital.uow("senior") as uow:
        assert relocation.move(uow, uow.node(away.id), to=uow.node(other.id))
    assert [within(name) for name in tops] == [False, True, True, False], (
        "and nothing was told to the index yet"
    )


def test_one_cannot_narrow_to_what_one_may_not_know_of(hospital: Hospital, shelf: dict[str, int]) -> None:
    with hospital.uow("archivist", readonly=True) as uow:
        hidden = str(uow.node(shelf["special"]).uuid)
    assert found(hospital, "head", "", Filters(under=hidden)) == {shelf["special"]}
    for account in ("clinician", "stranger", "sysadmin"):
        with pytest.raises(NotFound):
            found(hospital, account, "", Filters(under=hidden))


def offered(hospital: Hospital, account: str, text: str) -> list[Offer]:
    with hospital.uow(account, readonly=True) as uow:
        return completion.offers(uow, text)


def words(hospital: Hospital, account: str, text: str) -> list[str]:
    return [offer.word for offer in offered(hospital, account, text)]


def test_a_begun_field_or_value_is_offered(hospital: Hospital, shelf: dict[str, int]) -> None:
    assert words(hospital, "clinician", "科") == ["科室:"]
    assert words(hospital, "clinician", "keshi") == ["科室:"]
    assert words(hospital, "clinician", "年份") == ["年份:"]
    assert words(hospital, "clinician", "科室:") == ["产科", "儿科"]
    assert words(hospital, "clinician", "科室:儿") == ["儿科"]
    assert words(hospital, "clinician", "科室:ek") == ["儿科"]
    assert words(hospital, "clinician", "状态:已") == ["已归档", "已销毁"]
    assert words(hospital, "clinician", "类型:病案") == ["住院病案"]
    assert words(hospital, "clinician", "离院方式:死") == ["死亡"]
    assert words(hospital, "clinician", "出院日期:") == ["2026-11", "2026-10", "2026", "2025"]
    assert words(hospital, "archivist", "年度:") == ["2026", "2025"]
    assert "2025" not in words(hospital, "stranger", "年度:")
    for nothing in ("", " ", "胎盘 ", "没有这个字段:", "科室:火星", "刘婷婷", "((", "-"):
        assert words(hospital, "archivist", nothing) == [], nothing


def test_what_is_taken_is_put_where_it_was_begun_and_is_understood(
    hospital: Hospital, shelf: dict[str, int]
) -> None:
    taken = {
        text: offered(hospital, "archivist", text)[0]
        for text in ("胎盘 -科", "(科室:儿", "科室:=儿", "胎盘 科室：产")
    }
    assert taken["胎盘 -科"] == Offer("科室:", "胎盘 -科室:", is_field=True)
    assert taken["(科室:儿"].text == "(科室:儿科 "
    assert taken["科室:=儿"].text == "科室:=儿科 "
    assert taken["胎盘 科室：产"].text == "胎盘 科室:产科 "
    with hospital.uow("archivist", readonly=True) as uow, speaking("en"):
        for name, spoken in search_labels.typed_words().items():
            for word in spoken:
                assert search_labels.meant(word) == name, word
        assert completion.offers(uow, "main_d") == []
        assert [offer.text for offer in completion.offers(uow, "diag")] == ["diagnosis:", "diagnosis_code:"]


def test_only_values_of_what_one_may_know_of_are_offered(hospital: Hospital, shelf: dict[str, int]) -> None:
    """And only at the tier of the field: diagnoses to whoever may read, numbers to whoever may know."""
    assert words(hospital, "archivist", "诊断编码:b2") == ["B20.900"]
    assert words(hospital, "archivist", "病案号:004") == [SPECIAL]
    for account in CAST.keys() - {"archivist", "senior"}:
        assert words(hospital, account, "诊断编码:o4") == [], account
    assert words(hospital, "clinician", "病案号:00") == [OWN, BABY]
    assert words(hospital, "clinician", "病案号:004") == []
    assert words(hospital, "stranger", "病案号:00") == []


def test_nothing_offered_spells_out_a_name(hospital: Hospital, shelf: dict[str, int]) -> None:
    """Whoever sees 刘** may not read on what begins with l, in any field."""
    known = {field for field in search_labels.names() if search_labels.meant(field)} | {"pinyin", "numbers"}
    spelt = {spelling for name in ("刘婷婷", "陈朵朵", "毛晓燕") for spelling in readings(name)}
    for account in ("clinician", "head", "scanner", "clinician2"):
        for field in sorted(known):
            for begun in ("l", "刘"):
                offers = words(hospital, account, f"{field}:{begun}")
                assert not spelt & set(offers), (account, field, begun)
                assert not any("刘" in offer for offer in offers), (account, field, begun)


def test_an_archival_number_goes_on_as_one_and_not_as_the_number_of_a_stay(
    hospital: Hospital, shelf: dict[str, int]
) -> None:
    assert words(hospital, "clinician", "档号:002") == []
    file = "H001-ZY·BL·2026·D30-000001"
    assert words(hospital, "clinician", "档号:H001-ZY·BL·2026") == [file, f"{file}-001"]


def test_a_hidden_record_changes_no_offer(hospital: Hospital, shelf: dict[str, int]) -> None:
    asked = ("年度:", "病案号:0", "档号:H", "诊断编码:B", "科室:", "状态:")
    people = CAST.keys() - {"archivist", "senior", "head"}
    before = {(account, text): words(hospital, account, text) for account in people for text in asked}
    with hospital.site.uow(Actor.system("test")) as uow:
        uow.session.get_one(Node, shelf["special"], execution_options=TEST).overlay = int(Overlay.TRASHED)
        uow.enqueue_ids("index", [shelf["special"]])
    indexed(hospital)
    assert {(account, text): words(hospital, account, text) for account, text in before} == before


PIECES = st.sampled_from([
    "科室", "ward", "母亲姓名", "曾用名", "档号", "出院日期", "入院日期", "出生日期", "病案号",
    "姓名", "年度", "状态", "类型", "全文",
    ":", "：", "=", "..", "-", "(", ")", "OR", '"', "“", "”", " ",
    "儿科", "2026", "2026-13", "刘", "ltt", "0", "H001", "*", "\0", "/",
]) | st.sampled_from(naughty.TEXTS).map(lambda text: text[:60])  # fmt: skip


def test_whatever_is_typed_is_answered_or_refused_in_words(hospital: Hospital, shelf: dict[str, int]) -> None:
    @settings(
        max_examples=60,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(PIECES, max_size=9).map("".join), st.sampled_from(["archivist", "clinician", "stranger"]))
    def ask(text: str, account: str) -> None:
        with hospital.uow(account, readonly=True) as uow, suppress(ArchiveError):
            completion.offers(uow, text)
            search.find(uow, text)

    ask()
