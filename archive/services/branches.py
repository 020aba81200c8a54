"""What a branch takes from its top: worked out at once; in a large branch by a job, which finds it closed to everybody."""

from typing import Any

from sqlalchemy import delete, func, select

from archive import classes
from archive.i18n import _l
from archive.models import ClosedBranch, Job, Node
from archive.policy.types import TYPES
from archive.services.handlers import JobRun, handles
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "branches", "synchronize_session": False}
INLINE = 20_000
"""Branches up to this many nodes are classified in the same transaction; larger ones by a job."""
KIND, MOVING = "branch.classify", "branch.move"
"""The jobs while which a branch is closed."""


def reclassify(uow: UnitOfWork, node: Node) -> None:
    """Works out the classes of a node and its branch again, after any change of them.

    A container that hands down what it did before leaves everything below it alone. Else a branch of more than
    INLINE nodes is closed to everybody, its owner too, until a job has worked it out: rights that nobody knows yet
    are no rights.
    """
    classes.alone(uow.session, node)
    before = classes.handed_down(node)
    parent = uow.session.get_one(Node, node.parent_id, execution_options=TRUSTED)
    classes.classify(uow.session, node, parent)
    uow.session.flush()
    # The items of a file have just taken its state and department, whatever else it hands down.
    stays = TYPES[node.type].rank != "file" and classes.handed_down(node) == before
    if stays or not has_children(uow, node):
        classes.expand_below(uow.session, node)
    elif is_large(uow, node):
        uow.session.add(ClosedBranch(path_from=node.path, path_end=node.path_end))
        uow.job(KIND, node=node, priority=1)
    else:
        _work_out(uow, node)
        uow.session.refresh(node)


def _work_out(uow: UnitOfWork, node: Node) -> int:
    """Classifies a branch; whatever has another level now is told to the index. Gives how many nodes changed."""
    worked = classes.classify_branch(uow.session, node)
    uow.enqueue_ids("index", worked.relevelled)
    return worked.count


def has_children(uow: UnitOfWork, node: Node) -> bool:
    """Whether anything lies below a node, whoever may know of it."""
    child = select(Node.id).where(Node.parent_id == node.id, Node.id != node.id).limit(1)
    return uow.session.scalar(child, execution_options=TRUSTED) is not None


def is_large(uow: UnitOfWork, node: Node) -> bool:
    """Whether a branch has more nodes than are classified while somebody waits."""
    within = select(Node.id).where(Node.path >= node.path, Node.path < node.path_end)
    counted = select(func.count()).select_from(within.limit(INLINE + 1).subquery())
    return (uow.session.scalar(counted, execution_options=TRUSTED) or 0) > INLINE


def is_closed(uow: UnitOfWork, node: Node) -> bool:
    """Whether a node lies in a branch that is being worked out, read afresh: somebody's change may just have closed it."""
    around = select(ClosedBranch.id).where(
        ClosedBranch.path_from <= node.path, ClosedBranch.path_end > node.path
    )
    return uow.session.scalar(around.limit(1)) is not None


def carry_closed(uow: UnitOfWork, old: str, new: str) -> None:
    """What is closed within a branch stays closed in its new place; its jobs find it by its node."""
    inside = select(ClosedBranch).where(
        ClosedBranch.path_from >= old, ClosedBranch.path_from < f"{old[:-1]}0"
    )
    for closed in uow.session.scalars(inside):
        closed.path_from = new + closed.path_from[len(old) :]
        closed.path_end = f"{closed.path_from[:-1]}0"


def open_again(uow: UnitOfWork, node: Node) -> int:
    """Classifies a closed branch and opens it. Gives how many nodes changed.

    Where it lies within another closed branch it stays closed with that one, whose job works it out once more.
    """
    count = _work_out(uow, node)
    uow.session.execute(delete(ClosedBranch).where(ClosedBranch.path_from == node.path))
    return count


@handles(KIND, label=_l("Working out who may see a branch"), stoppable=False)
def classify(run: JobRun) -> dict[str, Any]:
    """Classifies the branch in one transaction: killed half-way, it is as closed as before, and begun anew.

    It cannot be stopped: the branch would stay closed.
    """
    with run.uow() as uow:
        node = uow.session.get(Node, run.node_id, execution_options=TRUSTED)
        count = open_again(uow, node) if node is not None else 0
        run.progress(count, count, uow=uow)
    return {"records": count}


def forgotten(uow: UnitOfWork) -> int:
    """How many branches are closed although no job works on any: their job has failed, and waits for somebody."""
    closed = uow.session.scalar(select(func.count(ClosedBranch.id))) or 0
    if not closed:
        return 0
    live = select(func.count(Job.id)).where(
        Job.kind.in_((KIND, MOVING)), Job.state.in_(("waiting", "running"))
    )
    return 0 if uow.session.scalar(live) else closed
