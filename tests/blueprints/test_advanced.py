"""The advanced form and the front-page query in a browser: rows become a search, samples a list to pull."""

import re

import pytest

from archive.services import advanced, categories, search
from archive.services.advanced import Row
from archive.services.findings import Filters
from tests.archives import begins
from tests.blueprints.conftest import Browse, words_of
from tests.conftest import CAST, Hospital
from tests.services.searching import archived, component, indexed, papers, patient, written
from tests.services.test_front_pages import hurried


@begins
def shelf(hospital: Hospital) -> int:
    number = patient(hospital, "00218647", "刘婷婷", diagnosis="前置胎盘", diagnosis_code="O44.100")
    written(hospital, number, "入院记录")
    archived(hospital, number)
    indexed(hospital)
    return number


COMPOSED: tuple[tuple[tuple[Row, ...], str], ...] = (
    ((Row(value="胎盘"),), "胎盘"), ((Row(value="胎盘 出血"),), "(胎盘 出血)"),
    ((Row(value="胎盘 出血", way="is"),), '"胎盘 出血"'),
    ((Row(field="dept", value="产科"), Row(join="not", field="year", value="2024")), "科室:产科 -年度:2024"),
    ((Row(field="diagnosis", value="胎盘"), Row(join="or", field="diagnosis", value="前置"), Row(field="dept", value="产科")),
     "(主要诊断:胎盘 OR 主要诊断:前置) 科室:产科"),
    ((Row(field="discharged_on", way="span", value="2026-01", to="2026-11"),), "出院日期:2026-01..2026-11"),
    ((Row(field="discharged_on", way="span", to="2025"),), "出院日期:..2025"),
    ((Row(join="or", field="diagnosis", way="is", value="前置胎盘"),), "主要诊断:=前置胎盘"),
    ((Row(), Row(value="-x"), Row(value="OR"), Row(value='a"b')), '"-x" "OR" (a b)'),
    ((Row(field="diagnosis", value="科室:产科"),), '主要诊断:"科室:产科"'),
)  # fmt: skip


def test_rows_become_a_search_that_is_understood(hospital: Hospital, shelf: int) -> None:
    with hospital.uow("archivist", readonly=True) as uow:
        for rows, text in COMPOSED:
            assert advanced.composed(uow, "", rows) == text
            search.find(uow, text)
        assert advanced.composed(uow, "a OR b", [Row(value="c")]) == "(a OR b) c"


def test_each_category_says_how_much_of_it_one_can_find(
    hospital: Hospital, browser: Browse, shelf: int
) -> None:
    """As many as a search of the category then finds: items too, and nothing of which one may not know."""
    other = patient(hospital, "00300001", "陈朵朵", ward="EK")
    written(hospital, component(hospital, other, "手术记录"), "中央性前置胎盘")
    archived(hospital, other)
    papers(hospital, "关于胎盘处置的通知", "又一通知")
    indexed(hospital)
    counts = {}
    for account in ("archivist", "senior", "clinician", "clinician2", "head"):
        with hospital.uow(account, readonly=True) as uow:
            known = {one.label: one for one in categories.classes(uow)}
            for one in known.values():
                assert one.count == search.find(uow, "", Filters(under=one.uuid)).total.count, (
                    account,
                    one.label,
                )
            counts[account] = sorted(one.count or 0 for one in known.values() if one.count)
    assert counts["archivist"] == counts["senior"] == [2, 3, 5]
    assert counts["clinician"] != counts["archivist"]
    page = browser("archivist").get("/search/advanced").text
    assert "（3）</option>" in page
    assert "括号内为您可检索到的条数" in page


def test_without_an_index_categories_stand_without_figures(hospital: Hospital, browser: Browse) -> None:
    papers(hospital, "关于胎盘处置的通知")
    page = browser("archivist").get("/search/advanced").text
    assert "文书档案</option>" in page
    assert "（1）</option>" not in page
    assert "括号内为您可检索到的条数" not in page


