"""回到原处: the address to return to after signing in or setting a preference; only ever one of this very site."""

from urllib.parse import urlsplit

from flask import request


def safe(target: str | None) -> str | None:
    """The address if it lies on this site, else nothing: nobody is sent elsewhere by a link that begins with ours."""
    target = target or ""
    try:
        parts = urlsplit(target)
    except ValueError:
        return None
    # Browsers read a backslash as a slash, so that both of these would name another host.
    here = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if here and not parts.scheme and not parts.netloc else None


def came_from() -> str | None:
    """The page on which the form of this request stood, as far as the browser says.

    Its host is left out, not compared: behind a proxy we may not know our own name.
    """
    try:
        parts = urlsplit(request.referrer or "")
    except ValueError:
        return None
    return safe(parts.path + (f"?{parts.query}" if parts.query else ""))
