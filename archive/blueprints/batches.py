"""数字化批次: the board of batches, and one batch with its volumes, its piles, its steps and its printed sheets."""

from typing import Any

from flask import Response, flash, g, make_response, redirect, render_template, request, url_for

from archive.blueprints import received, stock
from archive.blueprints.documents import pdf
from archive.errors import Conflict, Invalid, NotFound
from archive.filed_names import ENDINGS
from archive.forms import field, with_errors
from archive.gate import P, Section
from archive.given import whole
from archive.i18n import _
from archive.services.intake import AlreadyHere
from archive.services.scanning import batches, files, quality, sheets, steps, volumes
from archive.uow import UnitOfWork

section = Section("batches", __name__)
HANDLING = (P.SCAN_UPLOAD, P.SCAN_QC, P.HOLDING_PLACE)
MAKING = (P.SCAN_UPLOAD, P.HOLDING_PLACE)


@section.page("/batches", needs=HANDLING)
def board(uow: UnitOfWork) -> str:
    """Every open batch, and where it waits."""
    over = request.args.get("show") == "over"
    return render_template(
        "batches/board.html", cards=batches.board(uow, over=over), over=over,
        may_make=any(uow.can(permission) for permission in MAKING),
        shares=quality.shares(uow) if uow.can(P.SCAN_QC) and not over else [],
    )  # fmt: skip


@section.page("/batches/add", needs=MAKING)
def add_form(_uow: UnitOfWork) -> str:
    return render_template("batches/add.html", fields=_asked(), general=())


@section.page("/batches/add", needs=MAKING, methods=("POST",))
def add(uow: UnitOfWork) -> Response:
    typed = {name: request.form.get(name, "") for name in ("note", "device", "vendor", "contract")}
    return _to(batches.make(uow, **typed).number)


def _asked() -> list[dict[str, Any]]:
    return [
        field("note", _("Note"), maxlength=200, autofocus=True, hint=_("What is in it, for example: surgery, October")),
        field("device", _("Scanner"), maxlength=60, hint=_("Results of quality control are told by it.")),
        field("vendor", _("Scanned by another company"), maxlength=120, hint=_("Leave it empty when you scan yourselves.")),
        field("contract", _("Contract"), maxlength=120),
    ]  # fmt: skip


@section.page("/batches/<number>", needs=HANDLING)
def one(uow: UnitOfWork, number: str) -> str:
    return _page(uow, number)


def _page(uow: UnitOfWork, number: str, errors: Invalid | None = None, general: tuple[str, ...] = ()) -> str:
    batch = batches.find(uow, number)
    sees = batches.may_read(uow, batch)
    chosen = field("file", _("Files"), "file", multiple=True, accept=",".join(sorted(ENDINGS)))
    reason = with_errors(
        [field("reason", _("Reason"), "textarea", required=True, rows=2, maxlength=500)], request.form, errors
    )
    return render_template(
        "batches/one.html", batch=batch, state=steps.state_of(batch), volumes=volumes.listed(uow, batch),
        way=batches.steps(uow, batch), offers=steps.offers(uow, batch), files=files.listed(uow, batch) if sees else [],
        tally=quality.tally(uow, batch) if batch.rounds and sees else None, sees=sees,
        pieces=received.pieces("batch", batch.uuid), chosen=chosen, reason=reason[0],
        doubts=batches.doubtful(uow, batch), general=general, may_scan=batches.may(uow, batch, P.SCAN_UPLOAD),
        found=quality.defects(uow, batch) if sees else [],
    )  # fmt: skip


@section.page("/batches/<number>/volumes", needs=MAKING, methods=("POST",))
def add_volume(uow: UnitOfWork, number: str) -> Response:
    """One scan of the gun puts one volume in."""
    barcode = request.form.get("barcode", "").strip().upper()
    try:
        volumes.put_in(uow, batches.find(uow, number), barcode=barcode)
    except (Conflict, NotFound) as error:
        uow.undo()
        missing = _("No volume has the barcode %(barcode)s.", barcode=barcode[:40])
        flash(missing if isinstance(error, NotFound) else f"{barcode[:40]}: {error}", "bad")
    return _to(number)


