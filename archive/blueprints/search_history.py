"""检索历史: what one has searched for of late, for oneself alone."""

from itertools import groupby
from typing import Any

from flask import Response, make_response, redirect, render_template, request, url_for

from archive import forms
from archive.blueprints import asked_address, saved_searches
from archive.gate import P, Section
from archive.services import search_history
from archive.services.search_history import Entry
from archive.uow import UnitOfWork

section = Section("search_history", __name__)


@section.page("/searches/history", needs=P.DISCOVER)
def show(uow: UnitOfWork) -> str:
    entries = search_history.recent(uow)
    days = [
        (day, [_line(uow, entry) for entry in ran])
        for day, ran in groupby(entries, key=lambda entry: uow.local(entry.at).date())
    ]
    return render_template(
        "saved_searches/history.html", days=days, kept=search_history.is_kept(uow), limit=search_history.KEPT.days,
        tabs=saved_searches.tabs("history"),
    )  # fmt: skip


def _line(uow: UnitOfWork, entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id, "at": entry.at, "times": entry.times, "href": asked_address.of_results(uow, entry.question),
        "asks": saved_searches.in_words(uow, entry.question), "save": asked_address.of_saving(uow, entry.question),
    }  # fmt: skip


@section.page("/searches/history/forget", needs=P.DISCOVER, methods=("POST",))
def forget(uow: UnitOfWork) -> Response:
    """All of them, or the one of this number."""
    if "all" in request.form:
        search_history.forget_all(uow)
    elif number := request.form.get("number", type=forms.whole):
        search_history.forget(uow, number)
    return make_response(redirect(url_for(".show")))


@section.page("/searches/history/keep", needs=P.DISCOVER, methods=("POST",))
def keep(uow: UnitOfWork) -> Response:
    search_history.keep(uow, on=request.form.get("kept") == "1")
    return make_response(redirect(url_for(".show")))
