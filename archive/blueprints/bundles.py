"""批次申请: asking for many records at once, and the page of one bundle, for whoever asked and whoever decides."""

from functools import partial
from typing import Any
from uuid import UUID

from flask import Response, flash, g, make_response, redirect, render_template, request, session, url_for

from archive.blueprints.documents import workbook
from archive.blueprints.pages import as_shown
from archive.blueprints.requests import OF_MANY, kind_words, said_days, said_outcomes, terms_fields
from archive.errors import Conflict, Invalid
from archive.forms import field, with_errors
from archive.gate import SIGNED_IN, P, Section, site
from archive.i18n import _, ngettext
from archive.policy.lending import DATA, EREAD, Rule
from archive.services import borrowing, bundles, bundling, deciders, ethics, parts, requests, study_data
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
    terms = {name: form.get(name, "") for name in OF_MANY}
    try:
        lines = bundling.read(uow, form.get("records", ""))
        if form.get("act") == "look":
            return _page(uow, form, None, foretold(uow, lines, terms))
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


def foretold(uow: UnitOfWork, lines: list[bundling.Line], terms: dict[str, str]) -> dict[str, Any]:
    """What a page says before several are asked for: who is asked, how long, and of each record what stands in its way."""
    kind, purpose = terms["kind"], terms["purpose"]
    general = borrowing.offered_unseen(uow).get(purpose, {}).get(kind)
    planned = parts.plan(uow, purpose, len(lines))
    rows = bundling.foretell(uow, lines, kind, purpose if general else "")

    def said(rule: Rule | None) -> dict[str, Any] | None:
        return None if rule is None else {
            "chain": deciders.said(parts.chain(rule.approvers, planned.also)), "days": said_days(kind, rule),
            "last_day": borrowing.last_day(uow, kind, rule), "on_site": rule.on_site and kind == EREAD,
        }  # fmt: skip

    return {
        "planned": planned, "study": parts.is_study(uow, purpose), "data": _data(uow, kind),
        "objections": list(bundling.study_objections(uow, len(lines), terms).values()),
        "kind": kind_words().get(kind), "purpose": purpose,
        "rule": said(general), "refused": sum(one.hindrance is not None for one in rows),
        # Its own rule is told of a record where it is another than that of the list.
        "rows": [(one, NodeView(uow, one.node) if one.node else None, said(one.rule if one.rule != general else None))
                 for one in rows],
    }  # fmt: skip


def _data(uow: UnitOfWork, kind: str) -> list[str]:
    return study_data.given(uow) if kind == DATA else []


def _page(
    uow: UnitOfWork, typed: Any, error: Invalid | Conflict | None, told: dict[str, Any] | None = None
) -> str:
    most = bundling.limits(uow)["records"]
    numbers = field("records", _("Record numbers"), "textarea", required=True, rows=8, mono=True,
                    hint=_("One number a line: record number and stay, archival number or barcode. At most %(most)d.",
                           most=most))  # fmt: skip
    wrong = error if isinstance(error, Invalid) else None
    return render_template(
        "requests/many.html", fields=with_errors([numbers, *terms_fields(uow, many=True)], typed, wrong), told=told,
        general=[str(error)] if error and not (wrong and wrong.fields) else [],
    )  # fmt: skip


@section.page("/requests/bundles/<uuid:uuid>", needs=SIGNED_IN)
def one(uow: UnitOfWork, uuid: UUID) -> str:
    return _show(uow, uuid, {}, None)


def _show(uow: UnitOfWork, uuid: UUID, typed: Any, error: Invalid | Conflict | None) -> str:
    notes, row = session.pop("undecided", {}), bundles.one(uow, uuid)
    found = bundles.shown(uow, row)
    wrong = error if isinstance(error, Invalid) else None
    fields = [
        field("number", _("Number of the approval"), required=True, maxlength=ethics.LONGEST, mono=True),
        field("day", _("Day of the approval"), "date", required=True, max=uow.today.isoformat()),
        field("file", _("The approval"), "file", required=True, accept=".pdf,.png,.jpg,.jpeg,.tif,.tiff"),
    ]  # fmt: skip
    return render_template(
        "requests/bundle.html", found=found, notes=notes, kinds=kind_words(), sees_paper=bundles.may_judge(uow, row),
        examined=ethics.examined(uow, row), data=_data(uow, row.kind), open_data=study_data.open_now(uow, row),
        fields=with_errors(fields, typed, wrong), general=[str(error)] if error and not (wrong and wrong.fields) else [],
        may_attach=found.bundle.is_mine and found.bundle.is_study
        and not (found.bundle.ethics_pages and bundles.is_judged(uow, row)),
    )  # fmt: skip


@section.page(
    "/requests/bundles/<uuid:uuid>/ethics", needs=P.REQUEST_CREATE, methods=("POST",), file="file", ahead=True
)
def attach(uow: UnitOfWork, uuid: UUID) -> Response | tuple[str, int]:
    """The approval of the ethics committee: the file is looked into before any transaction begins."""
    bundles.one(uow, uuid)
    form = {"number": request.form.get("number", ""), "day": request.form.get("day", "")}

    def keep(mine: UnitOfWork, looked: ethics.Looked) -> None:
        ethics.attach(mine, bundles.one(mine, uuid), g.staged, filename=g.filename, looked=looked, **form)

    try:
        site().run(uow.actor, partial(keep, looked=_looked()), uow.origin)
    except (Invalid, Conflict) as error:
        return _show(uow, uuid, form, error), error.status
    flash(_("The approval is attached. Whoever decides can read it."), "ok")
    return make_response(redirect(url_for(".one", uuid=uuid)))


def _looked() -> ethics.Looked:
    if "staged" not in g:
        raise Invalid(fields={"file": _("Choose a file first.")})
    return ethics.look(site(), g.staged)


@section.page("/requests/bundles/<uuid:uuid>/ethics/<int:number>", needs=SIGNED_IN)
def paper(uow: UnitOfWork, uuid: UUID, number: int) -> Response:
    """A page of the approval as a picture: the file itself is handed to nobody."""
    return as_shown(ethics.picture(uow, uuid, number))


@section.page("/requests/bundles/<uuid:uuid>/data", needs=SIGNED_IN, methods=("POST",))
def take_data(uow: UnitOfWork, uuid: UUID) -> Response:
    """The data without names of what is granted and open, as a workbook."""
    row = bundles.one(uow, uuid)
    try:
        return workbook(study_data.take(uow, row), f"{row.number}.xlsx")
    except Conflict as error:
        uow.undo()
        flash(str(error), "bad")
        return make_response(redirect(url_for(".one", uuid=uuid)))


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
