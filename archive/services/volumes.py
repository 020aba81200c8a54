"""Caring for volumes: putting right, loss and damage; and the way of each through the house (示踪卡, domain §3.5)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from archive.errors import Conflict, Invalid, Stale
from archive.i18n import _, _l
from archive.models import Container, Holding, HoldingAct, HoldingEvent, HoldingStatus, Node, Principal
from archive.policy.permissions import P
from archive.services import holdings, in_hand, incidents, loans, reconciliation
from archive.services.holdings import LONGEST, STATUSES, counted, node_of, said, shift, trace
from archive.services.incidents import Noticed
from archive.uow import UnitOfWork, action
from archive.workflow import State

TRUSTED: Any = {"scope": "volumes"}
NOW = Noticed()
"""Whoever writes it down has noticed it."""
ON_RETURN = timedelta(days=1)
"""What is found to be damaged so soon after it has come back came back so."""

ACTS = {
    act.name: act
    for act in (
        State(HoldingAct.REGISTERED, _l("Registered")),
        State(HoldingAct.MOVED, _l("Moved on")),
        State(HoldingAct.PACKED, _l("Packed"), "ok"),
        State(HoldingAct.ISSUED, _l("Handed out"), "wait"),
        State(HoldingAct.HANDED_ON, _l("Handed on"), "wait"),
        State(HoldingAct.RETURNED, _l("Taken back"), "ok"),
        State(HoldingAct.CORRECTED, _l("Put right")),
        State(HoldingAct.DAMAGED, _l("Damaged"), "bad"),
        State(HoldingAct.MENDED, _l("Mended"), "ok"),
        State(HoldingAct.LOST, _l("Missing"), "bad"),
        State(HoldingAct.FOUND, _l("Found again"), "ok"),
    )
}


@dataclass(frozen=True)
class Trace:
    """去向: one line of the tracer card."""

    at: datetime
    act: State
    before: State | None
    after: State
    place: str | None
    by: str | None
    to: str | None
    because: str | None


def take_up(uow: UnitOfWork, node: Node, *, barcode: str = "", sheets: int | None = None, condition: str = "",
            where: str = "") -> Holding:  # fmt: skip
    """Registers a volume that stands where a scan says: on a shelf, or in a bag or box. Raises as `register` does."""
    code = where.strip().upper()
    boxed = code and uow.session.scalar(select(Container.id).where(Container.barcode == code)) is not None
    place = {"container": code} if boxed else {"location": code or None}
    return holdings.register(
        uow, node, barcode=barcode.strip() or None, sheets=sheets, condition=condition, **place
    )


@action("holding.corrected", needs=P.HOLDING_PLACE)
def correct(uow: UnitOfWork, holding: Holding, *, barcode: str, sheets: int | None, condition: str | None,
            version: int | None = None) -> None:  # fmt: skip
    """Puts right what was registered. A new barcode means a new label: the old one leads nowhere any more.

    Raises Conflict for a barcode in use, Invalid for what cannot be, Stale when somebody else saved first.
    """
    node = node_of(uow, holding, P.HOLDING_PLACE)
    if version is not None and version != holding.version:
        raise Stale
    was = {"barcode": holding.barcode, "sheets": holding.sheets, "condition": holding.condition}
    if (asked := barcode.strip().upper()) != holding.barcode:
        asked = holdings.checked(uow, asked)
    now = {"barcode": asked, "sheets": counted(sheets), "condition": said(condition)}
    changed = {name: [was[name], value] for name, value in now.items() if value != was[name]}
    try:
        with uow.session.begin_nested():
            holding.barcode, holding.sheets, holding.condition = asked, sheets, said(condition)
    except IntegrityError as error:
        raise Conflict(_("The barcode %(barcode)s is another volume's.", barcode=asked)) from error
    uow.note(**({"barcode": asked} | changed))
    reconciliation.follow(uow, node)
    old = str(was["barcode"])
    trace(uow, node, holding, HoldingAct.CORRECTED, before=holding.status,
          because=f"{old} → {asked}" if asked != old else None)  # fmt: skip


@action("holding.lost", needs=P.HOLDING_PLACE)
def lose(uow: UnitOfWork, holding: Holding, *, because: str, noticed: Noticed = NOW) -> None:
    """下落不明: nobody knows where it is; its place stays known, and the loan of one that is out ends as lost. Raises Conflict
    for a missing one, Invalid.
    """
    node, words = node_of(uow, holding, P.HOLDING_PLACE), _reason(because)
    uow.lock(node)
    uow.session.refresh(holding, with_for_update=True)
    if holding.status == HoldingStatus.MISSING:
        raise Conflict(_("It is missing already."))
    line = None
    if holding.status == HoldingStatus.LENT:
        line = loans.lose(uow, in_hand.lay(uow, holding.barcode))
        trace(uow, node, holding, HoldingAct.LOST, before=HoldingStatus.LENT, because=words)
        uow.note(barcode=holding.barcode, because=words)
    else:
        shift(uow, holding, HoldingAct.LOST, HoldingStatus.MISSING, None, words)
    incidents.begin(uow, node, holding, incidents.LOST, words=words, noticed=noticed, line=line)


@action("holding.found", needs=P.HOLDING_PLACE)
def find(uow: UnitOfWork, holding: Holding, *, because: str, location: str | None = None) -> None:
    """It is there again: on the shelf that is named, else on the table. Raises Conflict when it was not missing."""
    if holding.status != HoldingStatus.MISSING:
        raise Conflict(_("It is not missing."))
    to = HoldingStatus.SHELVED if location else HoldingStatus.PROCESSING
    shift(uow, holding, HoldingAct.FOUND, to, location, _reason(because))


def _reason(words: str) -> str:
    text = words.strip()
    if not text or len(text) > LONGEST:
        raise Invalid(
            fields={"because": _("Say what happened, in at most %(most)d characters.", most=LONGEST)}
        )
    return text


@action("holding.damaged", needs=P.HOLDING_PLACE)
def damage(uow: UnitOfWork, holding: Holding, *, because: str, noticed: Noticed = NOW) -> None:
    """破损: it waits to be mended. Raises Invalid when nobody says what is wrong with it."""
    node = node_of(uow, holding, P.HOLDING_PLACE)
    uow.lock(node)
    uow.session.refresh(holding, with_for_update=True)
    holding.condition, holding.damaged_at = _reason(because), uow.now
    uow.note(barcode=holding.barcode, condition=holding.condition)
    trace(uow, node, holding, HoldingAct.DAMAGED, before=holding.status, because=holding.condition)
    last = in_hand.lay(uow, holding.barcode, lock=False).line
    recent = last is not None and (last.in_at is None or uow.now - last.in_at < ON_RETURN)
    incidents.begin(uow, node, holding, incidents.DAMAGED, words=holding.condition, noticed=noticed,
                    line=last if recent else None)  # fmt: skip


@action("holding.mended", needs=P.HOLDING_PLACE)
def mend(uow: UnitOfWork, holding: Holding, *, because: str) -> None:
    """修复: it can be used again. Raises Conflict when it was not damaged."""
    node = node_of(uow, holding, P.HOLDING_PLACE)
    if holding.damaged_at is None:
        raise Conflict(_("It is not marked as damaged."))
    holding.condition, holding.damaged_at = _reason(because), None
    uow.note(barcode=holding.barcode, condition=holding.condition)
    trace(uow, node, holding, HoldingAct.MENDED, before=holding.status, because=holding.condition)


def trail(uow: UnitOfWork, node: Node, most: int = 50) -> list[Trace]:
    """The way of all volumes of a node through the house, newest first. Needs holding.view."""
    uow.require(P.HOLDING_VIEW, node)
    return _traces(uow, Holding.node_id == node.id, most)


def way(uow: UnitOfWork, holding: Holding, most: int = 200) -> list[Trace]:
    """The way of one volume, newest first, for whoever has come by it through `uow.holding`."""
    return _traces(uow, Holding.id == holding.id, most)


def _traces(uow: UnitOfWork, which: ColumnElement[bool], most: int) -> list[Trace]:
    by, to = aliased(Principal), aliased(Principal)
    rows = uow.session.execute(
        select(HoldingEvent, by.name, to.name)
        .join(Holding, Holding.id == HoldingEvent.holding_id)
        .outerjoin(by, by.id == HoldingEvent.by_id)
        .outerjoin(to, to.id == HoldingEvent.to_id)
        .where(which)
        .order_by(HoldingEvent.id.desc())
        .limit(most),
        execution_options=TRUSTED,
    )
    return [
        Trace(at=step.at, act=ACTS[step.kind], before=STATUSES.get(step.from_status or ""),
              after=STATUSES[step.to_status], place=step.place, by=who, to=whom, because=step.because)
        for step, who, whom in rows
    ]  # fmt: skip
