"""Moving a node through its workflow; its items go with it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from archive import classes
from archive.errors import Conflict, Invalid
from archive.i18n import _
from archive.models import Node
from archive.policy.permissions import P
from archive.policy.workflows import WORKFLOWS
from archive.services import branches, numbers, records, tree
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
    return node


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
    numbers.assign(uow, node)
    _number_items(uow, node)
    node.retain_until = records.retain_until(uow, node)
    if node.type == "medical_record":
        uow.session.flush()
        for other in records.siblings(uow, node):
            if other.archival_no:
                other.retain_until = records.retain_until(uow, other)


def _number_items(uow: UnitOfWork, node: Node) -> None:
    items = (
        select(Node)
        .where(Node.parent_id == node.id, Node.workflow == "inherited")
        .order_by(Node.position, Node.id)
    )
    for place, item in enumerate(uow.session.scalars(items, execution_options={"scope": "steps"}), start=1):
        if item.archival_no is None:
            item.archival_no = f"{node.archival_no}-{place:03d}"
            numbers.rename(uow, item, f"{place:03d}")
