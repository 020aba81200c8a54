"""封存: sealing a record, the list of what is sealed, the slip of a package, its review, and taking the seal off."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from archive.blueprints import shown
from archive.errors import Conflict, Invalid
from archive.forms import field, with_errors
from archive.gate import Section
from archive.i18n import _
from archive.policy.permissions import P
from archive.services import holds, policies, sealed
from archive.sight import NodeView
from archive.uow import UnitOfWork

if TYPE_CHECKING:
    from archive.models import Node

section = Section("holds", __name__)
SEALING = ("kind", "asked_by", "hospital", "patient", "witness", "kept_at", "review_due", "reason")
RELEASING = ("ground", "present", "reason")


@section.page("/a/<slugs:path>/@@seal", needs=P.HOLD_APPLY, node="path")
def seal_form(uow: UnitOfWork, node: "Node") -> str:
    return _seal_page(uow, node, {}, None)


@section.page("/a/<slugs:path>/@@seal", needs=P.HOLD_APPLY, node="path", methods=("POST",))
def seal(uow: UnitOfWork, node: "Node") -> Response | tuple[str, int]:
    try:
        made = holds.apply(uow, node, **_typed(SEALING))
    except (Invalid, Conflict) as error:
        uow.undo()
        return _seal_page(uow, node, request.form, error), error.status
    flash(_("Sealed as %(number)s. Print the list; both sides sign it.", number=made.number), "ok")
    return make_response(redirect(url_for(".slip", uuid=made.uuid)))


def _typed(names: tuple[str, ...]) -> dict[str, str]:
    return {name: request.form.get(name, "") for name in names}


def _seal_page(uow: UnitOfWork, node: "Node", typed: Any, error: Invalid | Conflict | None) -> str:
    wrong = error if isinstance(error, Invalid) else None
    return render_template(
        "holds/seal.html", view=NodeView(uow, node), fields=with_errors(_sealing(uow), typed, wrong),
        standing=sealed.over(uow, node), general=_general(error), **shown.place(uow, node),
    )  # fmt: skip


def _general(error: Invalid | Conflict | None) -> list[str]:
    return [str(error)] if isinstance(error, Conflict) else []


def kind_words() -> dict[str, str]:
    """What lies in the package."""
    return {"copy": _("A copy"), "original": _("The original")}


def _sealing(uow: UnitOfWork) -> list[dict[str, Any]]:
    askers = policies.vocabulary(uow, "hold_asker")
    return [
        field("kind", _("What is sealed"), "radio", required=True, value="copy",
              choices=[("copy", _("A copy: the original goes on being written and used")),
                       ("original", _("The original: closed to everybody until the seal is off"))]),
        field("asked_by", _("Sealing asked for by"), "select", required=True,
              choices=[("", _("— choose —")), *askers.items()]),
        field("hospital", _("Present for the hospital"), required=True, maxlength=120, hint=_("Name and office.")),
        field("patient", _("Present for the patient"), maxlength=120, hint=_("Name, and whose relative or agent.")),
        field("witness", _("Notary or witness"), maxlength=120,
              hint=_("Where the patient's side does not come, a notary seals with the hospital.")),
        field("kept_at", _("Where the package is kept"), required=True, maxlength=120),
        field("review_due", _("Look at it again on"), "date", required=True, value=holds.first_review(uow).isoformat()),
        field("reason", _("Reason"), "textarea", required=True, maxlength=500),
    ]  # fmt: skip


@section.page("/holds", needs=P.HOLD_APPLY)
def listing(uow: UnitOfWork) -> str:
    released = "released" in request.args
    return render_template(
        "holds/list.html", seals=sealed.listing(uow, released=released), released=released, kinds=kind_words()
    )


@section.page("/holds/<uuid:uuid>", needs=P.HOLD_APPLY)
def slip(uow: UnitOfWork, uuid: UUID) -> str:
    return _slip_page(uow, uuid, None)


def _slip_page(uow: UnitOfWork, uuid: UUID, error: Invalid | Conflict | None) -> str:
    found = sealed.one(uow, uuid)
    fields = [
        field("review_due", _("Look at it again on"), "date", required=True, value=holds.first_review(uow).isoformat()),
        field("reason", _("Reason"), "textarea", required=True, maxlength=500, rows=2),
    ]  # fmt: skip
    wrong = error if isinstance(error, Invalid) else None
    return render_template(
        "holds/slip.html", slip=found, seal=found.seal, kinds=kind_words(), general=_general(error),
        fields=with_errors(fields, request.form if error else {}, wrong),
    )  # fmt: skip


@section.page("/holds/<uuid:uuid>/review", needs=P.HOLD_APPLY, methods=("POST",))
def review(uow: UnitOfWork, uuid: UUID) -> Response | tuple[str, int]:
    try:
        holds.review(uow, sealed.one(uow, uuid).hold, **_typed(("review_due", "reason")))
    except (Invalid, Conflict) as error:
        uow.undo()
        return _slip_page(uow, uuid, error), error.status
    return make_response(redirect(url_for(".slip", uuid=uuid)))


@section.page("/holds/<uuid:uuid>/release", needs=P.HOLD_RELEASE)
def release_form(uow: UnitOfWork, uuid: UUID) -> str:
    return _release_page(uow, uuid, None)


@section.page("/holds/<uuid:uuid>/release", needs=P.HOLD_RELEASE, methods=("POST",))
def release(uow: UnitOfWork, uuid: UUID) -> Response | tuple[str, int]:
    found = sealed.one(uow, uuid)
    try:
        holds.release(uow, found.hold, **_typed(RELEASING))
    except (Invalid, Conflict) as error:
        uow.undo()
        return _release_page(uow, uuid, error), error.status
    flash(_("The seal %(number)s is off.", number=found.seal.number), "ok")
    return make_response(redirect(found.seal.node.href))


def _release_page(uow: UnitOfWork, uuid: UUID, error: Invalid | Conflict | None) -> str:
    found = sealed.one(uow, uuid)
    fields = [
        field("ground", _("Why it may be opened"), "radio", required=True, value="together",
              choices=list(holds.grounds(uow, found.hold).items())),
        field("present", _("Who is present"), required=True, maxlength=200, hint=_("All names, both sides.")),
        field("reason", _("Reason"), "textarea", required=True, maxlength=500),
    ]  # fmt: skip
    wrong = error if isinstance(error, Invalid) else None
    return render_template(
        "holds/release.html", seal=found.seal, kinds=kind_words(), general=_general(error),
        alone_from=holds.alone_from(uow, found.hold), fields=with_errors(fields, request.form if error else {}, wrong),
    )  # fmt: skip
