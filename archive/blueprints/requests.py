"""Requests: asking for a record, one's own requests, deciding, and the page of one request."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import Response, flash, make_response, redirect, render_template, request, session, url_for

from archive import envelope
from archive.blueprints import shown
from archive.errors import Conflict, Invalid
from archive.forms import field, with_errors
from archive.gate import SIGNED_IN, P, Section
from archive.given import whole
from archive.i18n import _, ngettext
from archive.policy.lending import Rule
from archive.services import (
    absences,
    approval_desk,
    borrowing,
    bundle_news,
    bundles,
    circulation,
    conflicts,
    deciders,
    foretelling,
    handing_on,
    loans,
    policies,
    printouts,
    reading_room,
    request_parts,
    requests,
    reservations,
    slips,
    study_data,
    turns,
)
from archive.services.attempts import Outcome
from archive.sight import NodeView
from archive.uow import UnitOfWork

if TYPE_CHECKING:
    from archive.models import Node, Request

section = Section("requests", __name__)
TERMS = ("kind", "purpose", "days", "reason", "declared", "declared_words")
"""What is asked of whoever asks, one by one or for several."""
OF_MANY = (*TERMS, "originals")
NOTES = 40
"""Refusals of one act that are shown in their rows: they travel in the cookie, which holds four kilobytes."""


@section.page("/a/<slugs:path>/@@request", needs=P.REQUEST_CREATE, node="path")
def ask_form(uow: UnitOfWork, node: "Node") -> str:
    return _ask_page(uow, node, {}, None)


@section.page("/a/<slugs:path>/@@request", needs=P.REQUEST_CREATE, node="path", methods=("POST",))
def ask(uow: UnitOfWork, node: "Node") -> Response | tuple[str, int]:
    try:
        made = requests.ask(uow, node, **_asked(), parts=request.form.getlist("parts"),
                            with_copy="with_copy" in request.form)  # fmt: skip
    except (Invalid, Conflict) as error:
        uow.undo()
        return _ask_page(uow, node, request.form, error), error.status
    opened = made.state != "requested"
    flash(
        _("The rule gives it at once.") if opened else _("Sent. You will be told when it has been decided."),
        "ok",
    )
    return make_response(redirect(url_for(".one", uuid=made.uuid)))


def _asked() -> dict[str, Any]:
    return {name: request.form.get(name, "") for name in TERMS}


def _ask_page(uow: UnitOfWork, node: "Node", typed: Any, error: Invalid | Conflict | None) -> str:
    objections = {kind: borrowing.hindrance(uow, node, kind) for kind in borrowing.ALONE}
    possible = [kind for kind, objection in objections.items() if objection is None]
    rules = foretelling.rules(uow, node, possible)
    wrong = error if isinstance(error, Invalid) else None
    return render_template(
        "requests/ask.html", view=NodeView(uow, node), objections=objections, rules=_by_purpose(rules),
        purposes=policies.vocabulary(uow, "purpose"), said_days=said_days,
        fields=_with_parts(uow, node, with_errors(_terms_fields(uow, _offered(rules)), typed, wrong), wrong),
        own=borrowing.own_hindrance(uow, [one.rule for one in rules]) if possible else None,
        mine=requests.mine_on(uow, node), stages=foretelling.offices(uow, node, rules), chain=deciders.said, last=turns.LAST,
        paper=foretelling.paper(uow, node) if "paper" in possible else None,
        general=[str(error)] if isinstance(error, Conflict) else [], **shown.place(uow, node),
    )  # fmt: skip


def _by_purpose(rules: list[foretelling.Foretold]) -> list[list[foretelling.Foretold]]:
    """What stands on one line: the media of one purpose that the same people decide on."""
    return [
        list(found) for _same, found in groupby(rules, lambda one: (one.rule.purpose, one.rule.approvers))
    ]


def _with_parts(
    uow: UnitOfWork, node: "Node", fields: list[dict[str, Any]], wrong: Invalid | None
) -> list[dict[str, Any]]:
    """The fields with the components to choose from, behind the medium; where the record has several."""
    fields = _with_copy(uow, fields, wrong)
    found = request_parts.choices(uow, node)
    if len(found) < 2 or all(item["name"] != "kind" for item in fields):
        return fields
    errors = [wrong.fields["parts"]] if wrong and "parts" in wrong.fields else []
    chosen = field("parts", _("Components"), "checks", choices=[(one.uuid, one.label) for one in found],
                   value=request.form.getlist("parts"), errors=errors,
                   hint=_("For reading on the screen. Nothing ticked: the whole record, also pages that stand in no "
                           "component."))  # fmt: skip
    return [fields[0], chosen, *fields[1:]]


def _with_copy(uow: UnitOfWork, fields: list[dict[str, Any]], wrong: Invalid | None) -> list[dict[str, Any]]:
    """The fields with the tick for a stamped copy, where the policy has one for any purpose."""
    words = policies.vocabulary(uow, "purpose")
    named = [words.get(code, code) for code in printouts.purposes(uow)]
    if not named:
        return fields
    errors = [wrong.fields["with_copy"]] if wrong and "with_copy" in wrong.fields else []
    hint = _("With reading on the screen, for: %(purposes)s. Each page bears your name, the time and a number.",
             purposes=_(", ").join(named))  # fmt: skip
    tick = field("with_copy", _("Also a stamped copy, to be printed"), "checkbox", value="with_copy" in request.form,
                 hint=hint, errors=errors)  # fmt: skip
    return [*fields, tick]


def _offered(rules: list[foretelling.Foretold]) -> borrowing.Offered:
    found: borrowing.Offered = {}
    for one in rules:
        if not one.is_blocked:
            found.setdefault(one.rule.purpose, {})[one.kind] = one.rule
    return found


def kind_words() -> dict[str, str]:
    """What the kinds of request are called."""
    return {"eread": _("To read on the screen"), "paper": _("On paper"), "data": _("Data without names")}


def terms_fields(uow: UnitOfWork, *, many: bool = False) -> list[dict[str, Any]]:
    """What a request says besides what is asked for, where nobody knows yet for which record it will be, or for which `many`."""
    allowed = borrowing.offered_unseen(uow)
    if not many:
        return _terms_fields(uow, borrowing.of_one(allowed))
    return [*_terms_fields(uow, allowed), *_why_originals(uow, allowed)]


def _why_originals(uow: UnitOfWork, allowed: borrowing.Offered) -> list[dict[str, Any]]:
    """Why data without names would not do: asked of a study that wants the records themselves."""
    words = policies.vocabulary(uow, "purpose")
    named = [words.get(name, name) for name, media in allowed.items()
             if any(study_data.comes_first(rule, kind) for kind, rule in media.items())]  # fmt: skip
    if not named:
        return []
    return [field("originals", _("Why data without names would not do"), maxlength=borrowing.LONGEST_REASON,
                  hint=_("For: %(purposes)s, where you ask for the records themselves and not for data.",
                         purposes=_(", ").join(named)))]  # fmt: skip


def _terms_fields(uow: UnitOfWork, offered: borrowing.Offered) -> list[dict[str, Any]]:
    words = policies.vocabulary(uow, "purpose")
    kinds = list(dict.fromkeys(kind for media in offered.values() for kind in media))
    purposes = [
        (
            name,
            f"{words.get(name, name)} ({_(', ').join(said_days(kind, rule) for kind, rule in media.items())})",
        )
        for name, media in offered.items()
    ]
    return [
        field("kind", _("How"), "radio", required=True, value=kinds[0] if kinds else "",
              choices=[(kind, kind_words()[kind]) for kind in kinds]),
        field("purpose", _("Purpose"), "select", required=True, choices=[("", _("— choose —")), *purposes]),
        field("days", _("Number of days"), "number", min=0, max=999, inputmode="numeric",
              hint=_("Left empty: as long as the rule allows.")),
        field("reason", _("Reason"), "textarea", maxlength=borrowing.LONGEST_REASON,
              hint=_("What whoever decides should know.")),
        field("declared", _("Declaration"), "radio", required=True,
              choices=[(name, str(words)) for name, words in conflicts.DECLARED.items()]),
        field("declared_words", _("What stands between you and the patient"), maxlength=conflicts.LONGEST),
    ]  # fmt: skip


def paper_fields(
    uow: UnitOfWork, offered: borrowing.Offered, typed: Mapping[str, str], wrong: Invalid | None
) -> list[dict[str, Any]]:
    """What is asked of somebody at the desk, where the volume lies on it."""
    return with_errors([one for one in _terms_fields(uow, offered) if one["name"] != "kind"], typed, wrong)


def said_days(kind: str, rule: Rule) -> str:
    """How long something may be had, in words: on the screen, 7 days."""
    most = rule.most(kind)
    if kind == "data":
        return ngettext("data for %(num)d day", "data for %(num)d days", most)
    if kind == "eread":
        return ngettext("on the screen %(num)d day", "on the screen %(num)d days", most)
    if not most:
        return _("on paper, back on the same day")
    if rule.paper_working:
        return ngettext("on paper %(num)d working day", "on paper %(num)d working days", most)
    return ngettext("on paper %(num)d day", "on paper %(num)d days", most)


@section.page("/requests", needs=SIGNED_IN)
def mine(uow: UnitOfWork) -> str:
    carried = envelope.opened(uow, request.args.get(envelope.PARAMETER, ""))
    return _mine_page(uow, carried or {}, None)


@section.page("/requests", needs=P.REQUEST_CREATE, methods=("POST",))
def by_number(uow: UnitOfWork) -> Response | tuple[str, int]:
    """Asks for a record that one cannot find; the answer is the same whether there is one."""
    try:
        requests.ask_by_number(uow, number=request.form.get("number", ""), **_asked())
    except (Invalid, Conflict) as error:
        uow.undo()
        return _mine_page(uow, request.form, error), error.status
    flash(_("Sent. You will be told when it has been granted."), "ok")
    return make_response(redirect(url_for(".mine")))


def _mine_page(uow: UnitOfWork, typed: Any, error: Invalid | Conflict | None) -> str:
    number = field("number", _("Record number and stay"), required=True, mono=True, placeholder="00218647-2",
                   hint=_("For a record that you cannot find. You are told when it has been granted."))  # fmt: skip
    fields = [number, *terms_fields(uow)] if uow.can(P.REQUEST_CREATE) else []
    wrong = error if isinstance(error, Invalid) else None
    return render_template(
        "requests/mine.html", slips=requests.mine(uow, single=True), bundles=bundles.mine(uow), lent=circulation.mine(uow),
        fields=with_errors(fields, typed, wrong), general=[str(error)] if isinstance(error, Conflict) else [],
    )  # fmt: skip


@section.page("/approvals", needs=(P.REQUEST_DECIDE, P.REQUEST_ENDORSE))
def to_decide(uow: UnitOfWork) -> str:
    """What waits for one's decision; what was refused of the last act stands in its row."""
    notes = session.pop("undecided", {})
    return render_template(
        "requests/approvals.html",
        waiting=approval_desk.mine(uow),
        later=approval_desk.others_first(uow),
        bundles=bundles.waiting(uow),
        bundles_later=bundles.later(uow),
        kinds=kind_words(),
        notes=notes,
        standing=[one for one in absences.listed(uow) if one.runs],
    )


