"""The pages, a file a noun: parse, call one service, show."""

from importlib import import_module
from pkgutil import iter_modules

from flask import Flask
from flask_wtf.csrf import CSRFProtect

from archive.gate import ApiSection, Section


def sections() -> list[Section]:
    """The section of every module here; a module without one only serves the others."""
    modules = (import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__))
    return [module.section for module in modules if hasattr(module, "section")]


def install(app: Flask, csrf: CSRFProtect) -> None:
    """Registers every section; only those for programs, which have bearer tokens and no cookies, are outside CSRF."""
    for section in sections():
        app.register_blueprint(section)
        if isinstance(section, ApiSection):
            csrf.exempt(section)
