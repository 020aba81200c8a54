"""制度汇编: the policies to be read: what holds, since when, by which source, and what there was before."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import select

from archive.errors import Forbidden, NotFound
from archive.i18n import _
from archive.models import PolicyVersion, Principal
from archive.policy.offices import OFFICES
from archive.policy.permissions import P
from archive.policy.roles import ROLES
from archive.policy.shapes import SHAPES
from archive.policy.types import TYPES
from archive.services import policies, study_data
from archive.uow import UnitOfWork

Words = Mapping[str, str]
"""Code → what it is called."""


@dataclass(frozen=True)
class Version:
    """制度版本 as a list shows it. `standing`: in_force, waiting, past, or dropped before it held."""

    kind: str
    version: int
    source: str
    since: datetime
    approved_by: str
    standing: str


@dataclass(frozen=True)
class Table:
    """One part of a policy, laid out: each row begins with its code."""

    title: str
    columns: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class PolicyPage:
    """制度页: one version, and all that there are. `words`: what the hospital calls the codes of this policy."""

    kind: str
    shown: Version
    tables: list[Table]
    versions: list[Version]
    words: Words
    may_adopt: bool


OF_WHOEVER_DECIDES = "loans"
"""Whoever agrees to requests or decides on them reads by which rules."""


def may_look(uow: UnitOfWork, kind: str = "") -> None:
    """Raises Forbidden for whoever neither operates nor configures the system, nor decides by this policy."""
    decides = uow.can(P.REQUEST_DECIDE) or uow.can(P.REQUEST_ENDORSE)
    if not (uow.can(P.OPERATE) or uow.can(P.CONFIG_MANAGE) or (kind == OF_WHOEVER_DECIDES and decides)):
        raise Forbidden


def overview(uow: UnitOfWork) -> list[Version]:
    """Of each kind the version that is valid now."""
    may_look(uow)
    return [one for kind in policies.kinds(uow) for one in _versions(uow, kind) if one.standing == "in_force"]


def _versions(uow: UnitOfWork, kind: str) -> list[Version]:
    rows = policies.versions(uow, kind)
    people = {row.approved_by for row in rows if row.approved_by}
    named = select(Principal.id, Principal.name).where(Principal.id.in_(people))
    names = {row.id: row.name for row in uow.session.execute(named)}
    return [_listed(uow, row, rows, names) for row in rows]


def _listed(
    uow: UnitOfWork, row: PolicyVersion, rows: list[PolicyVersion], names: Mapping[int, str]
) -> Version:
    by, standing = names.get(row.approved_by or 0, ""), policies.standing(row, rows, uow.now)
    return Version(row.kind, row.version, policies.said(row.source), row.valid_from, by, standing)


def page(uow: UnitOfWork, kind: str, version: int | None = None) -> PolicyPage:
    """A policy to be read, as it is in force or in an earlier or later version. Raises NotFound for none such."""
    may_look(uow, kind)
    listed = _versions(uow, kind)
    shown = next(
        (
            one
            for one in listed
            if (one.standing == "in_force" if version is None else one.version == version)
        ),
        None,
    )
    if shown is None:
        raise NotFound
    body = next(row.body for row in policies.versions(uow, kind) if row.version == shown.version)
    may_adopt = kind in SHAPES and uow.can(P.CONFIG_MANAGE)
    called = words(uow, kind)
    return PolicyPage(kind, shown, list(_laid_out(body, called)), listed, called, may_adopt)


def words(uow: UnitOfWork, kind: str) -> dict[str, str]:
    """What the codes of a policy are called, where a vocabulary says so."""
    if kind == "vocabularies":
        named = {
            field.vocabulary: str(field.label)
            for each in TYPES.values()
            for field in each.fields
            if field.vocabulary
        }
        return named | {
            "purpose": _("Purpose"),
            "find_purpose": _("Purpose of a search"),
            "level": _("Sensitivity"),
        }
    if kind == "gates":
        body = policies.in_force(uow, "gates").body
        parts = {**body["steps"], **body["tracks"]}
        kinds = {name: str(TYPES[name].label) for name in body["archive"] if name in TYPES}
        return kinds | {code: policies.said(label) for code, label in parts.items()}
    if kind == "loans":
        return {role.name: str(role.title) for role in ROLES.values()} | policies.vocabulary(uow, "purpose") | {
            "eread": _("Electronic"), "paper": _("Paper"), "data": _("Data without names"),
        } | {office.code: str(office.title) for office in OFFICES.values()
        }  # fmt: skip
    if kind == "study_data":
        return {str(name): str(said) for name, said in [*study_data.COLUMNS.items(), *study_data.HOW.items()]}
    vocabularies = {"checklist": "component", "counting": "purpose"}
    return policies.vocabulary(uow, vocabularies[kind]) if kind in vocabularies else {}


def _laid_out(body: Mapping[str, Any], called: Words) -> Iterable[Table]:
    """Single values first, then a table for each part: of columns where its values are tables themselves."""
    single = [[name, said(value, called)] for name, value in body.items() if not isinstance(value, dict)]
    if single:
        yield Table("", [], single)
    for name, part in body.items():
        if isinstance(part, dict):
            yield _table(name, part, called)


def _table(title: str, part: Mapping[str, Any], called: Words) -> Table:
    if not part or not all(isinstance(value, dict) for value in part.values()):
        return Table(title, [], [[name, said(value, called)] for name, value in part.items()])
    columns = list(dict.fromkeys(column for value in part.values() for column in value))
    rows = [
        [name, *(said(value.get(column, ""), called) for column in columns)] for name, value in part.items()
    ]
    return Table(title, columns, rows)


def said(value: Any, called: Words = MappingProxyType({})) -> str:
    """A value of a policy in words; `called`: what its codes are called."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, dict):
        return _(", ").join(f"{name} {said(inner, called)}" for name, inner in value.items())
    if isinstance(value, list):
        rows = [one if isinstance(one, list) else [one] for one in value]
        return _(", ").join(" ".join(called.get(str(part), str(part)) for part in row) for row in rows)
    return called.get(value, value) if isinstance(value, str) else str(value)
