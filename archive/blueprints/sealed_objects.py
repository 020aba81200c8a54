"""封存实物: a thing is sealed with a record or a dispute file, and opened again."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from archive.blueprints import shown
from archive.blueprints.holds import people_field, people_typed
from archive.errors import Conflict, Invalid
from archive.forms import field, with_errors
from archive.gate import Section
from archive.given import uuid as is_uuid
from archive.i18n import _
from archive.policy.permissions import P
from archive.services import parties, sealed_objects, unsealing
from archive.sight import NodeView
from archive.uow import UnitOfWork

if TYPE_CHECKING:
    from archive.models import Node

section = Section("sealed_objects", __name__)
SEALING = ("kind", "what", "batch", "kept_at", "reason")
OPENING = ("ground", "paper", "reason")


@section.page("/a/<slugs:path>/@@object", needs=(P.HOLD_APPLY, P.DISPUTE), node="path")
def form(uow: UnitOfWork, node: "Node") -> str:
    return _form_page(uow, node, None)


@section.page("/a/<slugs:path>/@@object", needs=(P.HOLD_APPLY, P.DISPUTE), node="path", methods=("POST",))
def seal(uow: UnitOfWork, node: "Node") -> Response | tuple[str, int]:
    ref = is_uuid(request.form.get("hold", ""))
    typed = {name: request.form.get(name, "") for name in SEALING}
    try:
        made = sealed_objects.seal(uow, node, **typed, people=people_typed(), hold=UUID(ref) if ref else None)
    except (Invalid, Conflict) as error:
        uow.undo()
        return _form_page(uow, node, error), error.status
    flash(_("Sealed as %(number)s. Write the number on the envelope.", number=made.number), "ok")
    return make_response(redirect(url_for(".one", uuid=made.uuid)))


def _form_page(uow: UnitOfWork, node: "Node", error: Invalid | Conflict | None) -> str:
    fields = [
        field("kind", _("What is sealed"), "select", required=True,
              choices=[("", _("— choose —")), *sealed_objects.kinds(uow).items()]),
        field("what", _("What it is, how much, and how it is packed"), required=True, maxlength=200),
        field("batch", _("Batch, or number of the bag"), mono=True, maxlength=60),
        people_field(_("Present"), _("Of blood, somebody of the station that gave it is there as well.")),
        field("kept_at", _("Where the package is kept"), required=True, maxlength=120,
              hint=_("With the temperature, where it matters.")),
        field("reason", _("Reason"), "textarea", required=True, maxlength=500, rows=2),
    ]  # fmt: skip
    wrong = error if isinstance(error, Invalid) else None
    return render_template(
        "sealed_objects/form.html", view=NodeView(uow, node), general=_general(error), hold=request.values.get("hold", ""),
        fields=with_errors(fields, request.form if error else {}, wrong), **shown.place(uow, node),
    )  # fmt: skip


def _general(error: Invalid | Conflict | None) -> list[str]:
    return [str(error)] if isinstance(error, Conflict) else []


@section.page("/sealed-objects/<uuid:uuid>", needs=sealed_objects.KNOWS)
def one(uow: UnitOfWork, uuid: UUID) -> str:
    return _page(uow, uuid, None)


@section.page("/sealed-objects/<uuid:uuid>/open", needs=sealed_objects.OPENS, methods=("POST",))
def open_up(uow: UnitOfWork, uuid: UUID) -> Response | tuple[str, int]:
    thing = sealed_objects.one(uow, uuid)
    typed = {name: request.form.get(name, "") for name in OPENING}
    try:
        sealed_objects.open_up(uow, thing.row, **typed, people=people_typed())
    except (Invalid, Conflict) as error:
        uow.undo()
        return _page(uow, uuid, error), error.status
    flash(_("%(number)s is open.", number=thing.row.number), "ok")
    return make_response(redirect(url_for(".one", uuid=uuid)))


def _page(uow: UnitOfWork, uuid: UUID, error: Invalid | Conflict | None) -> str:
    thing = sealed_objects.one(uow, uuid)
    grounds = unsealing.grounds(uow, thing.row)
    fields: list[dict[str, Any]] = [
        field("ground", _("Why it may be opened"), "radio", required=True, value=next(iter(grounds)),
              choices=list(grounds.items())),
        people_field(_("Who is present"), rows=4),
        field("paper", _("Number of the document"), maxlength=120,
              hint=_("The agreement, judgment or order that settled it; not where all open it together.")),
        field("reason", _("What becomes of it: tested by whom, given back, destroyed"), "textarea", required=True,
              maxlength=500, rows=2),
    ]  # fmt: skip
    wrong = error if isinstance(error, Invalid) else None
    return render_template(
        "sealed_objects/one.html", thing=thing, sides=parties.words(), general=_general(error),
        fields=with_errors(fields, request.form if error else {}, wrong),
    )  # fmt: skip
