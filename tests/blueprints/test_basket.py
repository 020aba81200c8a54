"""已选: hits are ticked, kept, worked on together; nobody sees another's, and what is hidden meanwhile leaves it."""

import csv
import io
import re
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from archive.actor import Actor
from archive.models import BasketItem, Node, ReadEvent, Request
from archive.services import basket, purge, trash, tree
from archive.sight import href
from archive.site import Site
from tests.archives import begins
from tests.blueprints.conftest import Browse, Browser, words_of
from tests.conftest import Hospital
from tests.services import lending
from tests.services.searching import TEST, indexed, patient


@begins
def shelf(hospital: Hospital) -> list[str]:
    """The uuids of two archived records of obstetrics, and of a draft."""
    numbers = [
        lending.another(hospital, mrn="00218647", name="刘婷婷"),
        lending.another(hospital, mrn="00300001", name="陈朵朵", location=lending.shelf(hospital)),
        patient(hospital, "00400001", "毛晓燕"),
    ]
    indexed(hospital)
    with hospital.uow("archivist", readonly=True) as uow:
        return [str(uow.node(number).uuid) for number in numbers]


def choose(browser: Browser, *uuids: str) -> str:
    """Ticks hits and adds them, from the page of a search; gives where that leads."""
    answer = browser.post("/basket", {"act": "put", "ids": list(uuids), "back": "/search?s=abc"})
    assert answer.status_code == 302
    return answer.location


def selected(browser: Browser) -> set[str]:
    return set(re.findall(r'<tr[^>]* data-row="([^"]+)"', browser.get("/basket").text))


def test_ticked_hits_are_kept_and_one_is_back_at_the_search(browser: Browse, shelf: list[str]) -> None:
    someone = browser("archivist")
    assert someone.ask("/search", q="刘婷婷 00218647").status_code in {200, 302}
    assert choose(someone, shelf[0]) == "/search?s=abc"
    choose(someone, shelf[0], shelf[1])
    assert selected(someone) == set(shelf[:2])
    assert "已选 2" in words_of(someone.ask("/search", q="朵朵"))
    someone.post("/basket", {"act": "take_out", "ids": [shelf[0]]})
    assert selected(someone) == {shelf[1]}
    someone.post("/basket/clear")
    assert selected(someone) == set()


def test_a_selection_leads_nowhere_but_to_a_search_of_ours(browser: Browse, shelf: list[str]) -> None:
    for back in ("https://elsewhere.example/search?x", "//elsewhere.example", "/sign-out", ""):
        answer = browser("archivist").post("/basket", {"act": "put", "ids": [shelf[0]], "back": back})
        assert answer.location == "/basket", back


def test_every_hit_can_be_ticked_and_has_a_name(browser: Browse, shelf: list[str]) -> None:
    page = browser("archivist").ask("/search", q="妊娠合并子宫瘢痕").text
    assert len(re.findall(r'type="checkbox" name="ids" value="[0-9a-f-]+" aria-label="选择 00', page)) == 3


def test_a_selection_is_ones_own_and_what_is_hidden_leaves_it(
    hospital: Hospital, browser: Browse, shelf: list[str]
) -> None:
    ward, archivist = browser("clinician"), browser("archivist")
    choose(ward, *shelf)
    choose(archivist, *shelf[:2])
    assert selected(ward) == selected(archivist) == set(shelf[:2]), "of a draft the ward knows nothing"
    with hospital.uow("senior") as uow:
        node = uow.session.scalars(
            select(Node).where(Node.archival_no.is_not(None)), execution_options=TEST
        ).first()
        assert node is not None
        hidden = str(node.uuid)
        tree.set_level(uow, node, level=3, reason="保密")
    for someone in (ward, archivist):
        page = someone.get("/basket").text
        assert hidden not in page
        assert len(selected(someone)) == 1
    for account in ("clinician2", "clerk", "inspector"):
        answer = browser(account).get("/basket")
        assert answer.status_code == 403 or selected(browser(account)) == set(), account


def test_nobody_selects_what_they_may_not_know_of(
    hospital: Hospital, site: Site, browser: Browse, shelf: list[str]
) -> None:
    with hospital.uow("senior") as uow:
        for node in uow.list(select(Node).where(Node.type == "medical_record").execution_options(**TEST)):
            tree.set_level(uow, node, level=3, reason="保密")
    choose(browser("clinician"), *shelf)
    with site.session() as session:
        assert session.scalars(select(BasketItem), execution_options=TEST).all() == []


