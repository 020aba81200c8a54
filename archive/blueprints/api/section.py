"""The section that all operations of the API belong to."""

from archive.gate import ApiSection

PREFIX = "/api/v1"
section = ApiSection("api", __name__, url_prefix=PREFIX)
