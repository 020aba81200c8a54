"""Importing departments and staff. Roles are never imported: the security administrator gives them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import or_, select

from archive.i18n import _
from archive.models import Membership, Principal, User
from archive.names import name_key
from archive.services.imports import bulk
from archive.services.imports.rows import Keep, Made, Outcome, Reader, Row, refuse_doubles
from archive.services.imports.terms import Terms
from archive.services.imports.values import Wrong
from archive.uow import UnitOfWork


def _principals(uow: UnitOfWork, kind: str, rows: Sequence[dict[str, str]]) -> list[int]:
    """The ids of new principals, in the order of their codes and names."""
    told = [row | {"kind": kind, "name_key": name_key(row["name"])} for row in rows]
    return bulk.write_numbered(uow, Principal, told)


def _rename(principal: Principal, row: Row, keep: Keep) -> None:
    before = principal.name
    principal.name, principal.name_key = row.values["name"], name_key(row.values["name"])
    keep(Made(row.number, "principal", principal.id, {"name": before, "now": principal.name}))


@dataclass
class Departments:
    """Rows of the list of departments."""

    reader: Reader
    seen: dict[str, int] = field(default_factory=dict)
    known: dict[str, Principal] = field(default_factory=dict)

    def judge(self, uow: UnitOfWork, rows: list[Row]) -> None:
        refuse_doubles(self.reader, rows, self.seen)
        codes = {row.values.get("code") for row in rows}
        found = uow.session.scalars(
            select(Principal).where(Principal.kind == "dept", Principal.code.in_(codes))
        )
        self.known = {principal.code: principal for principal in found}
        for row in rows:
            known = self.known.get(row.values.get("code", ""))
            if known is not None and not row.is_wrong:
                row.outcome = Outcome.UNCHANGED if known.name == row.values["name"] else Outcome.CHANGED

    def bring(self, uow: UnitOfWork, rows: list[Row], keep: Keep) -> None:
        new = [row for row in rows if row.outcome is Outcome.NEW]
        made = _principals(
            uow, "dept", [{"code": row.values["code"], "name": row.values["name"]} for row in new]
        )
        for row, number in zip(new, made, strict=True):
            keep(Made(row.number, "principal", number))
        for row in rows:
            if row.outcome is Outcome.CHANGED:
                _rename(self.known[row.values["code"]], row, keep)


@dataclass
class Staff:
    """Rows of the list of staff. What it says of departments is the whole of it: a department not named is left."""

    reader: Reader
    seen: dict[str, int] = field(default_factory=dict)
    accounts: dict[str, int] = field(default_factory=dict)
    known: dict[str, tuple[User, Principal]] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    wanted: dict[int, list[int]] = field(default_factory=dict)
    held: dict[int, dict[int, Membership]] = field(default_factory=dict)

    def judge(self, uow: UnitOfWork, rows: list[Row]) -> None:
        refuse_doubles(self.reader, rows, self.seen)
        self._read(uow, rows)
        terms = Terms(uow)
        for row in rows:
            self._check(terms, row)
            if not row.is_wrong:
                row.outcome = self._outcome(uow, row)

    def _read(self, uow: UnitOfWork, rows: Sequence[Row]) -> None:
        accounts = {_account(row) for row in rows}
        numbers = {row.values.get("staff_no", "") for row in rows}
        found = uow.session.execute(
            select(User, Principal)
            .join(Principal, Principal.id == User.id)
            .where(or_(User.staff_no.in_(numbers), User.account.in_(accounts)))
        ).all()
        self.known = {user.staff_no: (user, principal) for user, principal in found}
        self.owners = {user.account: user.staff_no for user, _principal in found}
        member = select(Membership).join(Principal, Principal.id == Membership.group_id).where(
            Principal.kind == "dept", Membership.principal_id.in_([user.id for user, _principal in found])
        )  # fmt: skip
        self.held = {}
        for row in uow.session.scalars(member):
            self.held.setdefault(row.principal_id, {})[row.group_id] = row

    def _check(self, terms: Terms, row: Row) -> None:
        number, account = row.values.get("staff_no"), _account(row)
        owner = self.owners.get(account)
        first = self.accounts.setdefault(account, row.number)
        if owner not in (None, number) or first != row.number:
            column = "account" if "account" in row.values else "staff_no"
            self.reader.object(row, column, _("This account is another person's. Choose another one."))
        known = self.known.get(number or "")
        if known and "account" in row.values and known[0].account != account:
            sentence = _(
                "This person signs in as %(account)s already. An account is not changed by an import.",
                account=known[0].account,
            )
            self.reader.object(row, "account", sentence)
        try:
            self.wanted[row.number] = terms.departments(row.values.get("dept", ""))
        except Wrong as wrong:
            self.reader.object(row, "dept", str(wrong))

    def _outcome(self, uow: UnitOfWork, row: Row) -> Outcome:
        if row.values["staff_no"] not in self.known:
            return Outcome.NEW
        user, principal = self.known[row.values["staff_no"]]
        moved = self.wanted[row.number] and set(self.wanted[row.number]) != self._present(uow, user.id)
        return Outcome.CHANGED if moved or principal.name != row.values["name"] else Outcome.UNCHANGED

    def _present(self, uow: UnitOfWork, user_id: int) -> set[int]:
        return {
            group
            for group, row in self.held.get(user_id, {}).items()
            if row.valid_to is None or row.valid_to > uow.now
        }

    def bring(self, uow: UnitOfWork, rows: list[Row], keep: Keep) -> None:
        self._enlist(uow, [row for row in rows if row.outcome is Outcome.NEW], keep)
        for row in rows:
            if row.outcome is Outcome.CHANGED:
                user, principal = self.known[row.values["staff_no"]]
                if principal.name != row.values["name"]:
                    _rename(principal, row, keep)
                if self.wanted[row.number]:
                    self._place(uow, row, user.id, keep)
        uow.session.flush()

    def _enlist(self, uow: UnitOfWork, rows: Sequence[Row], keep: Keep) -> None:
        """People without roles and without a password: nobody signs in before both have been given."""
        made = _principals(uow, "user", [{"code": _account(row), "name": row.values["name"]} for row in rows])
        users = [
            {"id": number, "account": _account(row), "staff_no": row.values["staff_no"], "password": None}
            for row, number in zip(rows, made, strict=True)
        ]
        bulk.write(uow, User, users)
        members = []
        for row, number in zip(rows, made, strict=True):
            keep(Made(row.number, "user", number))
            members += [{"principal_id": number, "group_id": group} for group in self.wanted[row.number]]
        bulk.write(uow, Membership, members)

    def _place(self, uow: UnitOfWork, row: Row, user_id: int, keep: Keep) -> None:
        held, wanted = self.held.get(user_id, {}), set(self.wanted[row.number])
        for group in wanted - held.keys():
            member = Membership(principal_id=user_id, group_id=group)
            uow.session.add(member)
            uow.session.flush()
            keep(Made(row.number, "membership", member.id))
        present = self._present(uow, user_id)
        for group in held.keys() & (present ^ wanted):
            member = held[group]
            before = member.valid_to.isoformat() if member.valid_to else None
            member.valid_to = None if group in wanted else uow.now
            now: Any = member.valid_to.isoformat() if member.valid_to else None
            keep(Made(row.number, "membership", member.id, {"valid_to": before, "now": now}))


def _account(row: Row) -> str:
    """Accounts are compared without regard to capitals, as when somebody signs in."""
    return str(row.values.get("account") or row.values.get("staff_no", "")).lower()
