"""The pages, a file a noun: parse, call one service, show."""

from flask import Flask
from flask_wtf.csrf import CSRFProtect


def install(app: Flask, csrf: CSRFProtect) -> None:
    """Registers every section; only the API, which has bearer tokens and no cookies, is outside CSRF."""
    from archive.blueprints import api, control, health, jobs, me, pages, people, session, sharing, tree, uploads, workbench

    for section in (
        health.section, session.section, workbench.section, tree.section, sharing.section, uploads.section,
        pages.section, jobs.section, people.section, control.section, me.section,
    ):  # fmt: skip
        app.register_blueprint(section)
    app.register_blueprint(api.section)
    csrf.exempt(api.section)
