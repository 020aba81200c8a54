"""Moving a large branch: the top at once, the rest by a job, step by step, while the branch is closed to everybody."""

from typing import Any

from sqlalchemy import delete, func, select, update

from archive import classes
from archive.db import executed
from archive.i18n import _l
from archive.models import ClosedBranch, Node, base32
from archive.policy.permissions import P
from archive.services import branches, placing, reindexing, tree
from archive.services.handlers import JobRun, handles
from archive.uow import UnitOfWork, action

TRUSTED: Any = {"scope": "relocation", "synchronize_session": False}
STEP = 5_000
"""So many rows are carried in one transaction: others write in between."""


def size(uow: UnitOfWork, node: Node) -> int:
    """How many nodes a branch has, the top with them."""
    below = select(func.count(Node.id)).where(Node.path >= node.path, Node.path < node.path_end)
    return uow.session.scalar(below, execution_options=TRUSTED) or 0


def move(uow: UnitOfWork, node: Node, *, to: Node, before: int = 0) -> bool:
    """Moves a branch, at once or, a large one, by a job; gives whether it is done. Raises as `tree.move`.

    `before`: how many nodes this transaction has moved already: many branches are as long as a large one.
    """
    count = size(uow, node)
    if before + count > branches.INLINE:
        _begin(uow, node, to=to, count=count)
        return False
    tree.move(uow, node, to=to)
    return True


@action("node.moved", needs=P.MOVE)
def _begin(uow: UnitOfWork, node: Node, *, to: Node, count: int) -> None:
    tree.check_place(uow, node, to)
    uow.note(parent=[node.parent_id, to.id], count=count)
    old, deeper = node.path, to.depth + 1 - node.depth
    new = f"{to.path}{base32(node.id)}/"
    branches.carry_closed(uow, old, new)
    close(uow, node)
    top = update(Node).where(Node.id == node.id).values(path=new, depth=node.depth + deeper)
    uow.session.execute(top, execution_options=TRUSTED)
    placing.hang(uow, node, to)
    close(uow, node)
    uow.job(branches.MOVING, node=node, priority=1, total=count, **{"from": old, "deeper": deeper})


def close(uow: UnitOfWork, node: Node) -> None:
    """Closes a branch to everybody until a job has worked out its classes."""
    uow.session.add(ClosedBranch(path_from=node.path, path_end=node.path_end))
    uow.session.flush()


@handles(branches.MOVING, label=_l("Moving a branch"), stoppable=False)
def carry(run: JobRun) -> dict[str, Any]:
    """Carries what is still at the old place, then classifies all and opens it. A killed job goes on where it was."""
    done = run.done
    while True:
        with run.uow() as uow:
            node = uow.session.get_one(Node, run.node_id, execution_options=TRUSTED)
            moved = _step(uow, node, run.args["from"], run.args["deeper"])
            done += moved
            if not moved:
                count = _open(uow, node, run.args["from"])
                run.progress(count, count, uow=uow)
                return {"records": count}
            run.progress(done, uow=uow)


def _step(uow: UnitOfWork, node: Node, old: str, deeper: int) -> int:
    classes.alone(uow.session, node)
    left = select(Node.id).where(Node.path >= old, Node.path < f"{old[:-1]}0").order_by(Node.path).limit(STEP)
    place = {"path": node.path + func.substr(Node.path, len(old) + 1), "depth": Node.depth + deeper}
    carried = update(Node).where(Node.id.in_(left)).values(place)
    return executed(uow.session, carried, TRUSTED).rowcount


def _open(uow: UnitOfWork, node: Node, old: str) -> int:
    branches.open_again(uow, node)
    uow.session.execute(delete(ClosedBranch).where(ClosedBranch.path_from == old), execution_options=TRUSTED)
    uow.session.refresh(node)
    reindexing.with_items(uow, node)
    return size(uow, node)
