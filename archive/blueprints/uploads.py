"""上传: one file a request; it is on the disk before the transaction begins, and acknowledged after it."""

from typing import TYPE_CHECKING, Any

from flask import Response, flash, g, make_response, redirect, render_template, request

from archive import gate
from archive.blueprints import received, shown
from archive.errors import Conflict, Invalid
from archive.filed_names import ENDINGS
from archive.forms import field
from archive.gate import Section
from archive.given import whole
from archive.i18n import _, ngettext
from archive.policy.permissions import P
from archive.services import arrivals, collation, intake, page_checks, page_map, scanners
from archive.services.intake import AlreadyHere
from archive.sight import NodeView, href
from archive.uow import UnitOfWork

if TYPE_CHECKING:
    from archive.models import Node

section = Section("uploads", __name__)
ACCEPTED = ",".join(sorted(ENDINGS))


@section.page("/a/<slugs:path>/@@upload", needs=P.SCAN_UPLOAD, node="path")
def form(uow: UnitOfWork, node: "Node") -> str:
    seen = NodeView(uow, node)
    chosen = field("file", _("Files"), "file", multiple=True, accept=ACCEPTED,
                   hint=_("PDF, TIFF, JPEG or PNG, at most %(size)s each", size=_size()))  # fmt: skip
    files = intake.files(uow, node) if seen.can(P.READ) else []
    checks = page_checks.of(uow, node) if seen.can(P.READ) else None
    more = shown.head(uow, node, seen, "upload") | {"actions": [], "may_withdraw": seen.can(P.SCAN_REPLACE)}
    return render_template("uploads/form.html", view=seen, field=chosen, files=files, checks=checks,
                           unfinished=arrivals.under_way(uow, "record", str(node.uuid)),
                           pieces=received.pieces("record", node.uuid), has_scanners=bool(scanners.known(uow)),
                           sides=_sides(uow, node) if seen.can(P.SCAN_REPLACE) else None,
                           **more)  # fmt: skip


def _sides(uow: UnitOfWork, node: "Node") -> dict[str, Any] | None:
    """The form for a pile that was scanned in two passes, where there are two files to choose from."""
    files = collation.choices(uow, node)
    if len(files) < 2:
        return None
    numbers = [number for number, _name in files]
    middle = numbers[(len(numbers) + 1) // 2] if len(numbers) > 2 else numbers[1]
    fields = [
        field(name, label, "select", choices=files, value=value, id=f"f-{name}")
        for name, label, value in (
            ("fronts", _("Fronts, beginning with"), numbers[0]), ("backs", _("Backs, beginning with"), middle),
            ("last", _("Up to"), numbers[-1]),
        )
    ]  # fmt: skip
    fields.append(field("order", _("The backs lie"), "radio", value="backwards", choices=[
        ("backwards", _("from the last to the first: the pile was turned over as a whole")),
        ("forwards", _("from the first to the last")),
    ]))  # fmt: skip
    return {"fields": fields, "version": page_map.version(uow, intake.file_of(uow, node))}


def _size() -> str:
    limit = gate.site().settings.upload_limit
    return f"{limit / 2**30:.1f} GB" if limit >= 2**30 else f"{limit / 2**20:.0f} MB"


@section.page("/a/<slugs:path>/@@upload", needs=P.SCAN_UPLOAD, node="path", methods=("POST",), file="file")
def receive(uow: UnitOfWork, node: "Node") -> Response:
    if "staged" not in g:
        raise Invalid(_("Choose a file first."))
    for_script = request.accept_mimetypes.best == "application/json"
    try:
        _representation, job = intake.upload(uow, node, g.staged, filename=g.filename)
    except AlreadyHere as error:
        if not for_script:
            raise
        return received.here(error)
    if for_script:
        return received.taken(job.uuid)
    flash(received.text(), "ok")
    return _back(uow, node)


@section.page("/a/<slugs:path>/@@upload/files", needs=P.READ, node="path")
def files(uow: UnitOfWork, node: "Node") -> str:
    """The table of files alone, which asks for itself while pages are being made."""
    seen = NodeView(uow, node)
    return render_template("uploads/files.html", view=seen, files=intake.files(uow, node),
                           checks=page_checks.of(uow, node), unfinished=arrivals.under_way(uow, "record", str(node.uuid)),
                           may_withdraw=seen.can(P.SCAN_REPLACE))  # fmt: skip


@section.page("/a/<slugs:path>/@@upload/collate", needs=P.SCAN_REPLACE, node="path", methods=("POST",))
def collate(uow: UnitOfWork, node: "Node") -> Response:
    given = {name: request.form.get(name, 0, type=whole) for name in ("fronts", "backs", "last", "version")}
    try:
        many = collation.collate(uow, node, **given, backwards=request.form.get("order") == "backwards")
    except Conflict as refused:
        uow.undo()
        flash(str(refused), "wait")
        return _back(uow, node)
    flash(ngettext("%(num)d page stands in order now.", "%(num)d pages stand in order now.", many), "ok")
    return _back(uow, node)


@section.page("/a/<slugs:path>/@@upload/withdraw", needs=P.SCAN_REPLACE, node="path", methods=("POST",))
def withdraw(uow: UnitOfWork, node: "Node") -> Response:
    intake.withdraw(uow, node, representation=request.form.get("file", 0, type=whole))
    flash(_("The file has been set aside. Its bytes are kept."), "ok")
    return _back(uow, node)


def _back(uow: UnitOfWork, node: "Node") -> Response:
    return make_response(redirect(f"{href(uow, node)}/@@upload"))
