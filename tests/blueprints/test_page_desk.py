"""The page desk over HTTP: pages are given away and replaced, and what was refused comes back as it was sent."""

import re
from io import BytesIO

from sqlalchemy import select

from archive.models import Job
from archive.site import Site
from tests import papers
from tests.archives import begins, once
from tests.blueprints.conftest import Browse, Browser, words_of
from tests.conftest import RECORD, Hospital
from tests.services.test_derive import work_off
from tests.services.test_intake import upload
from tests.services.test_keying import another
from tests.services.test_page_desk import NAMES, told

OTHER = "00300001"


@begins
def other(hospital: Hospital, record: int) -> int:
    """A second record beside that of the tests, whose five pages say which they are."""
    upload(hospital, "scanner", record, papers.pdf(*NAMES))
    work_off(hospital.site)
    return another(hospital, OTHER)


def pages(who: Browser, desk: str) -> list[str]:
    return re.findall(r'name="pages" value="(\d+)"', who.get(desk).text)


@once
def test_pages_are_given_to_another_record_by_their_own_button_alone(
    site: Site, hospital: Hospital, record: int, other: int, address: str, browser: Browse
) -> None:
    who, desk = browser("archivist"), f"{address}/@@pages"
    shown = who.get(desk).text
    first = re.search(r"<button[^>]*>", shown[shown.index('id="desk"') :])
    assert first
    assert 'value="go"' in first[0], "what Enter presses moves nothing"
    sent = {"pages": pages(who, desk)[:2], "record": f"{OTHER}-{RECORD['times']}", "to": "5", "version": "0"}
    entered = who.post(desk, sent | {"act": "go"})
    assert entered.status_code == 422
    assert "已填写另一案卷的号码" in words_of(entered)
    assert told(hospital, record) == NAMES, "a number that was left in a field moves nothing"
    assert who.post(desk, sent | {"act": "give"}).status_code == 303
    work_off(site)
    assert told(hospital, record) == NAMES[2:]
    assert told(hospital, other) == NAMES[:2]
    sent = {"pages": pages(who, desk)[1:2], "version": "2"}
    assert who.post(desk, sent | {"act": "join_sheet"}).status_code == 303
    assert "与前页同一张，已揭开粘贴单" in words_of(who.get(desk))
    assert who.post(desk, sent | {"act": "part_sheet", "version": "3"}).status_code == 303
    assert "与前页同一张，已揭开粘贴单" not in words_of(who.get(desk))


@once
def test_what_the_desk_refuses_stays_in_its_fields(
    record: int, other: int, address: str, browser: Browse
) -> None:
    who, desk = browser("archivist"), f"{address}/@@pages"
    chosen = pages(who, desk)[1]
    sent = {"pages": chosen, "record": "9999", "to": "x", "version": "0"}
    for act, status, why in (
        ("give", 409, "一份案卷的号码"),
        ("move", 422, "页号"),
        ("nothing", 422, "做什么"),
    ):
        answer = who.post(desk, sent | {"act": act})
        assert answer.status_code == status
        assert why in words_of(answer)
        assert 'value="9999"' in answer.text
        assert 'name="to" value="x"' in answer.text
        assert re.findall(r'value="(\d+)"[^>]* checked', answer.text) == [chosen]
    foreign = who.post(desk, {"act": "put_into", "pages": chosen, "part": "new:no", "version": "0"})
    assert foreign.status_code == 422
    assert "请更正标出的著录项" not in words_of(foreign), "no field is marked here: the reason is said"
    for account in ("stranger", "auditor", "sysadmin"):
        assert browser(account).post(desk, sent | {"act": "give"}).status_code in {403, 404}


@once
def test_a_page_is_replaced_by_a_better_scan_of_it(
    site: Site, hospital: Hospital, record: int, other: int, address: str, browser: Browse
) -> None:
    who, place = browser("scanner"), f"{address}/@@pages/rescan"
    sent = {"version": "0", "number": "二"}
    bare = who.post(place, sent, content_type="multipart/form-data")
    assert bare.status_code == 422
    assert 'name="number" value="二"' in bare.text
    wrong = who.post(place, sent | {"file": (BytesIO(papers.pdf("重扫")), "重扫.pdf")})
    assert wrong.status_code == 422
    taken = who.post(
        place, {"version": "0", "number": "2", "file": (BytesIO(papers.pdf("重扫")), "重扫.pdf")}
    )
    assert taken.status_code == 303
    work_off(site)
    assert told(hospital, record) == [NAMES[0], "重扫", *NAMES[2:]]
    for account in ("stranger", "auditor", "sysadmin", "clinician"):
        again = {"version": "1", "number": "1", "file": (BytesIO(papers.pdf("重扫")), "重扫.pdf")}
        assert browser(account).post(place, again).status_code in {403, 404}
    with site.session(readonly=True) as session:
        assert not session.scalars(select(Job).where(Job.state == "failed")).all()
