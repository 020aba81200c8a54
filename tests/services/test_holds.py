"""A seal over a record: nobody reads, lends or changes it, and everybody who saw that it exists still does."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from archive.errors import Conflict, Forbidden, Invalid, NotFound
from archive.i18n import speaking
from archive.journal import CHANGES, words_of
from archive.models import AuditEvent, Node
from archive.policy.permissions import P
from archive.services import holds, requests, steps, tree
from tests.conftest import CAST, Hospital
from tests.services.lending import approved, archive_it, issue, shelf, step

WHY = "患方申请封存病历复制件"


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    with speaking("en"):
        yield


@pytest.fixture
def archived(hospital: Hospital, record: int) -> int:
    """An archived record with an operation note, its volume on a shelf."""
    with hospital.uow("archivist") as uow:
        fields = {"title": "手术记录", "component": "SSJL", "date_from": "2026-11-10"}
        tree.add(uow, uow.node(record), kind="component", fields=fields)
    return archive_it(hospital, record, location=shelf(hospital))


def seal(hospital: Hospital, record: int) -> None:
    with hospital.uow("archivist") as uow:
        holds.apply(uow, uow.node(record), reason=WHY)


def held(hospital: Hospital, account: str, record: int) -> set[P]:
    with hospital.uow(account, readonly=True) as uow:
        return {permission for permission in P if uow.can(permission, uow.node(record, needs=P.DISCOVER))}


def test_nobody_reads_what_is_sealed_nor_what_lies_in_it(hospital: Hospital, archived: int) -> None:
    with hospital.uow("clinician") as uow:
        paper = uow.nodes(P.DISCOVER).where(Node.parent_id == archived)
        (item,) = (node.id for node in uow.session.scalars(paper))
    seal(hospital, archived)
    for account in CAST:
        with hospital.uow(account, readonly=True) as uow:
            for number in (archived, item):
                with pytest.raises((Forbidden, NotFound)):
                    uow.node(number, needs=P.READ)


def test_a_reading_that_is_under_way_ends(hospital: Hospital, archived: int) -> None:
    approved(hospital, "clinician", archived, kind="eread")
    assert P.READ in held(hospital, "clinician", archived)
    seal(hospital, archived)
    assert P.READ not in held(hospital, "clinician", archived)


def test_a_sealed_record_is_neither_changed_nor_asked_for_nor_taken_back_for_correcting(
    hospital: Hospital, archived: int
) -> None:
    seal(hospital, archived)
    shut = {P.EDIT, P.MOVE, P.TRASH, P.PRINT, P.REQUEST_CREATE, P.EDIT_LIFECYCLE}
    assert not held(hospital, "senior", archived) & shut
    with hospital.uow("senior") as uow:
        node = uow.node(archived)
        assert steps.offers(uow, node) == []
        with pytest.raises(Forbidden):
            steps.take(uow, node, "correct", reason="补页")


def test_it_is_known_to_be_there(hospital: Hospital, archived: int) -> None:
    before = held(hospital, "clinician", archived)
    seal(hospital, archived)
    assert held(hospital, "clinician", archived) == before - {P.REQUEST_CREATE}


@pytest.mark.parametrize("account", sorted(CAST))
def test_who_seals_and_who_takes_the_seal_off(hospital: Hospital, archived: int, account: str) -> None:
    try:
        with hospital.uow(account) as uow:
            holds.apply(uow, uow.node(archived), reason=WHY)
    except (Forbidden, NotFound):
        assert account not in {"archivist", "senior"}
        seal(hospital, archived)
    else:
        assert account in {"archivist", "senior"}
    try:
        with hospital.uow(account) as uow:
            holds.release(uow, uow.node(archived), reason="双方共同启封")
    except (Forbidden, NotFound):
        assert account != "senior"
    else:
        assert account == "senior"


def test_once_it_is_off_all_is_as_before(hospital: Hospital, archived: int) -> None:
    before = held(hospital, "archivist", archived)
    seal(hospital, archived)
    with hospital.uow("senior") as uow:
        node = uow.node(archived)
        assert node.hold_count == 1
        holds.release(uow, node, reason="双方共同启封")
        assert node.hold_count == 0
    assert held(hospital, "archivist", archived) == before


def test_the_reason_stands_in_the_journal(hospital: Hospital, archived: int) -> None:
    seal(hospital, archived)
    with hospital.site.session(readonly=True) as session:
        event = session.scalars(select(AuditEvent).where(AuditEvent.action == "hold.applied")).one()
        assert (event.actor, event.object_id) == ("archivist", archived)
        assert words_of(session, CHANGES, event.id, hospital.site.keys)["reason"] == WHY


@pytest.mark.parametrize("reason", ["", "  ", "因" * 501])
def test_a_seal_has_a_reason(hospital: Hospital, archived: int, reason: str) -> None:
    with pytest.raises(Invalid), hospital.uow("archivist") as uow:
        holds.apply(uow, uow.node(archived), reason=reason)


def test_nothing_is_sealed_twice_and_no_seal_taken_off_that_is_not_there(
    hospital: Hospital, archived: int
) -> None:
    with pytest.raises(Conflict), hospital.uow("senior") as uow:
        holds.release(uow, uow.node(archived), reason="无")
    seal(hospital, archived)
    with pytest.raises(Conflict):
        seal(hospital, archived)


def test_a_lent_volume_comes_back_first(hospital: Hospital, archived: int) -> None:
    issue(hospital, approved(hospital, "clinician", archived))
    with pytest.raises(Conflict, match="lent"):
        seal(hospital, archived)


def test_a_part_of_a_record_is_not_sealed(hospital: Hospital, archived: int) -> None:
    with hospital.uow("archivist") as uow:
        (part,) = uow.session.scalars(uow.nodes(P.HOLD_APPLY).where(Node.parent_id == archived))
        with pytest.raises(Conflict):
            holds.apply(uow, part, reason=WHY)


def test_a_draft_is_not_sealed(hospital: Hospital, record: int) -> None:
    with pytest.raises(Forbidden), hospital.uow("senior") as uow:
        holds.apply(uow, uow.node(record), reason=WHY)


def test_a_request_for_a_sealed_record_waits(hospital: Hospital, archived: int) -> None:
    with hospital.uow("clinician") as uow:
        number = requests.ask(uow, uow.node(archived), kind="paper", purpose="treatment", days=3).number
    seal(hospital, archived)
    with pytest.raises(Forbidden):
        step(hospital, "senior", number, "approve")