@section.page("/approvals", needs=(P.REQUEST_DECIDE, P.REQUEST_ENDORSE), methods=("POST",))
def decide(uow: UnitOfWork) -> Response:
    form = request.form
    whole = bundles.to_decide(uow, form.getlist("bundles", type=UUID), form.get("act", ""))
    of = {ref: bundle for bundle, refs in whole.items() for ref in refs}
    wanted = [*form.getlist("ids", type=UUID), *of]
    said_outcomes(requests.decide(uow, wanted, form.get("act", ""), reason=form.get("reason")), of)
    return make_response(redirect(url_for(".to_decide")))


def said_outcomes(outcomes: Iterable[Outcome], of: Mapping[UUID, UUID] = MappingProxyType({})) -> None:
    """Says how many were decided; the reason of a refusal stands in its row, or in that of its bundle."""
    found = list(outcomes)
    refused = [one for one in found if one.refusal]
    session["undecided"] = {str(of.get(one.ref, one.ref)): one.refusal for one in reversed(refused[:NOTES])}
    if done := len(found) - len(refused):
        flash(ngettext("%(num)d request decided.", "%(num)d requests decided.", done), "ok")
    if refused:
        flash(ngettext("%(num)d request not decided.", "%(num)d requests not decided.", len(refused)), "wait")


