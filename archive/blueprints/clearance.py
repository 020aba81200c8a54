"""离职清退: what somebody still has, on one page and on paper; and the slip of what is out with a borrower."""

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from archive.blueprints.documents import pdf
from archive.errors import Conflict, NotFound
from archive.gate import P, Section
from archive.i18n import _, ngettext
from archive.services import borrower_papers, clearance
from archive.uow import UnitOfWork

section = Section("clearance", __name__)


@section.page("/desk/clearance", needs=P.REQUEST_HANDLE)
def one(uow: UnitOfWork) -> str | tuple[str, int]:
    """A badge is scanned into the field, or the person stands at the desk."""
    code, held, wrong = request.args.get("c", "").strip(), None, ""
    try:
        held = clearance.of(uow, code) if code else None
    except NotFound:
        wrong = _("Nobody has this staff number.")
    page = render_template("clearance/one.html", held=held, code=code, wrong=wrong)
    return (page, 404) if wrong else page


@section.page("/desk/clearance.pdf", needs=P.REQUEST_HANDLE)
def paper(uow: UnitOfWork) -> Response:
    return pdf(borrower_papers.cleared(uow, request.args.get("c", "")), "clearance.pdf")


@section.page("/desk/slip.pdf", needs=P.REQUEST_HANDLE)
def slip(uow: UnitOfWork) -> Response:
    """借阅单 of what is out with one borrower."""
    return pdf(borrower_papers.slip(uow, request.args.get("c", "")), "loan-slip.pdf")


@section.page("/desk/clearance/withdraw", needs=P.REQUEST_HANDLE, methods=("POST",))
def withdraw(uow: UnitOfWork) -> Response:
    code = request.form.get("c", "")
    try:
        many = clearance.withdraw(uow, code)
        flash(ngettext("%(num)d request is withdrawn.", "%(num)d requests are withdrawn.", many), "ok")
    except Conflict as refusal:
        uow.undo()
        flash(str(refusal), "bad")
    return make_response(redirect(url_for(".one", c=code)))
