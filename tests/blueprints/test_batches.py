"""The pages of a batch: each role sees and does what it may, nobody else knows of it, and what was refused stays typed."""

import re
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from archive.models import AuditEvent, BatchDefect
from archive.services.scanning import batches, quality, volumes
from tests import piles
from tests.archives import begins, once
from tests.blueprints.conftest import Browse, words_of
from tests.conftest import Hospital
from tests.services.test_scanning import accepted_so_far, hand_in, leaves, step, work_off

pytestmark = once
TEST = {"scope": "test"}
OUTSIDE = ("clinician", "stranger", "auditor", "sysadmin")
"""Who handles no paper at all."""
OWN = ("scanner", "archivist", "senior")
JUDGES = ("archivist", "senior")


@begins
def laid(hospital: Hospital) -> dict[str, Any]:
    """Four batches: one just made, one to be counted, one with a pile that is doubtful in parts, one in its sample."""
    piles.records(hospital, 7)
    made = {"sample": accepted_so_far(hospital), "pile": piles.prepared(hospital, (2, 1), first=2)}
    cover, _spoilt = piles.covers(hospital, made["pile"])
    spoilt = piles.sheet("分卷页", "JUANZONG SHEET", "30000001-1")
    forms = [piles.sheet(piles.form(number, "入院记录")) for number in (2, 3)]
    hand_in(hospital, made["pile"], piles.pile([cover, forms[0], spoilt, forms[1]]))
    hand_in(hospital, made["pile"], b"%PDF-1.7 nothing else", "坏.pdf")
    work_off(hospital.site)
    made["count"] = piles.begun(hospital, (4, 5), "check_out")
    made["new"] = piles.begun(hospital, (6,))
    with hospital.uow("archivist", readonly=True) as uow:
        drawn = quality.drawn(uow, batches.find(uow, made["sample"]))[0].ordinal
        lying = {
            name: [one.id for one in volumes.listed(uow, batches.find(uow, made[name]))] for name in made
        }
    pages = [page.id for page in leaves(hospital, made["pile"])]
    return {"number": made, "volumes": lying, "pages": pages, "drawn": drawn}


@dataclass(frozen=True)
class Case:
    """One route with something wrong in what is sent to it, and what whoever may do it is answered."""

    batch: str
    place: str
    status: int = 200
    sent: dict[str, str] | None = field(default_factory=dict)
    by: tuple[str, ...] = OWN
    elsewhere: int = 404
    """What somebody gets who handles paper, though not that of these records."""


CASES = (
    Case("pile", "", sent=None), Case("pile", "/pages", sent=None), Case("pile", "/pages/1", sent=None),
    Case("pile", "/handover.pdf", sent=None), Case("pile", "/covers.pdf", sent=None),
    Case("pile", "/pages", 422), Case("pile", "/pages", 422, {"act": "place"}),
    Case("pile", "/confirm", 422), Case("pile", "/difference", 422),
    Case("sample", "/pages/{drawn}/look", 422, {"defects": "none such"}, JUDGES, 403),
    Case("sample", "/mended", 409, {"defect": "1"}), Case("count", "/sides", 422, {"sides-{volume}": "zwei"}),
    Case("new", "/volumes/remove", 409, {"volume": "0"}), Case("count", "/volumes/remove", 409, {"volume": "x"}),
    Case("pile", "/pile/withdraw", 409, {"file": "0"}), Case("pile", "/pile", 422),
    Case("new", "/step/cancel", 422, {"reason": " "}, JUDGES), Case("new", "/step/accept", 409, by=JUDGES),
    Case("new", "/note", 422),
)  # fmt: skip


