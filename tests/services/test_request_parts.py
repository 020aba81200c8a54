"""Reading exactly the components that were chosen and granted: every other page stays closed, wherever one asks for it."""

from dataclasses import dataclass, replace

import pypdfium2
import pytest
from sqlalchemy import select

from archive.actor import Actor
from archive.errors import Conflict, Forbidden, Invalid, NotFound
from archive.models import AuditEvent, CopyRequest, Patient
from archive.policy.permissions import P
from archive.policy.rights import Overlay
from archive.services import (
    levels,
    pages,
    printouts,
    reading_room,
    request_parts,
    requests,
    search,
    slips,
    staying,
    steps,
    tree,
    viewer,
    workbench,
)
from archive.services.copying import trail
from tests import papers
from tests.archives import begins, once
from tests.conftest import RECORD, Clock, Hospital
from tests.services.lending import cover, rules, step
from tests.services.searching import TEST, archived, component, indexed
from tests.services.test_derive import work_off
from tests.services.test_intake import upload

pytestmark = [pytest.mark.usefixtures("in_english"), once]
TERMS = {"kind": "eread", "purpose": "discussion", "days": 3, "declared": "none"}


@dataclass(frozen=True)
class Scanned:
    record: int
    operation: int
    discharge: int


@begins
def scanned(hospital: Hospital, record: int) -> Scanned:
    """An archived record with a page of its own, and two components."""
    found = Scanned(
        record, component(hospital, record, "手术记录"), component(hospital, record, "出院记录", "CY")
    )
    upload(hospital, "archivist", record, papers.pdf("首页粘连"))
    upload(hospital, "archivist", found.operation, papers.pdf("术中粘连已松解", "续页"), "手术.pdf")
    upload(hospital, "archivist", found.discharge, papers.pdf("出院时粘连无特殊"), "出院.pdf")
    work_off(hospital.site)
    archived(hospital, record)
    indexed(hospital)
    return found


def ask(hospital: Hospital, account: str, of: Scanned, *parts: int) -> str:
    with hospital.uow(account) as uow:
        refs = [str(uow.node(part).uuid) for part in parts]
        return requests.ask(uow, uow.node(of.record), **TERMS, parts=refs).number  # type: ignore[arg-type]


def open_to(hospital: Hospital, account: str, of: Scanned) -> set[int]:
    """What somebody reads of the record: by the object check, by the list, and page by page."""
    with hospital.uow(account, readonly=True) as uow:
        nodes = [uow.node(number) for number in (of.record, of.operation, of.discharge)]
        found = {node.id for node in nodes if uow.can(P.READ, node)}
        assert found == {node.id for node in uow.list(uow.nodes(P.READ))} & {node.id for node in nodes}
        for node in nodes:
            for look in (pages.image, pages.thumbnail, pages.one, viewer.open_page):
                if node.id in found:
                    assert look(uow, node, 1)
                else:
                    with pytest.raises((Forbidden, NotFound)):
                        look(uow, node, 1)
        return found


def test_a_reading_of_one_component_opens_its_pages_and_no_other(
    hospital: Hospital, scanned: Scanned
) -> None:
    with hospital.uow("clinician", readonly=True) as uow:
        labels = [one.label for one in request_parts.choices(uow, uow.node(scanned.record))]
    assert labels == ["operation note (2 pages)", "discharge note (1 page)"]
    number = ask(hospital, "clinician", scanned, scanned.operation)
    assert open_to(hospital, "clinician", scanned) == set()
    step(hospital, "head", number, "approve")
    assert open_to(hospital, "clinician", scanned) == {scanned.operation}
    with hospital.uow("clinician", readonly=True) as uow:
        opened = viewer.open_page(uow, uow.node(scanned.operation), 1, "粘连")
        assert (opened.total, opened.places.total, [part.view.id for part in opened.parts]) == (
            2,
            1,
            [scanned.operation],
        )
        assert [view.id for view in workbench.readable_now(uow)] == [scanned.operation]
        assert len(search.find(uow, "已松解").groups) == 1
        assert search.find(uow, "无特殊").groups == [], "no word of what was not granted is found"
    step(hospital, "clinician", number, "give_back")
    assert open_to(hospital, "clinician", scanned) == set()