@section.page("/requests/<uuid:uuid>", needs=SIGNED_IN)
def one(uow: UnitOfWork, uuid: UUID) -> str:
    return slip_page(uow, uuid)


def slip_page(uow: UnitOfWork, uuid: UUID, error: Invalid | Conflict | None = None) -> str:
    """The page of a slip; what was refused of handing a volume on stands in its form."""
    row = slips.one(uow, uuid)
    room = reading_room.of(uow, row)
    wrong = " ".join(getattr(error, "fields", {}).values()) or str(error) if error else ""
    return render_template(
        "requests/one.html", slip=slips.slip(uow, row), offers=requests.offers(uow, row), kinds=kind_words(),
        chain=approval_desk.said(uow, [row.id]).get(row.id, []), why_not=requests.why_not(uow, row),
        longest=conflicts.LONGEST, copies=printouts.taken(uow, row), no_copy=printouts.may_refuse(uow, row),
        room=room, may_take=(room is None or room.is_here) and printouts.objection(uow, row) is None,
        parts=request_parts.of(uow, row), whole=bundle_news.told_of(uow, [row.bundle_id]).get(row.bundle_id or 0),
        to_narrow=[(one.uuid, one.label) for one in request_parts.to_narrow(uow, row)],
        lent=circulation.of_request(uow, row), may_renew=loans.may_renew(uow, row),
        no_renewal=loans.why_not_renewed(uow, row), may_recall=loans.may_recall(uow, row), place=reservations.place(uow, row),
        given=handing_on.given(uow, row), may_handle=loans.is_handled(uow, row), wrong=wrong, typed=request.form,
    )  # fmt: skip


