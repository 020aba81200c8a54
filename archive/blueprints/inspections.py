"""检查: the batches that are opened to inspectors; one batch is the inspector's list, too."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from archive.blueprints import picked
from archive.errors import Invalid
from archive.forms import field, with_errors
from archive.gate import SIGNED_IN, Section
from archive.i18n import _, ngettext
from archive.policy.permissions import P
from archive.services import inspections
from archive.uow import UnitOfWork

section = Section("inspections", __name__)
FIELDS = ("who", "records", "start", "end", "reason")


@section.page("/inspections", needs=P.INSPECTION_GRANT)
def listing(uow: UnitOfWork) -> str:
    return render_template("inspections/list.html", batches=inspections.listing(uow), states=state_words())


def state_words() -> dict[str, tuple[str, str]]:
    """How the states of a batch are said, and how they look."""
    return {
        "coming": (_("Not begun"), "idle"),
        "open": (_("Open for reading"), "ok"),
        "over": (_("Ended"), "gone"),
    }


@section.page("/inspections/add", needs=P.INSPECTION_GRANT)
def add_form(uow: UnitOfWork) -> str:
    """The form; records that were chosen in a list stand in it already."""
    refs = picked.unpacked(request.args.get("picked", ""))
    return _page(uow, {"records": inspections.numbers_of(uow, refs)}, None)


@section.page("/inspections/add", needs=P.INSPECTION_GRANT, methods=("POST",))
def add(uow: UnitOfWork) -> Response | tuple[str, int]:
    try:
        made = inspections.grant(uow, **{name: request.form.get(name, "") for name in FIELDS})
    except Invalid as error:
        uow.undo()
        return _page(uow, request.form, error), error.status
    count = len(inspections.shown(uow, made).records)
    flash(
        ngettext(
            "%(num)d record is open to the inspector.", "%(num)d records are open to the inspector.", count
        ),
        "ok",
    )
    return make_response(redirect(url_for(".one", uuid=made.uuid)))


def _page(uow: UnitOfWork, typed: Any, error: Invalid | None) -> str:
    people, most = inspections.inspectors(uow), inspections.limits(uow)
    fields = [
        field("who", _("Inspector"), "select", required=True, choices=[("", _("— choose —")), *people.items()]),
        field("records", _("Records to inspect"), "textarea", required=True, rows=6, mono=True,
              hint=_("One number a line: record number and stay, archival number or barcode. At most %(most)d.",
                     most=most["most_records"])),
        field("start", _("First day"), "date", required=True, value=uow.today.isoformat()),
        field("end", _("Last day"), "date", required=True, value=(uow.today + timedelta(days=2)).isoformat(),
              hint=_("At most %(most)d days; at its end everything is closed by itself.", most=most["most_days"])),
        field("reason", _("Reason"), "textarea", required=True, maxlength=500, rows=2,
              hint=_("Who inspects what, and by which letter. It stands in the history of each record.")),
    ]  # fmt: skip
    return render_template(
        "inspections/add.html", fields=with_errors(fields, typed, error), anybody=bool(people)
    )


@section.page("/inspections/<uuid:uuid>", needs=SIGNED_IN)
def one(uow: UnitOfWork, uuid: UUID) -> str:
    found = inspections.shown(uow, inspections.one(uow, uuid))
    return render_template(
        "inspections/one.html", batch=found.batch, rows=found.records, states=state_words(),
        may_end=uow.can(P.INSPECTION_GRANT) and found.batch.state != "over",
    )  # fmt: skip


@section.page("/inspections/<uuid:uuid>/end", needs=P.INSPECTION_GRANT, methods=("POST",))
def end(uow: UnitOfWork, uuid: UUID) -> Response:
    inspections.end(uow, inspections.one(uow, uuid))
    flash(_("Ended: nothing of it is open any more."), "ok")
    return make_response(redirect(url_for(".one", uuid=uuid)))