def test_a_component_that_leaves_its_record_is_open_by_no_reading_of_it(
    hospital: Hospital, scanned: Scanned
) -> None:
    fields = RECORD | {"mrn": "00300001", "times": "1", "dept": str(hospital.wards["EK"])}
    with hospital.uow("archivist") as uow:
        other = tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record", fields=fields).id
    number = ask(hospital, "clinician", scanned, scanned.operation, scanned.discharge)
    waiting = ask(hospital, "clinician2", scanned, scanned.operation)
    step(hospital, "head", number, "approve")
    assert open_to(hospital, "clinician", scanned) == {scanned.operation, scanned.discharge}
    with hospital.uow("senior") as uow:
        steps.take(uow, uow.node(scanned.record), "correct", reason="误归他人病案")
        tree.move(uow, uow.node(scanned.operation), to=uow.node(other))
    assert reads(hospital, "clinician", scanned) == {scanned.discharge}
    with pytest.raises(Conflict, match="no longer there"), hospital.uow("senior") as uow:
        requests.advance(uow, slips.one(uow, waiting), "approve")
    cover(hospital, scanned.discharge)
    assert reads(hospital, "clinician", scanned) == set(), "in the trash nothing is read"
    cover(hospital, scanned.discharge, Overlay.NONE)
    with hospital.uow("senior") as uow:
        tree.move(uow, uow.node(scanned.operation), to=uow.node(scanned.record))
    assert reads(hospital, "clinician", scanned) == {scanned.discharge}, (
        "what was elsewhere is asked for anew"
    )


def reads(hospital: Hospital, account: str, of: Scanned) -> set[int]:
    """What of the record somebody reads by the list, and by the object check of what they may know of."""
    with hospital.uow(account, readonly=True) as uow:
        found = {node.id for node in uow.list(uow.nodes(P.READ))} & {of.record, of.operation, of.discharge}
        for number in (of.record, of.operation, of.discharge):
            try:
                assert uow.can(P.READ, uow.node(number)) == (number in found)
            except NotFound:
                assert number not in found
        return found


def test_whoever_decides_narrows_what_was_asked_for_and_nobody_else(
    hospital: Hospital, scanned: Scanned
) -> None:
    number = ask(hospital, "clinician", scanned)
    with hospital.uow("head", readonly=True) as uow:
        offered = request_parts.to_narrow(uow, slips.one(uow, number))
        asked = slips.one(uow, number).uuid
    assert len(offered) == 2
    for account in ("clinician", "clinician2", "scanner", "desk"):
        with hospital.uow(account) as uow, pytest.raises((Forbidden, NotFound)):
            request_parts.narrow(uow, slips.one(uow, asked), [offered[0].uuid])
    for wrong in ([], [str(asked)]):
        with hospital.uow("head") as uow, pytest.raises(Invalid):
            request_parts.narrow(uow, slips.one(uow, number), wrong)
    with hospital.uow("head") as uow:
        request_parts.narrow(uow, slips.one(uow, number), [offered[1].uuid])
    with hospital.uow("clinician", readonly=True) as uow:
        assert [part.uuid for part in request_parts.of(uow, slips.one(uow, number))] == [offered[1].uuid]
        assert slips.slip(uow, slips.one(uow, number)).parts == 1
    with hospital.uow("head") as uow, pytest.raises(Invalid):
        request_parts.narrow(uow, slips.one(uow, number), [offered[0].uuid])
    step(hospital, "head", number, "approve")
    assert open_to(hospital, "clinician", scanned) == {scanned.discharge}
    with hospital.uow("head") as uow, pytest.raises(Forbidden):
        request_parts.narrow(uow, slips.one(uow, number), [offered[1].uuid])


