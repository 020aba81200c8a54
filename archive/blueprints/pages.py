"""在线阅览: the viewer, and the bytes of a page. Without JavaScript it is a plain picture beside its text."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from flask import Response, g, make_response, redirect, render_template, request, url_for

from archive.asking import typed, typed_token
from archive.gate import Section
from archive.given import whole
from archive.i18n import _
from archive.policy.permissions import P
from archive.services import pages, reading, viewer, within
from archive.sight import href
from archive.uow import UnitOfWork

if TYPE_CHECKING:
    from archive.models import Node

section = Section("pages", __name__)
FIRST_WIDTH = 1200
"""Pixels: what is fetched first; the full picture follows when somebody zooms in."""


@section.page(
    "/a/<slugs:path>/++page++<int:number>", needs=P.READ, node="path", event="page.viewed", typed=("q",)
)
def view(uow: UnitOfWork, node: "Node", number: int) -> str | Response:
    words = typed("q")[: within.LONGEST]
    if not viewer.has_page(node, number):
        return _elsewhere(uow, node, number)
    seen = viewer.open_page(uow, node, number, words, request.args.get(viewer.PLACE, type=whole))
    g.reading_words = {"page": number} | ({"q": words} if words else {})
    return render_template(
        "pages/view.html", open=seen, q=words, token=typed_token(), levels=_levels(seen), grant=reading.my_grant(uow, node),
        boxes=[asdict(box) for box in seen.boxes], said=_said(seen.page),
        thumb=lambda leaf: _bytes(".thumbnail", seen, leaf.ordinal, leaf.ticket),
    )  # fmt: skip


@section.page("/a/<slugs:path>/@@find", needs=P.READ, node="path", methods=("POST",), asks=True)
def find(uow: UnitOfWork, node: "Node") -> Response:
    """Leads to the first place of what was typed, from the page on which it was typed."""
    words = request.form.get("q", "").strip()[: within.LONGEST]
    return make_response(
        redirect(viewer.find(uow, node, request.form.get("from", 1, type=whole), words), 303)
    )


def _said(page: pages.PageView) -> str:
    """Where the text comes from, and how sure it is."""
    if page.kind == "machine":
        return _("recognised, %(sure)s sure", sure=f"{(page.confidence or 0) * 100:.1f}%")
    return {"layer": _("from the file"), "human": _("corrected by hand")}.get(page.kind, "")


def _elsewhere(uow: UnitOfWork, node: "Node", number: int) -> Response:
    """A number beyond the node's own pages counts on through the items of its file."""
    target, ordinal = viewer.address(uow, node, number)
    return make_response(redirect(url_for(".view", path=_path(uow, target), number=ordinal, s=typed_token())))


def _path(uow: UnitOfWork, node: "Node") -> str:
    return href(uow, node).removeprefix("/a/")


def _levels(seen: viewer.Open) -> list[dict[str, Any]]:
    """The same page in two sizes, the smaller first."""
    page, found = seen.page, []
    for width in (FIRST_WIDTH, page.width):
        if width < page.width or width == page.width:
            address = _bytes(".image", seen, page.ordinal, seen.ticket, width if width < page.width else None)
            found.append({"url": address, "width": width, "height": round(page.height * width / page.width)})
    return found


def _bytes(endpoint: str, seen: viewer.Open, ordinal: int, ticket: str, width: int | None = None) -> str:
    path = seen.view.href.removeprefix("/a/")
    return url_for(endpoint, path=path, number=ordinal, ticket=ticket, width=width)


@section.page("/a/<slugs:path>/@@page", needs=P.READ, node="path")
def go_to(uow: UnitOfWork, node: "Node") -> Response:
    """The field of the page number, which counts through the whole file."""
    return _elsewhere(uow, node, request.args.get("n", 1, type=whole))


@section.page("/a/<slugs:path>/++page++<int:number>/image", needs=P.READ, node="path")
def image(uow: UnitOfWork, node: "Node", number: int) -> Response:
    asked = request.args
    return _jpeg(
        pages.image(uow, node, number, width=asked.get("width", type=whole), ticket=asked.get("ticket"))
    )


@section.page("/a/<slugs:path>/++page++<int:number>/thumb", needs=P.READ, node="path")
def thumbnail(uow: UnitOfWork, node: "Node", number: int) -> Response:
    return _jpeg(pages.thumbnail(uow, node, number, ticket=request.args.get("ticket")))


@section.page(
    "/a/<slugs:path>/++page++<int:number>/text", needs=P.READ, node="path", event="page.text_viewed"
)
def text(uow: UnitOfWork, node: "Node", number: int) -> Response:
    g.reading_words = {"page": number}
    response = make_response(pages.one(uow, node, number).text)
    response.mimetype = "text/plain"
    return response


def _jpeg(content: bytes) -> Response:
    response = make_response(content)
    response.mimetype = "image/jpeg"
    response.headers["Content-Disposition"] = "inline"
    return response
