"""科研批次: a large bundle goes out in parts, more people are asked, and the ethics committee has approved it (domain §10)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, not_, or_, select
from sqlalchemy.orm import aliased

from archive.i18n import _
from archive.models import Request, RequestBundle
from archive.policy.offices import OFFICES
from archive.services import policies
from archive.uow import UnitOfWork


@dataclass(frozen=True)
class InBundle:
    """Where a request stands in a bundle, and which offices are asked besides those of its rule."""

    bundle: int
    part: int = 1
    also: tuple[str, ...] = ()
    is_large: bool = False
    """Whether no rule opens it at once."""


@dataclass(frozen=True)
class Plan:
    """How a bundle of so many records goes out: in how many parts of which size, who is asked besides, and by which papers."""

    parts: int
    each: int
    also: tuple[str, ...]
    ethics: bool

    def at(self, bundle: RequestBundle, place: int) -> InBundle:
        """Where the record at a place of the list stands, counted from 0."""
        return InBundle(bundle.id, place // self.each + 1, self.also, is_large=self.parts > 1)


def plan(uow: UnitOfWork, purpose: str, many: int) -> Plan:
    """What the policy says of a bundle of so many records for a purpose."""
    rule = _rule(uow)
    if purpose not in rule["purposes"] or many <= rule["over"]:
        return Plan(1, max(many, 1), (), ethics=False)
    return Plan(-(-many // rule["each"]), rule["each"], tuple(rule["also"]), ethics=rule["ethics"])


def is_study(uow: UnitOfWork, purpose: str) -> bool:
    """Whether the policy treats a purpose as a study: images and texts are not de-identified, and the page says so."""
    return purpose in _rule(uow)["purposes"]


def _rule(uow: UnitOfWork) -> Mapping[str, Any]:
    found: Mapping[str, Any] = policies.in_force(uow, "loans").body["studies"]
    return found


def chain(approvers: Sequence[str], also: Sequence[str]) -> list[str]:
    """The offices of a rule with those that are asked besides, before the one that decides; nobody where nobody is asked."""
    more = [code for code in also if code not in approvers]
    if not approvers:
        return []
    order = list(OFFICES)
    return [*sorted([*approvers[:-1], *more], key=order.index), approvers[-1]]


def is_due(uow: UnitOfWork) -> ColumnElement[bool]:
    """Requests that stand in no bundle, or in a part that may go out: nothing of another part of it is out."""
    other = aliased(Request)
    reading = and_(other.state == "active", other.until > uow.now)
    out = exists().where(
        other.bundle_id == Request.bundle_id,
        other.part != Request.part,
        or_(other.state.in_(("approved", "lent")), reading),
    )
    return or_(Request.bundle_id.is_(None), not_(out))


def hold(uow: UnitOfWork, *bundles: int | None) -> None:
    """Before records of bundles are decided: whoever decides others of them meanwhile waits, and sees that these are out; and
    what is decided at one time is told once. Bundles are locked before records, and of several the eldest first.
    """
    known = [number for number in bundles if number is not None]
    if known:
        mine = select(RequestBundle.id).where(RequestBundle.id.in_(known)).order_by(RequestBundle.id)
        uow.session.execute(mine.with_for_update())


def objection(uow: UnitOfWork, request: Request) -> str | None:
    """Why a record of a bundle cannot be granted yet, or nothing."""
    if request.bundle_id is None:
        return None
    bundle = uow.session.get_one(RequestBundle, request.bundle_id)
    if bundle.ethics_due and bundle.ethics_blob_id is None:
        return _(
            "The approval of the ethics committee is not attached yet. Whoever asks attaches it on the page of the bundle."
        )
    if bundle.parts == 1:
        return None
    due = uow.session.scalar(select(Request.id).where(Request.id == request.id, is_due(uow)))
    return (
        None
        if due is not None
        else _("Another part of this bundle is out. The next one follows when it is back.")
    )
