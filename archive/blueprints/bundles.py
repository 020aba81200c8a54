"""批次申请: asking for many records at once, and the page of one bundle, for whoever asked and whoever decides."""

from typing import Any
from uuid import UUID

from flask import Response, flash, make_response, redirect, render_template, request, session, url_for

from archive.blueprints.requests import TERMS, kind_words, said_outcomes, terms_fields
from archive.errors import Conflict, Invalid
from archive.forms import field, with_errors
from archive.gate import SIGNED_IN, P, Section
from archive.i18n import _, ngettext
from archive.services import borrowing, bundles, bundling, deciders, requests
from archive.services.bundling import Sent
from archive.sight import NodeView
from archive.uow import UnitOfWork

section = Section("bundles", __name__)
SAID = 5
"""So many refused lines are named after sending."""


@section.page("/requests/many", needs=P.REQUEST_CREATE)
def ask_form(uow: UnitOfWork) -> str:
    return _page(uow, {}, None)


@section.page("/requests/many", needs=P.REQUEST_CREATE, methods=("POST",))
def ask(uow: UnitOfWork) -> Response | str | tuple[str, int]:
    form = request.form
    terms = {name: form.get(name, "") for name in TERMS}
    try:
        lines = bundling.read(uow, form.get("records", ""))
        if form.get("act") == "look":
            return _page(uow, form, None, _foretold(uow, lines, terms))
        sent = bundling.ask(uow, lines, terms)
    except (Invalid, Conflict) as error:
        uow.undo()
        return _page(uow, form, error), error.status
    _say(sent)
    if sent.bundle is None:
        return make_response(redirect(url_for("requests.mine")))
    return make_response(redirect(url_for(".one", uuid=sent.bundle.uuid)))


def _say(sent: Sent) -> None:
    if sent.bundle is not None:
        many = sent.bundle.asked
        flash(ngettext("Sent: %(num)d record. You will be told when it has been decided.",
                       "Sent: %(num)d records. You will be told when they have been decided.", many), "ok")  # fmt: skip
    elif not sent.refused:
        flash(_("Sent. You will be told when it has been granted."), "ok")
    for line, why in list(sent.refused.items())[:SAID]:
        flash(f"{line[:40]} · {why}", "wait")
    if (more := len(sent.refused) - SAID) and more > 0:
        flash(ngettext("%(num)d more was not asked for.", "%(num)d more were not asked for.", more), "wait")


def _foretold(uow: UnitOfWork, lines: list[bundling.Line], terms: dict[str, str]) -> dict[str, Any]:
    """What the page says before it is sent: each record, what stands in its way, and who is asked by which rule."""
    rule = borrowing.offered_unseen(uow).get(terms["purpose"], {}).get(terms["kind"])
    rows = bundling.foretell(uow, lines, terms["kind"])
    return {
        "rows": [(one.text, NodeView(uow, one.node) if one.node else None, one.hindrance) for one in rows],
        "chain": deciders.said(rule.approvers) if rule else "",
        "refused": sum(one.hindrance is not None for one in rows),
    }


def _page(
    uow: UnitOfWork, typed: Any, error: Invalid | Conflict | None, told: dict[str, Any] | None = None
) -> str:
    most = bundling.limits(uow)["records"]
    numbers = field("records", _("Record numbers"), "textarea", required=True, rows=8, mono=True,
                    hint=_("One number a line: record number and stay, archival number or barcode. At most %(most)d.",
                           most=most))  # fmt: skip
    wrong = error if isinstance(error, Invalid) else None
    return render_template(
        "requests/many.html", fields=with_errors([numbers, *terms_fields(uow)], typed, wrong), told=told,
        general=[str(error)] if error and not (wrong and wrong.fields) else [],
    )  # fmt: skip


@section.page("/requests/bundles/<uuid:uuid>", needs=SIGNED_IN)
def one(uow: UnitOfWork, uuid: UUID) -> str:
    notes = session.pop("undecided", {})
    return render_template(
        "requests/bundle.html",
        found=bundles.shown(uow, bundles.one(uow, uuid)),
        notes=notes,
        kinds=kind_words(),
    )


@section.page("/requests/bundles/<uuid:uuid>", needs=SIGNED_IN, methods=("POST",))
def decide(uow: UnitOfWork, uuid: UUID) -> Response:
    """One step with what was ticked; whoever asked takes theirs here, too."""
    bundle, form = bundles.one(uow, uuid), request.form
    refs = form.getlist("ids", type=UUID)
    said_outcomes(
        requests.decide(
            uow, bundles.within(uow, bundle, refs), form.get("act", ""), reason=form.get("reason")
        )
    )
    # What was granted or refused may be all that one could see of it.
    return make_response(
        redirect(
            url_for(".one", uuid=uuid) if bundles.is_seen(uow, bundle) else url_for("requests.to_decide")
        )
    )
