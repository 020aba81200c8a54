"""The guards that workflows name: why a step cannot be taken now, in a sentence."""

from collections.abc import Mapping

from sqlalchemy import func, select

from archive.i18n import _
from archive.models import BatchVolume, Holding, HoldingStatus, Node, Representation, Request, ScanBatch
from archive.policy.workflows import BATCH
from archive.services import absences, approvals, conflicts, frozen, lacking, numbers, parts, records
from archive.services.scanning import batches
from archive.uow import UnitOfWork
from archive.workflow import Guard

TRUSTED = {"scope": "guards"}


def not_the_requester(uow: UnitOfWork, request: Request) -> str | None:
    """Nobody decides their own request: separation of duties."""
    if request.requester_id == uow.actor.principal_id:
        return _("Ask somebody else to decide this: nobody decides their own request.")
    return None


def no_conflict(uow: UnitOfWork, request: Request) -> str | None:
    """Nobody decides who has declared that they are related to the patient."""
    return conflicts.objection(uow, request)


def not_the_deputy(uow: UnitOfWork, request: Request) -> str | None:
    """Whoever stands in for somebody does not decide what that person asks for."""
    return absences.objection(uow, request)


def in_turn(uow: UnitOfWork, request: Request) -> str | None:
    """An office gives its opinion when the ones before it have."""
    return approvals.not_my_turn(uow, request)


def all_heard(uow: UnitOfWork, request: Request) -> str | None:
    """Whoever decides comes last, and is who the rule says."""
    return approvals.not_heard(
        uow, request, uow.session.get_one(Node, request.node_id, execution_options=TRUSTED)
    )


def by_the_rule(uow: UnitOfWork, request: Request) -> str | None:
    """Refusing need not wait for the others, but is no business of whom the rule does not let decide."""
    return approvals.not_by_rule(uow, request)


def paper_goes_out(uow: UnitOfWork, request: Request) -> str | None:
    """What lies in sealed packages is promised to nobody."""
    node = uow.session.get_one(Node, request.node_id, execution_options=TRUSTED)
    return _("The paper is sealed: it goes out to nobody.") if frozen.all_volumes(uow, node) else None


def bundle_allows(uow: UnitOfWork, request: Request) -> str | None:
    """A large bundle goes out in parts, with the papers that the policy asks for."""
    return parts.objection(uow, request)


def has_pages_or_paper(uow: UnitOfWork, node: Node) -> str | None:
    """A description without anything described is not ready."""
    pages = select(func.coalesce(func.sum(Node.page_count), 0)).where(
        Node.path >= node.path, Node.path < node.path_end
    )
    paper = select(func.count(Holding.id)).where(Holding.node_id == node.id)
    if uow.session.scalar(pages, execution_options=TRUSTED) or uow.session.scalar(
        paper, execution_options=TRUSTED
    ):
        return None
    return _("Upload pages, or register the paper volume, before you submit it.")


def every_page_made(uow: UnitOfWork, node: Node) -> str | None:
    """Nobody reviews what is still being made."""
    pending = (
        select(func.count(Representation.id))
        .join(Node, Node.id == Representation.node_id)
        .where(Node.path >= node.path, Node.path < node.path_end, Representation.state == "pending")
    )
    if uow.session.scalar(pending, execution_options=TRUSTED):
        return _("Wait until all pages have been made; the job shows how far it is.")
    return None


def number_rule_known(uow: UnitOfWork, node: Node) -> str | None:
    return numbers.objection(uow, node)


def gates_hold(uow: UnitOfWork, node: Node) -> str | None:
    """归档门槛: the milestones that the hospital's policy asks for (domain §4.1)."""
    missing, _total = records.gate(uow, node)
    return _("Before archiving: %(steps)s.", steps=_(", ").join(missing)) if missing else None


def nothing_lacks(uow: UnitOfWork, node: Node) -> str | None:
    """缺件: what a record must have is there, or somebody has said why not (domain §5)."""
    if not (codes := lacking.blocking(uow, node)):
        return None
    names = _(", ").join(lacking.named(uow, codes))
    return _(
        "Missing: %(names)s. Scan or upload it, or say on the tab Reconciliation why it is not there.",
        names=names,
    )


def nobody_has_it(uow: UnitOfWork, node: Node) -> str | None:
    """A volume in somebody's hands is not corrected meanwhile."""
    out = select(Holding.id).where(Holding.node_id == node.id, Holding.status == HoldingStatus.LENT).limit(1)
    if uow.session.scalar(out, execution_options=TRUSTED) is not None:
        return _("The volume is lent. Take it back first.")
    return None


def not_being_scanned(uow: UnitOfWork, node: Node) -> str | None:
    """What is archived is read-only: a batch that is not accepted could mend nothing any more."""
    under_way = [state.name for state in BATCH.states if state.name not in batches.SETTLED]
    batch = (
        select(ScanBatch.number)
        .join(BatchVolume, BatchVolume.batch_id == ScanBatch.id)
        .where(BatchVolume.node_id == node.id, ScanBatch.state.in_(under_way))
        .limit(1)
    )
    number = uow.session.scalar(batch, execution_options=TRUSTED)
    return None if number is None else batches.told(uow, number)


GUARDS: Mapping[str, Guard] = {
    guard.__name__: guard
    for guard in (
        not_the_requester,
        no_conflict,
        not_the_deputy,
        in_turn,
        all_heard,
        by_the_rule,
        paper_goes_out,
        bundle_allows,
        has_pages_or_paper,
        every_page_made,
        number_rule_known,
        gates_hold,
        nothing_lacks,
        nobody_has_it,
        not_being_scanned,
    )
}
