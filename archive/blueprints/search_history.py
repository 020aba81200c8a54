"""检索历史: what one has searched for of late, for oneself alone."""

from itertools import groupby
from typing import Any

from flask import Response, make_response, redirect, render_template, request, url_for

from archive import envelope
from archive.blueprints import asked_address, saved_searches
from archive.gate import P, Section
from archive.services import search_history
from archive.services.search_history import Entry
from archive.uow import UnitOfWork

section = Section("search_history", __name__)
RAN = "ran"
"""The event of a search, sealed: its number counts whatever the whole hospital reads, and would tell how much that is."""


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
    asks = saved_searches.in_words(uow, entry.question)
    return {
        "entry": envelope.seal(uow, {RAN: str(entry.id)}), "at": entry.at, "times": entry.times, "asks": asks,
        "href": asked_address.of_results(uow, entry.question), "save": asked_address.of_saving(uow, entry.question),
        "said": " ".join([asks["text"], *(f"{label} {value}" for label, value in asks["narrowed"])]).strip(),
    }  # fmt: skip


@section.page("/searches/history/forget", needs=P.DISCOVER, methods=("POST",))
def forget(uow: UnitOfWork) -> Response:
    """All of them, or the one of this token."""
    if "all" in request.form:
        search_history.forget_all(uow)
    elif number := (envelope.opened(uow, request.form.get("entry", "")) or {}).get(RAN):
        search_history.forget(uow, int(number))
    return make_response(redirect(url_for(".show")))


@section.page("/searches/history/keep", needs=P.DISCOVER, methods=("POST",))
def keep(uow: UnitOfWork) -> Response:
    search_history.keep(uow, on=request.form.get("kept") == "1")
    return make_response(redirect(url_for(".show")))
