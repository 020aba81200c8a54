"""Passwords: argon2, and a comparison that takes the same time for an account that does not exist."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

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
