"""Long work: who does it, how it ends, and who may see and stop it."""

import errno
from collections.abc import Iterator
from typing import Any

import pytest

from archive.errors import Conflict, NotFound
from archive.i18n import _l
from archive.models import Job, Node
from archive.services import jobs, notices
from archive.services.handlers import GaveWay, JobFailed, JobRun, Lost, Stopped, handlers, handles
from archive.services.queue import claim, perform, revive
from archive.site import Site
from archive.uow import UnauditedChange
from tests.conftest import CAST, Clock, Hospital

DONE: list[Any] = []
FULL = _l(
    "The disk is full, so nothing new can be kept. Tell the system administrator; when there is room, try again."
)


@pytest.fixture(autouse=True)
def kinds() -> Iterator[None]:
    """Kinds of job that exist only here."""
    known = handlers()
    before = set(known)
    DONE.clear()

    @handles("test.count", label=_l("Counting"))
    def count(run: JobRun) -> dict[str, Any]:
        for number in range(run.done, run.args["to"]):
            with run.uow() as uow:
                run.progress(number + 1, run.args["to"], uow=uow)
            DONE.append(number + 1)
            if run.args.get("stop_at") == number + 1:
                raise KeyboardInterrupt
            run.give_way()
        return {"rows": run.args["to"]}

    @handles("test.break", label=_l("Breaking"))
    def broken(run: JobRun) -> dict[str, Any]:
        DONE.append("tried")
        raise ZeroDivisionError

    @handles("test.refuse", label=_l("Refusing"), gives_up=lambda _uow, job: DONE.append(job.state))
    def refuse(run: JobRun) -> dict[str, Any]:
        raise JobFailed(FULL)

    @handles("test.fill", label=_l("Filling"))
    def fill(run: JobRun) -> dict[str, Any]:
        DONE.append("full")
        raise OSError(errno.ENOSPC, "No space left on device")

    yield
    for kind in set(known) - before:
        del known[kind]  # type: ignore[attr-defined]


def ask(
    hospital: Hospital, account: str, kind: str = "test.count", *, node: int | None = None, **args: Any
) -> Job:
    with hospital.uow(account) as uow:
        about = uow.node(node) if node else None
        with uow.act("test.asked", about):
            return uow.job(kind, node=about, **{"to": 3, **args})


def work_off(site: Site, worker: str = "one") -> None:
    while job := claim(site, worker):
        perform(site, job)


def look(hospital: Hospital, account: str, job: Job) -> jobs.JobView:
    with hospital.uow(account, readonly=True) as uow:
        return jobs.one(uow, job.uuid)


def test_a_job_is_done_once_and_says_what_it_did(site: Site, hospital: Hospital) -> None:
    job = ask(hospital, "archivist")
    work_off(site)
    assert DONE == [1, 2, 3]
    shown = look(hospital, "archivist", job)
    assert shown.state.kind == "ok"
    assert not shown.running
    assert not shown.can_retry
    assert next((str(count.label), count.value) for count in shown.counts)[1] == 3
    assert claim(site, "one") is None


def test_a_job_of_a_transaction_that_was_rolled_back_never_was(site: Site, hospital: Hospital) -> None:
    with pytest.raises(UnauditedChange), hospital.uow("archivist") as uow:
        uow.job("test.count", to=1)
    assert claim(site, "one") is None


def test_urgent_work_is_taken_first_and_nobody_takes_what_another_has(site: Site, hospital: Hospital) -> None:
    late = ask(hospital, "archivist", priority=8)
    soon = ask(hospital, "archivist", priority=1)
    taken = [claim(site, worker) for worker in ("one", "two", "three")]
    assert [job and job.id for job in taken] == [soon.id, late.id, None]


def test_long_work_gives_way_to_urgent_work_and_goes_on_where_it_was(site: Site, hospital: Hospital) -> None:
    ask(hospital, "archivist", priority=8)
    long = claim(site, "one")
    ask(hospital, "archivist", priority=1, to=1)
    assert long
    perform(site, long)
    assert DONE == [1]
    work_off(site)
    assert DONE == [1, 1, 2, 3]


def test_the_job_of_a_killed_worker_waits_again_after_half_a_minute(
    site: Site, hospital: Hospital, clock: Clock
) -> None:
    job = ask(hospital, "archivist", stop_at=2)
    with pytest.raises(KeyboardInterrupt):
        work_off(site)
    assert revive(site) == 0
    assert look(hospital, "archivist", job).running
    clock.forward(seconds=31)
    assert revive(site) == 1
    work_off(site, "two")
    assert DONE == [1, 2, 3]


def test_a_job_that_kills_every_worker_is_given_up_with_a_sentence(
    site: Site, hospital: Hospital, clock: Clock
) -> None:
    job = ask(hospital, "archivist")
    for worker in ("one", "two", "three"):
        assert claim(site, worker)
        clock.forward(seconds=31)
        assert revive(site) == 1
    assert claim(site, "four") is None
    shown = look(hospital, "archivist", job)
    assert shown.state.kind == "bad"
    assert shown.message


def test_a_worker_that_was_taken_for_dead_keeps_nothing_of_what_it_does(
    site: Site, hospital: Hospital, record: int, clock: Clock
) -> None:
    job = ask(hospital, "archivist", to=1)
    claim(site, "slow")
    clock.forward(seconds=31)
    revive(site)
    claim(site, "quick")
    slow = JobRun(site, job.id, job.kind, job.args, None, job.owner_id, "slow")

    def haunt() -> None:
        with slow.uow() as uow:
            uow.session.get_one(
                Node, record, execution_options={"scope": "test"}
            ).title = "written by a ghost"
            slow.progress(1, 1, uow=uow)

    with pytest.raises(Lost):
        haunt()
    with hospital.uow("archivist", readonly=True) as uow:
        assert uow.node(record).title != "written by a ghost"


