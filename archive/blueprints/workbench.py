"""工作台: the landing page, after the person's roles."""

from flask import Response, make_response, redirect, render_template, url_for

from archive.gate import SIGNED_IN, Section
from archive.i18n import _
from archive.services import listing, workbench
from archive.policy.permissions import P
from archive.uow import UnitOfWork

section = Section("workbench", __name__)


@section.page("/", needs=SIGNED_IN)
def home(uow: UnitOfWork) -> str | Response:
    if uow.actor.roles == {"auditor"}:
        return make_response(redirect(url_for("audit.journal")))
    lists = workbench.worklists(uow)
    titles = {"draft": _("Drafts"), "cataloguing": _("In cataloguing"), "review": _("To review")}
    figures = [{"label": titles[w.name], "value": w.total, "href": url_for(".worklist", state=w.name)} for w in lists]
    newest = listing.newest(uow, 12) if uow.can(P.ADD) else []
    return render_template("workbench/home.html", waiting=lists, titles=titles, figures=figures, newest=newest,
                           readable=workbench.readable_now(uow))  # fmt: skip


@section.page("/worklists/<state>", needs=P.EDIT)
def worklist(uow: UnitOfWork, state: str) -> str:
    needs = P.EDIT_LIFECYCLE if state == "review" else P.EDIT
    rows, total = listing.worklist(uow, needs, state, most=200)
    return render_template("workbench/worklist.html", rows=rows, total=total)
