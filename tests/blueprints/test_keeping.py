"""Moving, the sensitivity level and the trash, as people meet them on the pages."""

import re

import pytest
from sqlalchemy import select

from archive.models import AuditEvent
from archive.services import trash, tree
from archive.sight import href
from tests.archives import begins
from tests.blueprints.conftest import Browse
from tests.conftest import RECORD, Hospital
from tests.services import lending

KEEPERS = ("archivist", "senior")
OTHERS = (
    "clinician",
    "head",
    "scanner",
    "clerk",
    "desk",
    "inspector",
    "auditor",
    "security",
    "sysadmin",
    "stranger",
)
CHOOSE = re.compile(r'href="([^"]*[?&;]to=[^"]*)"')


def links(page: str) -> list[str]:
    return [found.replace("&amp;", "&") for found in CHOOSE.findall(page)]


@begins
def elsewhere(hospital: Hospital) -> str:
    """The address of the series of another year."""
    with hospital.uow("archivist") as uow:
        fields = RECORD | {"mrn": "00300001", "admitted_on": "2025-03-01", "discharged_on": "2025-03-08"}
        made = tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record",
                        fields=fields | {"dept": str(hospital.wards["EK"])})  # fmt: skip
        return href(uow, made).rsplit("/", 1)[0]


def test_a_record_is_moved_from_its_own_page(
    browser: Browse, hospital: Hospital, address: str, elsewhere: str
) -> None:
    archivist = browser("archivist")
    assert f'href="{address}/@@move"' in archivist.get(address).text
    offered = links(archivist.get(f"{address}/@@move").text)
    assert [target.rpartition("to=")[2] for target in offered] == [elsewhere]
    preview = archivist.get(offered[0]).text
    assert "其中尚无档号" in preview
    answer = archivist.post(f"{address}/@@move", {"to": elsewhere})
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(elsewhere)
    assert archivist.get(address).status_code == 200, "the old link goes on working"
    assert "已在该处" in archivist.post(f"{answer.headers['Location']}/@@move", {"to": elsewhere}).text


def test_several_are_moved_out_of_a_list_and_each_row_says_what_became_of_it(
    browser: Browse, hospital: Hospital, record: int, address: str, elsewhere: str
) -> None:
    archived = lending.another(hospital, mrn="00400001")
    with hospital.uow("archivist", readonly=True) as uow:
        ids = [str(uow.node(number).uuid) for number in (record, archived)]
    folder, archivist = address.rsplit("/", 1)[0], browser("archivist")
    assert 'value="move"' in archivist.get(folder).text
    asked = archivist.post(f"{folder}/@@bulk", {"act": "move", "ids": ids}).headers["Location"]
    target = links(archivist.get(asked).text)
    assert [link.rpartition("to=")[2] for link in target] == [elsewhere]
    preview = archivist.get(target[0]).text
    assert "当前状态下您不能移动它" in preview
    assert "移动 1 项" in preview
    rows = re.findall(r'name="row" value="([^"]+)"', preview)
    done = archivist.post(f"{folder}/@@move-several", {"to": elsewhere, "row": rows}).text
    assert done.count("已移动") == 1
    assert done.count("留在原处") == 1


def test_what_cannot_be_a_place_is_said_in_words(browser: Browse, address: str, elsewhere: str) -> None:
    archivist = browser("archivist")
    assert "没有找到" in archivist.get(f"{address}/@@move?to=H009-none").text
    assert archivist.post(f"{address}/@@move", {"to": "H009-none"}).status_code == 404
    wrong = archivist.get(f"{address}/@@move?to=/a/h001/ws").text
    assert "不能移到该处" in wrong
    folder = address.rsplit("/", 1)[0]
    assert archivist.get(f"{folder}/@@move-several").status_code == 409
    assert archivist.post("/trash", {"ids": ["nonsense"]}).status_code == 302


@pytest.mark.parametrize("account", OTHERS)
def test_nobody_else_is_offered_any_of_it_or_gets_in(browser: Browse, address: str, account: str) -> None:
    person = browser(account)
    for page in ("@@move", "@@level"):
        assert person.get(f"{address}/{page}").status_code in {403, 404}
        assert person.post(f"{address}/{page}", {"to": address, "level": "2"}).status_code in {403, 404}
    assert person.get("/trash").status_code == 403
    assert person.post(f"{address}/@@trash").status_code in {403, 404}


def test_only_the_senior_archivist_is_offered_the_level(browser: Browse, address: str) -> None:
    assert "@@level" not in browser("archivist").get(address).text
    assert browser("archivist").get(f"{address}/@@level").status_code == 403
    assert f'href="{address}/@@level"' in browser("senior").get(address).text


def test_the_level_is_raised_with_a_reason_that_stands_on_the_page_and_in_the_history(
    browser: Browse, address: str
) -> None:
    senior = browser("senior")
    refused = senior.post(f"{address}/@@level", {"level": "2", "reason": ""})
    assert refused.status_code == 422
    assert 'aria-invalid="true"' in refused.text
    assert senior.post(f"{address}/@@level", {"level": "0", "reason": "试"}).status_code == 422
    assert senior.post(f"{address}/@@level", {"level": "3", "reason": "家属要求保密"}).status_code == 302
    assert "家属要求保密" in senior.get(f"{address}/@@level").text
    past = senior.get(f"{address}/@@history").text
    assert "家属要求保密" in past
    assert "S3 锁定" in past
    assert browser("archivist").get(address).status_code == 404


@pytest.mark.parametrize("account", KEEPERS)
def test_a_draft_goes_into_the_trash_is_listed_and_comes_back(
    browser: Browse, hospital: Hospital, record: int, address: str, account: str
) -> None:
    person = browser(account)
    assert "回收站是空的" in person.get("/trash").text
    assert person.post(f"{address}/@@trash").status_code == 302
    assert "30 天内未恢复将被删除" in person.get(address).text
    listed = person.get("/trash").text
    with hospital.uow(account, readonly=True) as uow:
        row, node = trash.contents(uow).rows[0], uow.node(record)
        assert row.view.label in listed
        assert str(uow.local(row.goes_at).date()) in listed
        uuid = str(node.uuid)
    assert f"{account}甲" in listed
    assert person.post("/trash", {"act": "restore", "ids": [uuid]}).status_code == 302
    assert "已恢复到原处" in person.get("/trash").text
    with hospital.uow(account, readonly=True) as uow:
        acts = uow.session.scalars(select(AuditEvent.action).where(AuditEvent.object_id == record))
        assert list(acts)[-2:] == ["node.trashed", "node.restored"]


def test_what_is_archived_is_not_offered_the_trash(browser: Browse, hospital: Hospital, record: int) -> None:
    lending.archive_it(hospital, record)
    with hospital.uow("senior", readonly=True) as uow:
        where = href(uow, uow.node(record))
    senior = browser("senior")
    senior.post(f"{where}/@@workflow/correct", {"reason": "更正"})
    assert "移入回收站" not in senior.get(where).text
    assert senior.post(f"{where}/@@trash").status_code == 409
