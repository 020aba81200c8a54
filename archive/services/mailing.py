"""邮件通知: one digest a person and day of what they have not read, and at once what cannot wait.

A mail is a row before it is sent, and is claimed before it leaves: a worker that is killed in between sends it once more
with the same Message-ID. What it says is put together at that moment, with the rights of the person at that moment.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from smtplib import SMTP
from threading import Event
from typing import Any

from sqlalchemy import delete, exists, func, insert, select
from sqlalchemy.orm import aliased

from archive.actor import Actor
from archive.i18n import _, speaking
from archive.models import Mail, Notice, Principal, User
from archive.services import (
    actors,
    calendar,
    letters,
    notice_words,
    policies,
    post,
    queue,
    reminders,
)
from archive.site import Site
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "mailing"}
ME = Actor.system("mail")
DIGEST = "digest"
URGENT = frozenset({notice_words.RECALLED, reminders.ESCALATED, "emergency.opened", notice_words.ALARM})
"""Kinds that do not wait for the hour of the digest."""
FRESH = timedelta(days=1)
"""What is older is no news any more: whoever ticks the box today gets it with the digest."""
KEPT = timedelta(days=90)
SHOWN = timedelta(days=7)
MOST = 8


def deliver(site: Site, leaving: Event | None = None) -> int:
    """Writes down what is to be sent and sends what is due; gives how many mails the server took.

    With `leaving` set it ends after the mail under way.
    """
    if not site.settings.smtp_host:
        return 0
    with site.uow(ME, readonly=True) as uow:  # an idle worker must not take the write lock
        new = [*_urgent(uow), *_digests(uow)]
    if new:
        site.run(ME, lambda uow: uow.session.execute(insert(Mail), new))
    waiting, sent = _due(site), 0
    if not waiting:
        return 0
    try:
        with post.connected(site.settings) as server:
            while waiting and not (leaving and leaving.is_set()):
                sent += _send(site, server, waiting.pop(0))
    except post.Unreachable as error:
        said = str(error)
        site.run(ME, lambda uow: _put_off(uow, waiting, said))
    return sent


def clean_up(site: Site) -> None:
    """Takes away what is long past."""
    with site.session() as session:
        session.execute(delete(Mail).where(Mail.at < site.clock() - KEPT))


# What is to be sent


def _wanted() -> tuple[Any, ...]:
    """Who wants mail and can get it, and has something that they have not read."""
    return (
        User.by_mail, User.email.is_not(None), User.disabled_at.is_(None), Notice.principal_id == User.id,
        Notice.read_at.is_(None),
    )  # fmt: skip


def _row(uow: UnitOfWork, person: int, kind: str, key: str) -> dict[str, Any]:
    return {"principal_id": person, "kind": kind, "key": key, "day": uow.today, "at": uow.now, "due_at": uow.now,
            "state": "waiting", "tries": 0}  # fmt: skip


def _urgent(uow: UnitOfWork) -> list[dict[str, Any]]:
    known = exists().where(Mail.principal_id == Notice.principal_id, Mail.key == Notice.key)
    rows = uow.session.execute(
        select(Notice.principal_id, Notice.kind, Notice.key)
        .where(*_wanted(), Notice.kind.in_(URGENT), Notice.at > uow.now - FRESH, ~known)
        .order_by(Notice.id),
        execution_options=TRUSTED,
    )
    return [_row(uow, *row) for row in rows]


def _digests(uow: UnitOfWork) -> list[dict[str, Any]]:
    """For whoever has something that came since their last digest left; what was told there is not told day by day."""
    rule = policies.in_force(uow, "mail").body["daily"]
    if uow.local(uow.now).hour < int(rule["hour"]):
        return []
    if rule["working_days_only"] and not calendar.of(uow).works(uow.today):
        return []
    key, told = f"{DIGEST}:{uow.today}", aliased(Mail)
    last = select(func.max(told.sent_at)).where(told.principal_id == User.id, told.kind == DIGEST)
    today = exists().where(Mail.principal_id == User.id, Mail.key == key)
    since = func.coalesce(last.scalar_subquery(), uow.now - KEPT)
    people = select(User.id).where(*_wanted(), Notice.at > since, ~today).distinct().order_by(User.id)
    return [
        _row(uow, person, DIGEST, key) for person in uow.session.scalars(people, execution_options=TRUSTED)
    ]


def _due(site: Site) -> list[int]:
    """What waits and may be tried, what cannot wait first."""
    with site.session(readonly=True) as session:
        due = select(Mail.id).where(Mail.state == "waiting", Mail.due_at <= site.clock())
        return list(session.scalars(due.order_by(Mail.kind == DIGEST, Mail.id)))


# Sending


def _send(site: Site, server: SMTP, number: int) -> int:
    """Sends one mail; gives how many the server took. Raises post.Unreachable."""
    if not site.run(ME, lambda uow: _claim(uow, number)):
        return 0
    try:
        letter = _letter(site, number)
        if letter is None:
            site.run(ME, lambda uow: _end(uow, number, "dropped"))
            return 0
        post.give(server, letter, sender=site.settings.smtp_from, name=site.hospital_name)
    except Exception as error:  # one letter must not keep the others waiting
        site.run(ME, partial(_missed, number=number, error=error))
        if isinstance(error, post.Unreachable):
            raise
        return 0
    site.run(ME, lambda uow: _end(uow, number, "sent"))
    return 1


def _claim(uow: UnitOfWork, number: int) -> bool:
    """Counts the try before it is made: the next one comes after a pause, whatever becomes of this one."""
    mail, limits = uow.session.get(Mail, number), _limits(uow)
    if mail is None or mail.state != "waiting":
        return False
    if mail.tries >= limits["tries"]:  # the last try ended with its worker
        mail.state = "failed"
        return False
    mail.due_at = uow.now + timedelta(minutes=limits["pause_minutes"] * 2**mail.tries)
    mail.tries += 1
    return True


def _limits(uow: UnitOfWork) -> dict[str, int]:
    return dict(policies.in_force(uow, "mail").body["limits"])


def _letter(site: Site, number: int) -> post.Letter | None:
    """The mail as it is now; nothing where its reader wants none, may not sign in or has nothing left to be told."""
    with site.session(readonly=True) as session:
        mail = session.get_one(Mail, number)
        user = session.get_one(User, mail.principal_id)
        actor = actors.load(session, user.id, site.clock())
    if actor is None or not user.by_mail or not user.email:
        return None
    with speaking(user.locale), site.uow(actor, readonly=True) as uow:
        words = letters.digest(uow) if mail.kind == DIGEST else letters.urgent(uow, mail.key)
    return post.Letter(mail.uuid, user.email, *words, mail.at) if words else None


def _end(uow: UnitOfWork, number: int, state: str) -> None:
    mail = uow.session.get_one(Mail, number)
    mail.state, mail.error = state, None
    mail.sent_at = uow.now if state == "sent" else None


def _missed(uow: UnitOfWork, number: int, error: Exception) -> None:
    """What the server refuses for good is given up; all else after the last try. The next digest has what is still unread."""
    mail = uow.session.get_one(Mail, number)
    known = isinstance(error, post.NotTaken | post.Unreachable)
    mail.error = str(error) if known else type(error).__name__
    if not known:
        queue.tell("mail.error", mail=number, **queue.described(error))
    if isinstance(error, post.Refused) or mail.tries >= _limits(uow)["tries"]:
        mail.state = "failed"


def _put_off(uow: UnitOfWork, numbers: Iterable[int], said: str) -> None:
    """No session with the server: all that waited for it has had its try."""
    for number in numbers:
        if _claim(uow, number):
            _missed(uow, number, post.Unreachable(said))


# How it stands


@dataclass(frozen=True)
class Failed:
    """A mail that was given up: to whom, when, and what the server said."""

    name: str
    day: date
    tries: int
    error: str


@dataclass(frozen=True)
class State:
    """邮件状态. `said`: whether mail is sent, in words that claim no more."""

    said: str
    waiting: int = 0
    failed: list[Failed] = field(default_factory=list)


def runs(site: Site) -> bool:
    """Whether any mail is sent at all."""
    return bool(site.settings.smtp_host)


def state(uow: UnitOfWork) -> State:
    """How the mail stands; for the panel, which checks who looks."""
    if not runs(uow.site):
        return State(_("NOT RUN: no mail server is configured"))
    many, trouble = uow.session.execute(
        select(func.count(Mail.id), func.max(Mail.error)).where(Mail.state == "waiting")
    ).one()
    last = uow.session.scalar(select(func.max(Mail.sent_at)))
    rows = uow.session.execute(
        select(Principal.name, Mail.day, Mail.tries, Mail.error)
        .join(Principal, Principal.id == Mail.principal_id)
        .where(Mail.state == "failed", Mail.at > uow.now - SHOWN)
        .order_by(Mail.id.desc())
        .limit(MOST)
    )
    failed = [Failed(name, day, tries, error or "") for name, day, tries, error in rows]
    return State(_said(uow, last, trouble), many, failed)


def _said(uow: UnitOfWork, last: datetime | None, trouble: str | None) -> str:
    server = f"{uow.site.settings.smtp_host}:{uow.site.settings.mail_port}"
    if trouble:
        return _("%(server)s does not take it: %(error)s", server=server, error=trouble)
    if last is None:
        return _("%(server)s, nothing sent so far", server=server)
    return _("%(server)s, last sent %(time)s", server=server, time=f"{uow.local(last):%Y-%m-%d %H:%M}")
