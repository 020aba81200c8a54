"""纸电核对: the paper and the pages of a file are counted against each other, and what does not agree is noted.

What a page change settles is settled in its own transaction; mismatches are opened by the worker, when nobody is at it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from threading import Event
from typing import Any

from sqlalchemy import func, select, update

from archive.actor import Actor
from archive.models import DualMismatch, Node, Principal, Representation, User
from archive.policy.rights import Overlay
from archive.services import calendar, mismatch_news, policies, tracks
from archive.services.tracks import Tracks, within
from archive.site import Site
from archive.uow import PROGRAM, UnitOfWork, action

TRUSTED: Any = {"scope": "reconciliation", "synchronize_session": False}
COUNT = "count"
"""The cause of what is wrong with a number, not with one component or page."""
CHUNK = 500


Cause = tuple[str, str]
"""Kind and cause of a mismatch."""
Counts = tuple[int | None, int | None]


def differences(uow: UnitOfWork, one: Tracks) -> dict[Cause, Counts]:
    """What does not agree of a file that is scanned, each with the two counts where there are such."""
    if not one.scanned or not one.volumes:
        return {}
    found: dict[Cause, Counts] = {}
    if one.counted is not None and one.outcome != "uncounted" and one.counted != one.pages:
        kind = "missing_page" if one.pages < one.counted else "extra_page"
        found[kind, COUNT] = (one.counted, one.pages)
    if one.sides is not None and one.sheets is not None and not one.sheets <= one.sides <= 2 * one.sheets:
        found["number_differs", COUNT] = (one.sheets, one.sides)
    if one.is_parted and one.node.type == "medical_record":
        found |= {
            ("missing_component", part.code): (None, None)
            for part in tracks.wanted(uow, one.node, one.parts)
            if part.missing
        }
    return found


@dataclass
class Plan:
    """What is to be changed of the mismatches of one file."""

    tracks: Tracks
    opening: dict[Cause, Counts] = field(default_factory=dict)
    gone: list[DualMismatch] = field(default_factory=list)
    recounted: list[tuple[DualMismatch, Counts]] = field(default_factory=list)

    @property
    def is_nothing(self) -> bool:
        return self.tracks.node.dual == self.tracks.outcome and not self.changes_mismatches

    @property
    def changes_mismatches(self) -> bool:
        return bool(self.opening or self.gone or self.recounted)


def planned(uow: UnitOfWork, found: Sequence[Tracks]) -> Iterator[Plan]:
    """Of each file what its mismatches should become. What a person has closed as it is stays closed."""
    ids = [one.node.id for one in found]
    rows = select(DualMismatch).where(DualMismatch.node_id.in_(ids)).order_by(DualMismatch.id)
    known: dict[int, dict[Cause, DualMismatch]] = {number: {} for number in ids}
    for row in uow.session.scalars(rows, execution_options=TRUSTED):
        known[row.node_id][row.kind, row.cause] = row
    for one in found:
        yield _plan(one, differences(uow, one), known[one.node.id])


def _plan(one: Tracks, differing: dict[Cause, Counts], last: dict[Cause, DualMismatch]) -> Plan:
    plan = Plan(one)
    if not one.scanned and one.volumes:  # half a scan settles nothing
        return plan
    for cause, counts in differing.items():
        row = last.get(cause)
        if row is not None and row.closed_at is None:
            if (row.expected, row.found) != counts:
                plan.recounted.append((row, counts))
        elif row is None or row.closed_by is None or (row.expected, row.found) != counts:
            plan.opening[cause] = counts
    by_program = (row for row in last.values() if row.closed_at is None and row.opened_by is None)
    plan.gone = [row for row in by_program if (row.kind, row.cause) not in differing]
    return plan


def follow(uow: UnitOfWork, home: Node) -> None:
    """Part of an act that changed the pages or the paper of a file: what it has settled is closed. Opens nothing."""
    if home.type not in dual_types(uow):
        return
    uow.session.flush()
    for plan in planned(uow, tracks.of(uow, [home])):
        _keep_outcome(uow, plan.tracks)
        _close(uow, plan)


def dual_types(uow: UnitOfWork) -> list[str]:
    """双套制: the types that the hospital keeps on both carriers."""
    return list(policies.in_force(uow, "checklist").body["dual"]["types"])


def _keep_outcome(uow: UnitOfWork, one: Tracks) -> None:
    """Without a new version of the node: nobody's open form becomes stale by it."""
    if one.node.dual != one.outcome:
        changed = update(Node).where(Node.id == one.node.id).values(dual=one.outcome)
        uow.session.execute(changed, execution_options=TRUSTED)
        uow.session.expire(one.node, ["dual"])


