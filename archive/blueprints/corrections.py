"""校对: the text of a page in a field beside its image. Saving leads back to the page."""

from typing import TYPE_CHECKING

from flask import Response, flash, make_response, redirect, request

from archive.blueprints import leaf
from archive.blueprints.leaf import Typing
from archive.errors import Invalid, Stale
from archive.gate import Section
from archive.given import whole
from archive.i18n import _
from archive.services import corrections, drafts, pages
from archive.sight import href
from archive.uow import UnitOfWork

if TYPE_CHECKING:
    from archive.models import Node

section = Section("corrections", __name__)
FORM = f"{drafts.TEXT}{{number}}"
PLACE = "/a/<slugs:path>/++page++<int:number>/correct"


@section.page(PLACE, needs=corrections.MAY, node="path", event="page.viewed")
def form(uow: UnitOfWork, node: "Node", number: int) -> str:
    page, draft = pages.one(uow, node, number), drafts.offered(uow, node, FORM.format(number=number))
    if draft and "draft" in request.args:
        typing = Typing(draft.patch["text"], draft.base_version or 0, unsaved=True)
    else:
        typing = Typing(page.text, _version(page), offer=draft)
    return leaf.shown(uow, node, number, typing=typing)


@section.page(PLACE, needs=corrections.MAY, node="path", methods=("POST",), form=FORM)
def correct(uow: UnitOfWork, node: "Node", number: int) -> Response | tuple[str, int]:
    text, version = request.form.get("text", ""), request.form.get("version", 0, type=whole)
    try:
        corrections.correct(uow, node, number, text=text, version=version)
    except Stale as late:
        uow.undo()
        theirs = pages.one(uow, node, number)
        return _again(uow, node, number, Typing(text, _version(theirs), theirs, unsaved=True)), late.status
    except Invalid as error:
        uow.undo()
        return _again(uow, node, number, Typing(text, version, error=str(error), unsaved=True)), error.status
    drafts.forget(uow, node, FORM.format(number=number))
    return _back(uow, node, number)


@section.page(
    "/a/<slugs:path>/++page++<int:number>/restore", needs=corrections.MAY, node="path", methods=("POST",)
)
def restore(uow: UnitOfWork, node: "Node", number: int) -> Response:
    corrections.restore(uow, node, number, version=request.form.get("version", 0, type=whole))
    flash(_("The text that the machine read is in force again."), "ok")
    return _back(uow, node, number)


def _again(uow: UnitOfWork, node: "Node", number: int, typing: Typing) -> str:
    return leaf.shown(uow, node, number, typing=typing)


def _version(page: pages.PageView) -> int:
    return page.correction.version if page.correction else 0


def _back(uow: UnitOfWork, node: "Node", number: int) -> Response:
    return make_response(redirect(f"{href(uow, node)}/++page++{number}", 303))
