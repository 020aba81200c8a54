"""人员: accounts are made, changed, disabled and given passwords by whoever manages users. Roles are `duties`."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Select, delete, func, or_, select
from sqlalchemy.orm.attributes import flag_modified

from archive.errors import Conflict, Invalid, Stale
from archive.i18n import LOCALES, _, ngettext
from archive.models import Membership, Principal, Request, RequestLine, User
from archive.names import name_key
from archive.policy.permissions import P
from archive.services import duties, notices, passwords, policies, proven, roster, sessions
from archive.settings import MAILBOX
from archive.uow import SIGNED_IN, UnitOfWork, action

ACCOUNT = re.compile(r"[a-z0-9][a-z0-9._-]{1,59}")
STAFF_NO = re.compile(r"[0-9A-Za-z._-]{1,30}")
LONGEST_ADDRESS = 254


@action("user.created", needs=P.USER_MANAGE)
def create(
    uow: UnitOfWork, *, account: str, staff_no: str, name: str, departments: Collection[int], password: str
) -> User:
    """Makes an account without any role and with the lowest clearance: both are the security administrator's to give.

    Raises Invalid, field by field.
    """
    account, staff_no, name = account.strip().lower(), staff_no.strip(), name.strip()
    wrong = _faults(uow, account, staff_no, name) | _password_faults(password, (account, staff_no))
    if wrong:
        raise Invalid(fields=wrong)
    principal = Principal(kind="user", code=account, name=name, name_key=name_key(name))
    uow.session.add(principal)
    uow.session.flush()
    user = User(
        id=principal.id,
        account=account,
        staff_no=staff_no,
        password=passwords.hashed(password),
        clearance=0,
        must_change=True,
    )
    uow.session.add(user)
    uow.session.flush()
    _join(uow, user, departments)
    uow.about(cast(Any, user))
    uow.note(account=account, staff_no=staff_no, departments=sorted(departments))
    return user


def _faults(uow: UnitOfWork, account: str, staff_no: str, name: str) -> dict[str, str]:
    wrong = {}
    if not ACCOUNT.fullmatch(account):
        wrong["account"] = _("2 to 60 small letters, digits, dots, dashes.")
    elif taken(uow, account):
        wrong["account"] = _("Somebody signs in with this already.")
    if not STAFF_NO.fullmatch(staff_no):
        wrong["staff_no"] = _("Up to 30 letters and digits, without spaces.")
    elif taken(uow, staff_no):
        wrong["staff_no"] = _("Somebody signs in with this already.")
    if not 1 <= len(name) <= 80:
        wrong["name"] = _("Write the name, up to 80 characters.")
    return wrong


def taken(uow: UnitOfWork, word: str) -> bool:
    """People sign in with either: nobody's account is another's staff number."""
    known = select(User.id).where(or_(User.account == word, User.staff_no == word))
    return uow.session.scalar(known.limit(1)) is not None


def _password_faults(password: str, own: Iterable[str], name: str = "password") -> dict[str, str]:
    fault = passwords.fault(password, own)
    return {name: fault} if fault else {}


def _join(uow: UnitOfWork, user: User, departments: Collection[int]) -> None:
    """Makes these the departments of a user; groups stay."""
    every = select(Principal.id).where(Principal.kind == "dept")
    known = set(uow.session.scalars(every))
    uow.session.execute(
        delete(Membership).where(Membership.principal_id == user.id, Membership.group_id.in_(every))
    )
    chosen = sorted(set(departments) & known)
    uow.session.add_all(Membership(principal_id=user.id, group_id=number) for number in chosen)
    uow.session.flush()


@action("user.changed", needs=P.USER_MANAGE)
def change(uow: UnitOfWork, user: User, *, name: str, departments: Collection[int], version: int) -> None:
    """Changes name and departments. Raises Invalid, or Stale when somebody else saved first."""
    if user.version != version:
        raise Stale
    if not 1 <= len(name := name.strip()) <= 80:
        raise Invalid(fields={"name": _("Write the name, up to 80 characters.")})
    principal = uow.session.get_one(Principal, user.id)
    uow.note(name=[principal.name, name], departments=sorted(departments))
    principal.name, principal.name_key = name, name_key(name)
    flag_modified(user, "staff_no")  # the name lies in another row: without this the version would stay
    _join(uow, user, departments)


@action("user.disabled", needs=P.USER_MANAGE)
def disable(uow: UnitOfWork, user: User, *, anyway: bool = False) -> int:
    """Locks a person out and ends their sessions at once; gives how many. Raises Conflict for oneself, and where volumes are out
    to them, unless that has been said: then whoever the policy names is told of it.
    """
    if user.id == uow.actor.principal_id:
        raise Conflict(_("Nobody disables their own account."))
    if (out := volumes_out(uow, user)) and user.disabled_at is None:
        if not anyway:
            raise Conflict(ngettext(
                "%(num)d volume is out to this person. The lending desk takes it back and prints the clearance; "
                "or tick that the account is closed all the same.",
                "%(num)d volumes are out to this person. The lending desk takes them back and prints the clearance; "
                "or tick that the account is closed all the same.", out))  # fmt: skip
        uow.note(volumes_out=closed_with(uow, user))
    duties.keep_one_who_assigns(uow, user)
    if user.disabled_at is None:
        user.disabled_at = uow.now
    ended = sessions.end_all(uow, user.id)
    uow.note(sessions_ended=ended)
    return ended


def volumes_out(uow: UnitOfWork, user: User) -> int:
    """How many volumes are out to a person: a number, for whoever keeps the accounts and may know of no record."""
    return uow.session.scalar(_lent_to(user).with_only_columns(func.count(RequestLine.id))) or 0


def _lent_to(user: User) -> Select[Any]:
    lines: Select[Any] = select(Request).join(RequestLine, RequestLine.request_id == Request.id)
    return lines.where(Request.requester_id == user.id, RequestLine.in_at.is_(None))


def closed_with(uow: UnitOfWork, user: User) -> int:
    """Part of an act that closes an account: whoever the policy names is told of what is out to it; gives how many volumes."""
    roles = set(policies.in_force(uow, "incidents").body["told"]["left"])
    people = [one.id for one in roster.everybody(uow).values() if one.roles & roles]
    for request in uow.session.scalars(_lent_to(user).distinct()).all():
        notices.left_with(uow, request, people)
    return volumes_out(uow, user)


@action("user.enabled", needs=P.USER_MANAGE)
def enable(uow: UnitOfWork, user: User) -> None:
    """Lets a person sign in again, with the roles that they still hold."""
    uow.note(disabled_at=user.disabled_at)
    user.disabled_at = None


@action("user.password_set", needs=P.USER_MANAGE)
def set_password(uow: UnitOfWork, user: User, *, password: str) -> int:
    """Gives somebody else a new password and ends their sessions; gives how many. Raises Invalid, Conflict."""
    if user.id == uow.actor.principal_id:
        raise Conflict(_("Change your own password on its own page, which asks for the old one."))
    if duties.held(uow, user) & {"security", "auditor"}:
        # 三员分立: whoever could set these passwords would be security administrator and auditor as well.
        raise Conflict(_("Whoever gives roles or checks the journals sets their password themselves. "
                         "If it is lost, make them a new account on the server and disable this one."))  # fmt: skip
    if wrong := _password_faults(password, (user.account, user.staff_no)):
        raise Invalid(fields=wrong)
    user.password, user.must_change = passwords.hashed(password), True
    return sessions.end_all(uow, user.id)


@dataclass(frozen=True)
class OwnMail:
    """邮件通知设置: one's own address, whether one wants mail there, and in which language."""

    email: str
    by_mail: bool
    locale: str
    runs: bool
    """Whether the hospital has set up a mail server."""


