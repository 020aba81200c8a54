"""Requests: asking for a record, deciding, handing out and taking back."""

from uuid import UUID

from flask import request
from pydantic import ValidationError

from archive.blueprints.api import shapes
from archive.blueprints.api.operation import operation
from archive.blueprints.api.section import section
from archive.errors import Invalid, NotFound
from archive.i18n import _
from archive.policy.permissions import P
from archive.services import loans, requests, slips
from archive.services.slips import Slip
from archive.uow import SIGNED_IN, UnitOfWork


def _shown(uow: UnitOfWork, slip: Slip) -> shapes.Request:
    row = slips.one(uow, slip.uuid)
    return shapes.Request(
        uuid=str(slip.uuid), number=slip.number, kind=slip.kind, state=slip.state.name, node=slip.node.uuid,
        url=slip.href, purpose=slip.purpose, days=slip.days, asked_at=slip.asked_at, until=slip.until,
        due_at=slip.due_at, overdue=slip.is_overdue, version=slip.version,
        transitions=[step.name for step in requests.offers(uow, row)],
    )  # fmt: skip


def _body(shape: type[shapes.Asked] | type[shapes.Step]) -> shapes.Asked | shapes.Step:
    try:
        return shape.model_validate(request.get_json(silent=True) or {})
    except ValidationError as error:
        fields = {str(item["loc"][0]): item["msg"] for item in error.errors() if item["loc"]}
        raise Invalid(_("The request body is not as described in openapi.json."), fields=fields) from error


@operation(section, "/requests", needs=P.REQUEST_CREATE, method="POST", gives=shapes.Request, takes=shapes.Asked, status=201)
def ask(uow: UnitOfWork) -> shapes.Request:
    """Asks for a record, to read it (eread) or on paper (paper)."""
    body = _body(shapes.Asked)
    assert isinstance(body, shapes.Asked)
    try:
        node = uow.node(UUID(body.node))
    except ValueError as error:
        raise NotFound from error
    made = requests.ask(uow, node, kind=body.kind, purpose=body.purpose, days=body.days, reason=body.reason)
    return _shown(uow, slips.slip(uow, made))


@operation(section, "/requests", needs=SIGNED_IN, gives=shapes.Requests, query=("show",))
def listed(uow: UnitOfWork) -> shapes.Requests:
    """One's own requests; with show=to_decide those that wait for one's decision."""
    found = requests.to_decide(uow) if request.args.get("show") == "to_decide" else requests.mine(uow)
    return shapes.Requests(items=[_shown(uow, slip) for slip in found])


@operation(
    section, "/requests/<uuid:uuid>/transitions/<name>", needs=SIGNED_IN, method="POST", gives=shapes.Request,
    takes=shapes.Step,
)  # fmt: skip
def advance(uow: UnitOfWork, uuid: UUID, name: str) -> shapes.Request:
    """Decides, withdraws, hands out (issue) or takes back (return); the last two with the volume's barcode."""
    row, body = slips.one(uow, uuid), _body(shapes.Step)
    assert isinstance(body, shapes.Step)
    if name == "issue":
        loans.issue(uow, row, barcode=body.barcode or "", sheets=body.sheets)
    elif name == "return":
        loans.take_back(uow, body.barcode or "", sheets=body.sheets, confirmed=body.confirmed)
    else:
        requests.advance(uow, row, name, reason=body.reason)
    return _shown(uow, slips.slip(uow, row))
