"""纸电核对: a record's paper beside its pages, what does not agree, and how many records agree."""

from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from archive.blueprints import refused, shown
from archive.errors import ArchiveError, Conflict, Invalid
from archive.forms import field, with_errors
from archive.gate import Section
from archive.given import whole
from archive.i18n import _
from archive.policy.permissions import P
from archive.services import components, dual_match, mismatches
from archive.services.mismatches import HANDLING
from archive.sight import NodeView, href
from archive.uow import UnitOfWork

if TYPE_CHECKING:
    from archive.models import Node

section = Section("mismatches", __name__)


@section.page("/a/<slugs:path>/@@reconciliation", needs=HANDLING, node="path")
def card(uow: UnitOfWork, node: "Node") -> str:
    return _card(uow, node)


def _card(
    uow: UnitOfWork, node: "Node", error: ArchiveError | None = None, about: UUID | str | None = None
) -> str:
    """The card; where something was refused, with what was sent: of the mismatch or the component that it was `about`, or of
    a new mismatch.
    """
    seen, new = NodeView(uow, node), error if about is None else None
    wrong = new if isinstance(new, Invalid) else None
    return render_template(
        "mismatches/card.html", view=seen, card=components.card(uow, node), rows=mismatches.of(uow, node),
        fields=with_errors(_fields(), request.form if new else {}, wrong), general=[str(new)] if new and not wrong else [],
        refusal=refused.why(error) if error and about else "", about=about, sent=request.form,
        takes=mismatches.takes(node), **shown.head(uow, node, seen, "dual"),
    )  # fmt: skip


def _fields() -> list[dict[str, Any]]:
    kinds = [(name, str(label)) for name, label in mismatches.KINDS.items()]
    return [
        field("kind", _("What does not agree"), "select", required=True, choices=[("", _("— choose —")), *kinds]),
        field("page", _("On page"), "number", min=1, hint=_("If it is about one page.")),
        field("note", _("What you have seen"), "textarea", required=True, maxlength=mismatches.LONGEST, rows=2),
    ]  # fmt: skip


@section.page("/a/<slugs:path>/@@reconciliation", needs=HANDLING, node="path", methods=("POST",))
def open_one(uow: UnitOfWork, node: "Node") -> Response | tuple[str, int]:
    form = request.form
    try:
        mismatches.open_one(uow, node, kind=form.get("kind", ""), page=form.get("page", type=whole),
                            note=form.get("note", ""))  # fmt: skip
    except (Invalid, Conflict) as error:
        return refused.again(uow, error, partial(_card, uow, node))
    flash(_("Noted."), "ok")
    return _back(uow, node)


@section.page("/a/<slugs:path>/@@reconciliation/explain", needs=HANDLING, node="path", methods=("POST",))
def explain(uow: UnitOfWork, node: "Node") -> Response | tuple[str, int]:
    """Why a component is missing that must be there."""
    component, reason = request.form.get("component", ""), request.form.get("reason", "")
    try:
        mismatches.explain(uow, node, component=component, reason=reason)
    except (Invalid, Conflict) as error:
        return refused.again(uow, error, lambda why: _card(uow, node, why, component or "?"))
    flash(_("Kept. It holds the record up no longer."), "ok")
    return _back(uow, node)


@section.page("/mismatches/<uuid:uuid>/close", needs=HANDLING, methods=("POST",))
def close(uow: UnitOfWork, uuid: UUID) -> Response | tuple[str, int]:
    mismatch, node = mismatches.find(uow, uuid)
    try:
        mismatches.close(uow, mismatch, reason=request.form.get("reason", ""))
    except (Invalid, Conflict) as error:
        return refused.again(uow, error, lambda why: _card(uow, node, why, uuid))
    flash(_("Closed."), "ok")
    return _back(uow, node)


@section.page("/mismatches/<uuid:uuid>/take", needs=HANDLING, methods=("POST",))
def take(uow: UnitOfWork, uuid: UUID) -> Response | tuple[str, int]:
    mismatch, node = mismatches.find(uow, uuid)
    try:
        mismatches.take(uow, mismatch)
    except Conflict as error:
        return refused.again(uow, error, lambda why: _card(uow, node, why, uuid))
    return _back(uow, node)


def _back(uow: UnitOfWork, node: "Node") -> Response:
    return make_response(redirect(f"{href(uow, node)}/@@reconciliation"))


@section.page("/mismatches", needs=HANDLING)
def listing(uow: UnitOfWork) -> str:
    words = {"all": _("All"), "mine": _("Mine"), "late": _("Overdue")}
    whose: Any = request.args.get("whose") if request.args.get("whose") in words else "all"
    listed = mismatches.page(uow, whose, request.args.get("cursor"))
    tabs = [{"label": word, "href": url_for(".listing", whose=name), "current": name == whose}
            for name, word in words.items()]  # fmt: skip
    onward = url_for(".listing", whose=whose, cursor=listed.next) if listed.next else None
    return render_template(
        "mismatches/list.html", list=listed, segments=tabs, next=onward, may_count=uow.can(P.EDIT_LIFECYCLE)
    )


@section.page("/mismatches/rate", needs=P.EDIT_LIFECYCLE)
def rate(uow: UnitOfWork) -> str:
    """The rate, what it is made of, and the records behind one part of it."""
    outcome, found = request.args.get("outcome", ""), dual_match.rate(uow)
    listed = dual_match.records(uow, outcome, request.args.get("cursor")) if outcome else None
    rows = [(str(label), found.counts.get(name, 0), url_for(".rate", outcome=name), name == outcome)
            for name, label in dual_match.OUTCOMES.items()]  # fmt: skip
    onward = url_for(".rate", outcome=outcome, cursor=listed.next) if listed and listed.next else None
    return render_template("mismatches/rate.html", found=found, parts=rows, list=listed, next=onward)