def test_only_components_of_that_record_that_one_may_ask_for_are_chosen(
    hospital: Hospital, scanned: Scanned
) -> None:
    with hospital.uow("senior") as uow:
        tree.set_level(uow, uow.node(scanned.discharge), level=3, reason="特殊")
    with hospital.uow("clinician", readonly=True) as uow:
        found = request_parts.choices(uow, uow.node(scanned.record))
        assert len(found) == 1, "one that is more sensitive than its record is not offered"
        refs = {str(uow.node(scanned.record).uuid), found[0].uuid}
    for kind, chosen in (("eread", refs), ("paper", {found[0].uuid})):
        with hospital.uow("clinician", readonly=True) as uow, pytest.raises(Invalid) as wrong:
            request_parts.chosen(uow, uow.node(scanned.record), kind, chosen)
        assert "parts" in wrong.value.fields
    with hospital.uow("senior", readonly=True) as uow:
        hidden = str(uow.node(scanned.discharge).uuid)
    with hospital.uow("clinician") as uow, pytest.raises(Invalid):
        requests.ask(uow, uow.node(scanned.record), **TERMS, parts=[hidden])  # type: ignore[arg-type]
    assert ask(hospital, "clinician", scanned, scanned.operation)
    with hospital.uow("senior", readonly=True) as uow:
        assert staying.reasons(uow, [uow.node(scanned.operation)])[scanned.operation] == [
            "Somebody has asked for it."
        ]


def test_a_granted_copy_is_stamped_numbered_and_logged_and_has_the_granted_pages_alone(
    hospital: Hospital, scanned: Scanned
) -> None:
    with hospital.uow("clinician") as uow:
        refs = [str(uow.node(scanned.operation).uuid)]
        node, terms = uow.node(scanned.record), TERMS | {"purpose": "dispute"}
        number = requests.ask(uow, node, **terms, parts=refs, with_copy=True).number  # type: ignore[arg-type]
    with hospital.uow("clinician") as uow, pytest.raises(Conflict, match="not open"):
        printouts.take(uow, slips.one(uow, number))
    step(hospital, "senior", number, "approve")
    for account in ("clinician2", "senior", "head"):
        with hospital.uow(account) as uow, pytest.raises((Forbidden, NotFound)):
            printouts.take(uow, slips.one(uow, number))
    with hospital.uow("clinician") as uow:
        copy = printouts.take(uow, slips.one(uow, number))
        actor = uow.actor
    with hospital.uow("clinician") as uow, pytest.raises(Conflict, match="have been taken"):
        printouts.take(uow, slips.one(uow, number))
    made = pypdfium2.PdfDocument(b"".join(printouts.file(hospital.site, actor, copy)))
    assert len(made) == 2, "the pages of the component, and no other"
    for place, page in enumerate(made, start=1):
        said = page.get_textpage().get_text_range()
        assert f"DY2026-000001 · {place}/2 · {actor.name} {actor.staff_no} 2026-11-20" in said
    with hospital.site.session(readonly=True) as session:
        logged = select(AuditEvent.object_id).where(AuditEvent.action == "request.copy_taken")
        assert session.scalars(logged).all() == [scanned.record]
    with hospital.uow("senior", readonly=True) as uow:
        patient = uow.session.scalars(select(Patient.id), execution_options=TEST).first()
        told = trail.rows(uow, CopyRequest(patient_id=patient), [uow.node(scanned.record)])
        assert "took pages away as a file" in {what for _day, what, _office, _times in told}, (
            "the patient reads it, too"
        )
    under_way = printouts.file(hospital.site, actor, copy)
    assert next(under_way)
    step(hospital, "senior", number, "revoke", reason="已办结")
    with pytest.raises((Forbidden, NotFound)):
        list(under_way)


