"""页面整理: the pages of a file in a grid, to be turned, ordered, taken out, put back and parted into components."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from flask import Response, flash, g, make_response, redirect, render_template, request, url_for

from archive.blueprints import refused, shown
from archive.blueprints.pages import as_shown
from archive.blueprints.uploads import ACCEPTED
from archive.errors import ArchiveError, Conflict, Forbidden, Invalid, NotFound
from archive.gate import Section
from archive.given import whole
from archive.i18n import _, ngettext
from archive.policy.permissions import P
from archive.services import giving_away, intake, page_desk, page_tiles, rescans, tree
from archive.services.page_tiles import Aside, Desk, Sheet
from archive.sight import NodeView, href
from archive.uow import UnitOfWork

if TYPE_CHECKING:
    from archive.models import Node

section = Section("page_desk", __name__)
MOST_PAGES = 5_000


@section.page("/a/<slugs:path>/@@pages", needs=P.SCAN_REPLACE, node="path", event="page.desk_viewed")
def form(uow: UnitOfWork, node: "Node") -> str | Response:
    home = intake.file_of(uow, node)
    if home.id != node.id:
        return make_response(redirect(_address(uow, home)))
    return _desk(uow, home)


def _desk(uow: UnitOfWork, home: "Node", error: ArchiveError | None = None) -> str:
    """The desk; where something was refused, with what was sent still in its fields and the ticks where they were."""
    desk = page_tiles.of(uow, home)
    g.reading_words = {"nodes": [part.id for part in desk.parts], "aside": [page.page for page in desk.aside]}
    seen = NodeView(uow, home)
    more = shown.head(uow, home, seen, "pages") | {"actions": []}
    return render_template(
        "page_desk/form.html", view=seen, desk=desk, tiles=_ticked(_tile(sheet, desk) for sheet in desk.sheets),
        aside=_ticked(map(_aside_tile, desk.aside)), kinds=_kinds(uow, home), accepted=ACCEPTED,
        refusal=refused.why(error) if error else "", sent=request.form, **more,
    )  # fmt: skip


def _ticked(tiles: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    sent = set(request.form.getlist("pages"))
    return [tile | {"ticked": str(tile["key"]) in sent} for tile in tiles]


def _kinds(uow: UnitOfWork, home: "Node") -> dict[str, str]:
    """The kinds of component that this person may add to this file."""
    may = home.type == "medical_record" and uow.can(P.ADD, home)
    return tree.vocabulary(uow, "component") if may else {}


def _tile(sheet: Sheet, desk: Desk) -> dict[str, Any]:
    path = sheet.node.href.removeprefix("/a/")
    chips = [(word, "wait") for word in sheet.findings]
    chips += [(word, "idle") for word in sheet.marks]
    if sheet.lifted:
        chips.append((_("sheet of the page before, slips lifted"), "idle"))
    if sheet.rotation:
        chips.append((_("turned by %(degrees)s°", degrees=sheet.rotation), "idle"))
    words = [_("Page %(number)s", number=sheet.number), sheet.node.label, *(word for word, _kind in chips)]
    return {
        "key": sheet.page, "number": sheet.number, "label": _(", ").join(words),
        "thumbnail": url_for("pages.thumbnail", path=path, number=sheet.ordinal, ticket=sheet.ticket),
        "href": f"{sheet.node.href}/++page++{sheet.ordinal}", "chips": chips,
        "heading": _heading(sheet, desk) if sheet.first else None,
    }  # fmt: skip


def _heading(sheet: Sheet, desk: Desk) -> dict[str, Any]:
    many = desk.count(sheet.node)
    said = {"note": ngettext("%(num)d page", "%(num)d pages", many), "count": many}
    if sheet.node.id != desk.parts[0].id:
        return said | {"label": sheet.node.label, "href": sheet.node.href}
    return said | {"label": _("Not yet split") if len(desk.parts) > 1 else _("Pages"), "href": ""}


def _aside_tile(page: Aside) -> dict[str, Any]:
    path = page.node.href.removeprefix("/a/")
    said = (
        _("superseded by page %(number)s", number=page.superseded_by)
        if page.superseded_by
        else _("taken out")
    )
    return {
        "key": page.page, "number": page.ordinal, "label": _("Page taken out, once page %(number)s", number=page.ordinal),
        "thumbnail": url_for("page_desk.aside", path=path, number=page.page, small=1),
        "href": url_for("page_desk.aside", path=path, number=page.page), "chips": [(said, "gone")], "heading": None,
    }  # fmt: skip


@section.page(
    "/a/<slugs:path>/@@pages/aside/<int:number>", needs=P.SCAN_REPLACE, node="path", event="page.aside_viewed"
)
def aside(uow: UnitOfWork, node: "Node", number: int) -> Response:
    """The picture of a page that was taken out."""
    g.reading_words = {"page": number}
    return as_shown(page_tiles.picture(uow, node, number, small="small" in request.args))


@section.page("/a/<slugs:path>/@@pages", needs=P.SCAN_REPLACE, node="path", methods=("POST",))
def change(uow: UnitOfWork, node: "Node") -> Response | tuple[str, int]:
    act = ACTS.get(request.form.get("act", ""), _nothing)
    home = intake.file_of(uow, node)
    version = request.form.get("version", 0, type=whole)
    try:
        act(uow, home, _pages(), version)
    except (Conflict, Invalid, NotFound, Forbidden) as error:
        return refused.again(uow, error, partial(_desk, uow, home))
    return make_response(redirect(_address(uow, home), 303))


@section.page(
    "/a/<slugs:path>/@@pages/rescan", needs=P.SCAN_REPLACE, node="path", methods=("POST",), file="file"
)
def rescan(uow: UnitOfWork, node: "Node") -> Response | tuple[str, int]:
    """A file that is to stand in the place of a page."""
    home = intake.file_of(uow, node)
    version = request.form.get("version", 0, type=whole)
    try:
        _replace(uow, home, version)
    except (Conflict, Invalid, NotFound) as error:
        return refused.again(uow, error, partial(_desk, uow, home))
    said = _(
        "Received. The re-scan takes its place as soon as its pages are made; the old page is kept below."
    )
    flash(said, "ok")
    return make_response(redirect(_address(uow, home), 303))


def _replace(uow: UnitOfWork, home: "Node", version: int) -> None:
    if "staged" not in g:
        raise Invalid(_("Choose a file first."))
    page = page_tiles.beside(uow, home, _number(request.form.get("number", "").strip()))
    rescans.replace(uow, home, g.staged, filename=g.filename, page=page, version=version)


def _pages() -> list[int]:
    given = request.form.getlist("pages", type=whole)
    if len(given) > MOST_PAGES:
        raise Invalid(_("These are too many pages at once."))
    return given


def _address(uow: UnitOfWork, home: "Node") -> str:
    return f"{href(uow, home)}/@@pages"


Act = Callable[[UnitOfWork, "Node", list[int], int], None]


def _turning(degrees: int) -> Act:
    def turn(uow: UnitOfWork, home: "Node", pages: list[int], version: int) -> None:
        page_desk.rotate(uow, home, pages=pages, degrees=degrees, version=version)

    return turn


def _go(uow: UnitOfWork, home: "Node", pages: list[int], version: int) -> None:
    """What Enter in a field does without JavaScript: it says where to as long as nothing else may be meant."""
    if request.form.get("record", "").strip():
        raise Invalid(_("A record is named: press the button of what is to be done with the pages."))
    _move(uow, home, pages, version)


def _set_aside(uow: UnitOfWork, home: "Node", pages: list[int], version: int) -> None:
    page_desk.set_aside(uow, home, pages=pages, version=version)
    many = len(pages)
    flash(ngettext("%(num)d page was taken out. It is kept below and can be put back.",
                   "%(num)d pages were taken out. They are kept below and can be put back.", many), "ok")  # fmt: skip


def _restore(uow: UnitOfWork, home: "Node", pages: list[int], version: int) -> None:
    page_desk.restore(uow, home, pages=pages, version=version)


def _move(uow: UnitOfWork, home: "Node", pages: list[int], version: int) -> None:
    """Before the page of a number; behind it where the number ends in "+", and behind the last where it is too great."""
    said = request.form.get("to", "").strip()
    number = _number(said.removesuffix("+"))
    try:
        beside, behind = page_tiles.beside(uow, home, number), said.endswith("+")
    except NotFound:
        beside, behind = page_tiles.beside(uow, home, number - 1), True
    page_desk.move(uow, home, pages=pages, beside=beside, behind=behind, version=version)


def _number(said: str) -> int:
    try:
        return whole(said)
    except ValueError as error:
        raise Invalid(_("Say before which page they go: a number.")) from error


def _put_into(uow: UnitOfWork, home: "Node", pages: list[int], version: int) -> None:
    page_desk.put_into(uow, home, pages=pages, part=_part(uow, home), version=version)


def _join_sheet(uow: UnitOfWork, home: "Node", pages: list[int], version: int) -> None:
    page_desk.join_sheet(uow, home, pages=pages, version=version)


def _part_sheet(uow: UnitOfWork, home: "Node", pages: list[int], version: int) -> None:
    page_desk.part_sheet(uow, home, pages=pages, version=version)


def _begin(uow: UnitOfWork, home: "Node", pages: list[int], version: int) -> None:
    page_desk.begin_part(uow, home, pages=pages, part=_part(uow, home), version=version)


def _part(uow: UnitOfWork, home: "Node") -> "Node":
    """The component that was chosen: one that is there, or a new one of a kind."""
    chosen = request.form.get("part", "")
    if chosen.startswith("new:"):
        kind = chosen.removeprefix("new:")
        return page_desk.new_part(uow, home, kind, tree.vocabulary(uow, "component").get(kind, kind))
    if not chosen:
        raise Invalid(_("Choose a component first."))
    return uow.node(request.form.get("part", 0, type=whole), P.SCAN_REPLACE)


def _give(uow: UnitOfWork, home: "Node", pages: list[int], version: int) -> None:
    to = giving_away.target(uow, request.form.get("record", ""))
    giving_away.order(uow, home, pages=pages, to=to, version=version)
    flash(_("The pages go to the other record as soon as they have been taken out of their file."), "ok")


def _nothing(_uow: UnitOfWork, _home: "Node", _pages: list[int], _version: int) -> None:
    raise Invalid(_("Choose what is to be done with the pages."))


def _undo(uow: UnitOfWork, home: "Node", _pages: list[int], version: int) -> None:
    page_desk.undo(uow, home, version=version)


ACTS: dict[str, Act] = {
    "right": _turning(90), "left": _turning(270), "over": _turning(180), "set_aside": _set_aside, "restore": _restore,
    "go": _go, "move": _move, "put_into": _put_into, "begin": _begin, "give": _give, "undo": _undo,
    "join_sheet": _join_sheet, "part_sheet": _part_sheet,
}  # fmt: skip
