"""What was ticked goes on to another page in few letters: an address of two hundred uuids is longer than servers take."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from uuid import UUID

SIZE = 16
"""Bytes of a uuid; in an address 22 letters."""


def packed(refs: Iterable[UUID]) -> str:
    """The uuids as one part of an address."""
    return urlsafe_b64encode(b"".join(ref.bytes for ref in refs)).decode().rstrip("=")


def unpacked(text: str) -> list[UUID]:
    """The uuids of such a part; none where it is not one of ours."""
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return [UUID(bytes=raw[at : at + SIZE]) for at in range(0, len(raw), SIZE)]
    except ValueError:
        return []
