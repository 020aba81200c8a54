"""借阅规则试算: what the lending rules in force would say to somebody, without a record and without asking for anything."""

from dataclasses import dataclass
from datetime import date

from archive.errors import Invalid
from archive.i18n import _
from archive.policy import lending
from archive.policy.lending import Rule
from archive.policy.permissions import P
from archive.policy.rights import Right, matrix
from archive.policy.roles import CONTENT_ROLES, ROLES
from archive.services import borrowing, deciders, policies, rulebook
from archive.services.deciders import Stage
from archive.uow import UnitOfWork

KIND, STATE = "medical_record", "archived"
"""What is asked for in most cases, and what is tried."""
LEVELS = range(4)


@dataclass(frozen=True)
class Tried:
    """One medium: the rule that fits, or none, the last day if it were had today, and who is asked in which order."""

    kind: str
    rule: Rule | None
    last_day: date | None
    chain: list[Stage]


@dataclass(frozen=True)
class Trial:
    """试算结果. `deciders`: the roles that decide on such a record. `may_ask`: whether the role asks for such records at all."""

    media: list[Tried]
    deciders: list[str]
    may_ask: bool


def tried(uow: UnitOfWork, *, role: str, purpose: str, level: int, treats: bool = False) -> Trial:
    """What somebody of a role would be told who asks for a record of this sensitivity. Raises Invalid, field by field."""
    rulebook.may_look(uow, "loans")
    wrong = {
        name: _("Choose one of the list.")
        for name, known in (
            ("role", role in CONTENT_ROLES), ("level", level in LEVELS),
            ("purpose", purpose in policies.vocabulary(uow, "purpose")),
        )
        if not known
    }  # fmt: skip
    if wrong:
        raise Invalid(fields=wrong)
    asker = lending.Asker(frozenset({role}), level, treats)
    rules = lending.rules(policies.in_force(uow, "loans").body)
    found = lending.offered(rules, asker, level).get(purpose, {})
    media = [_tried(uow, kind, found.get(kind)) for kind in lending.MEDIA]
    asks = any(right.role == role for right in _holding(P.REQUEST_CREATE, level))
    return Trial(media, [_office(right) for right in _holding(P.REQUEST_DECIDE, level)], asks)


def _tried(uow: UnitOfWork, kind: str, rule: Rule | None) -> Tried:
    if rule is None:
        return Tried(kind, None, None, [])
    chain = [deciders.by_role(uow, code) for code in rule.approvers]
    return Tried(kind, rule, borrowing.last_day(uow, kind, rule), chain)


def _holding(permission: P, level: int) -> list[Right]:
    return [
        right for right in matrix()
        if permission in right.permissions and right.covers(KIND, STATE)
        and (not right.level.isdecimal() or int(right.level) >= level)
    ]  # fmt: skip


def _office(right: Right) -> str:
    title = str(ROLES[right.role].title)
    return _("%(role)s of the record's department", role=title) if right.scope == "dept" else title
