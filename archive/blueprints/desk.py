"""借阅台: the counter, what is to be fetched, what is out and what is overdue."""

from dataclasses import asdict, fields

from flask import Response, make_response, redirect, render_template, request, session, url_for

from archive.gate import P, Section
from archive.i18n import _
from archive.services import circulation, desk, slips
from archive.services.desk import Memo
from archive.uow import UnitOfWork

section = Section("desk", __name__)
KEPT = "desk"


@section.page("/desk", needs=P.REQUEST_HANDLE)
def counter(uow: UnitOfWork) -> str:
    memo = _memo(uow)
    return render_template("desk/counter.html", memo=memo, counter=desk.counter(uow, memo))


def _memo(uow: UnitOfWork) -> Memo:
    """What this person did last at the desk. A computer is shared: nobody goes on where another stopped."""
    kept = session.get(KEPT, {})
    if kept.get("by") != uow.actor.staff_no:
        return Memo()
    return Memo(**{part.name: kept[part.name] for part in fields(Memo) if part.name in kept})


def _keep(uow: UnitOfWork, memo: Memo) -> Response:
    session[KEPT] = asdict(memo) | {"by": uow.actor.staff_no}
    return make_response(redirect(url_for(".counter")))


@section.page("/desk", needs=P.REQUEST_HANDLE, methods=("POST",))
def scan(uow: UnitOfWork) -> Response:
    """One scan. The answer is another page, so that loading it again repeats nothing."""
    form, sheets = request.form, request.form.get("sheets", "")
    return _keep(
        uow, desk.hear(uow, form.get("barcode", ""), _memo(uow), sheets=sheets, confirmed="confirmed" in form)
    )


@section.page("/desk/undo", needs=P.REQUEST_HANDLE, methods=("POST",))
def undo(uow: UnitOfWork) -> Response:
    return _keep(uow, desk.undo(uow, _memo(uow)))


@section.page("/desk/pick-list", needs=P.REQUEST_HANDLE)
def pick_list(uow: UnitOfWork) -> str:
    return render_template("desk/pick_list.html", picks=circulation.pick_list(uow))


@section.page("/desk/out", needs=P.REQUEST_HANDLE)
def out(uow: UnitOfWork) -> str:
    return render_template("desk/loans.html", loans=circulation.out(uow), title=_("Out"), most=slips.MOST)


@section.page("/desk/overdue", needs=P.REQUEST_HANDLE)
def overdue(uow: UnitOfWork) -> str:
    return render_template(
        "desk/loans.html", loans=circulation.overdue(uow), title=_("Overdue"), most=slips.MOST
    )
