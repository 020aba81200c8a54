"""检查: the batches that are opened to inspectors; one batch is the inspector's list, too."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import Response, flash, g, make_response, redirect, render_template, request, url_for

from archive.blueprints import picked, refused
from archive.blueprints.documents import pdf, workbook
from archive.errors import ArchiveError, Conflict, Invalid
from archive.forms import field, with_errors
from archive.gate import SIGNED_IN, Section
from archive.given import whole
from archive.i18n import _, ngettext
from archive.policy.permissions import P
from archive.services import (
    front_pages,
    inspection_checks,
    inspection_findings,
    inspection_papers,
    inspections,
)
from archive.spreadsheet import as_xlsx
from archive.uow import UnitOfWork

if TYPE_CHECKING:
    from archive.models import Inspection

section = Section("inspections", __name__)
FIELDS = ("who", "records", "start", "end", "reason", "room", "drawn")


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
    records = inspections.numbers_of(uow, refs)
    typed = {"records": records, "drawn": _drawn(len(refs))}
    return _page(uow, typed, None, left_out=len(refs) - len(records.split()))


def _drawn(many: int) -> str:
    """How a sample was drawn, as its page says it."""
    of, seed = request.args.get("of", type=whole), request.args.get("seed", "")
    if of is None or not front_pages.SEED.fullmatch(seed):
        return ""
    return _(
        "%(number)s of %(all)s records of a front-page query, drawn with the seed %(seed)s",
        number=many,
        all=of,
        seed=seed,
    )


@section.page("/inspections/add", needs=P.INSPECTION_GRANT, methods=("POST",))
def add(uow: UnitOfWork) -> Response | tuple[str, int]:
    try:
        given: dict[str, Any] = {name: request.form.get(name, "") for name in FIELDS}
        made = inspections.grant(uow, **given, without="without" in request.form)
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


def _page(uow: UnitOfWork, typed: Any, error: Invalid | None, left_out: int = 0) -> str:
    people, most = inspections.inspectors(uow), inspections.limits(uow)
    fields = [
        field("who", _("Inspector"), "select", required=True, choices=[("", _("— choose —")), *people.items()]),
        field("records", _("Records to inspect"), "textarea", required=True, rows=6, mono=True,
              hint=_("One number a line: record number and stay, archival number or barcode. At most %(most)d.",
                     most=most["most_records"])),
        *([field("without", _("Open the others without these"), "checkbox")] if error and "records" in error.fields else []),
        field("drawn", _("How they were chosen"), maxlength=200, hint=_("Of a sample: of how many, and with which seed.")),
        field("room", _("Place of reading"), maxlength=80, hint=_("Where they are read; it stands on the pick list.")),
        field("start", _("First day"), "date", required=True, value=uow.today.isoformat()),
        field("end", _("Last day"), "date", required=True, value=(uow.today + timedelta(days=2)).isoformat(),
              hint=_("At most %(most)d days; at its end everything is closed by itself.", most=most["most_days"])),
        field("reason", _("Reason"), "textarea", required=True, maxlength=500, rows=2,
              hint=_("Who inspects what, and by which letter. It stands in the history of each record.")),
    ]  # fmt: skip
    return render_template(
        "inspections/add.html",
        fields=with_errors(fields, typed, error),
        anybody=bool(people),
        left_out=left_out,
    )


@section.page("/inspections/<uuid:uuid>", needs=SIGNED_IN)
def one(uow: UnitOfWork, uuid: UUID) -> str:
    return _one(uow, inspections.one(uow, uuid))


def _one(
    uow: UnitOfWork, batch: "Inspection", error: ArchiveError | None = None, about: UUID | None = None
) -> str:
    """The batch with what was found; where an answer was refused, with what was sent."""
    found, gives = inspections.shown(uow, batch), uow.can(P.INSPECTION_GRANT)
    return render_template(
        "inspections/one.html", batch=found.batch, rows=found.records, pages=found.pages, states=state_words(), gives=gives,
        may_end=gives and found.batch.state != "over", findings=inspection_findings.of(uow, batch),
        writes=inspection_findings.may_write(uow, batch), refusal=refused.why(error) if error else "", about=about,
        sent=request.form,
    )  # fmt: skip


@section.page("/inspections/findings/<uuid:uuid>/answer", needs=P.INSPECTION_GRANT, methods=("POST",))
def answer(uow: UnitOfWork, uuid: UUID) -> Response | tuple[str, int]:
    form = request.form
    _row, _node, batch = inspection_findings.known(uow, uuid)
    back = make_response(redirect(url_for(".one", uuid=batch.uuid)))
    try:
        inspection_findings.answer(
            uow, uuid, words=form.get("words", ""), version=form.get("version", 0, type=whole)
        )
    except (Invalid, Conflict) as error:
        return refused.again(
            uow, error, lambda why: _one(uow, inspection_findings.known(uow, uuid)[2], why, uuid)
        )
    return back


@section.page("/inspections/<uuid:uuid>/check", needs=P.INSPECTION_GRANT, event="inspection.checked")
def check(uow: UnitOfWork, uuid: UUID) -> str:
    """What the rules of insurers come to in one record of the batch."""
    batch = inspections.one(uow, uuid)
    checked = inspection_checks.of(uow, batch, request.args.get("record", ""))
    here = [one for one in inspection_findings.of(uow, batch).rows if one.node.id == checked.node.id]
    noted = {(one.words, one.place.part, one.place.page) for one in here if one.place}
    g.reading_words = {"number": batch.number, "found": len(checked.found)}
    return render_template(
        "inspections/check.html", checked=checked, noted=noted, batch=uuid, number=batch.number,
        until=inspection_findings.last_day(uow),
    )  # fmt: skip


@section.page("/inspections/<uuid:uuid>/pick-list.pdf", needs=P.INSPECTION_GRANT)
def picks(uow: UnitOfWork, uuid: UUID) -> Response:
    """The volumes of the batch, along the shelves."""
    batch = inspections.one(uow, uuid)
    return pdf(inspection_findings.pick_list(uow, batch), f"{batch.number}.pdf")


@section.page("/inspections/<uuid:uuid>/findings.pdf", needs=P.INSPECTION_GRANT)
def report(uow: UnitOfWork, uuid: UUID) -> Response:
    """检查问题报告 of a batch, to be signed."""
    batch = inspections.one(uow, uuid)
    return pdf(inspection_papers.report(uow, batch), f"{batch.number}-findings.pdf")


@section.page("/inspections/<uuid:uuid>/findings.xlsx", needs=P.INSPECTION_GRANT)
def findings_list(uow: UnitOfWork, uuid: UUID) -> Response:
    batch = inspections.one(uow, uuid)
    return workbook(as_xlsx(inspection_papers.rows(uow, batch)), f"{batch.number}-findings.xlsx")


@section.page("/inspections/<uuid:uuid>/end", needs=P.INSPECTION_GRANT, methods=("POST",))
def end(uow: UnitOfWork, uuid: UUID) -> Response:
    inspections.end(uow, inspections.one(uow, uuid))
    flash(_("Ended: nothing of it is open any more."), "ok")
    return make_response(redirect(url_for(".one", uuid=uuid)))
