"""复制窗口: an application on one page and with one save, its slip to the end, the list of slips; and the public page."""

from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import UUID

from flask import Response, make_response, redirect, render_template, request, send_file, url_for

from archive import envelope, forms, gate
from archive.asking import typed, typed_token
from archive.errors import ArchiveError, Conflict, Invalid, Throttled
from archive.forms import field, with_errors
from archive.gate import PUBLIC, P, Section
from archive.given import uuid as is_uuid
from archive.i18n import _
from archive.policy import proofs
from archive.services import pictures, policies
from archive.services.copying import (
    applications,
    bookings,
    deaths,
    finding,
    handing,
    slips,
    turnaround,
    verifying,
    withholding,
)
from archive.services.copying.applications import Application
from archive.services.copying.finding import Found
from archive.uow import UnitOfWork

if TYPE_CHECKING:
    from archive.models import CopyRequest

section = Section("copying", __name__)
FIELDS = tuple(one.name for one in finding.QUESTION.fields)
FOUND = "found"
"""Beside what was typed: that it has been asked, and has found somebody."""
Refusal = Invalid | Conflict | Throttled | None


@section.page("/copying", needs=P.REQUEST_COPY, typed=FIELDS)
def window(uow: UnitOfWork) -> str | tuple[str, int]:
    asked = {name: words for name in FIELDS if (words := typed(name))}
    if typed_token() is None:
        return _window(uow, {}, None)
    try:
        return _window(uow, asked, finding.find(uow, asked))
    except (Invalid, Throttled) as error:
        return _window(uow, asked, None, error), error.status


@section.page("/copying/applications", needs=P.REQUEST_COPY, methods=("POST",))
def apply(uow: UnitOfWork) -> Response | str | tuple[str, int]:
    """Takes the application down. Whom it is about is asked for again, by what was typed to find them."""
    asked = envelope.opened(uow, request.form.get(envelope.PARAMETER, "")) or {}
    # Words that were sealed and never asked would be a guess that nobody counts.
    found = finding.find(uow, asked, tell=False) if asked.pop(FOUND, "") else None
    if found is None:
        return _window(
            uow, asked, None, Conflict(_("What was typed is no longer kept. Find the patient again."))
        ), 422
    try:
        made = applications.apply(uow, found, _application(found))
        if booked := is_uuid(request.form.get("booking", "")):
            bookings.came(uow, UUID(booked), made)
    except applications.TakenTwice as error:
        uow.undo()
        return make_response(redirect(url_for(".slip", uuid=error.slip)))
    except (Invalid, Conflict) as error:
        uow.undo()
        return _window(uow, asked, found, error), error.status
    return make_response(redirect(url_for(".slip", uuid=made.uuid)))


def _application(found: Found) -> Application:
    form = request.form
    records, parts = set(form.getlist("records")), set(form.getlist("part"))
    later, withhold = set(form.getlist("later")), set(form.getlist("withhold"))
    texts = (
        "kind",
        "applicant",
        "applicant_name",
        "purpose",
        "package",
        "identity",
        "relation",
        "note",
        "mail",
        "died_on",
        "doctor",
        "withheld_because",
    )
    return Application(
        **{name: form.get(name, "") for name in texts}, by_mail="by_mail" in form, died="died" in form,
        papers=frozenset(form.getlist("paper")),
        records=frozenset(stay.node.id for stay in found.stays if str(stay.node.uuid) in records),
        withhold=frozenset(part.node.id for stay in found.stays for part in stay.parts if str(part.node.uuid) in withhold),
        later=frozenset(stay.node.id for stay in found.stays if str(stay.node.uuid) in later),
        sheets={stay.node.id: form.get(f"sheets-{stay.node.uuid}", "") for stay in found.stays},
        parts=frozenset(part.node.id for stay in found.stays for part in stay.parts if str(part.node.uuid) in parts),
    )  # fmt: skip


def _window(uow: UnitOfWork, asked: dict[str, str], found: Found | None, error: Refusal = None) -> str:
    body, rules = policies.in_force(uow, "proofs").body, policies.in_force(uow, "copying").body
    given: Any = request.form if request.method == "POST" else request.args
    known, died = proofs.applicants(body), "died" in given
    found = found.as_said(died=died) if found else None
    who = known.get(given.get("applicant", "")) or next(iter(known.values()))
    wrong = error.fields if isinstance(error, Invalid) else {}
    drawn = forms.fields_of(uow, finding.QUESTION, asked, {} if found else wrong)
    question = {
        one["name"]: one | {"autocomplete": "off", "autofocus": one["name"] == "number" and not found}
        for one in drawn
    }
    people = [(code, policies.said(one)) for code, one in body["applicants"].items()]
    papers = [
        (kind, policies.said(body["papers"][kind]))
        for kind in proofs.asked(body, who, dead=bool(found and found.is_dead))
    ]
    booked = is_uuid(given.get("booking", "")) or ""
    name = bookings.name_of(uow, UUID(booked)) if booked else None
    if name is None:  # cancelled meanwhile, or taken up at another window: the application goes on without it
        booked = ""
    fields = _fields(uow, rules, found, name or "") if found else []
    return render_template(
        "copying/window.html", question=question, people=people, who=who.code, died=died, found=found, asked=asked, papers=papers,
        objection=applications.objection_to(found, who) if found else None, rules=rules,
        fields={one["name"]: one for one in with_errors(fields, given, error if isinstance(error, Invalid) else None)},
        booking=booked, given=given, before=withholding.before(uow, found) if found and who.of != proofs.ANYBODY else None,
        posted=request.method == "POST", wrong=wrong, searched=bool(asked) and error is None,
        general=[str(error)] if isinstance(error, Conflict | Throttled) else [], counts=slips.counts(uow),
        kept=withholding.nodes, patient=envelope.seal(uow, asked | {FOUND: "1"}) if found else "",
    )  # fmt: skip