def test_several_are_asked_for_at_once_and_each_says_what_became_of_it(
    site: Site, browser: Browse, shelf: list[str]
) -> None:
    ward = browser("clinician")
    form = ward.post("/basket", {"act": "request", "ids": shelf[:2], "back": "/search?s=abc"})
    assert form.status_code == 200
    assert all(f'name="ids" value="{uuid}"' in form.text for uuid in shelf[:2])
    terms = {"ids": shelf[:2], "kind": "paper", "purpose": "discussion", "days": "3", "reason": "病例讨论",
             "declared": "none"}  # fmt: skip
    wrong = ward.post("/basket/request", terms | {"days": "900"})
    assert wrong.status_code == 422
    assert 'value="900"' in wrong.text
    seen = words_of(ward.post("/basket/request", terms | {"act": "look"}))
    assert all(word in seen for word in ("病案审批人", "纸质 3 个工作日", "整理中", "在架")), (
        "who decides, how long, whether it is in"
    )
    assert "请先选择用途" in words_of(ward.post("/basket/request", terms | {"act": "look", "purpose": ""}))
    assert ward.post("/basket/request", terms | {"ids": shelf[:1]}).location == "/basket"
    assert ward.post("/basket/request", terms).location == "/basket"
    page = ward.get("/basket").text
    assert page.count("您已申请过") == 1, "the first was asked for before; the second is new"
    with site.session() as session:
        assert session.scalars(select(Request.state)).all() == ["requested", "requested"]
    assert words_of(ward.post("/basket/request", terms | {"act": "look"})).count("您已申请过") == 2
    sent = ward.post("/basket/request", terms | {"kind": "eread", "purpose": "dispute"}).location
    assert "PS2026-0002" in ward.get(sent).text, "several at once are a bundle"


def test_a_level_is_given_to_several_and_refused_where_one_may_not(browser: Browse, shelf: list[str]) -> None:
    senior, terms = browser("senior"), {"ids": shelf, "level": "2", "reason": "家属要求保密"}
    choose(senior, *shelf)
    assert senior.post("/basket/level", {"ids": shelf, "level": "", "reason": " "}).status_code == 422
    assert senior.post("/basket/level", terms).location == "/basket"
    assert senior.get("/basket").text.count("S2") >= 3
    assert browser("clinician").post("/basket/level", terms).status_code == 403


def test_steps_and_labels_and_moving_begin_from_the_selection(browser: Browse, shelf: list[str]) -> None:
    archivist = browser("archivist")
    choose(archivist, *shelf)
    assert archivist.post("/basket", {"act": "catalogue", "ids": shelf}).location == "/basket"
    assert "著录中" in archivist.get("/basket").text
    sheet = archivist.post("/basket", {"act": "labels", "ids": shelf[:2]})
    assert sheet.mimetype == "application/pdf"
    moving = archivist.post("/basket", {"act": "move", "ids": shelf[:2]})
    assert "@@move-several" in moving.location
    answer = archivist.get(moving.location)
    assert "当前状态下您都不能移动" in words_of(answer), "they are known there, and archived"
    assert archivist.post("/basket", {"act": "nonsense", "ids": shelf}).location == "/basket"


LONGEST_ADDRESS = 8190
"""Of a request line, with the method and the version: gunicorn takes no longer one (archive/server.py)."""


def test_all_that_can_be_selected_goes_on_to_an_inspection_or_a_move(
    hospital: Hospital, browser: Browse, shelf: list[str]
) -> None:
    senior = browser("senior")
    many = [*shelf[:2], *(str(uuid4()) for _other in range(basket.MOST - 2))]
    led = senior.post("/basket", {"act": "inspect", "ids": many}).location
    assert len(led) < LONGEST_ADDRESS - 100
    page = senior.get(led).text
    assert "00218647-1" in page
    assert "00300001-1" in page
    with hospital.uow("senior", readonly=True) as uow:
        folder = href(uow, uow.node(uow.node(UUID(shelf[0])).parent_id or 0))
    led = senior.post(f"{folder}/@@bulk", {"act": "move", "ids": many}).location
    assert len(led) < LONGEST_ADDRESS - 100
    for nonsense in ("x", "é", "AAAA", led[-40:]):
        assert senior.get("/inspections/add", query_string={"picked": nonsense}).status_code == 200


def test_the_export_holds_each_field_at_its_tier_and_the_journal_names_the_records(
    site: Site, browser: Browse, shelf: list[str]
) -> None:
    tables = {}
    for account in ("archivist", "clinician"):
        someone = browser(account)
        choose(someone, *shelf[:2])
        tables[account] = list(
            csv.DictReader(io.StringIO(someone.get("/basket/export").data.decode("utf-8-sig")))
        )
    assert [row["主要诊断"] for row in tables["archivist"]] == ["妊娠合并子宫瘢痕"] * 2
    assert [row["患者"] for row in tables["archivist"]] == ["刘婷婷", "陈朵朵"]
    assert "主要诊断" not in tables["clinician"][0], "the ward reads by a loan only"
    with site.journal() as journal:
        said = journal.scalars(select(ReadEvent).where(ReadEvent.action == "basket.exported")).all()
        assert [line.actor for line in said] == ["archivist", "clinician"]
        assert len(said[0].shown) == 2


def test_no_more_are_selected_than_fit_on_a_page(
    browser: Browse, shelf: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(basket, "MOST", 2)
    someone = browser("archivist")
    choose(someone, *shelf)
    assert selected(someone) == set()
    choose(someone, *shelf[:2])
    assert selected(someone) == set(shelf[:2])


def test_what_is_deleted_for_good_leaves_every_selection(
    hospital: Hospital, site: Site, browser: Browse, shelf: list[str]
) -> None:
    choose(browser("archivist"), shelf[2])
    with hospital.uow("senior") as uow:
        draft = uow.node(UUID(shelf[2]))
        trash.trash(uow, draft)
        number = draft.id
    assert selected(browser("archivist")) == set()
    hospital.clock.forward(days=400)
    with site.uow(Actor.system(purge.KIND)) as uow:
        assert purge.purge(uow, number)
    with site.session() as session:
        assert session.scalars(select(BasketItem), execution_options=TEST).all() == []
