"""检查问题: what is found in a record of an inspection, written down and mended by whoever found it."""

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from archive.blueprints import refused
from archive.errors import ArchiveError, Conflict, Invalid
from archive.forms import field, with_errors
from archive.gate import SIGNED_IN, Section
from archive.given import whole
from archive.i18n import _
from archive.policy.permissions import P
from archive.services import inspection_findings, inspection_noting, inspections, policies
from archive.services.inspection_noting import Editable, Typed
from archive.sight import NodeView
from archive.uow import UnitOfWork

if TYPE_CHECKING:
    from archive.models import Inspection

section = Section("findings", __name__)
CHECK = "check"
"""Said by the page of the rules: whoever confirms one of its lines goes on with the next."""


@section.page("/inspections/<uuid:uuid>/findings", needs=SIGNED_IN)
def form(uow: UnitOfWork, uuid: UUID) -> str:
    """What was found in one record of a batch."""
    return _form(uow, inspections.one(uow, uuid), request.args.get("record", ""))


@section.page("/inspections/<uuid:uuid>/findings", needs=SIGNED_IN, methods=("POST",))
def note(uow: UnitOfWork, uuid: UUID) -> Response | tuple[str, int]:
    batch, record = inspections.one(uow, uuid), request.form.get("record", "")
    try:
        inspection_noting.note(uow, batch, record=record, said=_typed())
    except Invalid as error:
        return refused.again(uow, error, lambda why: _form(uow, inspections.one(uow, uuid), record, why))
    flash(_("Noted."), "ok")
    if request.form.get("from") == CHECK and uow.can(P.INSPECTION_GRANT):
        return make_response(redirect(url_for("inspections.check", uuid=uuid, record=record)))
    return make_response(redirect(url_for("inspections.one", uuid=uuid)))


def _typed() -> Typed:
    return Typed(**{one.name: request.form.get(one.name, "") for one in fields(Typed)})


def _form(uow: UnitOfWork, batch: "Inspection", record: str, error: ArchiveError | None = None) -> str:
    view = inspection_noting.record_of(uow, batch, record)
    last = inspection_findings.last_day(uow).isoformat()
    start = asdict(Typed(part=request.args.get("part", ""), appeal_until=last))
    hidden = {"name": "record", "label": "", "kind": "hidden", "value": record}
    asked = [hidden, *_fields(uow, view)]
    return _page(uow, batch, view, _drawn(asked, request.form if error else start, error), error)


def _drawn(asked: list[dict[str, Any]], said: Any, error: ArchiveError | None) -> list[dict[str, Any]]:
    return with_errors(asked, said, error if isinstance(error, Invalid) else None)


def _page(
    uow: UnitOfWork, batch: "Inspection", view: NodeView, drawn: list[dict[str, Any]], error: ArchiveError | None,
    found: Editable | None = None, ref: UUID | None = None,
) -> str:  # fmt: skip
    general = [refused.why(error)] if error and not isinstance(error, Invalid) else []
    return render_template(
        "inspections/note.html", batch=batch, view=view, fields=drawn, general=general, found=found, ref=ref,
        gives=uow.can(P.INSPECTION_GRANT),
    )  # fmt: skip


def _fields(uow: UnitOfWork, view: NodeView) -> list[dict[str, Any]]:
    """The form; until when something may be contested is asked of the record room alone."""
    choose, kinds = ("", _("— choose —")), policies.vocabulary(uow, inspection_findings.KINDS)
    parts = inspection_noting.parts_of(uow, view.id)
    whole_record = ("", _("The record as a whole"))
    return [
        field("kind", _("Kind of problem"), "select", choices=[choose, *kinds.items()]),
        field("part", _("Component"), "select", choices=[whole_record, *parts.items()]),
        field("page", _("Page there"), inputmode="numeric", maxlength=4),
        field("words", _("Problem found"), "textarea", required=True, rows=2, maxlength=inspection_findings.LONGEST),
        field("points", _("Points deducted"), inputmode="decimal"),
        field("yuan", _("Yuan deducted"), inputmode="decimal"),
        *([_until()] if uow.can(P.INSPECTION_GRANT) else []),
    ]  # fmt: skip


def _until() -> dict[str, Any]:
    return field("appeal_until", _("May be contested until"), "date")


@section.page("/inspections/findings/<uuid:uuid>", needs=SIGNED_IN)
def one(uow: UnitOfWork, uuid: UUID) -> str:
    """A finding to be mended; the record room says of another's until when it may be contested."""
    return _one(uow, uuid)


def _one(uow: UnitOfWork, uuid: UUID, error: ArchiveError | None = None) -> str:
    found = inspection_noting.editable(uow, uuid)
    version = {"name": "version", "label": "", "kind": "hidden", "value": str(found.version)}
    asked = _fields(uow, found.record) if found.is_mine else [_until()]
    was_sent = error is not None and not {"words", "appeal_until"}.isdisjoint(request.form)
    said = request.form if was_sent else asdict(found.typed)
    drawn = [version, *_drawn(asked, said, error)]
    return _page(uow, found.batch, found.record, drawn, error, found, uuid)


@section.page("/inspections/findings/<uuid:uuid>", needs=SIGNED_IN, methods=("POST",))
def mend(uow: UnitOfWork, uuid: UUID) -> Response | tuple[str, int]:
    back = _back(uow, uuid)
    try:
        inspection_noting.mend(uow, uuid, said=_typed(), version=_version())
    except (Invalid, Conflict) as error:
        return refused.again(uow, error, lambda why: _one(uow, uuid, why))
    flash(_("Saved."), "ok")
    return back


def _version() -> int:
    return request.form.get("version", 0, type=whole)


def _back(uow: UnitOfWork, uuid: UUID) -> Response:
    _row, _node, batch = inspection_findings.known(uow, uuid)
    return make_response(redirect(url_for("inspections.one", uuid=batch.uuid)))


@section.page("/inspections/findings/<uuid:uuid>/appeal", needs=P.INSPECTION_GRANT, methods=("POST",))
def contestable(uow: UnitOfWork, uuid: UUID) -> Response | tuple[str, int]:
    back, until = _back(uow, uuid), request.form.get("appeal_until", "")
    try:
        inspection_findings.contestable(uow, uuid, until=until, version=_version())
    except (Invalid, Conflict) as error:
        return refused.again(uow, error, lambda why: _one(uow, uuid, why))
    flash(_("Saved."), "ok")
    return back


@section.page("/inspections/findings/<uuid:uuid>/withdraw", needs=SIGNED_IN, methods=("POST",))
def withdraw(uow: UnitOfWork, uuid: UUID) -> Response | tuple[str, int]:
    back = _back(uow, uuid)
    try:
        inspection_noting.withdraw(uow, uuid, version=_version())
    except Conflict as error:
        return refused.again(uow, error, lambda why: _one(uow, uuid, why))
    flash(_("The finding is withdrawn."), "ok")
    return back