def _fields(uow: UnitOfWork, rules: dict[str, Any], found: Found, name: str) -> list[dict[str, Any]]:
    packages = [(code, policies.said(one)) for code, one in rules["packages"].items()]
    purposes = policies.vocabulary(uow, "copy_purpose")
    most = applications.LONGEST
    kinds = [("copy", _("A copy of the record")), (applications.TRAIL, _("Who has seen my record"))]
    return [
        field("kind", _("What is asked for"), "radio", required=True, value="copy", choices=kinds),
        field("applicant_name", _("Name of the applicant"), required=True, value=name, maxlength=most["applicant_name"],
              autocomplete="off"),
        field("identity", _("Number of the identity paper"), maxlength=most["identity"], mono=True, autocomplete="off"),
        field("died_on", _("Died on"), "date", value=found.died_on.isoformat() if found.died_on else "",
              hint=_("As the death certificate says it. From then on an heir or near relative applies.")),
        field("relation", _("Relation to the patient, or body"), maxlength=most["relation"]),
        field("purpose", _("Purpose"), "select", required=True, choices=list(purposes.items())),
        field("package", _("What is copied"), "radio", required=True, value=packages[0][0], choices=packages),
        field("note", _("Note"), "textarea", maxlength=most["note"], rows=2),
        field("doctor", _("Doctor who has decided it"), maxlength=withholding.LONGEST["doctor"], autocomplete="off"),
        field("withheld_because", _("Why it would harm the treatment"), maxlength=withholding.LONGEST["withheld_because"]),
        field("by_mail", _("To be sent by mail"), "checkbox"),
        field("mail", _("Address and telephone"), maxlength=most["mail"], autocomplete="off"),
    ]  # fmt: skip


@section.page("/copying/slips", needs=P.REQUEST_COPY)
def listing(uow: UnitOfWork) -> str:
    which = request.args.get("which", "open")
    rows = slips.listing(uow, which)
    return render_template(
        "copying/list.html", rows=rows, which=which, figures=turnaround.figures(uow), most=slips.MOST
    )


@section.page("/copying/slips/<uuid:uuid>", needs=P.REQUEST_COPY, event="copy.viewed")
def slip(uow: UnitOfWork, uuid: UUID) -> str:
    return _slip(uow, slips.one(uow, uuid), None)


@section.page("/copying/slips/<uuid:uuid>/papers", needs=P.REQUEST_COPY, methods=("POST",))
def papers(uow: UnitOfWork, uuid: UUID) -> Response | tuple[str, int]:
    form = request.form
    try:
        applications.complete(uow, slips.one(uow, uuid), form.getlist("paper"), form.get("died_on", ""))
    except Invalid as error:
        uow.undo()
        return _slip(uow, slips.one(uow, uuid), error), error.status
    return make_response(redirect(url_for(".slip", uuid=uuid)))


@section.page("/copying/slips/<uuid:uuid>/death", needs=P.REQUEST_COPY, methods=("POST",))
def withdraw_death(uow: UnitOfWork, uuid: UUID) -> Response | tuple[str, int]:
    try:
        deaths.take_back(uow, slips.one(uow, uuid), reason=request.form.get("reason", ""))
    except (Invalid, Conflict) as error:
        uow.undo()
        return _slip(uow, slips.one(uow, uuid), error), error.status
    return make_response(redirect(url_for(".slip", uuid=uuid)))


@section.page("/copying/slips/<uuid:uuid>/<name>", needs=P.REQUEST_COPY, methods=("POST",))
def advance(uow: UnitOfWork, uuid: UUID, name: str) -> Response | tuple[str, int]:
    copy = slips.one(uow, uuid)
    try:
        _taken(uow, copy, name)
    except (Invalid, Conflict) as error:
        uow.undo()
        return _slip(uow, slips.one(uow, uuid), error, name), error.status
    return make_response(redirect(url_for(".slip", uuid=uuid)))


