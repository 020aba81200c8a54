"""通知: what the signed-in person should know; opening one leads to the thing and marks it as read."""

from flask import Response, make_response, redirect, render_template, url_for

from archive.gate import SIGNED_IN, Section
from archive.services import notices, reminders
from archive.services.notices import Told
from archive.uow import UnitOfWork

section = Section("notices", __name__)


@section.page("/notices", needs=SIGNED_IN)
def mine(uow: UnitOfWork) -> str:
    return render_template("notices/mine.html", told=notices.mine(uow))


@section.page("/notices/<int:number>", needs=SIGNED_IN, methods=("POST",))
def open_one(uow: UnitOfWork, number: int) -> Response:
    return make_response(redirect(_target(notices.read(uow, number))))


@section.page("/notices/read", needs=SIGNED_IN, methods=("POST",))
def read_all(uow: UnitOfWork) -> Response:
    notices.read_all(uow)
    return make_response(redirect(url_for(".mine")))


def _target(told: Told) -> str:
    if told.request:
        return url_for("requests.one", uuid=told.request)
    if told.bundle:
        return url_for("bundles.one", uuid=told.bundle)
    if told.job:
        return url_for("jobs.mine")
    if told.loans:
        return url_for("requests.mine" if told.loans in reminders.OWN else "overdue.listing")
    if told.emergency:
        return url_for("emergencies.one", uuid=told.emergency)
    if told.searches:
        only = told.searches[0] if len(told.searches) == 1 else None
        return url_for("saved_searches.run", uuid=only, newest=1) if only else url_for("saved_searches.mine")
    if told.mismatches:
        return url_for("mismatches.listing", whose="mine")
    if told.appeals:
        return (
            url_for("inspections.one", uuid=told.inspection)
            if told.inspection
            else url_for("inspections.listing")
        )
    if told.incident:
        return url_for("incidents.listing")
    return told.node.href if told.node else url_for(".mine")
