"""The web application for any WSGI server: settings come from the environment and juanzong.toml."""

import os

from archive import create_app, settings
from archive.cli import PRIVATE
from archive.site import Site

os.umask(PRIVATE)
application = create_app(Site(settings.load()))
