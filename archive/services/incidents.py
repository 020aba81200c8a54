"""异常登记: lost and damaged volumes. They begin and end with what is done with the volume itself (`volumes`, `holdings`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import aliased

from archive.errors import Conflict, Invalid, NotFound, Stale
from archive.i18n import _, _l
from archive.models import Holding, Incident, Node, Principal, Request, RequestLine
from archive.policy.permissions import P
from archive.schema import clean
from archive.services import notices, numbers, policies, roster
from archive.sight import NodeView, views
from archive.uow import UnitOfWork, action
from archive.workflow import State

TRUSTED: Any = {"scope": "incidents"}
LOST, DAMAGED = "lost", "damaged"
KINDS = {LOST: _l("Lost"), DAMAGED: _l("Damaged")}
STATES = {
    state.name: state
    for state in (
        State("open", _l("Looked into"), "bad"),
        State("found", _l("Found again"), "ok", final=True),
        State("reconstructed", _l("Reconstructed"), "run"),
        State("closed", _l("Closed"), "idle", final=True),
    )
}
LONGEST, LONGEST_NAME = 200, 80
MOST = 200


@dataclass(frozen=True)
class Noticed:
    """Who noticed it and when, where that is not whoever writes it down, and now."""

    by: str = ""
    on: str = ""


@dataclass(frozen=True)
class Seen:
    """异常: one incident as somebody sees it who handles the volume."""

    uuid: UUID
    number: str
    kind: str
    title: str
    state: State
    barcode: str
    node: NodeView
    words: str
    noticed_by: str
    noticed_on: date
    made_at: datetime
    made_by: str
    borrower: str | None
    slip: UUID | None
    slip_number: str | None
    ended_at: datetime | None
    outcome: str | None
    rebuilt: str | None
    """The barcode of the volume that was printed in its stead."""
    version: int

    @property
    def is_open(self) -> bool:
        return not self.state.final


def begin(uow: UnitOfWork, node: Node, holding: Holding, kind: str, *, words: str, noticed: Noticed,
          line: RequestLine | None = None) -> None:  # fmt: skip
    """Part of an act: what has just been found missing or damaged is written down, and told to whom the policy names. One that
    is open already stays the one.
    """
    by, on = _noticed(uow, noticed)
    known = select(Incident.id).where(
        Incident.holding_id == holding.id, Incident.kind == kind, Incident.state == "open"
    )
    if uow.session.scalar(known, execution_options=TRUSTED) is not None:
        return
    made = Incident(
        number=numbers.slip(uow, "SG", 4), kind=kind, holding_id=holding.id, line_id=line.id if line else None, words=words,
        noticed_by=by, noticed_on=on, made_at=uow.now, made_by=uow.actor.principal_id,
    )  # fmt: skip
    uow.session.add(made)
    uow.session.flush()
    uow.note(incident=made.number)
    roles = set(policies.in_force(uow, "incidents").body["told"][kind])
    people = [one.id for one in roster.everybody(uow).values() if one.roles & roles]
    notices.incident(uow, f"incident.{kind}", made.number, node, people)


def _noticed(uow: UnitOfWork, noticed: Noticed) -> tuple[str | None, date]:
    """Raises Invalid for a day to come and for a novel."""
    by, wrong, on = clean(noticed.by), {}, uow.today
    if len(by) > LONGEST_NAME:
        wrong["noticed_by"] = _("At most %(most)d characters.", most=LONGEST_NAME)
    try:
        on = date.fromisoformat(clean(noticed.on)) if clean(noticed.on) else uow.today
    except ValueError:
        wrong["noticed_on"] = _("Write the date like 2026-11-21.")
    if on > uow.today:
        wrong["noticed_on"] = _("This day is still to come.")
    if wrong:
        raise Invalid(fields=wrong)
    return by or None, on


@action("incident.closed", needs=P.HOLDING_PLACE)
def close(uow: UnitOfWork, ref: UUID, *, words: str, version: int) -> None:
    """了结: nothing more is done about it, and why. The volume stays as it is. Raises NotFound, Stale, Conflict, Invalid."""
    row, _holding, node = taken(uow, ref, version)
    text = clean(words)
    if not text or len(text) > LONGEST:
        raise Invalid(fields={"words": _("Say what happened, in at most %(most)d characters.", most=LONGEST)})
    uow.about(node)
    row.state, row.ended_at, row.ended_by, row.outcome = "closed", uow.now, uow.actor.principal_id, text
    uow.note(incident=row.number, outcome=text)


def taken(uow: UnitOfWork, ref: UUID, version: int) -> tuple[Incident, Holding, Node]:
    """Part of an act: the row to be changed, with its volume and record, locked. Raises NotFound, Stale, Conflict for
    one that has ended.
    """
    wanted: Any = (
        uow.nodes(P.HOLDING_PLACE, Incident, Holding, Node)
        .join(Holding, Holding.node_id == Node.id)
        .join(Incident, Incident.holding_id == Holding.id)
        .where(Incident.uuid == ref)
    )
    found = uow.session.execute(wanted).first()
    if found is None:
        raise NotFound
    row, holding, node = found
    uow.lock(node)
    uow.session.refresh(row, with_for_update=True)
    if row.version != version:
        raise Stale
    if STATES[row.state].final:
        raise Conflict(_("This has ended already."))
    return row, holding, node


def listed(uow: UnitOfWork, *, everything: bool = False) -> list[Seen]:
    """What is open, or all of it, of the volumes that the actor handles, the newest first."""
    wanted = _rows(uow).order_by(Incident.id.desc()).limit(MOST)
    return _seen(uow, wanted if everything else wanted.where(Incident.state.in_(("open", "reconstructed"))))


def of_volume(uow: UnitOfWork, barcode: str) -> list[Seen]:
    """The incidents of one volume, and the one for which it was printed, for whoever handles it."""
    return _seen(uow, _rows(uow).where(Holding.barcode == barcode).order_by(Incident.id.desc()))


def one(uow: UnitOfWork, ref: UUID) -> Seen:
    """One incident. Raises NotFound."""
    found = _seen(uow, _rows(uow).where(Incident.uuid == ref))
    if not found:
        raise NotFound
    return found[0]


def _rows(uow: UnitOfWork) -> Select[Any]:
    maker, borrower, rebuilt = aliased(Principal), aliased(Principal), aliased(Holding)
    rows: Select[Any] = (
        uow.nodes(P.HOLDING_PLACE, Incident, Holding.barcode, Node, maker.name, borrower.name, Request.uuid, Request.number,
                  rebuilt.barcode)
        .join(Holding, Holding.node_id == Node.id)
        .join(Incident, Incident.holding_id == Holding.id)
        .outerjoin(maker, maker.id == Incident.made_by)
        .outerjoin(RequestLine, RequestLine.id == Incident.line_id)
        .outerjoin(Request, Request.id == RequestLine.request_id)
        .outerjoin(borrower, borrower.id == Request.requester_id)
        .outerjoin(rebuilt, rebuilt.id == Incident.rebuilt_id)
    )  # fmt: skip
    return rows


def _seen(uow: UnitOfWork, statement: Select[Any]) -> list[Seen]:
    rows = uow.session.execute(statement).all()
    found = views(uow, [row[2] for row in rows])
    return [_one(row, view) for row, view in zip(rows, found, strict=True)]


def _one(row: Any, view: NodeView) -> Seen:
    made, barcode, _node, maker, borrower, slip, number, rebuilt = row
    return Seen(
        made.uuid, made.number, made.kind, str(KINDS[made.kind]), STATES[made.state], barcode, view, made.words,
        made.noticed_by or maker or "", made.noticed_on, made.made_at, maker or "", borrower, slip, number, made.ended_at,
        made.outcome, rebuilt, made.version,
    )  # fmt: skip


def told(typed: Mapping[str, str]) -> Noticed:
    """Who noticed it and when, as it was typed."""
    return Noticed(typed.get("noticed_by", ""), typed.get("noticed_on", ""))
