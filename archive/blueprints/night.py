"""夜间封存: one page and one save for the duty officer, the card to be signed, and the hand-over in the morning."""

from typing import Any
from uuid import UUID

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from archive.blueprints import documents
from archive.blueprints.holds import kind_words, people_field, people_typed
from archive.errors import Conflict, Invalid
from archive.forms import field, with_errors
from archive.gate import Section
from archive.i18n import _
from archive.policy.permissions import P
from archive.services import night_card, night_seals, parties, pictures, policies
from archive.services.parties import HOSPITAL, PATIENT
from archive.uow import UnitOfWork

section = Section("night", __name__)
TEXTS = ("kind", "asked_by", "kept_at", "key_no", "told_by", "reason")
TAKING = ("mrn", "kept_at", "key_no")


@section.page("/night-seal", needs=P.NIGHT_SEAL)
def form(uow: UnitOfWork) -> str:
    return _form_page(uow, None)


@section.page("/night-seal", needs=P.NIGHT_SEAL, methods=("POST",))
def seal(uow: UnitOfWork) -> Response | tuple[str, int]:
    typed = {name: request.form.get(name, "") for name in TEXTS}
    said = {name: request.form.get(name, "") for name in night_seals.SAID}
    try:
        made = night_seals.seal(uow, said=said, people=people_typed(), **typed)
    except Invalid as error:
        uow.undo()
        return _form_page(uow, error), error.status
    flash(_("Sealed as %(number)s. Print the card, and have it signed.", number=made.number), "ok")
    return make_response(redirect(url_for(".one", uuid=made.uuid)))


def _form_page(uow: UnitOfWork, wrong: Invalid | None) -> str:
    askers = policies.vocabulary(uow, "hold_asker")
    own = {"side": HOSPITAL, "name": uow.actor.name, "office": _("Duty officer")}
    people = people_field(
        _("Present"), _("Where the patient's side does not come, a notary seals with the hospital."), rows=4
    )
    if wrong is None:
        people["rows"] = [own, {"side": HOSPITAL}, {"side": PATIENT}, {}]
    longest = night_seals.SAID
    cover = [
        field("mrn", _("Record number"), mono=True, maxlength=longest["mrn"], autofocus=True, autocomplete="off",
              hint=_("As it stands on the cover: 00218647-2. None there: leave it empty.")),
        field("name", _("Patient"), maxlength=longest["name"], autocomplete="off"),
        field("ward", _("Ward"), maxlength=longest["ward"]),
        field("bed", _("Bed"), maxlength=longest["bed"]),
        field("sheets", _("Sheets"), inputmode="numeric", maxlength=longest["sheets"], hint=_("Counted; empty: not counted.")),
    ]  # fmt: skip
    rest = [
        field("kind", _("What is sealed"), "radio", required=True, value="copy",
              choices=[("copy", _("A copy: the original goes on being written and used")),
                       ("original", _("The original: its volumes go out to nobody until the seal is off"))]),
        field("asked_by", _("Sealing asked for by"), "select", required=True, value="patient", choices=list(askers.items())),
        people,
        field("kept_at", _("Where the package is kept"), required=True, maxlength=120),
        field("key_no", _("Number of the envelope or key"), maxlength=40),
        field("told_by", _("By telephone: who told it from the ward"), maxlength=night_seals.TOLD_BY),
        field("reason", _("Reason"), maxlength=500),
    ]  # fmt: skip
    typed = request.form if wrong else {}
    return render_template(
        "night/form.html", cover=with_errors(cover, typed, wrong), rest=with_errors(rest, typed, wrong),
        seals=night_seals.mine(uow), kinds=kind_words(),
    )  # fmt: skip


@section.page("/night-seal/card.pdf", needs=P.NIGHT_SEAL)
def empty_card(uow: UnitOfWork) -> Response:
    """空白封存卡: to be kept beside the telephone, for when there is no computer."""
    return documents.pdf(night_card.pdf(uow, None), "night-seal.pdf")


@section.page("/night-seal/waiting", needs=P.HOLD_APPLY)
def waiting(uow: UnitOfWork) -> str:
    return render_template("night/waiting.html", seals=night_seals.waiting(uow), kinds=kind_words())


@section.page("/night-seal/<uuid:uuid>", needs=(P.NIGHT_SEAL, P.HOLD_APPLY))
def one(uow: UnitOfWork, uuid: UUID) -> str:
    return _one_page(uow, uuid, None)


def _one_page(uow: UnitOfWork, uuid: UUID, error: Invalid | Conflict | None) -> str:
    seal, hold = night_seals.one(uow, uuid)
    fields: list[dict[str, Any]] = [
        field("kept_at", _("Where the package is kept"), required=True, maxlength=120, value=seal.kept_at),
        field("key_no", _("Number of the envelope or key"), maxlength=40, value=seal.key_no),
    ]
    hint = (
        _("Register the record first if it is not here yet.") if seal.node is None
        else _("Mistyped at night: write the right one. The seal then lies over that record; both numbers stay on record.")
    )  # fmt: skip
    known = seal.said["mrn"] if seal.node is None else seal.node.code
    fields.insert(
        0, field("mrn", _("Number of the record"), required=True, mono=True, value=known, hint=hint)
    )
    wrong = error if isinstance(error, Invalid) else None
    return render_template(
        "night/one.html", seal=seal, kinds=kind_words(), sides=parties.words(), may_take=uow.can(P.HOLD_APPLY),
        photos=pictures.of_hold(uow, hold),
        general=[str(error)] if isinstance(error, Conflict) else [],
        fields=with_errors(fields, request.form if error else {}, wrong),
    )  # fmt: skip


@section.page("/night-seal/<uuid:uuid>/card.pdf", needs=(P.NIGHT_SEAL, P.HOLD_APPLY))
def card(uow: UnitOfWork, uuid: UUID) -> Response:
    """夜间封存卡, to be signed and handed over with the package."""
    seal, _hold = night_seals.one(uow, uuid)
    return documents.pdf(night_card.pdf(uow, seal), f"{seal.number}.pdf")


@section.page("/night-seal/<uuid:uuid>/take-over", needs=P.HOLD_APPLY, methods=("POST",))
def take_over(uow: UnitOfWork, uuid: UUID) -> Response | tuple[str, int]:
    seal, hold = night_seals.one(uow, uuid)
    try:
        night_seals.take_over(uow, hold, **{name: request.form.get(name, "") for name in TAKING})
    except (Invalid, Conflict) as error:
        uow.undo()
        return _one_page(uow, uuid, error), error.status
    flash(_("%(number)s is with the archive now.", number=seal.number), "ok")
    return make_response(redirect(url_for(".waiting")))
