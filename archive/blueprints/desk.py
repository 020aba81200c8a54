"""借阅台: the counter, what is to be fetched, what is out and what is overdue."""

from dataclasses import asdict, fields

from flask import Response, make_response, redirect, render_template, request, session, url_for

from archive.blueprints import desk_cover, requests
from archive.blueprints.documents import pdf
from archive.errors import Invalid
from archive.gate import P, Section
from archive.i18n import _
from archive.services import circulation, desk, desk_answers, desk_buttons, desk_papers, slips
from archive.services.desk import Done, Memo
from archive.uow import UnitOfWork

section = Section("desk", __name__)
KEPT = "desk"


@section.page("/desk", needs=P.REQUEST_HANDLE)
def counter(uow: UnitOfWork) -> str:
    memo = _memo(uow)
    counter = desk_answers.counter(uow, memo)
    return render_template(
        "desk/counter.html", memo=memo, counter=counter, **_forms(uow, counter.answer, memo)
    )


def _forms(
    uow: UnitOfWork, answer: desk_answers.Answer | None, memo: Memo, wrong: Invalid | None = None
) -> dict[str, object]:
    """What is typed into an answer: the cover of a file that nobody knows, what somebody asks for; with what was wrong of it."""
    typed = request.form if wrong else {}
    cover = answer.cover if answer else None
    offer = answer.offer if answer else None
    return {
        "cover": desk_cover.fields(cover, memo, typed, wrong) if cover else None,
        "asking": requests.paper_fields(uow, offer.allowed, typed, wrong) if offer and offer.allowed else [],
    }


@section.page("/desk/beside", needs=P.REQUEST_HANDLE)
def beside(uow: UnitOfWork) -> str:
    """What an answer in its place leaves as it was: who stands there, the counters, the day."""
    memo = _memo(uow)
    return render_template("desk/beside.html", memo=memo, counter=desk_answers.beside(uow, memo))


def _memo(uow: UnitOfWork) -> Memo:
    """What this person did last at the desk. A computer is shared: nobody goes on where another stopped."""
    kept = session.get(KEPT, {})
    if kept.get("by") != uow.actor.staff_no:
        return Memo()
    return Memo(**{part.name: kept[part.name] for part in fields(Memo) if part.name in kept})


def _said(uow: UnitOfWork, done: Done, wrong: Invalid | None = None) -> Response:
    """A script puts the answer into the page that is open; without one it is another page, so that loading it again repeats
    nothing.
    """
    memo = done.memo
    session[KEPT] = asdict(memo) | {"by": uow.actor.staff_no}
    typed = {"wrong": wrong.fields if wrong else {}, "typed": request.form}
    if "HX-Request" not in request.headers:
        if wrong is None:
            return make_response(redirect(url_for(".counter")))
        counter = desk_answers.counter(uow, memo)
        return make_response(
            render_template("desk/counter.html", memo=memo, counter=counter, **_forms(uow, counter.answer, memo, wrong),
                            **typed), wrong.status
        )  # fmt: skip
    person = desk_answers.borrower(uow, memo) if memo.act == "badge" else None
    answer = desk_answers.answer(uow, done)
    return make_response(render_template(
        "desk/said.html", memo=memo, person=person, answer=answer, **_forms(uow, answer, memo, wrong), **typed
    ))  # fmt: skip


@section.page("/desk", needs=P.REQUEST_HANDLE, methods=("POST",))
def scan(uow: UnitOfWork) -> Response:
    """One scan."""
    form = request.form
    typed, sheets = form.get("barcode", ""), form.get("sheets", "")
    return _said(
        uow,
        desk.hear(
            uow,
            typed,
            _memo(uow),
            sheets=sheets,
            confirmed="confirmed" in form,
            because=form.get("because", ""),
            loose="loose" in form or ("tick" in form and "intact" not in form),
        ),
    )


@section.page("/desk/collector", needs=P.REQUEST_HANDLE, methods=("POST",))
def collector(uow: UnitOfWork) -> Response:
    """代领人 of what has just been handed out."""
    memo, form = _memo(uow), request.form
    try:
        return _said(
            uow, desk_buttons.collected(uow, memo, who=form.get("who", ""), phone=form.get("phone", ""))
        )
    except Invalid as wrong:
        return _said(uow, Done(memo), wrong)


@section.page("/desk/take-up", needs=P.REQUEST_HANDLE, methods=("POST",))
def take_up(uow: UnitOfWork) -> Response:
    """补录借出: what was never catalogued is registered and goes out."""
    memo = _memo(uow)
    try:
        return _said(uow, desk_buttons.taken_up(uow, memo, request.form.to_dict()))
    except Invalid as wrong:
        return _said(uow, Done(memo), wrong)


@section.page("/desk/ask", needs=P.REQUEST_HANDLE, methods=("POST",))
def ask(uow: UnitOfWork) -> Response:
    """现场申请: whoever stands here asks for what lies here."""
    memo = _memo(uow)
    typed = {name: request.form.get(name, "") for name in requests.TERMS if name != "kind"}
    try:
        return _said(uow, desk_buttons.asked(uow, memo, typed))
    except Invalid as wrong:
        return _said(uow, Done(memo), wrong)


@section.page("/desk/undo", needs=P.REQUEST_HANDLE, methods=("POST",))
def undo(uow: UnitOfWork) -> Response:
    return _said(uow, desk.undo(uow, _memo(uow)))


@section.page("/desk/pick-list", needs=P.REQUEST_HANDLE)
def pick_list(uow: UnitOfWork) -> str:
    return render_template(
        "desk/pick_list.html", picks=circulation.pick_list(uow), in_part=circulation.in_part(uow)
    )


@section.page("/desk/pick-list.pdf", needs=P.REQUEST_HANDLE)
def picks(uow: UnitOfWork) -> Response:
    return pdf(desk_papers.picks(uow), "pick-list.pdf")


@section.page("/desk/tracer.pdf", needs=P.REQUEST_HANDLE)
def tracer(uow: UnitOfWork) -> Response:
    """示踪卡 of a volume that is out."""
    return pdf(desk_papers.tracer(uow, request.args.get("c", "")), "tracer.pdf")


@section.page("/desk/out", needs=P.REQUEST_HANDLE)
def out(uow: UnitOfWork) -> str:
    return render_template("desk/loans.html", loans=circulation.out(uow), title=_("Out"), most=slips.MOST)


@section.page("/desk/overdue", needs=P.REQUEST_HANDLE)
def overdue(uow: UnitOfWork) -> str:
    return render_template(
        "desk/loans.html", loans=circulation.overdue(uow), title=_("Overdue"), most=slips.MOST
    )