def _in_the_room(uow: UnitOfWork, row: "Request", name: str) -> None:
    """电子阅览室: a code is given, typed, or the visit is ended."""
    if name == "room-code":
        code = reading_room.give(uow, row)
        flash(_("Code for the reader, shown this once: %(code)s", code=code), "ok")
    elif name == "room-end":
        reading_room.end(uow, row)
        flash(_("The visit is ended."), "ok")
    elif not reading_room.enter(uow, row, request.form.get("code", "")):
        flash(_("This is not the code. Look again, or ask for a new one."), "bad")


@section.page("/requests/<uuid:uuid>/<name>", needs=SIGNED_IN, methods=("POST",))
def step(uow: UnitOfWork, uuid: UUID, name: str) -> Response:
    """A step that somebody takes with a button; a refusal is said on the page."""
    row, form = slips.one(uow, uuid), request.form
    try:
        if name == "renew":
            loans.renew(uow, row)
        elif name == "recall":
            loans.recall(uow, row)
        elif name == "narrow":
            request_parts.narrow(uow, row, form.getlist("parts"))
            flash(_("Only these components will be opened."), "ok")
        elif name in ("room-code", "room-enter", "room-end"):
            _in_the_room(uow, row, name)
        elif name == "no-copy":
            printouts.refuse(uow, row)
            flash(_("It will be opened for reading, without a copy."), "ok")
        elif name == "recuse":
            requests.recuse(uow, row, words=form.get("words", ""))
            flash(_("Written down: somebody else decides this."), "ok")
            # Whoever is not asked any more may not see the slip any more.
            return make_response(redirect(url_for(".to_decide")))
        else:
            requests.advance(
                uow, row, name, reason=form.get("reason"), version=form.get("version", type=whole)
            )
    except (Invalid, Conflict) as error:
        uow.undo()
        flash(" ".join(getattr(error, "fields", {}).values()) or str(error), "bad")
    return make_response(redirect(url_for(".one", uuid=uuid)))
