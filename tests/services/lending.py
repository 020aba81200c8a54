"""An archived record with a paper volume and pages, and how it is asked for: the beginning of most stories of lending."""

from datetime import date

from archive.models import Node, Request
from archive.services import holdings, places, records, requests, slips, steps, tree
from tests.conftest import RECORD, Hospital

BARCODE = "B00218647-2"
SHELF = "R01-C03-S47-L05"


def archive_it(hospital: Hospital, record: int, *, level: int = 1) -> int:
    """Takes a draft record through the house: bound, scanned, on its shelf, archived."""
    with hospital.uow("senior") as uow:
        node = uow.node(record)
        steps.take(uow, node, "catalogue")
        if uow.session.query(places.Location).filter_by(code=SHELF).first() is None:
            places.add(uow, code=SHELF, title="一库三列", kind="layer")
        holdings.register(uow, node, sheets=64, location=SHELF)
        node.page_count = 64
        for step in ("collected", "arranged"):
            records.mark(uow, node, track="paper", step=step)
        records.reach(uow, node, "scan", "linked")
        steps.take(uow, node, "submit")
        if level != 1:
            tree.set_level(uow, node, level=level, reason="特殊病案")
        steps.take(uow, node, "archive")
    return record


def another(hospital: Hospital, *, mrn: str, ward: str = "CK", name: str = "尹春燕", level: int = 1) -> int:
    """A second archived record."""
    with hospital.uow("archivist") as uow:
        fields = RECORD | {"mrn": mrn, "times": "1", "patient_name": name, "dept": str(hospital.wards[ward])}
        node = tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record", fields=fields)
        number = node.id
    return archive_it(hospital, number, level=level)


def ask(hospital: Hospital, account: str, record: int, *, kind: str = "eread", days: int = 3,
        purpose: str = "discussion") -> str:  # fmt: skip
    """Somebody asks; gives the number of the slip."""
    with hospital.uow(account) as uow:
        return requests.ask(uow, uow.node(record), kind=kind, purpose=purpose, days=days, reason="疑难病例讨论").number


def step(hospital: Hospital, account: str, number: str, name: str, *, reason: str | None = None) -> None:
    """Somebody takes a step with a request."""
    with hospital.uow(account) as uow:
        requests.advance(uow, slips.one(uow, number), name, reason=reason)


def state_of(hospital: Hospital, number: str) -> str:
    with hospital.site.session(readonly=True) as session:
        return str(session.query(Request.state).filter_by(number=number).scalar())


def due_day(hospital: Hospital, moment: object) -> date:
    return moment.date()  # type: ignore[attr-defined, no-any-return]


def level_of(hospital: Hospital, record: int) -> int:
    with hospital.uow("senior", readonly=True) as uow:
        node: Node = uow.node(record)
        return node.level
