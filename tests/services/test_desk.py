"""The lending desk: one field, a gun and nothing else."""

from threading import Barrier, Thread

import pytest
from sqlalchemy import select

from archive.errors import Forbidden, Invalid
from archive.models import ReadEvent
from archive.services import (
    desk,
    desk_answers,
    desk_buttons,
    holdings,
    pinpoint,
    places,
    slips,
    taking_up,
)
from archive.services.desk import Memo
from tests.archives import begins
from tests.conftest import CAST, Clock, Hospital
from tests.services.lending import BARCODE, SHELF, another, approved, archive_it, ask, shelf, state_of
from tests.services.sealing import seal

STAFF_NO = {account: f"{number:04d}" for number, account in enumerate(CAST, start=1)}


pytestmark = pytest.mark.usefixtures("in_english")


@begins
def archived(hospital: Hospital, record: int) -> int:
    """An archived record of obstetrics on its shelf."""
    return archive_it(hospital, record, location=shelf(hospital))


def scan(hospital: Hospital, typed: str, before: Memo | None = None, *, at: str = "clerk", sheets: str = "",
         confirmed: bool = False) -> Memo:  # fmt: skip
    """One shot of the gun."""
    with hospital.uow(at) as uow:
        return desk.hear(uow, typed, before or Memo(), sheets=sheets, confirmed=confirmed).memo


def answer(hospital: Hospital, memo: Memo, *, at: str = "clerk") -> desk_answers.Counter:
    with hospital.uow(at, readonly=True) as uow:
        return desk_answers.counter(uow, memo)


def test_badge_then_volume_hands_out(hospital: Hospital, archived: int) -> None:
    number = approved(hospital, "clinician", archived)
    badge = scan(hospital, STAFF_NO["clinician"])
    shown = answer(hospital, badge)
    assert shown.answer is None
    who = shown.borrower
    assert who is not None
    assert (who.name, who.departments, who.is_blocked) == ("clinician甲", "产科", False)
    assert [(pick.barcode, pick.place) for pick in who.ready] == [(BARCODE, SHELF)]
    out = scan(hospital, BARCODE.lower(), badge)
    shown = answer(hospital, out)
    assert (out.act, state_of(hospital, number)) == ("issued", "lent")
    assert shown.answer is not None
    assert shown.answer.loan is not None
    assert (shown.answer.look, shown.answer.loan.borrower, shown.answer.loan.days_left) == (
        "ok",
        "clinician甲",
        3,
    )
    assert shown.borrower is not None
    assert [loan.barcode for loan in shown.borrower.loans] == [BARCODE]
    assert (shown.today.out, shown.today.back, shown.counts.out) == (1, 0, 1)


def test_a_slip_says_who_collects(hospital: Hospital, archived: int) -> None:
    number = approved(hospital, "clinician", archived)
    slip = scan(hospital, number.lower())
    assert (slip.act, slip.borrower) == ("badge", STAFF_NO["clinician"])
    assert scan(hospital, "00218647-2", slip).act == "issued"


def test_a_volume_alone_comes_back(hospital: Hospital, archived: int) -> None:
    number = approved(hospital, "clinician", archived)
    scan(hospital, BARCODE, scan(hospital, STAFF_NO["clinician"]))
    back = scan(hospital, BARCODE)
    assert (back.act, state_of(hospital, number)) == ("returned", "returned")
    shown = answer(hospital, back).answer
    assert shown is not None
    assert shown.loan is not None
    assert shown.volume is not None
    assert (shown.loan.borrower, shown.volume.place, shown.can_undo) == ("clinician甲", SHELF, True)


def test_a_gun_that_fires_twice_does_not_take_the_volume_back(
    hospital: Hospital, archived: int, clock: Clock
) -> None:
    number = approved(hospital, "clinician", archived)
    out = scan(hospital, BARCODE, scan(hospital, STAFF_NO["clinician"]))
    again = scan(hospital, BARCODE, out)
    assert (again.act, state_of(hospital, number)) == ("again", "lent")
    clock.forward(minutes=2)
    assert scan(hospital, BARCODE, again).act == "returned"


def test_what_has_just_come_back_is_not_handed_out_by_an_echo(
    hospital: Hospital, archived: int, clock: Clock
) -> None:
    """A second volume keeps the request open, and another desk has the borrower's badge before it."""
    with hospital.uow("senior") as uow:
        holdings.register(uow, uow.node(archived), barcode="B7000001")
    approved(hospital, "clinician", archived)
    badge = scan(hospital, STAFF_NO["clinician"])
    for barcode in (BARCODE, "B7000001"):
        assert scan(hospital, barcode, badge).act == "issued"
    clock.forward(minutes=5)
    back = scan(hospital, BARCODE, badge)
    assert back.act == "returned"
    assert scan(hospital, BARCODE, back).act == "back"
    echo = scan(hospital, BARCODE, badge, at="archivist")
    assert echo.act == "back"
    said = answer(hospital, echo, at="archivist").answer
    assert said is not None
    assert (said.look, said.loan and said.loan.borrower, said.can_undo) == ("wait", "clinician甲", False)
    clock.forward(minutes=2)
    assert scan(hospital, BARCODE, badge).act == "issued"


