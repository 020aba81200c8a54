"""借阅制度: what may be asked for, how long, and what stands in the way (domain §10)."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from archive.errors import Invalid
from archive.i18n import _
from archive.models import AuditEvent, Holding, Node, Request, RequestLine
from archive.policy.permissions import P
from archive.schema import clean
from archive.services import holdings, policies, slips
from archive.services.slips import KINDS
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "borrowing"}
LONGEST_REASON = 500


@dataclass(frozen=True)
class Terms:
    """What is asked for, checked against the borrowing rule in force."""

    kind: str
    purpose: str
    days: int
    reason: str | None
    policy_version: int


def limits(uow: UnitOfWork) -> dict[str, dict[str, int]]:
    """Purpose → kind → the most days that may be asked for; paper is counted in working days."""
    purposes = policies.in_force(uow, "loans").body["purposes"]
    return {name: {kind: rule[f"{kind}_days"] for kind in KINDS} for name, rule in purposes.items()}


def checked(uow: UnitOfWork, *, kind: str, purpose: str, days: int | str, reason: str | None) -> Terms:
    """Checks what was typed. Raises Invalid, field by field."""
    errors, allowed = {}, limits(uow)
    wanted = int(days) if str(days).isdecimal() and len(str(days)) < 4 else 0
    if kind not in KINDS:
        errors["kind"] = _("Choose paper or reading on the screen.")
    if purpose not in allowed:
        errors["purpose"] = _("Say what it is for.")
    elif kind in KINDS and not 1 <= wanted <= allowed[purpose][kind]:
        errors["days"] = _("From 1 to %(most)d days for this purpose.", most=allowed[purpose][kind])
    text = clean(reason or "")
    if len(text) > LONGEST_REASON:
        errors["reason"] = _("At most %(most)d characters, please.", most=LONGEST_REASON)
    if errors:
        raise Invalid(fields=errors)
    return Terms(kind, purpose, wanted, text or None, policies.in_force(uow, "loans").version)


def hindrance(uow: UnitOfWork, node: Node, kind: str) -> str | None:
    """Why `node` cannot be had in this kind, or nothing."""
    if kind == "paper":
        bound = select(Holding.id).where(Holding.node_id == node.id).limit(1)
        if uow.session.scalar(bound, execution_options=TRUSTED) is None:
            return _("No paper volume of this is registered.")
        return None
    if uow.can(P.READ, node):
        return _("You can read this already.")
    if holdings.carrier_of(uow, node) not in {"electronic", "dual"}:
        return _("This has not been scanned yet. Ask for the paper.")
    return None


def own_hindrance(uow: UnitOfWork) -> str | None:
    """What of the asker's own stands in the way of a new request, whatever it is for; or nothing."""
    rule = policies.in_force(uow, "loans").body["limits"]
    if rule["blocked_while_overdue"] and is_blocked(uow, uow.actor.principal_id):
        return _("You have a volume that is overdue. Bring it back first.")
    own = Request.requester_id == uow.actor.principal_id
    mine = slips.visible(uow, func.count(Request.id)).where(own, slips.is_open(uow))
    if (uow.session.scalar(mine) or 0) >= rule["open_requests"]:
        return _("You have %(most)d open requests. Wait until some are done.", most=rule["open_requests"])
    return None


def too_many_by_number(uow: UnitOfWork) -> str | None:
    """Why no more may be asked for by number today, or nothing.

    Their open requests cannot bound this: what is hidden is not counted, and each try is counted, found or not.
    """
    most = policies.in_force(uow, "loans").body["limits"]["open_requests"]
    tries = select(func.count(AuditEvent.id)).where(
        AuditEvent.actor_id == uow.actor.principal_id,
        AuditEvent.action == "request.asked_by_number",
        AuditEvent.at > uow.now - timedelta(days=1),
    )
    if (uow.session.scalar(tries) or 0) < most:
        return None
    return _("You have asked for %(most)d records by number within a day. Go on tomorrow.", most=most)


def is_blocked(uow: UnitOfWork, person: int | None) -> bool:
    """Whether somebody has a volume that should be back."""
    late = (
        select(RequestLine.id)
        .join(Request, Request.id == RequestLine.request_id)
        .where(Request.requester_id == person, RequestLine.in_at.is_(None), RequestLine.due_at < uow.now)
    )
    return uow.session.scalar(late.limit(1)) is not None
