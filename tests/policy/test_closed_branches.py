"""A large branch is closed to everybody while its classes are worked out, whatever happens to the job or around it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from archive import classes, worker
from archive.errors import NotFound
from archive.models import ClosedBranch, Job, Node
from archive.policy.permissions import P
from archive.services import branches, handlers, jobs, queue, sharing, tree
from archive.services import trash as keeping
from archive.services.health import check
from tests.conftest import Clock, Hospital
from tests.policy.test_branches import SCOPE, another_record, may_read, series_of, share

Change = Callable[[Hospital, int], None]


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(branches, "INLINE", 0)


def level(hospital: Hospital, record: int) -> None:
    with hospital.uow("senior") as uow:
        tree.set_level(uow, uow.node(uow.node(record).parent_id), level=2, reason="锁定")


def shared(hospital: Hospital, record: int) -> None:
    share(hospital, series_of(hospital, record), "desk")


def block(hospital: Hospital, record: int) -> None:
    with hospital.uow("senior") as uow:
        sharing.set_inheritance(uow, uow.node(uow.node(record).parent_id), inherits=False)


def trash(hospital: Hospital, record: int) -> None:
    with hospital.uow("senior") as uow:
        tree.add(uow, uow.node(record), kind="component", fields={"title": "手术记录", "component": "SSJL"})
        keeping.trash(uow, uow.node(record))


def move(hospital: Hospital, record: int) -> None:
    """Into a place with shares of its own."""
    share(hospital, hospital.categories["WS"], "clinician2")
    work(hospital)
    with hospital.uow("senior") as uow:
        tree.move(uow, uow.node(uow.node(record).parent_id), to=hospital.category(uow, "WS"))


def work(hospital: Hospital) -> None:
    while worker.take_one(hospital.site, "test"):
        pass


def closed(hospital: Hospital) -> list[str]:
    with hospital.site.session(readonly=True) as session:
        return sorted(session.scalars(select(ClosedBranch.path_from)))


def discovers(hospital: Hospital, number: int) -> bool:
    with hospital.uow("senior", readonly=True) as uow:
        node = uow.session.get_one(Node, number, execution_options=SCOPE)
        return P.DISCOVER in uow.access.permissions(node)


@pytest.mark.each_on_both
@pytest.mark.parametrize("change", [level, shared, block, trash, move], ids=lambda change: change.__name__)
def test_whatever_changes_a_large_branch_closes_it_until_the_job_is_done(
    hospital: Hospital, record: int, change: Change
) -> None:
    change(hospital, record)
    assert len(closed(hospital)) == 1
    assert not discovers(hospital, record)
    with hospital.uow("senior") as uow, pytest.raises(NotFound):
        uow.node(record)
    work(hospital)
    assert closed(hospital) == []
    assert discovers(hospital, record)


def test_what_changes_nothing_below_closes_nothing(hospital: Hospital, record: int) -> None:
    with hospital.uow("senior") as uow:
        category = hospital.category(uow, "ZY·BL")
        tree.edit(uow, category, fields={"title": "住院病案", "code": "ZY·BL"}, version=category.version)
        tree.move(uow, uow.node(uow.node(record).parent_id), to=hospital.category(uow, "WS"))
    assert closed(hospital) == []
    assert discovers(hospital, record)


def test_a_job_that_dies_leaves_the_branch_closed_and_the_next_worker_opens_it(
    hospital: Hospital, record: int, clock: Clock
) -> None:
    level(hospital, record)
    job = queue.claim(hospital.site, "killed")
    assert job is not None
    killed = handlers.JobRun(hospital.site, job.id, job.kind, {}, job.node_id, job.owner_id, "killed")
    clock.forward(minutes=1)
    queue.revive(hospital.site)
    with pytest.raises(handlers.Lost):  # it was not dead but slow: its work is thrown away
        branches.classify(killed)
    assert not discovers(hospital, record)
    work(hospital)
    assert discovers(hospital, record)


def test_a_job_that_fails_keeps_the_branch_closed_says_so_and_can_be_tried_again(
    hospital: Hospital, record: int, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    level(hospital, record)
    with monkeypatch.context() as broken:
        broken.setattr(classes, "classify_branch", lambda *_: 1 // 0)
        for _attempt in range(queue.TRIES):
            work(hospital)
            clock.forward(minutes=10)
    assert not discovers(hospital, record)
    with hospital.uow("senior", readonly=True) as uow:
        assert "rights: 1 closed branches, and no job works on them" in check(hospital.site, uow).reasons
    with hospital.uow("senior") as uow:
        jobs.retry(uow, uow.session.scalars(select(Job).where(Job.state == "failed")).one())
    work(hospital)
    assert discovers(hospital, record)
    with hospital.uow("senior", readonly=True) as uow:
        assert not any("closed" in reason for reason in check(hospital.site, uow).reasons)


@pytest.mark.each_on_both
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_branch_moved_with_a_closed_one_in_it_is_right_whichever_job_comes_first(
    hospital: Hospital, record: int, clock: Clock, order: tuple[int, int]
) -> None:
    """The category is moved while a series in it is closed: both are closed in the new place, and both are opened."""
    elsewhere = another_record(hospital, "00300009", "2025-03-01")
    share(hospital, hospital.categories["WS"], "desk")
    work(hospital)
    level(hospital, record)
    with hospital.uow("senior") as uow:
        tree.move(uow, hospital.category(uow, "ZY·BL"), to=hospital.category(uow, "WS"))
    with hospital.site.session(readonly=True) as session:
        moved = session.get_one(Node, hospital.categories["ZY·BL"], execution_options=SCOPE).path
    assert len(closed(hospital)) == 2
    assert all(path.startswith(moved) for path in closed(hospital))
    with hospital.site.session() as session:
        for place, job in enumerate(
            session.scalars(select(Job).where(Job.state == "waiting").order_by(Job.id))
        ):
            job.run_after = clock.now + timedelta(hours=order[place])
    for _job in order:
        assert not discovers(hospital, record)
        clock.forward(hours=1)
        worker.take_one(hospital.site, "test")
    assert closed(hospital) == []
    with hospital.site.session(readonly=True) as session:
        found = session.get_one(Node, record, execution_options=SCOPE)
        assert (found.level, found.scope_id) == (2, hospital.categories["WS"])
    assert may_read(hospital, "desk", elsewhere)
    assert not may_read(hospital, "desk", record)  # level 2, and the desk's clearance is 1