def test_the_next_in_line_gets_at_once_what_has_just_come_back(hospital: Hospital, archived: int) -> None:
    for account in ("clinician", "clinician2"):
        approved(hospital, account, archived)
    assert scan(hospital, BARCODE, scan(hospital, STAFF_NO["clinician"])).act == "issued"
    assert scan(hospital, BARCODE).act == "returned"
    assert scan(hospital, BARCODE, scan(hospital, STAFF_NO["clinician2"])).act == "issued"


def test_a_volume_on_its_shelf_says_who_waits_for_it(hospital: Hospital, archived: int) -> None:
    approved(hospital, "clinician", archived)
    here = scan(hospital, BARCODE)
    shown = answer(hospital, here).answer
    assert shown is not None
    assert (here.act, shown.look, [turn.name for turn in shown.wanted]) == (
        "waiting",
        "wait",
        ["clinician甲"],
    )


def test_a_badge_after_a_volume_takes_it(hospital: Hospital, archived: int, clock: Clock) -> None:
    number = approved(hospital, "clinician", archived)
    out = scan(hospital, STAFF_NO["clinician"], scan(hospital, BARCODE))
    assert (out.act, out.borrower, state_of(hospital, number)) == ("issued", STAFF_NO["clinician"], "lent")
    clock.forward(minutes=5)
    back = scan(hospital, BARCODE)
    nothing = scan(hospital, STAFF_NO["clinician2"], scan(hospital, BARCODE, back))
    assert (nothing.act, nothing.borrower) == ("unasked", STAFF_NO["clinician2"])
    lying = scan(hospital, BARCODE)
    clock.forward(minutes=11)
    assert scan(hospital, STAFF_NO["clinician"], lying).act == "badge"


def test_any_number_by_which_people_call_a_record_finds_its_volume(hospital: Hospital, archived: int) -> None:
    """The record number alone, its archival number, or the bag in which all stays of a patient lie."""
    with hospital.uow("senior") as uow:
        spoken = uow.node(archived).archival_no
        bag = places.add_container(uow, kind="bag").barcode
        for barcode in (BARCODE, holdings.register(uow, uow.node(archived), sheets=3).barcode):
            holdings.pack(uow, uow.holding(barcode)[0], container=bag)
    number = approved(hospital, "clinician", archived)
    for code in ("00218647", spoken or "", bag):
        which = scan(hospital, code)
        said = answer(hospital, which).answer
        assert said is not None
        assert (which.act, [one.barcode for one in said.choices]) == ("choose", [BARCODE, f"{BARCODE}-V2"])
        assert "刘" not in repr([one.node.label for one in said.choices])
    other = another(hospital, mrn="00216166")
    with hospital.uow("senior") as uow:
        holdings.pack(uow, uow.holding("B00216166-1")[0], container=bag)
        holdings.pack(
            uow, uow.holding(f"{BARCODE}-V2")[0], container=places.add_container(uow, kind="bag").barcode
        )
    assert scan(hospital, bag).act == "choose"
    out = scan(hospital, bag, scan(hospital, STAFF_NO["clinician"]))
    assert (out.act, out.barcode, state_of(hospital, number)) == ("issued", BARCODE, "lent")
    assert scan(hospital, "00216166").act == "waiting"
    assert other
    for account in ("desk", "stranger"):
        assert scan(hospital, "00218647", at=account).act == "refused"


def test_a_shelf_after_a_volume_puts_it_there(hospital: Hospital, archived: int) -> None:
    other = another(hospital, mrn="00216166")
    there = scan(hospital, SHELF, scan(hospital, "B00216166-1"))
    assert (there.act, there.words) == ("placed", SHELF)
    with hospital.uow("senior", readonly=True) as uow:
        assert [volume.place for volume in holdings.volumes(uow, uow.node(other))] == [SHELF]


def test_what_nobody_knows_is_said_in_a_sentence_and_changes_nothing(
    hospital: Hospital, archived: int
) -> None:
    for typed in ("B99999999-1", "JY2026-999999", "工牌", "9" * 300):
        memo = scan(hospital, typed)
        assert memo.act == "refused"
        assert memo.words
        assert answer(hospital, memo).answer is not None
    assert scan(hospital, "   ") == Memo()