def test_each_role_is_answered_as_it_may_and_nobody_else_learns_that_there_is_a_batch(
    hospital: Hospital, laid: dict[str, Any], browser: Browse
) -> None:
    people = {account: browser(account) for account in (*OWN, "desk", *OUTSIDE)}
    tokens = {account: who.token("/sessions") for account, who in people.items()}
    before, wrong = acts(hospital), []
    for case in CASES:
        place = case.place.format(drawn=laid["drawn"])
        volume = laid["volumes"][case.batch][0]
        sent = case.sent and {name.format(volume=volume): value for name, value in case.sent.items()}
        for account, who in people.items():
            for number in (laid["number"][case.batch], "SZ2026-9999"):
                address = f"/batches/{number}{place}"
                told = {"csrf_token": tokens[account], **(sent or {})}
                answer = who.client.get(address) if case.sent is None else who.client.post(address, data=told)
                there = case.status if number in laid["number"].values() else 404
                expected = {there} if account in case.by else {403}
                if account == "desk":
                    expected = {case.elsewhere}
                elif account in OWN and account not in case.by:
                    expected = {403, 404}
                if answer.status_code not in expected:
                    wrong.append((account, case.place, number, answer.status_code, expected))
    assert not wrong
    assert acts(hospital) == before, "what is refused changes nothing"
    assert laid["number"]["new"] in words_of(people["scanner"].get("/batches"))
    assert laid["number"]["new"] not in words_of(people["desk"].get("/batches"))


def acts(hospital: Hospital) -> int:
    with hospital.site.session(readonly=True) as session:
        return session.scalar(select(func.count(AuditEvent.id))) or 0


def test_what_a_batch_refuses_stays_where_it_was_typed(
    hospital: Hospital, laid: dict[str, Any], browser: Browse
) -> None:
    who, number = browser("scanner"), laid["number"]
    first, second = laid["volumes"]["count"]
    page = who.post(f"/batches/{number['count']}/sides", {f"sides-{first}": "十二", f"sides-{second}": "30"})
    assert page.status_code == 422
    assert re.search(rf'name="sides-{first}"[^>]* aria-invalid="true"', page.text)
    assert 'value="十二"' in page.text
    with hospital.uow("scanner", readonly=True) as uow:
        kept = [one.sides for one in volumes.listed(uow, batches.find(uow, number["count"]))]
    assert kept == [None, 30], "what was right is kept"
    told = {f"asked-{first}": "1", f"papers-{first}": "thermal", f"sides-{first}": "4"}
    assert who.post(f"/batches/{number['count']}/sides", told).status_code == 302
    page = who.get(f"/batches/{number['count']}")
    assert "1 卷含热敏纸：请先扫描。" in words_of(page)
    assert "热敏纸：先扫 1 卷" in words_of(who.get("/batches"))
    assert who.post(f"/batches/{number['count']}/sides", {f"sides-{second}": "31"}).status_code == 302
    assert f'id="papers-{first}-thermal" value="thermal" checked' in page.text
    assert page.text.index(f'id="papers-{first}-') < page.text.index(f'id="papers-{second}-')
    long = "长" * 501
    assert long in who.post(f"/batches/{number['new']}/note", {"text": long}).text
    bare = browser("archivist").post(f"/batches/{number['new']}/step/cancel", {"reason": " "})
    assert re.search(r'id="f-cancel"[^>]* aria-invalid="true"', bare.text), "beside the field of this step"


def test_what_is_said_of_pages_stays_chosen_when_it_is_refused(
    hospital: Hospital, laid: dict[str, Any], browser: Browse
) -> None:
    who, number, page = browser("scanner"), laid["number"]["pile"], str(laid["pages"][3])
    grid, one = f"/batches/{number}/pages?show=doubts", f"/batches/{number}/pages/4"
    for back in (grid, one):
        said = {"act": "place", "pages": page, "component": "RY", "why": "blank", "back": back}
        refused = who.post(f"/batches/{number}/pages", said)
        assert refused.status_code == 422
        assert "请选择卷册" in words_of(refused)
        assert re.search(r'value="RY" selected', refused.text)
        assert re.search(r'value="blank" selected', refused.text)
        assert f'name="back" value="{back}"' in refused.text
    assert re.search(
        rf'value="{page}"[^>]* checked', who.post(f"/batches/{number}/pages", said | {"back": grid}).text
    )
    volume = str(laid["volumes"]["pile"][0])
    lies = f"/batches/{number}/pages?volume={volume}"
    long = "因" * 201
    refused = who.post(f"/batches/{number}/difference", {"volume": volume, "because": long, "back": lies})
    assert refused.status_code == 422
    assert long in refused.text
    given = who.post(
        f"/batches/{number}/difference", {"volume": volume, "because": "缺\x00一\u202e页", "back": lies}
    )
    assert given.status_code == 302
    assert "缺一页" in words_of(who.get(lies))
    lone = who.post(f"/batches/{number}/pages", {"act": "sheet", "pages": page, "back": one})
    assert lone.status_code == 409
    assert "该卷中它的前面没有页面" in words_of(lone)
    placed = who.post(
        f"/batches/{number}/pages", {"act": "place", "pages": page, "volume": volume, "back": one}
    )
    assert (placed.status_code, placed.location) == (302, one)


