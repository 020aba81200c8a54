"""Passwords: argon2, a comparison that takes the same time for an account that does not exist, and one rule for all."""

from collections.abc import Iterable

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from archive.i18n import _

SHORTEST, LONGEST = 12, 200
VARIED = 5
"""A password of fewer different characters is guessed quickly, however long it is."""

_hasher = PasswordHasher()
_NOBODY = _hasher.hash("nobody has this password")


def hashed(password: str) -> str:
    return _hasher.hash(password)


def matches(kept: str | None, given: str) -> bool:
    """Whether `given` is the password; an unknown account costs the same time as a known one."""
    try:
        return _hasher.verify(kept or _NOBODY, given) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def fault(password: str, own: Iterable[str]) -> str | None:
    """Why this is no password for somebody with these names, in a sentence; nothing where it is one."""
    if not SHORTEST <= len(password) <= LONGEST:
        return _("12 characters or more; a sentence is easy to remember.")
    if len(set(password)) < VARIED:
        return _("Use more different characters.")
    if any(len(word) > 3 and word.lower() in password.lower() for word in own):
        return _("It must not hold the account or the staff number.")
    return None
