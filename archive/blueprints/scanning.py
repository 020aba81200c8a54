"""扫描进卷: choose a scanner, then how it scans, as far as it offers; a job brings the pages."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from flask import Response, make_response, redirect, render_template, request, url_for

from archive import gate
from archive.blueprints import shown
from archive.errors import Conflict, Invalid
from archive.forms import field
from archive.gate import Section
from archive.given import whole
from archive.i18n import _
from archive.policy.permissions import P
from archive.services import scanners
from archive.services.scanners import COLOUR_WORDS, FORMAT_WORDS, SOURCES, Asked
from archive.sight import NodeView
from archive.uow import UnitOfWork

if TYPE_CHECKING:
    from archive.models import Node

section = Section("scanning", __name__)


@section.page("/a/<slugs:path>/@@scan", needs=P.SCAN_UPLOAD, node="path")
def form(uow: UnitOfWork, node: "Node") -> str | tuple[str, int]:
    code = request.args.get("scanner", "")
    if not code:
        return _page(uow, node)
    try:
        return _page(uow, node, scanners.ask(uow, code))
    except Conflict as error:
        return _page(uow, node, refused=str(error), code=code), error.status


@section.page("/a/<slugs:path>/@@scan", needs=P.SCAN_UPLOAD, node="path", methods=("POST",), ahead=True)
def order(uow: UnitOfWork, node: "Node") -> Response | tuple[str, int]:
    """The scanner is asked once more, before the transaction: what was chosen is measured by what it offers."""
    given, number = request.form, node.id
    code = given.get("scanner", "")
    try:
        asked = scanners.ask(uow, code)
    except Conflict as error:
        return _page(uow, node, refused=str(error), code=code), error.status
    try:
        job = gate.site().run(
            uow.actor,
            lambda own: scanners.order(
                own, own.node(number, P.SCAN_UPLOAD), asked, source=given.get("source", ""),
                colour=given.get("colour", ""), dpi=given.get("dpi", 0, type=whole), kind=given.get("format", ""),
            ),
            uow.origin,
        )  # fmt: skip
    except Invalid as error:
        return _page(uow, node, asked, str(error), chosen=given), error.status
    return make_response(redirect(url_for("jobs.card", uuid=job.uuid)))


def _page(
    uow: UnitOfWork, node: "Node", asked: Asked | None = None, refused: str = "", code: str = "",
    chosen: Mapping[str, str] | None = None,
) -> str:  # fmt: skip
    seen = NodeView(uow, node)
    more = shown.head(uow, node, seen, "upload") | {"actions": []}
    code, known = asked.scanner.code if asked else code, scanners.known(uow)
    choices = [{"label": one.name, "href": f"{seen.href}/@@scan?scanner={quote(one.code)}", "current": one.code == code}
               for one in known]  # fmt: skip
    return render_template("uploads/scan.html", view=seen, scanners=known, choices=choices, asked=asked, refused=refused,
                           code=code, fields=_fields(asked, chosen or {}) if asked else [], **more)  # fmt: skip


def _fields(asked: Asked, chosen: Mapping[str, str]) -> list[dict[str, Any]]:
    """All that any of its sources offers; what does not go together is refused with a sentence, and stays chosen."""
    each = list(asked.sources.values())
    resolutions = [str(dpi) for dpi in sorted({dpi for source in each for dpi in source.resolutions})]
    fields = [
        field("source", _("Paper lies in"), "radio", value=next(iter(asked.sources)),
              choices=[(name, str(SOURCES[name])) for name in asked.sources]),
        field("colour", _("Colours"), "radio", value=_first("Grayscale8", COLOUR_WORDS, each, "colours"),
              choices=_offered(COLOUR_WORDS, each, "colours")),
        field("dpi", _("Resolution"), "select", unit="dpi", value="300" if "300" in resolutions else resolutions[-1],
              choices=[(dpi, dpi) for dpi in resolutions]),
        field("format", _("Files"), "radio", value=_first("image/jpeg", FORMAT_WORDS, each, "formats"),
              choices=_offered(FORMAT_WORDS, each, "formats")),
    ]  # fmt: skip
    for one in fields:
        if (value := chosen.get(one["name"])) in dict(one["choices"]):
            one["value"] = value
    return fields


def _offered(words: Any, sources: list[Any], part: str) -> list[tuple[str, str]]:
    offered = {one for source in sources for one in getattr(source, part)}
    return [(name, str(word)) for name, word in words.items() if name in offered]


def _first(best: str, words: Any, sources: list[Any], part: str) -> str:
    names = [name for name, _word in _offered(words, sources, part)]
    return best if best in names else names[0]
