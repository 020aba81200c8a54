"""数字化批次: the board of batches, and one batch with its volumes, its piles, its steps and its printed sheets."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from flask import Response, flash, g, make_response, redirect, render_template, request, url_for

from archive.blueprints import received, refused, stock
from archive.blueprints.documents import pdf
from archive.errors import ArchiveError, Conflict, Invalid, NotFound
from archive.filed_names import ENDINGS
from archive.forms import field, with_errors
from archive.gate import P, Section
from archive.given import whole
from archive.i18n import _
from archive.services.intake import AlreadyHere
from archive.services.scanning import batches, care, files, quality, sheets, steps, volumes
from archive.services.scanning.batches import HANDLING, MAKING
from archive.uow import UnitOfWork

if TYPE_CHECKING:
    from archive.models import Job, ScanBatch

section = Section("batches", __name__)


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


Answer = Response | tuple[str, int]


def _page(uow: UnitOfWork, number: str, error: ArchiveError | None = None, step: str = "") -> str:
    """The page of a batch; where something was refused, with what was sent and why. `step` is the one that was not taken."""
    batch = batches.find(uow, number)
    sees = batches.may_read(uow, batch)
    chosen = field("file", _("Files"), "file", multiple=True, accept=",".join(sorted(ENDINGS)))
    wrong: dict[str, str] = getattr(error, "fields", {})
    return render_template(
        "batches/one.html", batch=batch, state=steps.state_of(batch), volumes=volumes.listed(uow, batch),
        way=batches.steps(uow, batch), offers=steps.offers(uow, batch), files=files.listed(uow, batch) if sees else [],
        tally=quality.tally(uow, batch) if batch.rounds and sees else None, sees=sees,
        pieces=received.pieces("batch", batch.uuid), chosen=chosen, reason=_reason(error, step), sent=request.form,
        papers=list(care.papers(uow).values()), urgent=care.waiting(uow, [batch.id]).get(batch.id),
        doubts=batches.doubtful(uow, batch), may_scan=batches.may(uow, batch, P.SCAN_UPLOAD),
        may_mend=batch.state in quality.MENDING,
        refusal=str(error) if error and not wrong else "", wrong=wrong, found=quality.defects(uow, batch) if sees else [],
    )  # fmt: skip


def _reason(error: ArchiveError | None, step: str) -> Callable[[str], dict[str, Any]]:
    """Of each step the field in which its reason is given: that of the one that was refused as it was sent."""
    asked = [field("reason", _("Reason"), "textarea", required=True, rows=2, maxlength=500)]
    sent = with_errors(asked, request.form, error if isinstance(error, Invalid) else None)
    return lambda name: (sent if name == step else asked)[0] | {"id": f"f-{name}"}


def _refused(uow: UnitOfWork, number: str, error: ArchiveError, step: str = "") -> Answer:
    return refused.again(uow, error, lambda why: _page(uow, number, why, step))


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
def remove_volume(uow: UnitOfWork, number: str) -> Answer:
    batch = batches.find(uow, number)
    try:
        volumes.take_out(uow, batch, volume=_volume())
    except NotFound:
        return _refused(uow, number, Conflict(_("This has been done already. Reload the page.")))
    except Conflict as error:
        return _refused(uow, number, error)
    return _to(number)


def _volume() -> int:
    return request.form.get("volume", 0, type=whole)


@section.page("/batches/<number>/sides", needs=P.SCAN_UPLOAD, methods=("POST",))
def count(uow: UnitOfWork, number: str) -> Answer:
    """Keeps every count that was typed and every paper that was ticked; what is no number stays in its field, and the others
    are kept.
    """
    batch, wrong = batches.find(uow, number), {}
    try:
        for volume in volumes.listed(uow, batch):
            if said := _count(uow, batch, volume):
                wrong[f"sides-{volume.id}"] = said
            _tell_papers(uow, batch, volume)
    except (Conflict, Invalid) as error:
        return _refused(uow, number, error)
    if wrong:
        return _page(uow, number, Invalid(fields=wrong)), Invalid.status
    return _to(number)


def _count(uow: UnitOfWork, batch: "ScanBatch", volume: volumes.Volume) -> str:
    """Keeps the count of one volume, or says what is wrong with it."""
    try:
        sides = stock.whole(request.form, f"sides-{volume.id}")
        if sides is not None and sides != volume.sides:
            volumes.count_sides(uow, batch, volume=volume.id, sides=sides)
    except Invalid as error:
        return refused.why(error)
    return ""


def _tell_papers(uow: UnitOfWork, batch: "ScanBatch", volume: volumes.Volume) -> None:
    """Keeps which papers of a volume were ticked, where the form asked for them: one that is not ticked is not sent."""
    ticked = request.form.getlist(f"papers-{volume.id}")
    if f"asked-{volume.id}" in request.form and ticked != [paper.code for paper in volume.papers]:
        volumes.tell_papers(uow, batch, volume=volume.id, kinds=ticked)


@section.page("/batches/<number>/step/<name>", needs=HANDLING, methods=("POST",))
def step(uow: UnitOfWork, number: str, name: str) -> Answer:
    try:
        steps.take(uow, batches.find(uow, number), name, reason=request.form.get("reason", ""))
    except (Invalid, Conflict) as error:
        return _refused(uow, number, error, name)
    return _to(number)


@section.page("/batches/<number>/note", needs=HANDLING, methods=("POST",))
def note(uow: UnitOfWork, number: str) -> Answer:
    """监督记录: what somebody saw, beside the steps."""
    batch, text = batches.find(uow, number), request.form.get("text", "")
    return _done(uow, number, partial(batches.remark, uow, batch, text=text))


@section.page("/batches/<number>/pile", needs=P.SCAN_UPLOAD, methods=("POST",), file="file")
def receive(uow: UnitOfWork, number: str) -> Answer:
    """Takes one file of a pile."""
    batch = batches.find(uow, number, pages=True)
    for_script = request.accept_mimetypes.best == "application/json"
    try:
        job = _take(uow, batch)
    except AlreadyHere as error:
        return received.here(error) if for_script else _refused(uow, number, error)
    except (Invalid, Conflict) as error:
        if for_script:
            raise
        return _refused(uow, number, error)
    if for_script:
        return received.taken(job.uuid)
    flash(received.text(), "ok")
    return _to(number)


def _take(uow: UnitOfWork, batch: "ScanBatch") -> "Job":
    if "staged" not in g:
        raise Invalid(_("Choose a file first."))
    device = request.form.get("device", "")
    _file, job = files.take(uow, batch, g.staged, filename=g.filename, device=device)
    return job


@section.page("/batches/<number>/pile/withdraw", needs=P.SCAN_UPLOAD, methods=("POST",))
def withdraw(uow: UnitOfWork, number: str) -> Answer:
    batch, file = batches.find(uow, number, pages=True), request.form.get("file", 0, type=whole)
    said = _("The file has been set aside. Its bytes are kept.")
    return _done(uow, number, partial(files.withdraw, uow, batch, file=file), said)


@section.page("/batches/<number>/mended", needs=P.SCAN_UPLOAD, methods=("POST",))
def mend(uow: UnitOfWork, number: str) -> Answer:
    """A defect is put right."""
    batch, defect = batches.find(uow, number, pages=True), request.form.get("defect", 0, type=whole)
    return _done(uow, number, partial(quality.mend, uow, batch, defect=defect))


def _done(uow: UnitOfWork, number: str, act: Callable[[], object], said: str = "") -> Answer:
    """The page of the batch behind an act, or with why it was refused: a second click is answered there, too."""
    try:
        act()
    except (Invalid, Conflict) as error:
        return _refused(uow, number, error)
    if said:
        flash(said, "ok")
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