def test_a_copy_is_for_the_purposes_of_the_policy_and_whoever_decides_may_leave_it_out(
    hospital: Hospital, scanned: Scanned
) -> None:
    for terms in (TERMS, TERMS | {"purpose": "dispute", "kind": "paper"}):
        with hospital.uow("clinician", readonly=True) as uow, pytest.raises(Invalid) as wrong:
            printouts.checked(uow, str(terms["kind"]), str(terms["purpose"]), wanted=True)
        assert "with_copy" in wrong.value.fields
    with hospital.uow("clinician") as uow:
        node = uow.node(scanned.record)
        number = requests.ask(uow, node, **TERMS | {"purpose": "dispute"}, with_copy=True).number  # type: ignore[arg-type]
        with pytest.raises(Forbidden):
            printouts.refuse(uow, slips.one(uow, number))
    with hospital.uow("senior") as uow:
        printouts.refuse(uow, slips.one(uow, number))
    step(hospital, "senior", number, "approve")
    with hospital.uow("clinician") as uow, pytest.raises(Conflict, match="No stamped copy"):
        printouts.take(uow, slips.one(uow, number))


def test_what_is_read_on_site_opens_by_a_code_in_that_session_alone_and_ends_with_the_visit_or_the_day(
    hospital: Hospital, scanned: Scanned, clock: Clock
) -> None:
    rules(hospital, discussion={"on_site": True})
    number = ask(hospital, "clinician", scanned, scanned.operation)
    with hospital.uow("senior") as uow:
        requests.recuse(uow, slips.one(uow, number), words="患者是我表妹")
    step(hospital, "head", number, "approve")
    with (
        hospital.uow("senior") as uow,
        pytest.raises(Forbidden),
    ):  # whoever does not decide opens nothing either
        reading_room.give(uow, slips.one(uow, number))
    here, elsewhere = (replace(hospital.actor("clinician"), session_id=session) for session in (7, 8))

    def enter(code: str) -> bool:
        with hospital.site.uow(here) as uow:
            return reading_room.enter(uow, slips.one(uow, number), code)

    def reads(reader: Actor) -> set[bool]:
        """The object check, the list and the search, which must say the same."""
        again = replace(hospital.actor("clinician"), session_id=reader.session_id)
        with hospital.site.uow(again, readonly=True) as uow:
            node = uow.node(scanned.operation)
            listed = node.id in {one.id for one in uow.list(uow.nodes(P.READ))}
            return {uow.can(P.READ, node), listed, bool(search.find(uow, "已松解").groups)}

    assert reads(here) == {False}
    with pytest.raises(Conflict, match="no code"):
        enter("000000")
    for account in ("clinician", "clinician2", "scanner", "desk"):
        with hospital.uow(account) as uow, pytest.raises((Forbidden, NotFound)):
            reading_room.give(uow, slips.one(uow, number))
    with hospital.uow("archivist") as uow:
        code = reading_room.give(uow, slips.one(uow, number))
    with hospital.uow("clinician") as uow, pytest.raises(Forbidden):
        reading_room.enter(
            uow, slips.one(uow, number), code
        )  # by no session: a program's token opens nothing
    assert not enter("1" if code == "000000" else "000000")
    assert enter(code)
    assert (reads(here), reads(elsewhere)) == ({True}, {False})
    with pytest.raises(Conflict):
        enter(code)
    with hospital.uow("archivist") as uow:
        reading_room.end(uow, slips.one(uow, number))
    assert reads(here) == {False}
    with hospital.uow("archivist") as uow:
        code = reading_room.give(uow, slips.one(uow, number))
    assert enter(code)
    assert reads(here) == {True}
    clock.forward(hours=15)
    assert reads(here) == {False}, "the reading lasts three days, the visit one"
    with hospital.uow("archivist") as uow:
        code = reading_room.give(uow, slips.one(uow, number))
    clock.forward(minutes=16)
    with pytest.raises(Conflict, match="too old"):
        enter(code)
    with hospital.uow("archivist") as uow:
        code = reading_room.give(uow, slips.one(uow, number))
    for _try in range(reading_room.TRIES):
        assert not enter("no code")
    with pytest.raises(Conflict):
        enter(code)
    with hospital.uow("archivist") as uow:
        code = reading_room.give(uow, slips.one(uow, number))
    with hospital.uow("senior") as uow:
        levels.change(uow, uow.node(scanned.operation), level=2, reason="涉及未成年人")
    assert enter(code)
    with pytest.raises(NotFound):  # it has become more sensitive since the code was given
        reads(here)
