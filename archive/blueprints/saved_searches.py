"""常用检索: saving a search, running it, sharing it, being told what is new."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from archive import forms
from archive.blueprints import asked_address
from archive.errors import ArchiveError, Conflict, Invalid, NotFound, Unavailable
from archive.gate import P, Section, site
from archive.i18n import _
from archive.services import following, leavers, news, notices, questions, saved_searches, search_history
from archive.services.findings import Order
from archive.services.questions import Question
from archive.services.saved_searches import Saved
from archive.uow import UnitOfWork

section = Section("saved_searches", __name__)
REFUSED = (Invalid, Conflict, Unavailable, NotFound)
"""What is said beside what was typed, or on the page from which it was asked."""
BESIDE = 6
"""Of each so many beside an empty search."""


@section.page("/searches", needs=P.DISCOVER)
def mine(uow: UnitOfWork) -> str:
    return render_template("saved_searches/mine.html", list=_table(uow), tabs=tabs("mine"))


def tabs(now: str) -> list[dict[str, Any]]:
    """The two pages of what one has searched for."""
    pages = {"mine": (_("Saved searches"), url_for("saved_searches.mine")),
             "history": (_("Search history"), url_for("search_history.show"))}  # fmt: skip
    return [{"label": label, "href": href, "current": name == now} for name, (label, href) in pages.items()]


def _table(uow: UnitOfWork) -> dict[str, Any]:
    fresh = news.fresh(uow)
    columns = [
        {"key": "name", "label": _("Name of the search"), "kind": "link"},
        {"key": "asks", "label": _("Looks for"), "kind": "text"},
        {"key": "with", "label": _("Who may use it"), "kind": "text"},
        {"key": "owner", "label": _("Saved by"), "kind": "person"},
        {"key": "follow", "label": _("For me"), "kind": "text"},
        {"key": "edit", "label": _("Change"), "kind": "act"},
    ]  # fmt: skip
    return {
        "name": "saved-searches", "label": _("Saved searches"), "columns": columns,
        "rows": [_line(uow, saved, fresh.get(saved.id, 0)) for saved in saved_searches.listing(uow)],
        "empty": {"icon": "bookmark", "title": _("No saved searches"), "href": url_for("search.results"),
                  "label": _("Search"), "text": _("Search for something and save it: it stands here and can be shared.")},
    }  # fmt: skip


def _line(uow: UnitOfWork, saved: Saved, fresh: int) -> dict[str, Any]:
    edit = {"label": _("Change"), "href": url_for(".edit_form", uuid=saved.uuid)}
    owner = _("%(name)s (has left)", name=saved.owner) if saved.owner_left else saved.owner
    return {
        "id": saved.uuid, "label": saved.name, "href": url_for(".run", uuid=saved.uuid), "saved": saved,
        "fresh": fresh if saved.subscribed else 0,
        "cells": {
            "name": saved.name, "asks": in_words(uow, saved.question), "owner": _("Myself") if saved.own else owner,
            "with": saved_searches.audience_label(uow, saved.audience), "follow": True, "edit": edit if saved.own else None,
        },
    }  # fmt: skip


def in_words(uow: UnitOfWork, question: Question) -> dict[str, Any]:
    """What a question asks, for a page: the words, and what narrows them."""
    return {"text": question.text, "narrowed": questions.narrowed(uow, question)}


def beside(uow: UnitOfWork, question: Question, *, kept: bool = True) -> dict[str, Any]:
    """What stands beside a search: how to save it, if it is one to be kept; where nothing is asked yet, what one asks often
    and asked last.
    """
    listing = {"label": _("Saved searches"), "href": url_for("saved_searches.mine"), "icon": "bookmarks"}
    save = {
        "label": _("Save this search"),
        "href": asked_address.of_saving(uow, question),
        "icon": "bookmark",
    }
    if question:
        return {"actions": [listing, save] if kept else [listing], "saved": [], "recent": []}
    recent = search_history.recent(uow, BESIDE)
    return {
        "actions": [listing], "saved": saved_searches.listing(uow)[:BESIDE],
        "recent": [(asked_address.of_results(uow, each.question), in_words(uow, each.question)) for each in recent],
    }  # fmt: skip


def on_workbench(uow: UnitOfWork) -> dict[str, Any]:
    """What one keeps on the workbench. Each figure is a search: they come behind the page, or with it if asked for."""
    if not uow.can(P.DISCOVER):
        return {"figures": []}
    if "figures" in request.args:
        return {"figures": _figures(uow)}
    names = [_figure(saved, "…") for saved in saved_searches.pinned(uow)]
    return {
        "figures": names,
        "from": url_for("saved_searches.figures"),
        "here": url_for("workbench.home", figures=1),
    }


@section.page("/searches/figures", needs=P.DISCOVER)
def figures(uow: UnitOfWork) -> str:
    """The figures of the workbench, for a page that is shown already."""
    return render_template("saved_searches/figures.html", pinned={"figures": _figures(uow)})


def _figures(uow: UnitOfWork) -> list[dict[str, str]]:
    return [
        _figure(saved, "—" if found is None else f"{found.count:,}" + ("+" if found.capped else ""))
        for saved, found in saved_searches.tallied(uow)
    ]


def _figure(saved: Saved, value: str) -> dict[str, str]:
    return {"label": saved.name, "href": url_for("saved_searches.run", uuid=saved.uuid), "value": value}


@section.page("/searches/<uuid:uuid>", needs=P.DISCOVER)
def run(uow: UnitOfWork, uuid: UUID) -> Response:
    """An address that stays, also in a bookmark: the words stand in the one to which it leads, sealed for this person."""
    saved = saved_searches.one(uow, uuid)
    order = Order.DATE if "newest" in request.args else None
    return make_response(redirect(asked_address.of_results(uow, saved.question, order)))


@section.page("/searches/<uuid:uuid>/newest", needs=P.DISCOVER, methods=("POST",))
def newest(uow: UnitOfWork, uuid: UUID) -> Response:
    """To what it has found anew; from then on that is not new any longer."""
    notices.open_search(uow, saved_searches.one(uow, uuid).id)
    return make_response(redirect(url_for(".run", uuid=uuid, newest=1)))


@section.page("/searches/add", needs=P.DISCOVER)
def add_form(uow: UnitOfWork) -> str | Response:
    question = asked_address.asked(uow, request.args)
    if not question:
        return make_response(redirect(url_for("search.results")))
    return _form(uow, question, {"name": question.text[: saved_searches.LONGEST]}, None)


@section.page("/searches", needs=P.DISCOVER, methods=("POST",), ahead=True)
def add(uow: UnitOfWork) -> Response | tuple[str, int]:
    question, form = asked_address.asked(uow, request.form), request.form
    if question is None:
        flash(_("What you had looked for is not kept any longer. Please type it again."), "wait")
        return make_response(redirect(url_for("search.results")))
    try:
        known = following.known_now(uow, question) if "subscribed" in form else None
        uuid = site().run(uow.actor, lambda mine: _kept(mine, question, form, known), uow.origin)
    except REFUSED as error:
        return _form(uow, question, form, error), error.status
    flash(_("The search is saved."), "ok")
    return make_response(redirect(url_for(".run", uuid=uuid)))


def _kept(uow: UnitOfWork, question: Question, form: Mapping[str, str], known: set[int] | None) -> UUID:
    row = saved_searches.save(uow, question, name=form.get("name", ""), audience=form.get("audience", ""))
    saved = saved_searches.one(uow, row.uuid)
    if "pinned" in form:
        following.pin(uow, saved, on=True)
    if "subscribed" in form:
        following.subscribe(uow, saved, known)
    return saved.uuid


def _form(
    uow: UnitOfWork,
    question: Question,
    typed: Any,
    error: ArchiveError | None,
    saved: Saved | None = None,
) -> str:
    audiences = saved_searches.audiences(uow, saved.audience if saved else saved_searches.PRIVATE)
    hint = _("Whoever may use it reads its name and its words, and finds what they themselves may see.")
    fields = [
        forms.field("name", _("Name of the search"), required=True, maxlength=saved_searches.LONGEST, autofocus=True,
                    autocomplete="off"),
        forms.field("audience", _("Who may use it"), "select", value=saved_searches.PRIVATE, hint=hint,
                    choices=list(audiences.items())),
    ]  # fmt: skip
    wrong = error if isinstance(error, Invalid) else None
    ticks = [] if saved else [
        forms.field("pinned", _("Keep it on my workbench, with how much it finds"), "checkbox", value="pinned" in typed),
        forms.field("subscribed", _("Tell me once a day what it finds anew"), "checkbox", value="subscribed" in typed),
    ]  # fmt: skip
    return render_template(
        "saved_searches/form.html", fields=forms.with_errors(fields, typed, wrong), ticks=ticks, saved=saved,
        general=[] if error is None or (wrong and wrong.fields) else [str(error)],
        hidden={} if saved else asked_address.parts(uow, question), asks=in_words(uow, question),
        back=asked_address.of_results(uow, question),
    )  # fmt: skip


@section.page("/searches/<uuid:uuid>/edit", needs=P.DISCOVER)
def edit_form(uow: UnitOfWork, uuid: UUID) -> str:
    saved = saved_searches.own(uow, uuid)
    return _form(uow, saved.question, {"name": saved.name, "audience": saved.audience}, None, saved)


@section.page("/searches/<uuid:uuid>/edit", needs=P.DISCOVER, methods=("POST",))
def edit(uow: UnitOfWork, uuid: UUID) -> Response | tuple[str, int]:
    saved, form = saved_searches.own(uow, uuid), request.form
    try:
        saved_searches.change(uow, saved.row, question=saved.question, name=form.get("name", ""),
                              audience=form.get("audience", ""))  # fmt: skip
    except Invalid as error:
        uow.undo()
        return _form(uow, saved.question, form, error, saved), error.status
    return make_response(redirect(url_for(".mine")))


@section.page("/searches/<uuid:uuid>/delete", needs=P.DISCOVER, methods=("POST",))
def remove(uow: UnitOfWork, uuid: UUID) -> Response:
    saved_searches.remove(uow, saved_searches.own(uow, uuid).row)
    flash(_("The saved search is deleted."), "ok")
    return make_response(redirect(url_for(".mine")))


@section.page("/searches/<uuid:uuid>/take-over", needs=P.DISCOVER, methods=("POST",))
def take_over(uow: UnitOfWork, uuid: UUID) -> Response:
    leavers.take_over(uow, saved_searches.one(uow, uuid))
    flash(_("The search is yours now: you may change and delete it."), "ok")
    return make_response(redirect(url_for(".mine")))


@section.page("/searches/<uuid:uuid>/follow", needs=P.DISCOVER, methods=("POST",), ahead=True)
def follow(uow: UnitOfWork, uuid: UUID) -> Response:
    saved, form = saved_searches.one(uow, uuid), request.form
    try:
        is_new = form.get("subscribed") == "1" and not saved.subscribed
        known = following.known_now(uow, saved.question) if is_new else None
        site().run(uow.actor, lambda mine: _followed(mine, uuid, form, known), uow.origin)
    except REFUSED as error:
        flash(str(error), "bad")
    return make_response(redirect(url_for(".mine")))


def _followed(uow: UnitOfWork, uuid: UUID, form: Mapping[str, str], known: set[int] | None) -> None:
    saved = saved_searches.one(uow, uuid)
    if "pinned" in form:
        following.pin(uow, saved, on=form["pinned"] == "1")
    if form.get("subscribed") == "1":
        following.subscribe(uow, saved, known)
    elif "subscribed" in form:
        following.unsubscribe(uow, saved)
