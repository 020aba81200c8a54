"""The web application for any WSGI server: settings come from the environment and juanzong.toml."""

from archive import create_app, settings
from archive.site import Site

application = create_app(Site(settings.load()))
