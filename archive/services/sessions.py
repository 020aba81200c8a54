"""Signing in and out: server-side sessions, known devices, and a throttle that locks an attacker and not the owner."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, bindparam, delete, or_, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session as OrmSession

from archive.actor import Actor
from archive.errors import Invalid, NotFound, Throttled
from archive.i18n import _
from archive.journal import Event, Origin
from archive.models import Device, Principal, Session, SignInAttempt, User
from archive.services import actors, passwords
from archive.site import Site, passing
from archive.uow import SIGNED_IN, UnitOfWork, action

FREE_TRIES = 5
WINDOW = timedelta(minutes=15)
LOCK = timedelta(minutes=15)
API_DAYS = 365
NOTED_EVERY = timedelta(minutes=1)


class TooManyAttempts(Throttled):
    """Somebody has tried too many passwords."""

    def sentence(self) -> str:
        return _("Too many attempts. Wait 15 minutes, or ask the system administrator for a new password.")


@dataclass(frozen=True)
class Opened:
    """A session just opened: the secrets go to the browser, only their hashes are kept."""

    token: str
    device: str
    actor: Actor


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def sign_in(site: Site, *, account: str, password: str, device: str, origin: Origin, label: str) -> Opened:
    """Opens a session. Raises Invalid for a wrong account or password (both alike), Throttled after too many."""
    account = account.strip().lower()
    with site.session() as session:
        key = _throttle_key(session, account, device, origin.address or "")
        _admit(site, session, key)
        user = session.scalar(select(User).where(_is(account)))
        good = passwords.matches(user.password if user else None, password) and user is not None
        if good and user is not None and user.disabled_at is None:
            session.execute(delete(SignInAttempt).where(SignInAttempt.key == key))
            return _open(site, session, user, device, origin, label)
        _count(site, session, key)
    site.record_read(
        Event("session.refused", result="denied", words={"account": account}), Actor.nobody(), origin
    )
    raise Invalid(_("Staff number or password is wrong."))


def _is(account: str) -> ColumnElement[bool]:
    """Accounts and staff numbers are typed in any case."""
    return or_(User.account == account, User.staff_no == account)


def _throttle_key(session: OrmSession, account: str, device: str, address: str) -> str:
    """By account and known device, else by account and address: a stranger's tries do not lock the owner out."""
    known = session.scalar(
        select(Device.id)
        .join(User, User.id == Device.user_id)
        .where(_is(account), Device.token_hash == _hash(device))
    )
    return _hash(f"device|{account}|{device}" if device and known else f"address|{account}|{address}")


def _admit(site: Site, session: OrmSession, key: str) -> None:
    attempt = session.get(SignInAttempt, key)
    if attempt is not None and attempt.blocked_until is not None and attempt.blocked_until > site.clock():
        raise TooManyAttempts


def _count(site: Site, session: OrmSession, key: str) -> None:
    now = site.clock()
    attempt = session.get(SignInAttempt, key)
    if attempt is None or now - attempt.first_at > WINDOW:
        attempt = session.merge(SignInAttempt(key=key, failures=0, first_at=now, blocked_until=None))
    attempt.failures += 1
    if attempt.failures >= FREE_TRIES:
        attempt.blocked_until = now + LOCK


def _open(site: Site, session: OrmSession, user: User, device: str, origin: Origin, label: str) -> Opened:
    now, token = site.clock(), secrets.token_urlsafe(32)
    device = device or secrets.token_urlsafe(24)
    known = session.scalar(
        select(Device).where(Device.user_id == user.id, Device.token_hash == _hash(device))
    )
    if known is None:
        session.add(Device(user_id=user.id, token_hash=_hash(device), seen_at=now))
    else:
        known.seen_at = now
    row = Session(
        user_id=user.id, kind="web", token_hash=_hash(token), label=label[:120], address=origin.address, created_at=now,
        seen_at=now, expires_at=now + timedelta(hours=site.settings.session_hours),
    )  # fmt: skip
    session.add(row)
    session.flush()
    actor = actors.load(session, user.id, now, session_id=row.id)
    if actor is None:
        raise Invalid(_("Staff number or password is wrong."))
    uow = site.work(session, actor, origin)
    uow.record(Event("session.opened", object_kind="session", object_id=row.id, words={"label": label}))
    uow.finish()
    return Opened(token, device, actor)