def _close(uow: UnitOfWork, plan: Plan) -> None:
    for row, counts in plan.recounted:
        row.expected, row.found = counts
    for row in plan.gone:
        row.closed_at, row.closed_by = uow.now, None
    if plan.gone:
        uow.note(settled=[row.kind for row in plan.gone])
    uow.session.flush()


@action("node.reconciled", needs=PROGRAM)
def reconcile(uow: UnitOfWork, node: Node) -> int:
    """Brings the mismatches of a file to what its tracks say; gives how many were opened."""
    uow.lock(node)
    opened: list[DualMismatch] = []
    for plan in planned(uow, tracks.of(uow, [node])):
        _keep_outcome(uow, plan.tracks)
        _close(uow, plan)
        for (kind, cause), counts in plan.opening.items():
            opened.append(add(uow, node, kind=kind, cause=cause, counts=counts))
        uow.note(opened=[kind for kind, _cause in plan.opening])
    mismatch_news.tell(uow, node, opened)
    return len(opened)


def add(uow: UnitOfWork, node: Node, *, kind: str, cause: str, counts: Counts = (None, None),
        note: str | None = None) -> DualMismatch:  # fmt: skip
    """Part of an act: one more thing to be seen to, by whoever scanned it last, within the days of the policy."""
    days = policies.in_force(uow, "checklist").body["limits"]["due_working_days"]
    made = DualMismatch(
        node_id=node.id, kind=kind, cause=cause, expected=counts[0], found=counts[1], note=note,
        owner_id=_last_scanner(uow, node), due_on=calendar.add_working_days(uow, uow.today, days),
        opened_at=uow.now, opened_by=uow.actor.principal_id,
    )  # fmt: skip
    uow.session.add(made)
    uow.session.flush()
    return made


def _last_scanner(uow: UnitOfWork, node: Node) -> int | None:
    """Whoever brought the newest pages, if they still work here."""
    newest = (
        select(Principal.id)
        .join(Representation, Representation.created_by == Principal.id)
        .join(User, User.id == Principal.id)
        .where(Representation.node_id.in_(select(Node.id).where(within([node.id]))), User.disabled_at.is_(None))
        .order_by(Representation.id.desc())
        .limit(1)
    )  # fmt: skip
    return uow.session.scalar(newest, execution_options=TRUSTED)


def sweep(site: Site, stop: Event | None = None) -> int:
    """Looks through all files that are kept on both carriers; gives how many were changed. Whoever is killed begins again."""
    actor, changed = Actor.system("reconcile"), 0
    with site.session(readonly=True) as session:
        last, highest = 0, session.scalar(select(func.max(Node.id)), execution_options=TRUSTED) or 0
    while last < highest and not (stop and stop.is_set()):
        with site.uow(actor, readonly=True) as uow:
            plans, last = _due(uow, last, highest)
        if plans:
            site.run(actor, partial(_outcomes, numbers=list(plans)))
        for number, differs in plans.items():
            if differs:
                site.run(actor, partial(_one, number=number))
        changed += len(plans)
    return changed


def _due(uow: UnitOfWork, after: int, highest: int) -> tuple[dict[int, bool], int]:
    """The files among the next ones of which something is to be changed, whether of their mismatches; and how far that went."""
    live = (Node.overlay != int(Overlay.TRASHED), Node.state != "destroyed")
    some = select(Node).where(Node.id > after, Node.type.in_(dual_types(uow)), *live).order_by(Node.id)
    nodes = uow.session.scalars(some.limit(CHUNK), execution_options=TRUSTED).all()
    plans = [plan for plan in planned(uow, tracks.of(uow, nodes)) if not plan.is_nothing]
    due = {plan.tracks.node.id: plan.changes_mismatches for plan in plans}
    return due, nodes[-1].id if len(nodes) == CHUNK else highest


def _outcomes(uow: UnitOfWork, numbers: list[int]) -> None:
    """The outcomes of many files in one transaction: no act, and so no event for each of a million."""
    nodes = select(Node).where(Node.id.in_(numbers))
    for one in tracks.of(uow, uow.session.scalars(nodes, execution_options=TRUSTED).all()):
        _keep_outcome(uow, one)


def _one(uow: UnitOfWork, number: int) -> None:
    node = uow.session.get(Node, number, execution_options=TRUSTED)
    if node is not None:
        reconcile(uow, node)
