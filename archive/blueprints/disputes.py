"""纠纷档案: the cases that one handles, and one case on one page."""

from typing import Any
from uuid import UUID

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from archive.blueprints.holds import kind_words
from archive.errors import ArchiveError, Conflict, Invalid, NotFound
from archive.forms import field, fields_of
from archive.gate import Section
from archive.given import uuid as is_uuid
from archive.i18n import _
from archive.policy.permissions import P
from archive.services import case_file, disputes
from archive.sight import NodeView
from archive.uow import UnitOfWork

section = Section("disputes", __name__)


@section.page("/disputes", needs=P.DISPUTE)
def listing(uow: UnitOfWork) -> str:
    closed = "closed" in request.args
    return render_template("disputes/list.html", cases=case_file.listing(uow, closed=closed), closed=closed)


@section.page("/disputes/new", needs=P.DISPUTE)
def form(uow: UnitOfWork) -> str:
    about = is_uuid(request.args.get("record", ""))
    code = NodeView(uow, uow.node(UUID(about), P.IDENTIFY)).code if about else ""
    return _form_page(
        uow, {"records": code, "date_from": uow.today.isoformat(), "retention": disputes.KIND.retention}, None
    )


@section.page("/disputes/new", needs=P.DISPUTE, methods=("POST",))
def open_case(uow: UnitOfWork) -> Response | tuple[str, int]:
    fields = {one.name: request.form.get(one.name, "") for one in disputes.KIND.typed}
    try:
        made = disputes.open_case(uow, records=request.form.get("records", ""), fields=fields)
    except (Invalid, Conflict) as error:
        uow.undo()
        return _form_page(uow, request.form, error), error.status
    flash(_("Opened as %(number)s.", number=made.data["dispute_no"]), "ok")
    return make_response(redirect(url_for(".one", uuid=made.uuid)))


def _form_page(uow: UnitOfWork, typed: Any, error: Invalid | Conflict | None) -> str:
    wrong = error.fields if isinstance(error, Invalid) else {}
    fields = [_records_field(typed.get("records", ""), wrong), *fields_of(uow, disputes.KIND, typed, wrong)]
    return render_template("disputes/form.html", fields=fields, general=_general(error))


def _records_field(value: str, wrong: Any) -> dict[str, Any]:
    hint = _(
        "Record number and stay, archival number or barcode; several with spaces between them. Others can be added later."
    )
    errors = [wrong["records"]] if "records" in wrong else []
    return field(
        "records",
        _("Records that it is about"),
        mono=True,
        maxlength=2000,
        hint=hint,
        value=value,
        errors=errors,
    )


def _general(error: ArchiveError | None) -> list[str]:
    return [str(error)] if isinstance(error, Conflict) else []


@section.page("/disputes/<uuid:uuid>", needs=P.DISPUTE, event="dispute.viewed")
def one(uow: UnitOfWork, uuid: UUID) -> str:
    return _page(uow, uuid, None)


def _page(uow: UnitOfWork, uuid: UUID, error: Invalid | None) -> str:
    dispute = uow.node(uuid, P.DISPUTE)
    field_ = _records_field(request.form.get("records", ""), error.fields if error else {})
    return render_template(
        "disputes/one.html", case=case_file.shown(uow, dispute), kinds=kind_words(), fields=[field_],
    )  # fmt: skip


@section.page("/disputes/<uuid:uuid>/records", needs=P.DISPUTE, methods=("POST",))
def link(uow: UnitOfWork, uuid: UUID) -> Response | tuple[str, int]:
    try:
        disputes.link(uow, uow.node(uuid, P.DISPUTE), records=request.form.get("records", ""))
    except Invalid as error:
        uow.undo()
        return _page(uow, uuid, error), error.status
    return make_response(redirect(url_for(".one", uuid=uuid)))


@section.page("/disputes/<uuid:uuid>/records/off", needs=P.DISPUTE, methods=("POST",))
def unlink(uow: UnitOfWork, uuid: UUID) -> Response:
    dispute, record = uow.node(uuid, P.DISPUTE), is_uuid(request.form.get("record", ""))
    if record is None:
        raise NotFound
    disputes.unlink(uow, dispute, record=UUID(record))
    return make_response(redirect(url_for(".one", uuid=uuid)))
