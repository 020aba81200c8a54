"""Moving a node through its workflow; its items go with it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from archive import classes
from archive.errors import Conflict, Invalid, NotFound
from archive.i18n import _
from archive.models import Node
from archive.policy.permissions import P
from archive.policy.workflows import WORKFLOWS
from archive.services import branches, notices, numbers, policies, records, tree
from archive.services.attempts import MOST, Outcome, each
from archive.services.guards import GUARDS
from archive.uow import UnitOfWork
from archive.workflow import Transition, objections

TRUSTED: Any = {"scope": "steps", "synchronize_session": False}


@dataclass(frozen=True)
class Offer:
    """A step that this person may take, with what still stands in its way."""

    step: Transition
    reasons: list[str]


def offers(uow: UnitOfWork, node: Node) -> list[Offer]:
    """The steps out of the node's state for which the actor has the permission; never one that would be refused."""
    found = [step for step in WORKFLOWS[node.workflow].steps(node.state) if uow.can(P(step.needs), node)]
    return [Offer(step, objections(step, GUARDS, uow, node)) for step in found]


def take(
    uow: UnitOfWork, node: Node, name: str, *, version: int | None = None, reason: str | None = None
) -> Node:
    """Takes the step `name`. Raises Conflict in the wrong state or against a guard, Stale when others saved first."""
    step = WORKFLOWS[node.workflow].transition(name)
    if step is None:
        raise Conflict(_("There is no such step."))
    uow.lock(node)
    uow.require(P(step.needs), node)
    if node.state not in step.sources:
        raise Conflict(_("This has been done already, or the record is in another state. Reload the page."))
    if version is not None:
        tree.unchanged(node, version)
    if step.asks_reason and not (reason or "").strip():
        raise Invalid(fields={"reason": _("Say why, in a sentence.")})
    if refusals := objections(step, GUARDS, uow, node):
        raise Conflict(" ".join(refusals))
    with uow.act(f"node.{step.name}", node):
        uow.note(step=step.name, state=[node.state, step.target], reason=reason)
        _arrive(uow, node, step.target)
        if step.name == "send_back":
            notices.sent_back(uow, node)
    return node


def take_many(
    uow: UnitOfWork, refs: Iterable[UUID], name: str, *, within: Node | None = None
) -> list[Outcome]:
    """Takes one step with several nodes, `within` a folder if one is named; one refused does not hold up the others."""

    def one(ref: UUID) -> None:
        node = uow.node(ref)
        if within is not None and node.parent_id != within.id:
            raise NotFound
        take(uow, node, name)

    wanted = list(refs)
    known = uow.nodes(P.DISCOVER).where(Node.uuid.in_(wanted[:MOST]))
    uow.lock_all(uow.list(known))  # all records before the branches, which the first step locks
    return each(uow, wanted, one)


def take_in(uow: UnitOfWork, node: Node) -> None:
    """Part of an act: what has stood in the archive since before it was catalogued is archived as it is, without the gates."""
    _arrive(uow, node, "archived")


def _arrive(uow: UnitOfWork, node: Node, state: str) -> None:
    classes.alone(uow.session, node)
    node.state, node.updated_at, node.updated_by = state, uow.now, uow.actor.principal_id
    if state == "archived":
        _archive(uow, node)
    uow.session.flush()
    items = select(Node).where(Node.path > node.path, Node.path < node.path_end, Node.workflow == "inherited")
    below = list(uow.session.scalars(items.order_by(Node.position), execution_options=TRUSTED))
    if below:
        ids = [item.id for item in below]
        uow.session.execute(
            update(Node).where(Node.id.in_(ids)).values(state=state), execution_options=TRUSTED
        )
    branches.reclassify(uow, node)
    uow.enqueue("index", node, *below)


def _archive(uow: UnitOfWork, node: Node) -> None:
    """Number, slug and retention in the transaction that archives; a readmission moves the patient's other records."""
    uow.note(policies=policies.used(uow, "checklist", "gates", "numbering", "retention"))
    numbers.assign(uow, node)
    _number_items(uow, node)
    node.retain_until = records.retain_until(uow, node)
    if node.type == "medical_record":
        uow.session.flush()
        for other in records.siblings(uow, node):
            if other.archival_no:
                other.retain_until = records.retain_until(uow, other)


def _number_items(uow: UnitOfWork, node: Node) -> None:
    """What lies in the trash is not archived with its file."""
    items = (
        select(Node)
        .where(Node.parent_id == node.id, Node.workflow == "inherited", Node.trashed_at.is_(None))
        .order_by(Node.position, Node.id)
    )
    found = list(uow.session.scalars(items, execution_options=TRUSTED))
    fresh = [item for item in found if item.archival_no is None]
    # A number is never given twice, not even that of an item which has since been moved to another file.
    given = numbers.draw_many(uow, f"items:{node.archival_no}", len(fresh), beyond=_highest(node, found))
    for place, item in zip(given, fresh, strict=True):
        item.archival_no = f"{node.archival_no}-{place:03d}"
        numbers.rename(uow, item, f"{place:03d}")


def _highest(file: Node, items: list[Node]) -> int:
    """The highest item number below `file`: an import may have brought numbers that nothing here has drawn."""
    lead = f"{file.archival_no}-"
    tails = [(item.archival_no or "").removeprefix(lead) for item in items]
    return max((int(tail) for tail in tails if tail.isdecimal()), default=0)
