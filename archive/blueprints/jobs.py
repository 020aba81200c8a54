"""Long work: one's own jobs, a card that refreshes itself, stopping and trying again; all jobs for the operator."""

from typing import Any
from uuid import UUID

from flask import Response, make_response, redirect, render_template, request, url_for

from archive.gate import SIGNED_IN, P, Section
from archive.i18n import _
from archive.services import jobs
from archive.services.jobs import JobView
from archive.uow import UnitOfWork

section = Section("jobs", __name__)


def drawn(seen: JobView, *, named: bool = False) -> dict[str, Any]:
    """A job as the macro of the card draws it.

    A card that asks for itself every two seconds names its record by number only, or each time would be a reading.
    """
    about = (
        (seen.subject.label if named else seen.subject.stay or seen.subject.number) if seen.subject else None
    )
    own, uuid = url_for("jobs.card", uuid=seen.uuid), seen.uuid
    return {
        "uuid": uuid, "label": f"{seen.label} · {about}" if about else seen.label, "state": seen.state,
        "progress": seen.progress, "total": seen.total, "left": seen.left, "counts": seen.counts,
        "running": seen.running, "refresh": own, "href": own, "result": _result(seen), "owner": seen.owner,
        "cancel": url_for("jobs.cancel", uuid=uuid) if seen.can_stop else "",
        "retry": url_for("jobs.retry", uuid=uuid) if seen.can_retry else "",
        "created_at": seen.created_at, "done_at": seen.done_at,
    }  # fmt: skip


def _result(seen: JobView) -> dict[str, str] | None:
    if seen.running:
        return None
    target = seen.subject.href if seen.subject and seen.state.kind == "ok" else ""
    kind = {"ok": "ok", "bad": "bad"}.get(seen.state.kind, "info")
    text = seen.message or {"ok": _("Everything has been done."), "bad": _("It could not be done.")}.get(kind)
    return {"text": text or _("It was stopped. What had been done stays done."), "kind": kind, "href": target}


@section.page("/jobs", needs=SIGNED_IN, event="job.listed")
def mine(uow: UnitOfWork) -> str:
    found = jobs.mine(uow)
    live, ended = (
        [drawn(one, named=True) for one in found if one.running is going] for going in (True, False)
    )
    return render_template("jobs/mine.html", live=live, ended=ended)


@section.page("/jobs/all", needs=P.OPERATE)
def everybodys(uow: UnitOfWork) -> str:
    state = request.args.get("state")
    chosen = state if state in jobs.LOOKS else None
    found = [drawn(seen) for seen in jobs.everybodys(uow, chosen)]
    return render_template(
        "jobs/all.html", jobs=found, tallies=jobs.tallies(uow), looks=jobs.LOOKS, chosen=chosen
    )


@section.page("/jobs/<uuid:uuid>", needs=SIGNED_IN)
def card(uow: UnitOfWork, uuid: UUID) -> str:
    """The card alone where it asks for itself, else a page with it."""
    template = "jobs/card.html" if request.headers.get("HX-Request") else "jobs/one.html"
    return render_template(template, job=drawn(jobs.one(uow, uuid)))


@section.page("/jobs/<uuid:uuid>/cancel", needs=SIGNED_IN, methods=("POST",))
def cancel(uow: UnitOfWork, uuid: UUID) -> Response:
    jobs.cancel(uow, jobs.find(uow, uuid))
    return make_response(redirect(url_for(".card", uuid=uuid)))


@section.page("/jobs/<uuid:uuid>/retry", needs=SIGNED_IN, methods=("POST",))
def retry(uow: UnitOfWork, uuid: UUID) -> Response:
    jobs.retry(uow, jobs.find(uow, uuid))
    return make_response(redirect(url_for(".card", uuid=uuid)))
