"""What the hospital has decided: versioned policy, read at the moment of use."""

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

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
    source: str


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
        row = uow.session.scalar(
            select(PolicyVersion)
            .where(PolicyVersion.kind == kind, PolicyVersion.valid_from <= uow.now)
            .order_by(PolicyVersion.version.desc())
            .limit(1)
        )
        if row is None:
            raise LookupError(f"there is no policy {kind!r}")
        kept[kind] = InForce(kind, row.version, row.body, row.source)
    return kept[kind]


def vocabulary(uow: UnitOfWork, name: str) -> dict[str, str]:
    """Code → label in the reader's language, in the hospital's order."""
    terms = in_force(uow, "vocabularies").body.get(name, {})
    language = "zh" if locale() == "zh_CN" else "en"
    return {code: label.get(language) or label["zh"] for code, label in terms.items()}


def seed(uow: UnitOfWork) -> int:
    """Puts in whatever kind of policy has no version yet; gives how many. What the hospital changed stays."""
    present = set(uow.session.scalars(select(PolicyVersion.kind).distinct()))
    missing = [(kind, body) for kind, body in seeds().items() if kind not in present]
    for kind, body in missing:
        content = {key: value for key, value in body.items() if key != "source"}
        uow.session.add(
            PolicyVersion(kind=kind, version=1, body=content, source=body["source"], valid_from=uow.now)
        )
    return len(missing)


def versions(uow: UnitOfWork) -> list[tuple[str, int, str]]:
    """Kind, newest version and source of every policy."""
    newest = select(PolicyVersion.kind, func.max(PolicyVersion.version).label("version")).group_by(
        PolicyVersion.kind
    )
    top = newest.subquery()
    rows = uow.session.execute(
        select(PolicyVersion.kind, PolicyVersion.version, PolicyVersion.source)
        .join(top, (top.c.kind == PolicyVersion.kind) & (top.c.version == PolicyVersion.version))
        .order_by(PolicyVersion.kind)
    )
    return [(kind, version, source) for kind, version, source in rows]
