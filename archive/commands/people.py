"""user add, password, disable, token: people from the command line."""

import argparse
import getpass
from contextlib import closing
from typing import Any

from sqlalchemy import select

from archive.actor import Actor
from archive.errors import Invalid, NotFound
from archive.i18n import speaking
from archive.journal import Event
from archive.models import User
from archive.policy.roles import CONFLICTS, ROLES
from archive.services import duties, passwords, people, sessions, setup
from archive.settings import Settings
from archive.site import Site
from archive.uow import UnitOfWork


def register(commands: Any) -> None:
    user = commands.add_parser(
        "user", help="add or disable a person, set a password, or give an API token"
    ).add_subparsers(dest="what", required=True)
    add = user.add_parser("add", help="make a user; the password is asked for")
    add.add_argument("account")
    add.add_argument("name")
    add.add_argument("--staff-no", help="staff number; the account when left out")
    add.add_argument(
        "--role", action="append", default=[], choices=sorted(n for n, r in ROLES.items() if not r.local)
    )
    add.add_argument("--clearance", type=int, default=1, choices=range(4))
    add.set_defaults(run=_add)
    for name, run, text in (
        ("password", _password, "set a user's password, asked for; they choose their own when they sign in"),
        ("disable", _disable, "lock a user out at once"),
        ("token", _token, "give a bearer token for the API; shown once"),
    ):
        command = user.add_parser(name, help=text)
        command.add_argument("account")
        command.set_defaults(run=run)


def _add(settings: Settings, chosen: argparse.Namespace) -> None:
    roles = tuple(chosen.role)
    if any(pair <= set(roles) for pair in CONFLICTS):
        raise Invalid("these roles are never held by one person")
    staff_no = chosen.staff_no or chosen.account
    password = ask_password(chosen.account, staff_no)
    with closing(Site(settings)) as site, site.uow(Actor.system("user.add")) as uow:
        if people.taken(uow, chosen.account) or people.taken(uow, staff_no):
            raise Invalid(f"somebody signs in with {chosen.account} or {staff_no} already")
        setup.enlist(uow, account=chosen.account, name=chosen.name, staff_no=staff_no, password=password,
                     roles=roles, clearance=chosen.clearance, must_change=True)  # fmt: skip
    print(f"made 1 user: {chosen.account}")


def ask_password(*own: str) -> str:
    """A password typed twice, unseen. Raises Invalid for one that breaks the rule, or two that differ."""
    with speaking("en"):
        password = getpass.getpass(f"password ({passwords.SHORTEST} characters or more): ")
        if fault := passwords.fault(password, own):
            raise Invalid(f"this is no good password: {fault}")
        if getpass.getpass("once more: ") != password:
            raise Invalid("the two passwords are not the same")
    return password


def _password(settings: Settings, chosen: argparse.Namespace) -> None:
    with closing(Site(settings)) as site:
        with site.uow(Actor.system("user.password"), readonly=True) as uow:
            user = _user(uow, chosen.account)  # before anybody types a password in vain
        password = ask_password(user.account, user.staff_no)
        with site.uow(Actor.system("user.password")) as uow:
            user = _user(uow, chosen.account)
            user.password, user.must_change = passwords.hashed(password), True
            ended = sessions.end_all(uow, user.id)
            uow.record(
                Event("user.password_set", object_kind="user", object_id=user.id, object_ref=user.account)
            )
    print(f"set 1 password: {chosen.account}; ended {ended} sessions")


def _user(uow: UnitOfWork, account: str) -> User:
    user = uow.session.scalar(select(User).where(User.account == account))
    if user is None:
        raise NotFound(f"there is no user {account}")
    return user


def _disable(settings: Settings, chosen: argparse.Namespace) -> None:
    with closing(Site(settings)) as site, site.uow(Actor.system("user.disable")) as uow:
        user = _user(uow, chosen.account)
        duties.keep_one_who_assigns(uow, user)
        user.disabled_at = uow.now
        ended, out = sessions.end_all(uow, user.id), people.closed_with(uow, user)
        uow.record(Event("user.disabled", object_kind="user", object_id=user.id))
    print(f"disabled 1 user: {chosen.account}; ended {ended} sessions")
    if out:
        print(f"volumes still out to {chosen.account}: {out}; the record room has been told")


def _token(settings: Settings, chosen: argparse.Namespace) -> None:
    with closing(Site(settings)) as site, site.uow(Actor.system("user.token")) as uow:
        user = _user(uow, chosen.account)
        token = sessions.issue_token(uow, user, "command line")
        uow.record(Event("token.issued", object_kind="user", object_id=user.id))
    print(token)
