"""Verifying the journals: a job that walks both chains, and what the page says of their state."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from archive import journal
from archive.i18n import Lazy, _, _l
from archive.journal import JOURNALS, Journal, Verdict
from archive.models import Job
from archive.policy.permissions import P
from archive.services.audit import reading
from archive.services.handlers import JobRun, handles
from archive.uow import UnitOfWork, action

VERIFY = "audit.verify"
TITLES = {"changes": _l("Journal of changes"), "reads": _l("Journal of readings")}
REASONS = {
    "missing": _l("A link of the chain is missing: number %(seq)s."),
    "deleted": _l("Event %(event)s, number %(seq)s, has been deleted."),
    "changed": _l("Event %(event)s, number %(seq)s, has been changed after it was sealed."),
    "detail_changed": _l("The words of event %(event)s, number %(seq)s, have been changed."),
    "rewritten": _l("From event %(event)s, number %(seq)s, back, the chain is not the one that was signed."),
    "truncated": _l("The end is missing: number %(seq)s and what follows were signed and are gone."),
    "checkpoint_forged": _l("The signed checkpoint at number %(seq)s is forged: its signature is not this archive's."),
}  # fmt: skip


@dataclass(frozen=True)
class Book:
    """日志状态: how far a journal is sealed, what waits, and the last checkpoint."""

    title: Lazy
    sealed: int
    head: str
    waiting: int
    checkpoint_seq: int | None
    checkpoint_at: datetime | None


@dataclass(frozen=True)
class Outcome:
    """核验结论 in words: whole, or the first event that is not as it was."""

    title: Lazy
    whole: bool
    sealed: int
    checkpoints: int
    sentence: str
    event: int | None


@dataclass(frozen=True)
class Verification:
    """One verification: who asked, when it ended, how long it took, what it found."""

    uuid: str
    state: str
    at: datetime
    minutes: float | None
    outcomes: list[Outcome]

    @property
    def whole(self) -> bool | None:
        return all(one.whole for one in self.outcomes) if self.outcomes else None


@action("audit.verification_ordered", needs=P.AUDIT_VIEW)
def order(uow: UnitOfWork) -> Job:
    """Orders that both journals be walked from their beginning."""
    return uow.job(VERIFY)


@handles(VERIFY, label=_l("Verification of the journals"))
def verify(run: JobRun) -> dict[str, Any]:
    """Walks both chains; nothing is locked meanwhile."""
    verdicts, before = [], 0
    for book in JOURNALS:

        def progress(done: int, total: int, before: int = before) -> None:
            run.progress(before + done, before + total)

        with reading(run.site, book) as session:
            found = journal.verify(
                session, book, run.site.settings.checkpoint_folder, run.site.keys, progress
            )
        verdicts.append(_kept(found))
        before += found.sealed
    return {"verdicts": verdicts, "rows": before, "errors": sum(not one["whole"] for one in verdicts)}


def _kept(verdict: Verdict) -> dict[str, Any]:
    return {
        "journal": verdict.journal,
        "whole": verdict.whole,
        "sealed": verdict.sealed,
        "waiting": verdict.waiting,
        "checkpoints": verdict.checkpoints,
        "seq": verdict.bad_seq,
        "event": verdict.bad_event,
        "reason": verdict.reason,
    }


def in_words(kept: dict[str, Any]) -> Outcome:
    """The verdict on one journal as it is told to a person."""
    if kept["whole"]:
        sentence = _("All %(count)d events are as they were sealed.", count=kept["sealed"])
    else:
        sentence = str(REASONS[kept["reason"]]) % {"event": kept["event"] or "—", "seq": kept["seq"]}
    title = TITLES[kept["journal"]]
    return Outcome(title, kept["whole"], kept["sealed"], kept["checkpoints"], sentence, kept["event"])


def books(uow: UnitOfWork) -> list[Book]:
    """The state of both journals. Needs audit.view."""
    uow.require(P.AUDIT_VIEW)
    return [_book(uow, book) for book in JOURNALS]


def _book(uow: UnitOfWork, book: Journal) -> Book:
    with reading(uow.site, book) as session:
        sealed, head = journal.head(session, book)
        last = session.scalar(select(func.max(book.seal.event_id))) or 0
        waiting = session.scalar(select(func.count(book.event.id)).where(book.event.id > last)) or 0
    mark = journal.last_checkpoint(uow.site.settings.checkpoint_folder, book)
    at = datetime.fromisoformat(mark.at) if mark else None
    return Book(TITLES[book.name], sealed, head, waiting, mark.seq if mark else None, at)


def latest(uow: UnitOfWork, most: int = 10) -> list[Verification]:
    """The last verifications, newest first. Needs audit.view."""
    uow.require(P.AUDIT_VIEW)
    rows = uow.session.scalars(select(Job).where(Job.kind == VERIFY).order_by(Job.id.desc()).limit(most))
    return [_verification(job) for job in rows]


def _verification(job: Job) -> Verification:
    verdicts = (job.result or {}).get("verdicts", []) if job.state == "done" else []
    taken = (job.done_at - job.started_at).total_seconds() / 60 if job.done_at and job.started_at else None
    return Verification(
        str(job.uuid), job.state, job.done_at or job.created_at, taken, [in_words(one) for one in verdicts]
    )