def _taken(uow: UnitOfWork, copy: "CopyRequest", step: str) -> None:
    form = request.form
    version = form.get("version", type=int)
    if version is None:  # without it a file might be confirmed that was made anew and nobody has compared
        raise Conflict(_("Somebody has gone on with this slip meanwhile. Reload the page."))
    paid, reason = "paid" in form, form.get("reason", "")
    if step == "make":
        handing.make(uow, copy, version=version)
    elif step == "confirm":
        handing.confirm(uow, copy, clerk="clerk" in form, applicant="applicant" in form, version=version)
    elif step == "deliver":
        handing.deliver(uow, copy, paid=paid, version=version)
    elif step == "ship":
        handing.ship(uow, copy, paid=paid, tracking=form.get("tracking", ""), version=version)
    elif step == "sign":
        handing.sign(uow, copy, version=version)
    elif step == "refuse":
        handing.refuse(uow, copy, reason=reason, version=version)
    elif step == "revoke":
        handing.revoke(uow, copy, reason=reason, version=version)
    else:
        raise Conflict(_("There is no such step."))


def _slip(uow: UnitOfWork, copy: "CopyRequest", error: Invalid | Conflict | None, taken: str = "") -> str:
    steps = handing.offered(uow, copy)
    wrong = error if isinstance(error, Invalid) else None
    asked = {step.name: with_errors(_asked(copy, step.name), request.form if step.name == taken else {},
                                    wrong if step.name == taken else None) for step in steps}  # fmt: skip
    return render_template(
        "copying/slip.html", slip=slips.shown(uow, copy), copy=copy, photos=pictures.of_slip(uow, copy), steps=steps,
        asked=asked, address=_mail(uow, copy),
        asks_death=deaths.is_asked(uow, copy), to_tick=handing.to_tick(uow, copy), general=_general(error, taken),
    )  # fmt: skip


def _general(error: Invalid | Conflict | None, taken: str) -> list[str]:
    """What is wrong with no field that is drawn again."""
    if isinstance(error, Conflict):
        return [str(error)]
    return list(error.fields.values()) if error is not None and not taken else []


def _mail(uow: UnitOfWork, copy: "CopyRequest") -> str:
    return uow.site.keys.decrypt("identity-enc", copy.mail_enc) if copy.mail_enc else ""


def _asked(copy: "CopyRequest", step: str) -> list[dict[str, Any]]:
    """What a step asks beside its button."""
    paid = field("paid", _("The fee of %(yuan)s yuan has been paid", yuan=f"{(copy.fee_fen or 0) / 100:.2f}"), "checkbox",
                 id=f"f-paid-{step}")  # fmt: skip
    there = (
        _("Who the applicant is was verified by telephone")
        if copy.by_mail
        else _("The applicant is present and confirms it")
    )
    parcel = field("tracking", _("Number of the parcel"), required=True, mono=True, maxlength=60)
    because = field(
        "reason", _("Reason"), "textarea", required=True, rows=2, maxlength=500, id=f"f-reason-{step}"
    )
    fee = [paid] if copy.fee_fen else []
    asked = {
        "confirm": [
            field("clerk", _("Printed and compared with the list of pages"), "checkbox"),
            field("applicant", there, "checkbox"),
        ],
        "deliver": fee, "ship": [*fee, parcel], "refuse": [because], "revoke": [because],
    }  # fmt: skip
    return asked.get(step, [])


@section.page("/copying/slips/<uuid:uuid>/rest", needs=P.REQUEST_COPY, methods=("POST",))
def rest(uow: UnitOfWork, uuid: UUID) -> Response | tuple[str, int]:
    """Takes down what was not finished when the first part was copied."""
    copy = slips.one(uow, uuid)
    nodes = slips.nodes_of(uow, copy)
    try:
        made = handing.follow(
            uow,
            copy,
            sheets={node.id: request.form.get(f"sheets-{node.uuid}", "") for node in nodes},
            parts=request.form.getlist("part"),
        )
    except (Invalid, Conflict) as error:
        uow.undo()
        return _slip(uow, slips.one(uow, uuid), error), error.status
    return make_response(redirect(url_for(".slip", uuid=made.uuid)))


@section.page("/copying/slips/<uuid:uuid>/file", needs=P.REQUEST_COPY)
def file(uow: UnitOfWork, uuid: UUID) -> Response:
    """The finished copy, to be printed in the applicant's presence."""
    name, opened = handing.file(uow, slips.one(uow, uuid))
    response = send_file(opened, mimetype="application/pdf")
    response.headers["Content-Disposition"] = f"inline; filename*=UTF-8''{quote(name)}"
    return response


@section.page("/verify", needs=PUBLIC)
def verify(_uow: UnitOfWork) -> str | tuple[str, int]:
    return _verified(request.args.get("code", ""))


@section.page("/verify/<path:code>", needs=PUBLIC)
def verify_code(_uow: UnitOfWork, code: str) -> str | tuple[str, int]:
    return _verified(code)


def _verified(code: str) -> str | tuple[str, int]:
    """The same page and the same status for whatever is not confirmed: only a code that is valid answers otherwise."""
    if not code.strip():
        return render_template("copying/verify.html", found=None, refusal="", asked=False)
    try:
        found = verifying.verify(gate.site(), code, gate.origin())
    except ArchiveError as error:
        return render_template(
            "copying/verify.html", found=None, refusal=str(error), asked=True
        ), error.status
    page = render_template("copying/verify.html", found=found, refusal="", asked=True)
    return page if found else (page, 404)