def test_a_volume_that_was_not_counted_is_not_said_to_have_none(
    laid: dict[str, Any], browser: Browse
) -> None:
    volume, number = laid["volumes"]["count"][0], laid["number"]["count"]
    shown = words_of(browser("scanner").get(f"/batches/{number}/pages?volume={volume}"))
    assert "尚未清点，扫描 0 页" in shown
    assert "None" not in shown


def test_looking_again_leaves_what_was_marked_and_whose_it_was(
    hospital: Hospital, laid: dict[str, Any], browser: Browse
) -> None:
    number, page = laid["number"]["sample"], laid["drawn"]
    place, first, second = f"/batches/{number}/pages/{page}", browser("archivist"), browser("senior")
    marked = {"defects": ["tilted", "blurred"], "note": " 左上\x00角 "}
    assert [code for code in marked["defects"] if code not in first.get(place).text] == []
    assert first.post(f"{place}/look", marked).status_code == 302
    before = defects(hospital)
    assert [(code, note) for code, note, *_by in before] == [("blurred", "左上角"), ("tilted", "左上角")]
    again = second.get(place).text
    assert 'value="左上角"' in again
    hospital.clock.forward(minutes=5)
    assert (
        second.post(f"{place}/look", {"defects": ["tilted", "blurred"], "note": "左上角"}).status_code == 302
    )
    assert defects(hospital) == before
    assert second.post(f"{place}/look", {"defects": ["tilted"], "note": "左上角"}).status_code == 302
    assert defects(hospital) == before[1:]
    refused = second.post(f"{place}/look", {"defects": ["tilted", "none such"], "note": "再看"})
    assert refused.status_code == 422
    assert 'value="再看"' in refused.text
    assert re.search(r'value="tilted" checked', refused.text)

    step(hospital, "archivist", number, "send_back", reason="倾斜")
    who = browser("scanner")
    with hospital.uow("scanner", readonly=True) as uow:
        defect = str(quality.defects(uow, batches.find(uow, number))[0].id)
    assert who.post(f"/batches/{number}/mended", {"defect": defect}).status_code == 302
    twice = who.post(f"/batches/{number}/mended", {"defect": defect})
    assert twice.status_code == 409
    assert "缺陷" in words_of(twice), "the page of the batch, not a bare sentence"


def defects(hospital: Hospital) -> list[Any]:
    with hospital.site.session(readonly=True) as session:
        rows = session.scalars(select(BatchDefect).order_by(BatchDefect.id), execution_options=TEST)
        return [(one.code, one.note, one.by_id, one.at) for one in rows]


def test_what_was_found_wrong_is_ticked_also_while_more_is_scanned(
    hospital: Hospital, laid: dict[str, Any], browser: Browse
) -> None:
    number, scanner = laid["number"]["pile"], browser("scanner")
    with hospital.uow("archivist") as uow:
        batch = batches.find(uow, number)
        with uow.act("batch.page_looked_at", batch):
            page = laid["pages"][1]
            missing = BatchDefect(batch_id=batch.id, batch_page_id=page, code="missing", round=1, at=uow.now)
            uow.session.add(missing)
            uow.session.flush()
        defect = str(missing.id)
    ticks = f'action="/batches/{number}/mended"'
    assert ticks in scanner.get(f"/batches/{number}").text
    assert scanner.post(f"/batches/{number}/mended", {"defect": defect}).status_code == 302
    assert ticks not in scanner.get(f"/batches/{number}").text