def own_mail(uow: UnitOfWork) -> OwnMail:
    """How one is told by e-mail."""
    uow.require(SIGNED_IN)
    user = uow.session.get_one(User, uow.actor.principal_id)
    return OwnMail(user.email or "", user.by_mail, user.locale, bool(uow.site.settings.smtp_host))


@action("user.mail_set", needs=SIGNED_IN)
def set_own_mail(uow: UnitOfWork, *, email: str, by_mail: bool, locale: str) -> None:
    """Where one is told by e-mail, and whether. The journal has no address: it could never be taken out. Raises Invalid."""
    email, wrong = email.strip(), {}
    if by_mail and not email:
        wrong["email"] = _("Write the address.")
    elif email and (len(email) > LONGEST_ADDRESS or not MAILBOX.fullmatch(email)):
        wrong["email"] = _("Write one address like name@hospital.cn.")
    if locale not in LOCALES:
        wrong["locale"] = _("Choose one of the list.")
    if wrong:
        raise Invalid(fields=wrong)
    user = uow.session.get_one(User, uow.actor.principal_id)
    user.email, user.by_mail, user.locale = email or None, by_mail, locale
    uow.about(cast(Any, user))
    uow.note(by_mail=by_mail)


def change_own_password(uow: UnitOfWork, *, old: str, new: str, again: str) -> None:
    """One's own new password. Raises Invalid, Throttled after too many wrong old ones."""
    user = proven.again(uow, old, "old")
    wrong = _password_faults(new, (user.account, user.staff_no), "new")
    if new == old:
        wrong["new"] = _("Take another one than before.")
    if again != new:
        wrong["again"] = _("It is not the same as above.")
    if wrong:
        raise Invalid(fields=wrong)
    _changed(uow, user, new)


@action("user.password_changed", needs=SIGNED_IN)
def _changed(uow: UnitOfWork, user: User, new: str) -> None:
    """Every other session ends: whoever knew the old password is out."""
    user.password, user.must_change = passwords.hashed(new), False
    uow.note(sessions_ended=sessions.end_all(uow, user.id, but=uow.actor.session_id))