@section.page("/batches/<number>/volumes/remove", needs=MAKING, methods=("POST",))
def remove_volume(uow: UnitOfWork, number: str) -> Response:
    volumes.take_out(uow, batches.find(uow, number), volume=_volume())
    return _to(number)


def _volume() -> int:
    return request.form.get("volume", 0, type=whole)


@section.page("/batches/<number>/sides", needs=P.SCAN_UPLOAD, methods=("POST",))
def count(uow: UnitOfWork, number: str) -> Response | str:
    """Keeps every count that was typed; what is no number is named, and the others are kept."""
    batch, wrong = batches.find(uow, number), []
    for volume in volumes.listed(uow, batch):
        try:
            sides = stock.whole(request.form, f"sides-{volume.id}")
            if sides is not None and sides != volume.sides:
                volumes.count_sides(uow, batch, volume=volume.id, sides=sides)
        except Invalid:
            wrong.append(volume.barcode)
    if wrong:
        flash(_("Write the number of pages: %(barcodes)s", barcodes=_(", ").join(wrong)), "bad")
    return _to(number)


@section.page("/batches/<number>/step/<name>", needs=HANDLING, methods=("POST",))
def step(uow: UnitOfWork, number: str, name: str) -> Response | tuple[str, int]:
    try:
        steps.take(uow, batches.find(uow, number), name, reason=request.form.get("reason", ""))
    except (Invalid, Conflict) as error:
        uow.undo()
        wrong = error if isinstance(error, Invalid) else None
        return _page(uow, number, wrong, () if wrong and wrong.fields else (str(error),)), error.status
    return _to(number)


@section.page("/batches/<number>/note", needs=HANDLING, methods=("POST",))
def note(uow: UnitOfWork, number: str) -> Response:
    """监督记录: what somebody saw, beside the steps."""
    try:
        batches.remark(uow, batches.find(uow, number), text=request.form.get("text", ""))
    except Invalid as error:
        uow.undo()
        flash(" ".join(error.fields.values()), "bad")
    return _to(number)


@section.page("/batches/<number>/pile", needs=P.SCAN_UPLOAD, methods=("POST",), file="file")
def receive(uow: UnitOfWork, number: str) -> Response:
    """Takes one file of a pile."""
    if "staged" not in g:
        raise Invalid(_("Choose a file first."))
    batch, for_script = (
        batches.find(uow, number, pages=True),
        request.accept_mimetypes.best == "application/json",
    )
    try:
        _file, job = files.take(
            uow, batch, g.staged, filename=g.filename, device=request.form.get("device", "")
        )
    except AlreadyHere as error:
        if not for_script:
            raise
        return received.here(error)
    if for_script:
        return received.taken(job.uuid)
    flash(received.text(), "ok")
    return _to(number)


@section.page("/batches/<number>/pile/withdraw", needs=P.SCAN_UPLOAD, methods=("POST",))
def withdraw(uow: UnitOfWork, number: str) -> Response:
    batch = batches.find(uow, number, pages=True)
    files.withdraw(uow, batch, file=request.form.get("file", 0, type=whole))
    flash(_("The file has been set aside. Its bytes are kept."), "ok")
    return _to(number)


@section.page("/batches/<number>/covers.pdf", needs=P.SCAN_UPLOAD, event="batch.covers_printed")
def covers(uow: UnitOfWork, number: str) -> Response:
    return pdf(sheets.covers(uow, batches.find(uow, number)), "covers.pdf")


@section.page("/batches/<number>/handover.pdf", needs=HANDLING, event="batch.handover_printed")
def handover(uow: UnitOfWork, number: str) -> Response:
    return pdf(sheets.handover(uow, batches.find(uow, number)), "handover.pdf")


@section.page("/batches/separators.pdf", needs=P.SCAN_UPLOAD)
def separators(uow: UnitOfWork) -> Response:
    return pdf(sheets.separators(uow), "separators.pdf")


def _to(number: str) -> Response:
    return make_response(redirect(url_for(".one", number=number)))