def test_a_refusal_leaves_nothing_behind(hospital: Hospital, archived: int) -> None:
    number = ask(hospital, "clinician", archived, kind="paper")
    refused = scan(hospital, BARCODE, scan(hospital, STAFF_NO["clinician"]))
    assert (refused.act, refused.borrower) == ("unasked", STAFF_NO["clinician"])
    assert "no approved request" in refused.words
    assert state_of(hospital, number) == "requested"
    hidden = scan(hospital, BARCODE, at="desk")
    assert hidden.act == "refused"
    noted = select(ReadEvent.object_ref).where(ReadEvent.action == "desk.refused")
    with hospital.site.journal() as session:
        assert session.scalars(noted).all() == [BARCODE]


def test_missing_sheets_are_asked_about_before_the_volume_is_taken(hospital: Hospital, archived: int) -> None:
    number = approved(hospital, "clinician", archived)
    scan(hospital, BARCODE, scan(hospital, STAFF_NO["clinician"]), sheets="64")
    differ = scan(hospital, BARCODE, sheets="62")
    assert (differ.act, differ.sheets, state_of(hospital, number)) == ("differs", 62, "lent")
    assert "2 sheets of 64" in differ.words
    assert scan(hospital, BARCODE, differ, sheets="62", confirmed=True).act == "returned"
    assert [passage.missing for passage in answer(hospital, Memo()).today.passages] == [2, 0]


def test_the_last_act_is_undone_from_the_desk(hospital: Hospital, archived: int) -> None:
    number = approved(hospital, "clinician", archived)
    out = scan(hospital, BARCODE, scan(hospital, STAFF_NO["clinician"]))
    with hospital.uow("clerk") as uow:
        undone = desk.undo(uow, out).memo
    assert (undone.act, state_of(hospital, number)) == ("undone", "approved")
    with hospital.uow("clerk") as uow:
        assert desk.undo(uow, undone).memo.act == "refused"


def test_the_desk_keeps_codes_and_no_names(hospital: Hospital, archived: int) -> None:
    approved(hospital, "clinician", archived)
    out = scan(hospital, BARCODE, scan(hospital, STAFF_NO["clinician"]))
    assert "甲" not in repr(out)
    assert "刘" not in repr(out)


def test_a_clerk_sees_the_number_and_an_archivist_the_name(hospital: Hospital, archived: int) -> None:
    approved(hospital, "clinician", archived)
    out = scan(hospital, BARCODE, scan(hospital, STAFF_NO["clinician"]))
    titles = []
    for account in ("clerk", "archivist"):
        shown = answer(hospital, out, at=account).answer
        assert shown is not None
        assert shown.node is not None
        titles.append((shown.node.title, shown.node.label[:10]))
    assert titles == [(None, "00218647-2"), ("00218647-2 · 刘婷婷 · 2026-11-12", "00218647-2")]


@pytest.mark.parametrize(
    "account", ["clinician", "head", "auditor", "security", "sysadmin", "stranger", "desk"]
)
def test_the_desk_is_not_for_everybody(hospital: Hospital, archived: int, account: str) -> None:
    number = approved(hospital, "clinician2", archived)
    memo = scan(hospital, BARCODE, Memo("badge", borrower=STAFF_NO["clinician2"]), at=account)
    assert memo.act == "refused"
    assert state_of(hospital, number) == "approved"
    with pytest.raises(Forbidden):
        answer(hospital, Memo(), at=account)


def test_a_sealed_record_is_refused_at_the_desk(hospital: Hospital, archived: int) -> None:
    number = approved(hospital, "clinician", archived)
    seal(hospital, archived)
    memo = scan(hospital, BARCODE, Memo("badge", borrower=STAFF_NO["clinician"]))
    assert memo.act == "refused"
    assert "sealed" in memo.words
    with hospital.uow("clerk", readonly=True) as uow:
        assert slips.one(uow, number).state == "approved"


def test_two_badges_and_a_volume_hand_it_from_one_to_the_other(
    hospital: Hospital, archived: int, clock: Clock
) -> None:
    first, second = approved(hospital, "clinician", archived), approved(hospital, "clinician2", archived)
    scan(hospital, BARCODE, scan(hospital, STAFF_NO["clinician"]))
    clock.forward(minutes=5)
    both = scan(hospital, STAFF_NO["clinician2"], scan(hospital, STAFF_NO["clinician"]))
    passed = scan(hospital, BARCODE, both)
    assert (passed.act, state_of(hospital, first), state_of(hospital, second)) == (
        "handed_on",
        "returned",
        "lent",
    )
    shown = answer(hospital, passed).answer
    assert shown is not None
    assert shown.loan is not None
    assert (shown.look, shown.loan.borrower, shown.can_undo) == ("ok", "clinician2甲", False)
    assert scan(hospital, BARCODE, passed).act == "again"
    nobody = scan(hospital, STAFF_NO["head"], scan(hospital, STAFF_NO["clinician2"]))
    assert scan(hospital, BARCODE, nobody).act == "returned", "the other has not asked for it"