_BY_TOKEN = (
    select(Session, User, Principal)
    .join(User, User.id == Session.user_id)
    .join(Principal, Principal.id == User.id)
    .where(Session.token_hash == bindparam("token_hash"), Session.kind == bindparam("kind"))
)


def actor_of(site: Site, session: OrmSession, token: str, kind: str = "web") -> Actor | None:
    """The actor of a live session; nothing when it was ended, expired, idle too long, or the user is disabled."""
    now = site.clock()
    found = session.execute(_BY_TOKEN, {"token_hash": _hash(token), "kind": kind}).first()
    if found is None:
        return None
    row, user, principal = found
    if row.ended_at is not None or row.expires_at <= now:
        return None
    if kind == "web" and now - row.seen_at > timedelta(minutes=site.settings.idle_minutes):
        return None
    return actors.of(session, user, principal, now, session_id=row.id, seen_at=row.seen_at)


def whose(site: Site, session: OrmSession, token: str) -> Actor | None:
    """The person of a browser's session that has ended within a day; nothing for one that lives or is long gone."""
    now = site.clock()
    row = session.scalar(select(Session).where(Session.token_hash == _hash(token), Session.kind == "web"))
    if row is None or now - row.seen_at > timedelta(days=1):
        return None
    return actors.load(session, row.user_id, now)


def touch(site: Site, actor: Actor) -> None:
    """Notes that a session is in use, at most once a minute; outside the request's own transaction.

    Where the database is busy it waits for nobody: the next request will note it.
    """
    now = site.clock()
    if actor.session_id is None or actor.seen_at is None or now - actor.seen_at <= NOTED_EVERY:
        return
    try:
        with site.session(patient=False) as session:
            session.execute(update(Session).where(Session.id == actor.session_id).values(seen_at=now))
    except DBAPIError as error:
        if not passing(error):
            raise


@action("session.closed", needs=SIGNED_IN)
def sign_out(uow: UnitOfWork) -> None:
    """Ends the session that the request came with."""
    if uow.actor.session_id is not None and (row := uow.session.get(Session, uow.actor.session_id)):
        row.ended_at = uow.now


@dataclass(frozen=True)
class OwnSession:
    """One of one's own sessions, as the list shows it."""

    uuid: str
    label: str
    address: str | None
    kind: str
    seen_at: object
    is_this: bool


def mine(uow: UnitOfWork) -> list[OwnSession]:
    """One's own live sessions, newest first."""
    rows = uow.session.scalars(
        select(Session)
        .where(
            Session.user_id == uow.actor.principal_id,
            Session.ended_at.is_(None),
            Session.expires_at > uow.now,
        )
        .order_by(Session.seen_at.desc())
    )
    return [
        OwnSession(
            str(row.uuid), row.label, row.address, row.kind, row.seen_at, row.id == uow.actor.session_id
        )
        for row in rows
    ]


@action("session.ended", needs=SIGNED_IN)
def end(uow: UnitOfWork, *, uuid: str) -> None:
    """Ends one of one's own sessions at once. Raises NotFound for another person's."""
    row = next((row for row in _of(uow, uow.actor.principal_id) if str(row.uuid) == uuid), None)
    if row is None:
        raise NotFound
    row.ended_at = uow.now


def end_all(uow: UnitOfWork, user_id: int, *, but: int | None = None) -> int:
    """Ends every session of a user, but the one named: on disabling, on a new password. Gives how many."""
    rows = [row for row in _of(uow, user_id) if row.id != but]
    for row in rows:
        row.ended_at = uow.now
    return len(rows)


def _of(uow: UnitOfWork, user_id: int | None) -> list[Session]:
    return list(
        uow.session.scalars(select(Session).where(Session.user_id == user_id, Session.ended_at.is_(None)))
    )


def issue_token(uow: UnitOfWork, user: User, label: str) -> str:
    """A bearer token for the API, shown once; only its hash is kept."""
    token = f"jz_{secrets.token_urlsafe(32)}"
    uow.session.add(
        Session(user_id=user.id, kind="api", token_hash=_hash(token), label=label, created_at=uow.now, seen_at=uow.now,
                expires_at=uow.now + timedelta(days=API_DAYS))
    )  # fmt: skip
    return token
