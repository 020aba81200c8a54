"""在线阅览: the viewer, and the bytes of a page. Without JavaScript it is a plain picture beside its text."""

from typing import TYPE_CHECKING

from flask import Response, g, jsonify, make_response, redirect, request, url_for

from archive.asking import typed, typed_token
from archive.blueprints import leaf
from archive.gate import Section
from archive.given import whole
from archive.policy.permissions import P
from archive.services import detail, pages, recognition, viewer, within
from archive.sight import href
from archive.uow import UnitOfWork

if TYPE_CHECKING:
    from archive.models import Node

section = Section("pages", __name__)


@section.page(
    "/a/<slugs:path>/++page++<int:number>", needs=P.READ, node="path", event="page.viewed", typed=("q",)
)
def view(uow: UnitOfWork, node: "Node", number: int) -> str | Response:
    words = typed("q")[: within.LONGEST]
    if not viewer.has_page(node, number):
        return _elsewhere(uow, node, number)
    return leaf.shown(uow, node, number, words)


@section.page("/a/<slugs:path>/@@find", needs=P.READ, node="path", methods=("POST",), asks=True)
def find(uow: UnitOfWork, node: "Node") -> Response:
    """Leads to the first place of what was typed, from the page on which it was typed."""
    words = request.form.get("q", "").strip()[: within.LONGEST]
    return make_response(
        redirect(viewer.find(uow, node, request.form.get("from", 1, type=whole), words), 303)
    )


def _elsewhere(uow: UnitOfWork, node: "Node", number: int) -> Response:
    """A number beyond the node's own pages counts on through the items of its file."""
    target, ordinal = viewer.address(uow, node, number)
    return make_response(redirect(url_for(".view", path=_path(uow, target), number=ordinal, s=typed_token())))


def _path(uow: UnitOfWork, node: "Node") -> str:
    return href(uow, node).removeprefix("/a/")


@section.page("/a/<slugs:path>/@@page", needs=P.READ, node="path")
def go_to(uow: UnitOfWork, node: "Node") -> Response:
    """The field of the page number, which counts through the whole file."""
    return _elsewhere(uow, node, request.args.get("n", 1, type=whole))


@section.page("/a/<slugs:path>/++page++<int:number>/image", needs=P.READ, node="path")
def image(uow: UnitOfWork, node: "Node", number: int) -> Response:
    asked = request.args
    width, ticket = asked.get("width", type=whole), asked.get("ticket")
    return as_shown(pages.image(uow, node, number, width=width, ticket=ticket, as_scanned="scanned" in asked))


@section.page("/a/<slugs:path>/++page++<int:number>/thumb", needs=P.READ, node="path")
def thumbnail(uow: UnitOfWork, node: "Node", number: int) -> Response:
    return as_shown(pages.thumbnail(uow, node, number, ticket=request.args.get("ticket")))


@section.page("/a/<slugs:path>/++page++<int:number>/detail", needs=P.READ, node="path")
def in_detail(uow: UnitOfWork, node: "Node", number: int) -> Response:
    """What there is of the page in full detail, for the open page; nothing yet while it is not drawn."""
    rotation = request.args.get("r", 0, type=whole)
    found = detail.of(uow, node, number, rotation=rotation)
    if found is None:
        return jsonify(drawn=False)
    squares = url_for(".square", path=_path(uow, node), number=number, r=rotation, ticket=found.ticket)
    said = {"width": found.width, "height": found.height, "limited": found.limited, "side": found.side}
    return jsonify(drawn=True, squares=squares, **said)


@section.page("/a/<slugs:path>/++page++<int:number>/detail", needs=P.READ, node="path", methods=("POST",))
def ask_detail(uow: UnitOfWork, node: "Node", number: int) -> Response:
    """Somebody looks closer than the picture of this page goes."""
    detail.ask(uow, node, number)
    return jsonify(drawn=False)


@section.page("/a/<slugs:path>/++page++<int:number>/square", needs=P.READ, node="path")
def square(uow: UnitOfWork, node: "Node", number: int) -> Response:
    """A part of the page in full detail."""
    asked = request.args
    rotation, column, row = (asked.get(name, 0, type=whole) for name in ("r", "column", "row"))
    return as_shown(
        detail.square(
            uow, node, number, rotation=rotation, column=column, row=row, ticket=asked.get("ticket")
        )
    )


@section.page(
    "/a/<slugs:path>/++page++<int:number>/text", needs=P.READ, node="path", event="page.text_viewed"
)
def text(uow: UnitOfWork, node: "Node", number: int) -> Response:
    g.reading_words = {"page": number}
    response = make_response(pages.signed(uow, node, pages.one(uow, node, number).text))
    response.mimetype = "text/plain"
    return response


@section.page("/a/<slugs:path>/++page++<int:number>/recognise", needs=P.READ, node="path", methods=("POST",))
def recognise(uow: UnitOfWork, node: "Node", number: int) -> Response:
    """Somebody waits for the text of this page."""
    recognition.ask(uow, node, number)
    if request.accept_mimetypes.best == "application/json":
        return jsonify(state="wait")
    return make_response(redirect(url_for(".view", path=_path(uow, node), number=number), 303))


@section.page("/a/<slugs:path>/++page++<int:number>/is-read", needs=P.READ, node="path")
def is_read(uow: UnitOfWork, node: "Node", number: int) -> Response:
    """Whether there is text to be shown: the open page asks for it while it waits, and shows it by opening itself anew."""
    return jsonify(read=not recognition.awaits_text(uow, node, number))


def as_shown(content: bytes) -> Response:
    """The picture of a page, to be shown and not saved under a name."""
    response = make_response(content)
    response.mimetype = pages.mime(content)
    response.headers["Content-Disposition"] = "inline"
    return response