def test_what_goes_wrong_is_tried_three_times_with_pauses_then_told(
    site: Site, hospital: Hospital, clock: Clock
) -> None:
    job = ask(hospital, "archivist", "test.break")
    work_off(site)
    assert DONE == ["tried"], "not at once again"
    for pause in (11, 41):
        clock.forward(seconds=pause)
        work_off(site)
    assert DONE == ["tried"] * 3
    shown = look(hospital, "archivist", job)
    assert shown.state.kind == "bad"
    assert "ZeroDivision" not in shown.message
    assert shown.can_retry


def test_a_job_waits_for_room_on_a_full_disk_and_is_never_given_up(
    site: Site, hospital: Hospital, clock: Clock
) -> None:
    job = ask(hospital, "archivist", "test.fill")
    for _try in range(5):
        work_off(site)
        assert look(hospital, "archivist", job).running
        clock.forward(seconds=21)
    assert DONE == ["full"] * 5


def test_a_job_that_cannot_be_done_says_why_and_can_be_tried_again(site: Site, hospital: Hospital) -> None:
    job = ask(hospital, "archivist", "test.refuse")
    work_off(site)
    assert look(hospital, "archivist", job).message == str(FULL)
    assert DONE == ["failed"]
    with hospital.uow("archivist") as uow:
        jobs.retry(uow, jobs.find(uow, job.uuid))
    work_off(site)
    assert DONE == ["failed", "failed"]


def test_a_waiting_job_is_stopped_at_once_and_a_running_one_after_its_step(
    site: Site, hospital: Hospital
) -> None:
    waiting, going = ask(hospital, "archivist", priority=8), ask(hospital, "archivist", priority=1)
    with hospital.uow("archivist") as uow:
        jobs.cancel(uow, jobs.find(uow, waiting.uuid))
    taken = claim(site, "one")
    assert taken
    assert taken.id == going.id
    with hospital.uow("archivist") as uow:
        jobs.cancel(uow, jobs.find(uow, going.uuid))
    run = JobRun(site, going.id, going.kind, going.args, None, going.owner_id, "one")
    assert run.cancelled()
    with pytest.raises(Stopped):
        run.progress(1, 3)
    perform(site, taken)
    assert {look(hospital, "archivist", job).state.kind for job in (waiting, going)} == {"gone"}
    with pytest.raises(Conflict), hospital.uow("archivist") as uow:
        jobs.cancel(uow, jobs.find(uow, going.uuid))


def test_a_job_waits_with_what_it_needs_from_its_owner_until_they_may_act(
    site: Site, hospital: Hospital
) -> None:
    job = ask(hospital, "archivist")
    run = JobRun(site, job.id, job.kind, job.args, None, job.owner_id, "one")
    assert run.owner().account == "archivist"
    assert run.actor.is_system
    assert not run.actor.is_authenticated
    with pytest.raises(JobFailed):
        JobRun(site, job.id, job.kind, job.args, None, None, "one").owner()


def test_a_worker_that_leaves_lets_its_job_go_on_elsewhere(site: Site, hospital: Hospital) -> None:
    job = ask(hospital, "archivist")
    run = JobRun(site, job.id, job.kind, job.args, None, job.owner_id, "one")
    run.give_way()
    run.leaving.set()
    with pytest.raises(GaveWay):
        run.give_way()


def test_nobody_sees_or_stops_the_job_of_another(hospital: Hospital) -> None:
    job = ask(hospital, "archivist")
    for account in sorted(set(CAST) - {"archivist", "sysadmin"}):
        with hospital.uow(account) as uow:
            assert (jobs.mine(uow), notices.waiting(uow).jobs) == ([], 0)
            with pytest.raises(NotFound):
                jobs.find(uow, job.uuid)
            with pytest.raises(NotFound):
                jobs.cancel(uow, job)


def test_the_system_administrator_sees_that_it_runs_but_not_what_it_is_about(
    hospital: Hospital, record: int
) -> None:
    job = ask(hospital, "archivist", "test.refuse", node=record)
    assert look(hospital, "archivist", job).subject is not None
    with hospital.uow("sysadmin") as uow:
        shown = jobs.everybodys(uow)[0]
        assert shown.uuid == job.uuid
        assert shown.subject is None
        assert not shown.message
        assert jobs.tallies(uow) == {"waiting": 1}
        jobs.cancel(uow, jobs.find(uow, job.uuid))
    assert look(hospital, "archivist", job).state.kind == "gone"


def test_the_card_tells_how_long_it_will_take(site: Site, hospital: Hospital, clock: Clock) -> None:
    job = ask(hospital, "archivist", to=100)
    taken = claim(site, "one")
    assert taken
    clock.forward(minutes=2)
    JobRun(site, job.id, job.kind, job.args, None, job.owner_id, "one").progress(20, 100)
    shown = look(hospital, "archivist", job)
    assert shown.running
    assert shown.progress == 20
    assert "8" in shown.left


def test_every_kind_of_job_has_a_handler_with_words() -> None:
    assert {"page.derive", "page.recognise"} <= set(handlers())
    assert all(str(handler.label) for handler in handlers().values())
