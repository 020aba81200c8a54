"""Putting the web application together; reads as a list."""

from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, g, jsonify, render_template, request
from flask_login import LoginManager, current_user
from flask_wtf.csrf import CSRFError, CSRFProtect
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from archive import blueprints, gate, migrate, templating, way_back
from archive.actor import Actor
from archive.db import canonical, is_full
from archive.errors import CODES, ArchiveError, of_status
from archive.i18n import _, locale, speaking
from archive.services import sessions
from archive.services.health import Health
from archive.services.queue import described
from archive.signed_in import SignedIn
from archive.site import Site, passing

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
ROOT = Path(__file__).parent.parent
RETRY = {429: 15 * 60, 503: 30}
"""Seconds after which trying again may help."""
BROKEN = frozenset({"SQLITE_CORRUPT", "SQLITE_NOTADB"})
"""What SQLite says of a file that is damaged; it is no OperationalError."""


def create(site: Site) -> Flask:
    migrate.verify(site)
    app = Flask(
        "archive", template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "archive" / "static")
    )
    app.extensions["juanzong"] = site
    app.url_map.converters["slugs"] = gate.Slugs
    app.config.update(
        SECRET_KEY=site.keys.session,
        MAX_CONTENT_LENGTH=site.settings.upload_limit + 2**20,
        MAX_FORM_MEMORY_SIZE=4 * 2**20,
        SESSION_COOKIE_NAME="juanzong",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SECURE=site.settings.secure_cookies,
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(days=365),
        WTF_CSRF_TIME_LIMIT=None,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    if site.settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=site.settings.trusted_proxies, x_proto=1)  # type: ignore[method-assign]
    app.before_request(gate.measure)  # before the check of forged forms, which reads the body
    csrf = CSRFProtect(app)
    _remember_people(app, site)
    templating.install(app, site)
    blueprints.install(app, csrf)
    _answer_errors(app)
    _send_headers(app)
    gate.audit_routes(app)
    return app


def _remember_people(app: Flask, site: Site) -> None:
    login = LoginManager(app)
    login.session_protection = None  # the session row decides, and it can be ended at once

    def load(token: str) -> SignedIn | None:
        if "session" in g:
            actor = sessions.actor_of(site, g.session, token)
        else:  # refused before the gate: no such address, a wrong method, a forged form
            with site.session(readonly=True) as session:
                actor = sessions.actor_of(site, session, token)
        return SignedIn(token, actor) if actor else None

    login.user_loader(load)


def _answer_errors(app: Flask) -> None:
    @app.errorhandler(ArchiveError)
    def refused(error: ArchiveError) -> tuple[Response | str, int]:
        return _error(error.status, error.code, str(error), getattr(error, "fields", None))

    @app.errorhandler(CSRFError)
    def forged(_raised: CSRFError) -> tuple[Response | str, int]:
        with speaking(g.get("locale") or request.cookies.get("locale", "zh_CN")):
            return _error(400, "csrf", _("Go back, load the page again and repeat the step."))

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> tuple[Response | str, int] | HTTPException:
        status = error.code or 500
        if status < 400:
            return error
        return _error(status, HTTPStatus(status).name.lower(), None)

    @app.errorhandler(DBAPIError)
    @app.errorhandler(NoConnection)
    def unreachable(error: DBAPIError | NoConnection) -> tuple[Response | str, int]:
        if is_full(error) or not is_outage(error):
            return failed(error)
        # Not the error itself: it would write the statement and its values into the log.
        cause = type(getattr(error, "orig", error)).__name__
        app.logger.error(
            "the database does not answer: %s", canonical({"request": g.get("request_id"), "error": cause})
        )
        return _error(503, "unavailable", None)

    @app.errorhandler(Exception)
    def failed(error: Exception) -> tuple[Response | str, int]:
        if is_full(error):
            app.logger.error("the disk is full", extra={"request": str(g.get("request_id"))})
            return _error(507, "full", None)
        # Where it happened, without its message: that may carry what was typed, or the values of a statement.
        app.logger.error(
            "request failed: %s", canonical({"request": g.get("request_id"), **described(error)})
        )
        return _error(500, "error", None)


def is_outage(error: DBAPIError | NoConnection) -> bool:
    """Whether the database is away, busy or broken; other faults of a statement are ours."""
    if isinstance(error, NoConnection) or error.connection_invalidated or passing(error):
        return True
    name = getattr(error.orig, "sqlite_errorname", "")
    return name in BROKEN or (isinstance(error, OperationalError | InterfaceError) and name != "SQLITE_ERROR")


def _error(status: int, code: str, reason: str | None, fields: Any = None) -> tuple[Response | str, int]:
    if status == 503:
        return _outage(code)
    with speaking(g.get("locale") or request.cookies.get("locale", "zh_CN")):
        if not _wants_json():
            return _page(status, reason)
        kind = of_status(status)
        said: dict[str, Any] = {
            "error": code if code in CODES else kind.code,
            "message": reason or str(kind()),
        }
        if fields:
            said["fields"] = fields
        if not gate.is_for_programs():  # a script of our pages, which shows `text` beside what was sent
            said |= {"text": said["message"], "state": "bad"}
        return jsonify(said), status


def _page(status: int, reason: str | None) -> tuple[Response | str, int]:
    """The page of a refusal, in the frame of whoever is signed in; that may have to be asked of the database first."""
    try:
        if "actor" not in g:
            g.actor = current_user.actor if current_user.is_authenticated else Actor.nobody()
        back = way_back.came_from() if status == 401 else None
        return render_template("errors/error.html", status=status, reason=reason, back=back), status
    except (DBAPIError, NoConnection):
        return _outage("unavailable")


def _outage(code: str) -> tuple[Response | str, int]:
    """The database may be away: nothing of this answer asks it, not even for the name of the hospital."""
    if request.path == "/healthz":
        return jsonify(Health("down", ["database: does not answer"]).as_json()), 503
    with speaking(request.cookies.get("locale", "zh_CN")):
        if _wants_json():
            message = _("The archive cannot answer just now. Please try again in a moment.")
            if gate.is_for_programs():
                return jsonify({"error": "unavailable", "message": message}), 503
            return jsonify({"error": code, "message": message, "text": message, "state": "bad"}), 503
        page = current_app.jinja_env.get_template("errors/outage.html")
        return page.render(_=_, locale=locale()), 503


def _wants_json() -> bool:
    return gate.is_for_programs() or request.accept_mimetypes.best == "application/json"


def _send_headers(app: Flask) -> None:
    @app.after_request
    def headers(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if (wait := RETRY.get(response.status_code)) is not None:
            response.headers.setdefault("Retry-After", str(wait))
        if response.status_code == 401 and gate.is_for_programs():
            response.headers.setdefault("WWW-Authenticate", "Bearer")
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"
        else:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response
