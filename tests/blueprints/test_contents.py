"""A folder's list: several rows at once with a word for each, columns, filters, and what is taken away."""

import csv
import io
from uuid import UUID

from sqlalchemy import select

from archive.models import PolicyVersion
from archive.services import steps, tree
from archive.sight import NodeView, href
from tests.blueprints.conftest import Browse
from tests.conftest import RECORD, Hospital
from tests.services.lending import archive_it


def series_of(hospital: Hospital, record: int) -> tuple[str, UUID]:
    with hospital.uow("archivist", readonly=True) as uow:
        node = uow.node(record)
        return href(uow, uow.node(node.parent_id)), node.uuid


def another(hospital: Hospital, **more: str) -> UUID:
    with hospital.uow("archivist") as uow:
        fields = RECORD | {"dept": str(hospital.wards["CK"])} | more
        return tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record", fields=fields).uuid


def test_several_rows_at_once_and_each_refused_one_says_why(
    hospital: Hospital, record: int, browser: Browse
) -> None:
    series, first = series_of(hospital, record)
    second, archivist = another(hospital, mrn="00300001"), browser("archivist")
    with hospital.uow("archivist") as uow:
        steps.take(uow, uow.node(second), "catalogue")
    answer = archivist.post(f"{series}/@@bulk", {"ids": [str(first), str(second)], "act": "catalogue"})
    assert "刘婷婷" not in answer.headers.get("Set-Cookie", ""), "the cookie names nobody"
    page = archivist.get(f"{series}/@@contents").text
    assert "已办 1 条。1 条未办" in page
    assert page.count("jz-wait") == 1, "the reason stands in one row"
    assert "已办 1 条" not in archivist.get(f"{series}/@@contents").text, "said once"


def test_what_was_refused_elsewhere_than_on_this_page_is_still_told(
    hospital: Hospital, record: int, browser: Browse
) -> None:
    series, first = series_of(hospital, record)
    archivist = browser("archivist")
    archivist.post(f"{series}/@@bulk", {"ids": [str(first)], "act": "archive"})
    page = archivist.get(f"{series}/@@contents?year=1999").text
    assert "未办" in page
    assert "00218647-2" in page


def test_a_bulk_act_reaches_only_into_its_own_folder(
    hospital: Hospital, record: int, browser: Browse
) -> None:
    series, first = series_of(hospital, record)
    fonds = "/a/h001"
    browser("archivist").post(f"{fonds}/@@bulk", {"ids": [str(first)], "act": "catalogue"})
    with hospital.uow("archivist", readonly=True) as uow:
        assert uow.node(record).state == "draft"
    assert (
        browser("stranger").post(f"{series}/@@bulk", {"ids": [str(first)], "act": "catalogue"}).status_code
        == 404
    )
    browser("scanner").post(f"{series}/@@bulk", {"ids": [str(first)], "act": "catalogue"})
    with hospital.uow("archivist", readonly=True) as uow:
        assert uow.node(record).state == "draft"


def test_columns_and_spacing_are_kept_in_the_browser(
    hospital: Hospital, record: int, browser: Browse
) -> None:
    series, _uuid = series_of(hospital, record)
    archivist = browser("archivist")
    assert 'scope="col">科室' not in archivist.get(f"{series}/@@contents").text.replace(' class="jz-opt"', "")
    chosen = archivist.get(f"{series}/@@contents?cols=1&col=dept&col=state&rows=loose").text
    again = archivist.get(f"{series}/@@contents").text
    for page in (chosen, again):
        assert '<th scope="col">科室' in page
        assert '<th scope="col" class="jz-nowrap">更新' not in page
        assert 'class="table is-wide"' in page


def test_the_exported_list_has_the_rows_and_columns_that_one_sees_and_no_formula(
    hospital: Hospital, record: int, browser: Browse
) -> None:
    series, _uuid = series_of(hospital, record)
    another(hospital, mrn="00300001", patient_name="=HYPERLINK(1)")

    def lines(account: str) -> list[list[str]]:
        answer = browser(account).get(f"{series}/@@export?sort=number")
        assert answer.headers["Content-Type"].startswith("text/csv"), account
        return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))

    head, *rows = lines("archivist")
    assert head[0] == "题名"
    assert len(rows) == 2
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "@"))]
    assert lines("clinician")[1:] == [], "drafts are not for clinicians"
    assert browser("auditor").get(f"{series}/@@export").status_code == 404
    assert browser("sysadmin").get(f"{series}/@@export").status_code == 404
    assert browser("stranger").get(f"{series}/@@export").status_code == 404


def test_filters_are_said_in_words_and_can_be_taken_away(
    hospital: Hospital, record: int, browser: Browse
) -> None:
    series, _uuid = series_of(hospital, record)
    ward = hospital.wards["CK"]
    page = browser("archivist").get(f"{series}/@@contents?state=draft&dept={ward}").text
    assert "状态 <b>草稿</b>" in page
    assert "科室 <b>产科</b>" in page
    assert "00218647-2" in page
    assert "00218647-2" not in browser("archivist").get(f"{series}/@@contents?state=archived").text


def test_a_record_of_sixty_components_shows_them_all(
    hospital: Hospital, record: int, browser: Browse
) -> None:
    with hospital.uow("archivist") as uow:
        for n in range(60):
            tree.add(uow, uow.node(record), kind="component", fields={"title": f"第{n}份", "component": "RY"})
    with hospital.uow("archivist", readonly=True) as uow:
        address = NodeView(uow, uow.node(record)).href
    assert "第59份" in browser("archivist").get(address).text


def test_the_gates_of_today_do_not_judge_what_is_archived(
    hospital: Hospital, record: int, browser: Browse
) -> None:
    with hospital.uow("archivist", readonly=True) as uow:
        address = NodeView(uow, uow.node(record)).href
    assert "门槛 0 / 3" in browser("archivist").get(address).text
    archive_it(hospital, record)
    with hospital.site.session() as session:
        stricter = {"archive": {"medical_record": [["paper", "bound"]]}}
        known = session.scalars(select(PolicyVersion).where(PolicyVersion.kind == "gates")).one()
        session.add(PolicyVersion(kind="gates", version=2, body=known.body | stricter, source="test", adopted_at=known.valid_from,
                                  valid_from=known.valid_from))  # fmt: skip
    page = browser("archivist").get(f"/r/{uuid_of(hospital, record)}", follow_redirects=True).text
    assert "门槛" not in page


def uuid_of(hospital: Hospital, record: int) -> UUID:
    with hospital.uow("archivist", readonly=True) as uow:
        return uow.node(record).uuid
