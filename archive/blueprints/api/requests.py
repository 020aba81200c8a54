"""Requests: asking for a record, deciding, handing out and taking back."""

from typing import Any
from uuid import UUID

from archive.blueprints.api import shapes
from archive.blueprints.api.operation import operation
from archive.blueprints.api.section import section
from archive.errors import Invalid, Stale
from archive.i18n import _
from archive.policy.permissions import P
from archive.services import loans, requests, slips
from archive.services.sheet_counts import Seen
from archive.services.slips import Slip
from archive.uow import SIGNED_IN, UnitOfWork


def _shown(uow: UnitOfWork, slip: Slip, row: Any) -> shapes.Request:
    return shapes.Request(
        uuid=str(slip.uuid), number=slip.number, kind=slip.kind, state=slip.state.name, node=slip.node.uuid,
        url=slip.href, purpose=slip.purpose, days=slip.days, asked_at=slip.asked_at, until=slip.until,
        due_at=slip.due_at, overdue=slip.is_overdue, version=slip.version,
        transitions=[step.name for step in requests.offers(uow, row)],
    )  # fmt: skip


@operation(
    section,
    "/requests",
    needs=P.REQUEST_CREATE,
    method="POST",
    gives=shapes.Request,
    takes=shapes.Asked,
    status=201,
)
def ask(uow: UnitOfWork, body: shapes.Asked) -> shapes.Request:
    """Asks for a record, to read it (eread) or on paper (paper)."""
    wanted = body.model_dump(exclude={"node"})
    made = requests.ask(uow, uow.node(body.node), **wanted)
    return _shown(uow, slips.slip(uow, made), made)


@operation(section, "/requests", needs=SIGNED_IN, gives=shapes.Requests, query=shapes.RequestsAsked)
def listed(uow: UnitOfWork, asked: shapes.RequestsAsked) -> shapes.Requests:
    """One's own requests; with show=to_decide those that wait for one's decision."""
    found = requests.to_decide(uow) if asked.show == "to_decide" else requests.mine(uow)
    rows = slips.rows(uow, [slip.uuid for slip in found])
    return shapes.Requests(items=[_shown(uow, slip, rows[slip.uuid]) for slip in found])


@operation(
    section, "/requests/<uuid:uuid>/transitions/<name>", needs=SIGNED_IN, method="POST", gives=shapes.Request,
    takes=shapes.Step, matches=True,
)  # fmt: skip
def advance(uow: UnitOfWork, uuid: UUID, name: str, body: shapes.Step, version: int | None) -> shapes.Request:
    """Decides, withdraws, hands out (issue) or takes back (return); the last two with the volume's barcode."""
    row = slips.one(uow, uuid)
    if version is not None and row.version != version:
        raise Stale(_("Somebody else has decided this meanwhile. Reload the page."))
    if name in requests.AT_THE_DESK:
        _over_the_desk(uow, row, name, body)
    else:
        requests.advance(uow, row, name, reason=body.reason)
    return _shown(uow, slips.slip(uow, row), row)


def _over_the_desk(uow: UnitOfWork, row: Any, name: str, body: shapes.Step) -> None:
    if not body.barcode:
        raise Invalid(fields={"barcode": _("This field must be filled in.")})
    seen = Seen(body.sheets, confirmed=body.confirmed, intact=body.intact)
    if name == "issue":
        loans.issue(uow, row, barcode=body.barcode, seen=seen)
    else:
        loans.take_back(uow, body.barcode, seen=seen, only=row)
