"""Putting the web application together; reads as a list."""

from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

from flask import Flask, Response, g, jsonify, render_template, request
from flask_login import LoginManager
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from archive import blueprints, gate, migrate, templating
from archive.signed_in import SignedIn
from archive.errors import ArchiveError
from archive.i18n import speaking
from archive.services import sessions
from archive.site import Site

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


def create(site: Site) -> Flask:
    migrate.verify(site)
    app = Flask("archive", template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "archive" / "static"))
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
        actor = sessions.actor_of(site, g.session, token)
        return SignedIn(token, actor) if actor else None

    login.user_loader(load)


def _answer_errors(app: Flask) -> None:
    @app.errorhandler(ArchiveError)
    def refused(error: ArchiveError) -> tuple[Response | str, int]:
        return _error(error.status, error.code, str(error), getattr(error, "fields", None))

    @app.errorhandler(CSRFError)
    def forged(_error_: CSRFError) -> tuple[Response | str, int]:
        return _error(400, "csrf", None)

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> tuple[Response | str, int] | HTTPException:
        status = error.code or 500
        if status < 400:
            return error
        return _error(status, HTTPStatus(status).name.lower(), None)

    @app.errorhandler(Exception)
    def failed(error: Exception) -> tuple[Response | str, int]:
        app.logger.error("request failed", exc_info=error, extra={"request": str(g.get("request_id"))})
        return _error(500, "error", None)


def _error(status: int, code: str, reason: str | None, fields: Any = None) -> tuple[Response | str, int]:
    with speaking(g.get("locale", "zh_CN")):
        if request.path.startswith("/api/") or request.accept_mimetypes.best == "application/json":
            message = reason or HTTPStatus(status).phrase
            return jsonify({"error": code, "message": message, "text": message, "state": "bad",
                            **({"fields": fields} if fields else {})}), status  # fmt: skip
        return render_template("errors/error.html", status=status, reason=reason), status


def _send_headers(app: Flask) -> None:
    @app.after_request
    def headers(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"
        else:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response
