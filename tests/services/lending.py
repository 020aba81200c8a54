"""An archived record with a paper volume and pages, and how it is asked for: where stories of lending begin."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import select, update

from archive.actor import Actor
from archive.journal import Event
from archive.models import Patient, PolicyVersion, Request
from archive.policy.rights import Overlay
from archive.services import (
    branches,
    holdings,
    loans,
    places,
    policies,
    records,
    requests,
    slips,
    steps,
    tree,
)
from tests.conftest import RECORD, Hospital

BARCODE = "B00218647-2"
SHELF = "R01-C03-S47-L05"


def shelf(hospital: Hospital) -> str:
    """A shelf for the volumes."""
    with hospital.uow("senior") as uow:
        places.add(uow, code=SHELF, title="三列四十七架五层", kind="layer")
    return SHELF


def archive_it(hospital: Hospital, record: int, *, location: str | None = None, level: int = 1) -> int:
    """Takes a draft record through the house: collected, scanned, archived, its paper of 64 sheets on a shelf."""
    with hospital.uow("senior") as uow:
        node = uow.node(record)
        steps.take(uow, node, "catalogue")
        holdings.register(uow, node, sheets=64, location=location)
        node.page_count = 64
        for step in ("collected", "arranged"):
            records.mark(uow, node, track="paper", step=step)
        records.reach(uow, node, "scan", "linked")
        steps.take(uow, node, "submit")
        if level != node.level:
            tree.set_level(uow, node, level=level, reason="特殊病案")
        steps.take(uow, node, "archive")
    return record


def another(hospital: Hospital, *, mrn: str, ward: str = "CK", name: str = "尹春燕", level: int = 1,
            location: str | None = None) -> int:  # fmt: skip
    """One more archived record."""
    fields = RECORD | {"mrn": mrn, "times": "1", "patient_name": name, "dept": str(hospital.wards[ward])}
    with hospital.uow("archivist") as uow:
        number = tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record", fields=fields).id
    return archive_it(hospital, number, level=level, location=location)


def ask(hospital: Hospital, account: str, record: int, *, kind: str = "eread", purpose: str = "discussion",
        days: int = 3) -> str:  # fmt: skip
    """Somebody asks; gives the number of the slip."""
    with hospital.uow(account) as uow:
        return requests.ask(
            uow, uow.node(record), kind=kind, purpose=purpose, days=days, reason="多次剖宫产", declared="none"
        ).number


def step(hospital: Hospital, account: str, number: str, name: str, *, reason: str | None = None) -> None:
    """Somebody takes a step with a request."""
    with hospital.uow(account) as uow:
        requests.advance(uow, slips.one(uow, number), name, reason=reason)


def approved(hospital: Hospital, account: str, record: int, *, kind: str = "paper", purpose: str = "discussion",
             days: int = 3) -> str:  # fmt: skip
    """What somebody asked for and the senior archivist approved."""
    number = ask(hospital, account, record, kind=kind, purpose=purpose, days=days)
    step(hospital, "senior", number, "approve")
    return number


def issue(hospital: Hospital, number: str, barcode: str = BARCODE, *, at: str = "clerk") -> None:
    """The clerk hands the volume out."""
    with hospital.uow(at) as uow:
        loans.issue(uow, slips.one(uow, number), barcode=barcode)


def state_of(hospital: Hospital, number: str) -> str:
    """What stands in the row."""
    with hospital.site.session(readonly=True) as session:
        return str(session.scalar(select(Request.state).where(Request.number == number)))


def stands(hospital: Hospital, number: str, state: str) -> None:
    """A request stands as an older version of the program has left it."""
    with hospital.site.uow(Actor.system("test")) as uow:
        written = update(Request).where(Request.number == number).values(state=state)
        uow.session.execute(written, execution_options={"scope": "test", "synchronize_session": False})
        uow.record(Event("test.changed"))


def cover(hospital: Hospital, record: int, overlay: Overlay = Overlay.TRASHED) -> None:
    """Lays a seal, or the trash, over a record."""
    with hospital.uow("senior") as uow:
        node = uow.node(record)
        node.overlay_own = int(overlay)
        uow.session.flush()
        branches.reclassify(uow, node)
        uow.record(Event("test.covered"))


def rules(hospital: Hospital, **changed: dict[str, object]) -> None:
    """The hospital changes some of its lending rules: code of the rule → what is new in it."""
    _adopt(
        hospital, "rules", lambda known: {code: rule | changed.get(code, {}) for code, rule in known.items()}
    )


def numbers(hospital: Hospital, part: str, **changed: int) -> None:
    """The hospital changes numbers of one part of its lending policy: its limits, its bundles, its studies."""
    _adopt(hospital, part, lambda known: known | changed)


def _adopt(hospital: Hospital, part: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    with hospital.site.uow(Actor.system("test")) as uow:
        known = policies.in_force(uow, "loans")
        body = known.body | {part: change(known.body[part])}
        uow.session.add(PolicyVersion(kind="loans", version=known.version + 1, body=body, source=known.source,
                                      adopted_at=uow.now, valid_from=uow.now))  # fmt: skip
        uow.record(Event("test.changed"))


def merged(hospital: Hospital, mrn: str, into: str) -> None:
    """One number is given up for another: it is the same patient."""
    with hospital.site.uow(Actor.system("test")) as uow:
        kept = select(Patient.id).where(Patient.mrn == into).scalar_subquery()
        given_up = update(Patient).where(Patient.mrn == mrn).values(merged_into=kept)
        uow.session.execute(given_up, execution_options={"scope": "test", "synchronize_session": False})
