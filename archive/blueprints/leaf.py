"""An open page with all that stands around it: read, or with its text in a field to be corrected."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from flask import g, render_template, request, url_for

from archive.asking import typed_token
from archive.given import whole
from archive.i18n import _
from archive.services import pages, reading, viewer
from archive.services.drafts import Draft
from archive.uow import UnitOfWork

if TYPE_CHECKING:
    from archive.models import Node

FIRST_WIDTH = 1200
"""Pixels: what is fetched first; the full picture follows when somebody zooms in."""


@dataclass(frozen=True)
class Typing:
    """The text of a page in its field, with what another person has saved meanwhile, or why it was not taken.

    `offer` is an older draft, which what is typed now does not overwrite; `unsaved`, that the text stands nowhere yet.
    """

    text: str
    version: int
    theirs: pages.PageView | None = None
    error: str = ""
    offer: Draft | None = None
    unsaved: bool = False


def shown(uow: UnitOfWork, node: "Node", number: int, words: str = "", typing: Typing | None = None) -> str:
    """The viewer, opened at page `number` of a node. Needs content.read."""
    seen = viewer.open_page(uow, node, number, words, request.args.get(viewer.PLACE, type=whole))
    g.reading_words = {"page": number} | ({"q": words} if words else {})
    return render_template(
        "pages/view.html", open=seen, q=words, token=typed_token() if words else "",
        levels=levels(seen.view.href, seen.page, seen.ticket),
        grant=reading.my_grant(uow, node), boxes=[asdict(box) for box in seen.boxes], said=_said(seen.page), typing=typing,
        lines=seen.page.boxes,
        as_scanned=_bytes("pages.image", seen.view.href, seen.page.ordinal, seen.ticket, scanned=1),
        detail=_detail(seen),
        thumb=lambda leaf: _bytes("pages.thumbnail", seen.view.href, leaf.ordinal, leaf.ticket),
    )  # fmt: skip


def _said(page: pages.PageView) -> str:
    """Where the text comes from, and how sure it is."""
    if page.kind == "machine":
        return _("recognised, %(sure)s sure", sure=f"{(page.confidence or 0) * 100:.1f}%")
    return {"layer": _("from the file"), "human": _("corrected by hand")}.get(page.kind, "")


def _detail(seen: viewer.Open) -> str:
    """Where the page asks for what its picture does not hold: for whoever reads by a grant only of what is large."""
    if not seen.page.finer or (seen.marked and not seen.page.large):
        return ""
    path, page = seen.view.href.removeprefix("/a/"), seen.page
    return url_for("pages.in_detail", path=path, number=page.ordinal, r=page.rotation)


def levels(address: str, page: pages.PageView, ticket: str | None) -> list[dict[str, Any]]:
    """The same page in two sizes, the smaller first; `address` is its node's."""
    found = []
    for width in sorted({min(FIRST_WIDTH, page.width), page.width}):
        scaled = width if width < page.width else None
        picture = _bytes("pages.image", address, page.ordinal, ticket, scaled)
        found.append({"url": picture, "width": width, "height": round(page.height * width / page.width)})
    return found


def _bytes(
    endpoint: str,
    address: str,
    ordinal: int,
    ticket: str | None,
    width: int | None = None,
    scanned: int | None = None,
) -> str:
    path = address.removeprefix("/a/")
    return url_for(endpoint, path=path, number=ordinal, ticket=ticket, width=width, scanned=scanned)
