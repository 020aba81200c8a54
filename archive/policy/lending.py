"""借阅规则: under which rule of the hospital a request falls. Pure: the first rule that fits is the one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

EREAD, PAPER, DATA = "eread", "paper", "data"
"""Reading on the screen, the paper, and data without names of many records for a study."""
MEDIA = (EREAD, PAPER, DATA)
"""All kinds of request there are."""


@dataclass(frozen=True)
class Asker:
    """Whoever asks, as far as a rule speaks of it. Without a clearance nothing is opened at once."""

    roles: frozenset[str]
    clearance: int = -1
    treats: bool = False
    """Whether their ward treats the patient now."""


@dataclass(frozen=True)
class Rule:
    """借阅规则: who may have what for which purpose, up to which sensitivity, and for how long."""

    code: str
    purpose: str
    who: frozenset[str]
    """Roles; none means everybody who may ask at all."""
    level_to: int
    media: tuple[str, ...]
    """The first one is what a form begins with."""
    eread_days: int
    paper_days: int
    """Nothing means back on the same day."""
    paper_working: bool
    """Whether paper is counted in working days."""
    renewals: int
    renew_days: int
    while_overdue: bool
    """Whether it goes on although the borrower has something overdue."""
    own_ward: bool = False
    """Whether it speaks only of patients whom the borrower's ward treats now."""
    on_site: bool = False
    """Whether it is read in the reading room alone."""
    approvers: tuple[str, ...] = ("record",)
    """Offices in the order in which they are asked; none means that the rule itself opens it at once."""
    zh: str = ""
    en: str = ""

    @property
    def label(self) -> dict[str, str]:
        """Its name in both languages; the code where nobody gave it one."""
        return {"zh": self.zh or self.code, "en": self.en}

    @property
    def is_at_once(self) -> bool:
        return not self.approvers

    def most(self, kind: str) -> int:
        """Days for which a medium may be asked for."""
        return self.paper_days if kind == PAPER else self.eread_days

    def fits(self, asker: Asker, level: int) -> bool:
        """Whether it speaks of such a person and of so sensitive a record."""
        # What nobody looks at before it is opened is opened to nobody above their own clearance.
        within = level <= self.level_to and (not self.is_at_once or level <= asker.clearance)
        here = asker.treats or not self.own_ward
        return within and here and (not self.who or not self.who.isdisjoint(asker.roles))


def rules(body: Mapping[str, Any]) -> list[Rule]:
    """The rules of a version of the policy, in its order."""
    return [
        Rule(
            **one
            | {"code": code, "who": frozenset(one["who"])}
            | {"media": tuple(one["media"]), "approvers": tuple(one["approvers"])}
        )
        for code, one in body["rules"].items()
    ]


def offered(of: Iterable[Rule], asker: Asker, level: int) -> dict[str, dict[str, Rule]]:
    """Purpose → medium → the first rule that fits a person and a record; what no rule allows is not there."""
    found = dict[str, dict[str, Rule]]()
    for rule in of:
        if rule.fits(asker, level):
            for kind in rule.media:
                found.setdefault(rule.purpose, {}).setdefault(kind, rule)
    return found


def never_reached(of: Iterable[Rule]) -> list[Rule]:
    """The rules before which another one always fits."""
    before, found = list[Rule](), []
    for rule in of:
        if all(any(_covers(one, rule, kind) for one in before) for kind in rule.media):
            found.append(rule)
        before.append(rule)
    return found


def _covers(one: Rule, other: Rule, kind: str) -> bool:
    wide = not one.who or (bool(other.who) and other.who <= one.who)
    if (one.own_ward and not other.own_ward) or (one.is_at_once and not other.is_at_once):
        return False
    return one.purpose == other.purpose and kind in one.media and wide and one.level_to >= other.level_to
