"""Signing in and out, one's own sessions, language and look."""

from flask import Response, flash, g, make_response, redirect, render_template, request, url_for
from flask_login import login_user, logout_user

from archive import gate, way_back
from archive.errors import Invalid, Throttled
from archive.forms import field
from archive.gate import PUBLIC, SIGNED_IN, Section
from archive.i18n import LOCALES, _
from archive.services import sessions
from archive.signed_in import SignedIn
from archive.uow import UnitOfWork

section = Section("session", __name__)
YEAR = 365 * 24 * 3600


@section.page("/sign-in", needs=PUBLIC)
def sign_in(_uow: UnitOfWork) -> str:
    return _form()


def _form(account: str = "", error: str | None = None) -> str:
    fields = [
        field(
            "account",
            _("Staff number or account"),
            value=account,
            required=True,
            autocomplete="username",
            autofocus=True,
        ),
        field("password", _("Password"), "password", required=True, autocomplete="current-password"),
    ]
    action = url_for(".open_session", next=request.args.get("next"))
    form = {"action": action, "fields": fields, "general": [error] if error else []}
    return render_template("session/signin.html", form=form)


@section.page("/sign-in", needs=PUBLIC, methods=("POST",))
def open_session(_uow: UnitOfWork) -> Response | tuple[str, int]:
    account, device = request.form.get("account", ""), request.cookies.get("device", "")
    try:
        opened = sessions.sign_in(
            gate.site(), account=account, password=request.form.get("password", ""), device=device,
            origin=gate.origin(), label=_browser(request.user_agent.string),
        )  # fmt: skip
    except (Invalid, Throttled) as error:
        return _form(account, str(error)), error.status
    login_user(SignedIn(opened.token, opened.actor))
    response = make_response(redirect(way_back.safe(request.args.get("next")) or url_for("workbench.home")))
    secure = gate.site().settings.secure_cookies
    response.set_cookie("device", opened.device, max_age=YEAR, httponly=True, samesite="Lax", secure=secure)
    return response


def _browser(agent: str) -> str:
    for name in ("Edg", "Firefox", "Chrome", "Safari"):
        if name in agent:
            return name.replace("Edg", "Edge")
    return _("another browser")


@section.page("/sign-out", needs=SIGNED_IN, methods=("POST",))
def sign_out(uow: UnitOfWork) -> Response:
    sessions.sign_out(uow)
    logout_user()
    return make_response(redirect(url_for(".sign_in")))


@section.page("/sessions", needs=SIGNED_IN, event="session.listed")
def own(uow: UnitOfWork) -> str:
    return render_template("session/sessions.html", sessions=sessions.mine(uow))


@section.page("/sessions/<uuid>/end", needs=SIGNED_IN, methods=("POST",))
def end(uow: UnitOfWork, uuid: str) -> Response:
    sessions.end(uow, uuid=uuid)
    flash(_("The session has been ended."), "ok")
    return make_response(redirect(url_for(".own")))


@section.page("/preferences", needs=PUBLIC, methods=("POST",))
def preferences(_uow: UnitOfWork) -> Response:
    response = make_response(redirect(way_back.came_from() or url_for("workbench.home")))
    allowed = {"theme": {"light", "dark"}, "rail": {"wide", "narrow"}, "locale": set(LOCALES)}
    for name, values in allowed.items():
        if (given := request.form.get(name)) in values:
            response.set_cookie(name, str(given), max_age=YEAR, samesite="Lax", httponly=name == "locale")
    g.pop("uow", None)
    return response
