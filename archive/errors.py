"""One tree of errors: each has a status, a code of a closed list, and a sentence that tells a person what to do next."""

from collections.abc import Mapping

from archive.i18n import _


class ArchiveError(Exception):
    """Anything the archive refuses or cannot do now; `str(error)` is the sentence for the person."""

    status = 500
    code = "error"
    about: object = None
    """What was refused, for the journal; never shown."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.sentence())

    def sentence(self) -> str:
        return _("Something went wrong. It has been noted; please try again.")


class NotFound(ArchiveError):
    """There is no such thing, or the person may not know of it: both answer alike."""

    status, code = 404, "not_found"

    def sentence(self) -> str:
        return _("There is nothing here, or nothing that you may see. Check the number, or search for it.")


class Forbidden(ArchiveError):
    """The person may know of the thing, but not do this with it."""

    status, code = 403, "forbidden"

    def sentence(self) -> str:
        return _("You may not do this. Ask the person responsible for the record, or request access.")


class SignInNeeded(ArchiveError):
    status, code = 401, "sign_in_needed"

    def sentence(self) -> str:
        return _("Your session has ended. Sign in again; what you typed is kept in this window.")


class Conflict(ArchiveError):
    """The thing is in another state than the act needs."""

    status, code = 409, "conflict"


class Stale(Conflict):
    """Somebody else saved first; `theirs` and `mine` are shown side by side."""

    code = "stale"

    def __init__(self, message: str | None = None, *, theirs: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.theirs = theirs or {}

    def sentence(self) -> str:
        return _("Somebody else saved this first. Compare both versions, then save again.")


class Invalid(ArchiveError):
    """What was typed cannot be taken; `fields` says why, field by field."""

    status, code = 422, "invalid"

    def __init__(self, message: str | None = None, *, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.fields = dict(fields or {})

    def sentence(self) -> str:
        return _("Please correct the marked fields.")


class TooLarge(ArchiveError):
    status, code = 413, "too_large"

    def sentence(self) -> str:
        return _("The file is larger than this archive accepts. Split it and upload the parts.")


class Throttled(ArchiveError):
    status, code = 429, "throttled"

    def sentence(self) -> str:
        return _("Too many attempts. Wait a few minutes, then try again.")


class Unavailable(ArchiveError):
    status, code = 503, "unavailable"

    def sentence(self) -> str:
        return _("The archive cannot answer just now. Please try again in a moment.")


class TakesTooLong(Unavailable):
    """A search that was given up; what was asked can be asked again otherwise."""

    def sentence(self) -> str:
        return _("This search takes too long. Add a word or a filter.")


class Full(ArchiveError):
    status, code = 507, "full"

    def sentence(self) -> str:
        return _(
            "The disk is full, so nothing new can be kept. Tell the system administrator; when there is room, try again."
        )


class WrongMethod(ArchiveError):
    status, code = 405, "wrong_method"

    def sentence(self) -> str:
        return _("This address takes another method. Compare it with openapi.json.")


class Malformed(ArchiveError):
    """What came is no request at all."""

    status, code = 400, "malformed"

    def sentence(self) -> str:
        return _("This request cannot be understood. Load the page again, or compare it with openapi.json.")


KINDS = (
    ArchiveError, NotFound, Forbidden, SignInNeeded, Conflict, Stale, Invalid, TooLarge, Throttled, Unavailable, Full,
    WrongMethod, Malformed,
)  # fmt: skip
CODES = tuple(kind.code for kind in KINDS)


def of_status(status: int) -> type[ArchiveError]:
    """The error for a status that the web server itself gives. What has none of its own is malformed, or our fault."""
    named = {
        kind.status: kind
        for kind in (NotFound, Forbidden, SignInNeeded, TooLarge, Throttled, Full, WrongMethod)
    }
    return named.get(status, Malformed if status < 500 else ArchiveError)
