"""What is sealed, as one person may see it: on the record's page, in the list, on the printed slip."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import aliased

from archive.errors import NotFound
from archive.models import Hold, HoldNode, Node, Principal
from archive.policy.permissions import P
from archive.services import holds, manifests, policies, unsealing
from archive.services.manifests import Line
from archive.services.parties import People
from archive.sight import NodeView, views
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "sealed"}
MOST = 200
"""What is sealed is worked off by review day; nobody reviews more in one go."""


@dataclass(frozen=True)
class Seal:
    """封存: one package, its record, and how far its review is away."""

    uuid: UUID
    number: str
    kind: str
    node: NodeView
    asked_by: str
    parties: People
    paper: str
    kept_at: str
    key_no: str
    said: dict[str, str]
    """夜间封存: what stood on the cover, where the package was sealed by that."""
    reason: str
    digest: str
    pages: int
    volumes: list[dict[str, Any]]
    review_due: date
    review: str
    """How the review day looks: ok, wait when it is near, bad when it is past, nothing when the seal is off."""
    sealed_at: datetime
    sealed_by: str
    released_at: datetime | None
    released_by: str
    ground: str
    release_parties: People
    release_paper: str | None
    release_reason: str | None
    objection: str | None
    """Why the actor cannot take it off, though their role may."""
    may_release: bool
    may_review: bool


def may_know(uow: UnitOfWork, node: Node) -> bool:
    """Whether the actor may know who sealed a record, when and why."""
    return uow.can(P.HOLD_APPLY, node) or uow.can(P.HOLD_RELEASE, node)


def _visible(uow: UnitOfWork) -> Select[Any]:
    sealer, opener = aliased(Principal), aliased(Principal)
    everything: tuple[Any, ...] = (Hold, Node, sealer.name, opener.name)
    statement = (
        select(*everything)
        .join(HoldNode, HoldNode.hold_id == Hold.id)
        .join(Node, Node.id == HoldNode.node_id)
        .outerjoin(sealer, sealer.id == Hold.sealed_by)
        .outerjoin(opener, opener.id == Hold.released_by)
        .where(or_(uow.access.clause(P.HOLD_APPLY), uow.access.clause(P.HOLD_RELEASE)))
    )
    return statement.execution_options(**TRUSTED)


def _seals(uow: UnitOfWork, statement: Select[Any]) -> list[Seal]:
    rows = uow.session.execute(statement).all()
    seen = views(uow, [row[1] for row in rows])
    return [_seal(uow, row, view) for row, view in zip(rows, seen, strict=True)]


def _seal(uow: UnitOfWork, row: Any, view: NodeView) -> Seal:
    hold, node, sealer, opener = row
    words = policies.vocabulary
    on = hold.released_at is None
    may = on and uow.can(P.HOLD_RELEASE, node)
    return Seal(
        uuid=hold.uuid, number=hold.number, kind=hold.kind, node=view,
        asked_by=words(uow, "hold_asker").get(hold.asked_by, hold.asked_by), parties=hold.parties, paper=hold.paper,
        kept_at=hold.kept_at, key_no=hold.key_no, said=hold.manifest.get("said", {}), reason=hold.reason, digest=hold.digest,
        pages=len(hold.manifest["pages"]), volumes=hold.manifest["volumes"], review_due=hold.review_due,
        review=_review(uow, hold), sealed_at=hold.sealed_at, sealed_by=sealer or "", released_at=hold.released_at,
        released_by=opener or "", ground=words(uow, "hold_ground").get(hold.release_ground or "", ""),
        release_parties=hold.release_parties or [], release_paper=hold.release_paper, release_reason=hold.release_reason,
        objection=unsealing.objection(uow, hold) if may else None, may_release=may,
        may_review=on and uow.can(P.HOLD_APPLY, node),
    )  # fmt: skip


def _review(uow: UnitOfWork, hold: Hold) -> str:
    if hold.released_at is not None:
        return ""
    if hold.review_due < uow.today:
        return "bad"
    near = uow.today + timedelta(days=holds.limits(uow)["near_days"])
    return "wait" if hold.review_due <= near else "ok"


def over(uow: UnitOfWork, node: Node) -> list[Seal]:
    """The seals that lie over a record, oldest first; nothing for whoever may not know of them."""
    if not node.hold_count or not may_know(uow, node):
        return []
    mine = _visible(uow).where(Node.id == node.id, Hold.released_at.is_(None))
    return _seals(uow, mine.order_by(Hold.id))


def listing(uow: UnitOfWork, *, released: bool = False) -> list[Seal]:
    """What is sealed, the next review first; or what was released, newest first; legal holds among them."""
    if released:
        statement = (
            _visible(uow)
            .where(Hold.released_at.is_not(None))
            .order_by(Hold.released_at.desc(), Hold.id.desc())
        )
    else:
        statement = _visible(uow).where(Hold.released_at.is_(None)).order_by(Hold.review_due, Hold.id)
    return _seals(uow, statement.limit(MOST))


def to_review(uow: UnitOfWork) -> int:
    """How many seals are near their review day or past it."""
    near = uow.today + timedelta(days=holds.limits(uow)["near_days"])
    due = (
        _visible(uow)
        .with_only_columns(func.count(Hold.id))
        .where(Hold.released_at.is_(None), Hold.review_due <= near)
    )
    return uow.session.scalar(due.order_by(None)) or 0


@dataclass(frozen=True)
class Slip:
    """封存清单: the seal with everything that lies in the package."""

    seal: Seal
    hold: Hold
    supplement_of: str | None
    lines: list[Line]
    is_whole: bool
    """Whether the list still has the digest that was signed."""


def one(uow: UnitOfWork, ref: UUID) -> Slip:
    """A seal with its list. Raises NotFound for one of a record whose seals the actor may not know."""
    row = uow.session.execute(_visible(uow).where(Hold.uuid == ref)).first()
    if row is None:
        raise NotFound
    hold = row[0]
    former = select(Hold.number).where(Hold.id == hold.supplement_of_id)
    number = uow.session.scalar(former, execution_options=TRUSTED) if hold.supplement_of_id else None
    seal = _seal(uow, row, views(uow, [row[1]])[0])
    whole = manifests.digest(hold.manifest) == hold.digest
    return Slip(seal, hold, number, manifests.lines(hold.manifest), whole)
