"""查验: whether a copy is one of ours, for whoever holds it: nobody signs in, and nothing is told but what stands on it."""

import base64
import hashlib
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from archive.actor import Actor
from archive.errors import Throttled
from archive.i18n import _
from archive.journal import Event, Origin
from archive.models import CopyRequest, SignInAttempt
from archive.services import calendar, policies
from archive.site import Site

TRUSTED: Any = {"scope": "copying verify"}
BYTES = 16
"""128 bits: a code is found by nobody who has not seen it."""
VALID = ("confirmed", "delivered", "shipped", "signed")
WITHIN = timedelta(minutes=15)
LONGEST = 200


class TooManyCodes(Throttled):
    """Somebody tries codes from one address."""

    def sentence(self) -> str:
        return _("Too many codes have been tried from here. Wait 15 minutes.")


@dataclass(frozen=True)
class Confirmed:
    """A copy that is one of ours: its number, its day, how many pages, and the hash of its file."""

    number: str
    day: date
    pages: int
    digest: str


def code() -> str:
    """A new verification code: 26 letters and digits."""
    return base64.b32encode(secrets.token_bytes(BYTES)).decode().rstrip("=")


def spoken(code: str) -> str:
    """A code in groups, as it stands on the paper."""
    return "-".join(code[start : start + 5] for start in range(0, len(code), 5))


def hashed(typed: str) -> str:
    """What a code is kept and found by. Whatever is typed, however long, costs the same."""
    letters = re.sub(r"[^A-Z2-7]", "", typed[:LONGEST].upper().replace("0", "O").replace("1", "I"))
    return hashlib.sha256(letters.encode()).hexdigest()


def verify(site: Site, typed: str, origin: Origin) -> Confirmed | None:
    """The copy of a code; nothing for one that is unknown, malformed or no longer valid: all three answer alike.

    Each try is counted by its address and stands in the journal. Raises TooManyCodes.
    """
    tries = _counted(site, hashlib.sha256(f"verify|{origin.address}".encode()).hexdigest())
    with site.session(readonly=True) as session:
        uow = site.work(session, Actor.nobody(), origin)
        blocked = tries > policies.in_force(uow, "copying").body["limits"]["verify_tries"]
        mine = select(CopyRequest).where(CopyRequest.code_hash == hashed(typed), CopyRequest.state.in_(VALID))
        copy = session.scalar(mine, execution_options=TRUSTED)
        found = None
        if copy is not None and not blocked:
            found = Confirmed(
                copy.number, calendar.day_of(uow, copy.made_at or uow.now), copy.pages or 0, copy.digest or ""
            )
    told = Event("copy.verified", result="ok" if found else "denied", object_kind="copy_request",
                 object_ref=found.number if found else None)  # fmt: skip
    site.record_read(told, Actor.nobody(), origin)
    if blocked:
        raise TooManyCodes
    return found


def _counted(site: Site, key: str) -> int:
    """How often codes have been tried from an address within the last minutes, this time included."""
    with suppress(IntegrityError), site.session() as session:  # two first tries at once: one of them counts
        now, tries = site.clock(), session.get(SignInAttempt, key, with_for_update=True)
        if tries is None or now - tries.first_at > WITHIN:
            tries = session.merge(SignInAttempt(key=key, failures=0, first_at=now, blocked_until=None))
        tries.failures += 1
        return tries.failures
    return 1