COVER = {
    "number": "00087654-1", "name": "周桂兰", "discharged_on": "2009-03-14", "dept": "1", "badge": STAFF_NO["clinician"],
    "purpose": "discussion", "declared": "1", "sheets": "", "barcode": "", "admitted_on": "", "sex": "",
}  # fmt: skip


def cover_of(hospital: Hospital, **said: str) -> dict[str, str]:
    """What stands on the cover of a file that nobody has catalogued."""
    return COVER | {"dept": str(hospital.wards["CK"])} | said


def take_up(hospital: Hospital, *, at: str = "archivist", before: Memo | None = None, **said: str) -> Memo:
    with hospital.uow(at) as uow:
        return desk_buttons.taken_up(
            uow, before or Memo("unknown", "00087654-1"), cover_of(hospital, **said)
        ).memo


def test_a_file_that_was_never_catalogued_is_registered_while_it_is_handed_out(hospital: Hospital) -> None:
    assert scan(hospital, "00087654-1", at="archivist").act == "unknown"
    assert scan(hospital, "00087654-1").act == "refused", "a clerk describes no records"
    out = take_up(hospital)
    assert (out.act, out.barcode) == ("taken_up", "B00087654-1")
    shown = answer(hospital, out, at="archivist")
    assert shown.answer is not None
    assert shown.answer.loan is not None
    assert (shown.answer.loan.borrower, shown.answer.can_undo) == ("clinician甲", True)
    with hospital.uow("archivist", readonly=True) as uow:
        (node,) = pinpoint.by_number(uow, "00087654-1")
        assert (node.state, node.year, node.archival_no) == ("archived", 2009, "H001-ZY·BL·2009·D30-000001")
        assert "admission" in node.data["note"]
    assert take_up(hospital, before=out) == out, "a form that is sent twice is one volume"
    assert scan(hospital, "00087654-1").act == "returned"
    asked = ask(hospital, "clinician2", node.id, kind="paper")
    assert state_of(hospital, asked) == "requested", "from now on it is asked for as any other"


WRONG: list[tuple[dict[str, str], str]] = [
    ({"number": "8765"}, "number"), ({"number": "00218647-2"}, "number"), ({"number": "00218647-3"}, "number"),
    ({"name": ""}, "name"), ({"discharged_on": ""}, "discharged_on"), ({"discharged_on": "2031-01-01"}, "discharged_on"),
    ({"admitted_on": "2010-01-01"}, "discharged_on"), ({"dept": ""}, "dept"), ({"badge": "9999"}, "badge"),
    ({"badge": STAFF_NO["stranger"]}, "badge"), ({"purpose": "outside"}, "purpose"), ({"declared": ""}, "declared"),
    ({"sheets": "x"}, "sheets"), ({"barcode": BARCODE}, "barcode"), ({"barcode": "_"}, "barcode"),
]  # fmt: skip


def test_what_is_wrong_on_the_cover_is_said_beside_it_and_nothing_is_kept(
    hospital: Hospital, archived: int
) -> None:
    """Also what another record has: the stay, the number under another name, the barcode."""
    for said, field in WRONG:
        with pytest.raises(Invalid) as refused:
            take_up(hospital, **said)
        assert list(refused.value.fields) == [field]
    assert scan(hospital, "00087654-1", at="archivist").act == "unknown"


def test_what_others_approve_is_registered_and_stays(hospital: Hospital) -> None:
    """Research wants the head of the ward and the head of the record room; nobody hands out to themselves either."""
    waits = take_up(hospital, purpose="research")
    assert waits.act == "filed"
    assert scan(hospital, "00087654-1", scan(hospital, STAFF_NO["clinician"])).act == "unasked"
    own = take_up(hospital, number="00087655-1", badge=STAFF_NO["archivist"])
    assert own.act == "filed"


def test_of_two_desks_with_the_same_number_one_registers_it(hospital: Hospital) -> None:
    start, said = Barrier(2), []

    def register(account: str) -> None:
        actor = hospital.actor(account)
        start.wait()
        try:
            hospital.site.run(actor, lambda uow: taking_up.take_up(uow, cover_of(hospital)))
            said.append("out")
        except Invalid as refused:
            said.append(next(iter(refused.fields)))

    threads = [Thread(target=register, args=(account,)) for account in ("archivist", "senior")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["number", "out"]
