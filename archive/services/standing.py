"""What the archive already lives by: the parts of a policy that a new version may not take away (model §5)."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import ColumnElement, select

from archive.i18n import _
from archive.models import Counter, Encounter, InspectionFinding, Milestone, Node, Patient, Request
from archive.policy.relations import Problem
from archive.policy.types import TYPES
from archive.services import policies
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "standing"}
Body = Mapping[str, Any]

REACHED = {
    "paper": ("in_hospital", "pending", "collected", "shelved"),
    "scan": ("waiting", "scanning", "linked"),
}
"""Steps that the program itself reaches, when a volume moves or pages are made."""
SPOKEN = {
    "sex": ("1", "2", "0", "9"), "level": ("0", "1", "2", "3"), "open_status": ("unreviewed",), "outcome": ("5",),
}  # fmt: skip
"""Codes that a standard or the program itself speaks of: GB/T 2261.1, S0 to S3, what an old index leaves unsaid, death."""
LISTS = frozenset({"purpose", "find_purpose", "level", "copy_purpose", "problem"})
"""Vocabularies that no field of a type names, but a form does."""


def objections(uow: UnitOfWork, kind: str, body: Body) -> list[Problem]:
    """What of a new version would break: `body` has the right shape by itself."""
    return list(LIVED.get(kind, _nothing)(uow, body))


def _nothing(_uow: UnitOfWork, _body: Body) -> Iterator[Problem]:
    return iter(())


def _exists(uow: UnitOfWork, *where: ColumnElement[bool]) -> bool:
    return (
        uow.session.execute(select(1).where(*where).limit(1), execution_options=TRUSTED).first() is not None
    )


def _retention(uow: UnitOfWork, body: Body) -> Iterator[Problem]:
    """A rule by which something is kept stays, and so does its code: it stands in archival numbers."""
    begun_with = {kind.retention for kind in TYPES.values()}
    for name, rule in policies.in_force(uow, "retention").body["rules"].items():
        new = body["rules"].get(name)
        if new is not None and (new["code"], new["trigger"]) == (rule["code"], rule["trigger"]):
            continue
        if name in begun_with or _exists(uow, Node.retention_rule == name):
            sentence = _("Files are kept by this rule: it stays, with its code and what it counts from.")
            yield Problem(("rules", name), sentence)


def _gates(uow: UnitOfWork, body: Body) -> Iterator[Problem]:
    for track, steps in REACHED.items():
        for step in steps:
            if step not in body["tracks"][track]["steps"]:
                yield Problem(
                    ("tracks", track, "steps"), _("%(step)s stays: the program reaches it.", step=step)
                )
    for track, was in policies.in_force(uow, "gates").body["tracks"].items():
        for step in was["steps"]:
            kept = step in body["tracks"].get(track, {}).get("steps", ()) or step in REACHED.get(track, ())
            if not kept and _exists(uow, Milestone.track == track, Milestone.step == step):
                yield Problem(
                    ("tracks", track, "steps"), _("%(step)s stays: records have reached it.", step=step)
                )


def _numbering(uow: UnitOfWork, body: Body) -> Iterator[Problem]:
    """Numbers that were given stay; the next one must still have room beside them."""
    counted = select(Counter.name, Counter.value).where(Counter.name.like("no:%"))
    told: set[str] = set()
    for name, value in uow.session.execute(counted):
        found = re.match(r"no:[^-]+-(.+?)·\d{4}(?:·|$)", name)
        category = found[1] if found and found[1] in body["categories"] else "default"
        rule = body["categories"].get(category)
        if rule and value >= 10 ** rule["digits"] - 1 and category not in told:
            told.add(category)
            sentence = _("Number %(n)d has been given already: leave room for it.", n=value)
            yield Problem(("categories", category, "digits"), sentence)


def _loans(uow: UnitOfWork, body: Body) -> Iterator[Problem]:
    words = policies.terms(uow, "purpose")
    for code, rule in body["rules"].items():
        if rule["purpose"] not in words:
            sentence = _("Give it words first: the vocabulary of purposes has no such term.")
            yield Problem(("rules", code, "purpose"), sentence)


def _vocabularies(uow: UnitOfWork, body: Body) -> Iterator[Problem]:
    named = {field.vocabulary for kind in TYPES.values() for field in kind.fields if field.vocabulary}
    for name in sorted((named | LISTS) - {"retention"} - set(body)):
        yield Problem((name,), _("It is missing: forms choose from it."))
    for name, codes in SPOKEN.items():
        for code in codes:
            if name in body and code not in body[name]:
                yield Problem((name, code), _("It stays: a standard or the program speaks of it."))
    lent_for = {rule["purpose"] for rule in policies.in_force(uow, "loans").body["rules"].values()}
    for name, terms in policies.in_force(uow, "vocabularies").body.items():
        for code in terms:
            if code in body.get(name, {}) or code in SPOKEN.get(name, ()):
                continue
            if (name == "purpose" and code in lent_for) or _is_said(uow, name, code):
                sentence = _("It is in use and stays; its words may be others.")
                yield Problem((name, code), sentence)


def _is_said(uow: UnitOfWork, vocabulary: str, code: str) -> bool:
    """Whether something was described with this term."""
    columns = {
        "sex": Patient.sex, "outcome": Encounter.outcome, "purpose": Request.purpose, "problem": InspectionFinding.kind,
    }  # fmt: skip
    if vocabulary in columns and _exists(uow, columns[vocabulary] == code):
        return True
    return any(
        _exists(uow, Node.type.in_(kinds), Node.data[name].as_string() == code)
        for name, kinds in _fields(vocabulary)
    )


def _fields(vocabulary: str) -> Iterable[tuple[str, list[str]]]:
    """Each field that chooses from a vocabulary, with the types that have it."""
    found: dict[str, list[str]] = {}
    for kind in TYPES.values():
        for field in kind.fields:
            if field.vocabulary == vocabulary and not field.column:
                found.setdefault(field.name, []).append(kind.name)
    return found.items()


LIVED: Mapping[str, Callable[[UnitOfWork, Body], Iterator[Problem]]] = {
    "retention": _retention, "gates": _gates, "numbering": _numbering, "loans": _loans, "vocabularies": _vocabularies,
}  # fmt: skip