def form(*rows: tuple[str, ...], **more: str) -> dict[str, object]:
    columns = zip(*rows, strict=True)
    return dict(zip(("join", "field", "way", "value", "to"), map(list, columns), strict=True)) | more


def test_the_form_leads_to_results_and_keeps_words_out_of_the_address(
    browser: Browse, hospital: Hospital, shelf: int
) -> None:
    mine = browser("archivist")
    rows = form(
        ("and", "diagnosis", "has", "胎盘", ""), ("and", "patient_name", "is", "刘婷婷", ""), act="search"
    )
    answer = mine.post("/search/advanced/compose", rows | {"dept": str(hospital.wards["CK"])})
    assert answer.status_code == 302
    assert "%E5%88%98" not in answer.location
    assert "刘" not in answer.location
    page = mine.get(answer.location).text
    assert "00218647-1" in page
    assert "主要诊断:胎盘 姓名:=刘婷婷" in page
    onward = re.search(r'href="(/search/advanced\?[^"]+)"', page)
    assert onward
    assert "主要诊断:胎盘 姓名:=刘婷婷" in mine.get(onward[1].replace("&amp;", "&")).text


def test_another_row_and_a_wrong_row_keep_what_was_typed(browser: Browse, shelf: int) -> None:
    mine = browser("archivist")
    more = mine.post("/search/advanced/compose", form(("and", "", "has", "胎盘", ""), act="more")).text
    assert 'value="胎盘"' in more
    assert len(re.findall(r'name="value"', more)) == 2
    wrong = mine.post("/search/advanced/compose", form(("and", "dept", "has", "火星科", ""), act="search"))
    assert wrong.status_code == 422
    assert "没有名称如此的科室。" in wrong.text
    assert 'value="火星科"' in wrong.text
    assert mine.post("/search/advanced/compose", {"act": "search"}).status_code == 422


def test_a_range_of_no_field_is_refused_with_a_sentence(browser: Browse, shelf: int) -> None:
    answer = browser("archivist").post(
        "/search/advanced/compose", form(("and", "", "span", "2024", "2026"), act="search")
    )
    assert answer.status_code == 422
    assert "请选择字段" in answer.text


def test_a_year_that_is_none_is_refused_where_it_was_typed(browser: Browse, shelf: int) -> None:
    typed = form(("and", "", "has", "胎盘", ""), act="search")
    wrong = browser("archivist").post("/search/advanced/compose", typed | {"year": "20x4"})
    assert wrong.status_code == 422
    assert "年度应为数字" in wrong.text
    assert 'value="20x4"' in wrong.text
    assert 'value="胎盘"' in wrong.text
    right = browser("archivist").post("/search/advanced/compose", typed | {"year": "2026"})
    assert (right.status_code, "year=2026" in right.location) == (302, True)


def test_a_folder_leads_to_a_search_below_it(browser: Browse, hospital: Hospital, shelf: int) -> None:
    mine = browser("archivist")
    folder = mine.get("/a/", follow_redirects=True).text
    here = re.search(r'href="(/search/advanced\?under=[^"]+)"', folder)
    assert here
    assert mine.get(here[1]).status_code == 200
    unknown = "/search/advanced?under=00000000-0000-4000-8000-000000000000"
    assert mine.get(unknown).status_code == 404


def test_a_misread_search_marks_the_place(browser: Browse, shelf: int) -> None:
    page = browser("clinician").ask("/search", q="发热 科室:火星科").text
    assert "没有名称如此的科室。" in page
    assert "<mark>火星科</mark>" in page
    assert "第 7 个字符处" in page


def test_fields_and_values_are_offered_while_one_types(browser: Browse, shelf: int) -> None:
    mine = browser("clinician")
    assert 'data-insert="科室:"' in mine.post("/search/suggestions", {"q": "科"}).text
    assert 'data-insert="科室:产科 "' in mine.post("/search/suggestions", {"q": "科室:产"}).text


