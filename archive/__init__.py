"""Juanzong 卷宗: document and archive management for hospitals."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from archive.site import Site


def create_app(site: Site) -> Flask:
    """The web application of one archive. Refuses to start with a weak secret, an old schema or an unguarded route."""
    from archive import application

    return application.create(site)
