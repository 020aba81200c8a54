"""What the hospital has decided: versioned policy, read at the moment of use."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, func, select, tuple_

from archive.i18n import locale
from archive.models import PolicyVersion
from archive.uow import UnitOfWork

SEEDS = Path(__file__).parent.parent / "policy" / "seeds"


@dataclass(frozen=True)
class InForce:
    """制度现行版本."""

    kind: str
    version: int
    body: dict[str, Any]
    source: Mapping[str, str]


def said(label: Mapping[str, Any]) -> str:
    """A label {"zh": …, "en": …} in the language of the reader; in Chinese where nobody wrote the other."""
    return str((label.get("en") if locale() != "zh_CN" else None) or label.get("zh") or label.get("en") or "")


@lru_cache
def seeds() -> dict[str, dict[str, Any]]:
    """What is shipped: one TOML file a kind, each with its source."""
    return {
        path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(SEEDS.glob("*.toml"))
    }


def in_force(uow: UnitOfWork, kind: str) -> InForce:
    """The version of a policy that is valid now. Raises LookupError for an unknown kind."""
    kept: dict[str, InForce] = uow.session.info.setdefault("policies", {})
    if kind not in kept:
        row = at(uow, kind, uow.now)
        if row is None:
            raise LookupError(f"there is no policy {kind!r}")
        kept[kind] = InForce(kind, row.version, row.body, row.source)
    return kept[kind]


def learn(uow: UnitOfWork, *kinds: str) -> None:
    """Reads several kinds in one statement, where a page knows beforehand that it will ask for them."""
    kept: dict[str, InForce] = uow.session.info.setdefault("policies", {})
    if missing := [kind for kind in kinds if kind not in kept]:
        newest = (
            select(PolicyVersion.kind, func.max(PolicyVersion.version))
            .where(PolicyVersion.kind.in_(missing), PolicyVersion.valid_from <= uow.now)
            .group_by(PolicyVersion.kind)
        )
        rows = select(PolicyVersion).where(tuple_(PolicyVersion.kind, PolicyVersion.version).in_(newest))
        for row in uow.session.scalars(rows):
            kept[row.kind] = InForce(row.kind, row.version, row.body, row.source)


def at(uow: UnitOfWork, kind: str, moment: datetime) -> PolicyVersion | None:
    """The version that holds at `moment`, as far as is known now: of all that are valid then, the newest."""
    return uow.session.scalar(_AT, {"kind": kind, "moment": moment})


_AT = (
    select(PolicyVersion)
    .where(PolicyVersion.kind == bindparam("kind"), PolicyVersion.valid_from <= bindparam("moment"))
    .order_by(PolicyVersion.version.desc())
    .limit(1)
)


def of_version(uow: UnitOfWork, kind: str, version: int) -> dict[str, Any]:
    """The body of a version by which something was decided. Raises LookupError for one that never was."""
    known: InForce | None = uow.session.info.get("policies", {}).get(kind)
    if known is not None and known.version == version:
        return known.body
    kept: dict[tuple[str, int], dict[str, Any]] = uow.session.info.setdefault("policy_versions", {})
    if (kind, version) not in kept:
        body = uow.session.scalar(
            select(PolicyVersion.body).where(PolicyVersion.kind == kind, PolicyVersion.version == version)
        )
        if body is None:
            raise LookupError(f"there is no version {version} of {kind!r}")
        kept[kind, version] = body
    return kept[kind, version]


def used(uow: UnitOfWork, *kinds: str) -> dict[str, int]:
    """Kind → version in force: what a decision keeps of the rules by which it was made."""
    return {kind: in_force(uow, kind).version for kind in kinds}


def vocabulary(uow: UnitOfWork, name: str) -> dict[str, str]:
    """Code → label in the reader's language, in the hospital's order."""
    return {code: said(label) for code, label in terms(uow, name).items()}


def terms(uow: UnitOfWork, name: str) -> dict[str, Any]:
    """Code → label in both languages. The retention periods are a list like any other, from the policy of their own."""
    if name == "retention":
        return dict(in_force(uow, "retention").body["rules"])
    return dict(in_force(uow, "vocabularies").body.get(name, {}))


def seed(uow: UnitOfWork) -> int:
    """Puts in whatever kind of policy has no version yet; gives how many. What the hospital changed stays."""
    present = set(uow.session.scalars(select(PolicyVersion.kind).distinct()))
    missing = [(kind, body) for kind, body in seeds().items() if kind not in present]
    for kind, body in missing:
        content = {key: value for key, value in body.items() if key != "source"}
        uow.session.add(
            PolicyVersion(kind=kind, version=1, body=content, source=body["source"], adopted_at=uow.now,
                          valid_from=uow.now)
        )  # fmt: skip
    return len(missing)


def kinds(uow: UnitOfWork) -> list[str]:
    """Every kind of policy that there is."""
    return list(uow.session.scalars(select(PolicyVersion.kind).distinct().order_by(PolicyVersion.kind)))


def versions(uow: UnitOfWork, kind: str) -> list[PolicyVersion]:
    """All versions of a policy, the newest first."""
    found = select(PolicyVersion).where(PolicyVersion.kind == kind).order_by(PolicyVersion.version.desc())
    return list(uow.session.scalars(found))


def standing(row: PolicyVersion, of: Sequence[PolicyVersion], now: datetime) -> str:
    """What a version is among all of its kind: in_force, waiting, past, or dropped by a newer one before it held."""
    newer = [other for other in of if other.version > row.version]
    if any(other.valid_from <= row.valid_from for other in newer):
        return "dropped"
    if row.valid_from > now:
        return "waiting"
    return "past" if any(other.valid_from <= now for other in newer) else "in_force"