def test_a_sample_is_redrawn_from_its_address_and_taken_along(browser: Browse, shelf: int) -> None:
    mine = browser("archivist")
    found = mine.ask("/search/front-page", diagnosis="O44")
    assert "00218647" in found.text
    assert "O44" not in found.request.path + str(found.request.query_string)
    token = found.request.args["s"]
    fresh = mine.get(f"/search/front-page?s={token}&sample=5")
    assert fresh.status_code == 302
    seed = re.search(r"seed=(\d+)", fresh.location)
    assert seed
    page = mine.get(fresh.location).text
    assert f"随机种子 {seed[1]}" in page
    exported = mine.get(f"/search/front-page/export?s={token}&sample=5&seed={seed[1]}")
    assert exported.mimetype == "text/csv"
    assert "00218647-1" in exported.data.decode("utf-8-sig")
    assert mine.get(f"/search/front-page?s={token}&sample=0&seed=1").status_code == 422
    assert mine.ask("/search/front-page", age_from="40", age_to="20").status_code == 422


def test_a_colleague_sees_no_diagnosis_by_asking_for_it(browser: Browse, shelf: int) -> None:
    assert "00218647" not in browser("clinician").ask("/search/front-page", diagnosis="O44").text
    known = browser("clinician").ask("/search/front-page", age_from="1", age_unit="months").text
    assert "00218647" in known
    assert "1 月" in known
    assert "主要诊断" not in known
    assert "主要诊断" in browser("archivist").ask("/search/front-page", age_from="1").text
    assert browser("auditor").get("/search/front-page").status_code == 403
    assert browser("sysadmin").get("/search/front-page").status_code == 403


def test_the_front_page_query_begins_with_the_last_year_which_can_be_cleared(
    hospital: Hospital, browser: Browse
) -> None:
    patient(
        hospital,
        "00700001",
        "何青",
        diagnosis="胎盘早剥",
        admitted_on="2019-01-01",
        discharged_on="2019-01-09",
    )
    mine = browser("archivist")
    form = mine.get("/search/front-page").text
    assert 'value="2025-11-20"' in form
    assert 'value="2026-11-20"' in form
    within = mine.ask(
        "/search/front-page", diagnosis="胎盘", discharged_from="2025-11-20", discharged_to="2026-11-20"
    )
    assert "00700001" not in words_of(within)
    every = mine.ask("/search/front-page", diagnosis="胎盘", discharged_from="", discharged_to="")
    assert "00700001" in words_of(every)
    assert 'value="2025-11-20"' not in every.text, "what was cleared stays cleared"


def test_a_front_page_query_that_takes_too_long_keeps_its_conditions(
    hospital: Hospital, browser: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    if hospital.site.engine.dialect.name != "sqlite":
        pytest.skip(
            "what holds the question up there holds up the menu, too; tests/services/test_front_pages.py has both"
        )
    patient(hospital, "00700001", "何青", diagnosis="胎盘早剥")
    mine = browser("archivist")
    sealed = mine.post("/search/front-page", {"diagnosis": "胎盘"}).location
    with hurried(hospital, monkeypatch):
        late = mine.get(sealed)
    assert late.status_code == 503
    assert "请缩短出院日期范围" in words_of(late)
    assert 'value="胎盘"' in late.text


def test_the_front_page_query_is_offered_to_whoever_reads_records(browser: Browse) -> None:
    """Its conditions are mostly of the tier read: to a clinician, who reads by loans alone, it would say nothing."""
    offered = {who for who in ("archivist", "senior", "qc", "scanner", "clinician", "head", "clerk") if who in CAST
               and "/search/front-page" in browser(who).get("/search").text}  # fmt: skip
    assert offered == {"archivist", "senior", "scanner"}
