"""Every field that the index knows is found by those who hold its tier, and by nobody below: field by field, tier by tier."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete

from archive.actor import Actor
from archive.index_fields import FIELDS, SEARCHED
from archive.models import AccessGrant, Node
from archive.names import name_key
from archive.policy.permissions import TIERS
from archive.policy.types import TYPES
from archive.schema import Field, Kind, Type
from archive.services import branches, policies, search, tree
from archive.services.search_labels import INNER
from archive.uow import UnitOfWork
from index import Tier
from tests.archives import once
from tests.conftest import RECORD, Hospital
from tests.services.searching import TEST, indexed, write_on

PERSON = "stranger"
"""Holds nothing but what a grant gives."""
CODES = {
    "mrn": "31234567",
    "diagnosis_code": "B20.900",
    "operation_codes": "74.1x01",
    "ticket_no": "GD20261121-0001",
}
BY_NUMBER = frozenset({"file", "folder"})
"""Nobody asks for them: the program narrows and counts by them, at the lowest tier."""
NAME = "盖世英"
WRITTEN = "中央性前置胎盘伴植入"


@dataclass(frozen=True)
class Said:
    """What one field of one node says, as somebody would type it."""

    node: int
    field: str
    tier: Tier
    typed: str


@pytest.fixture
def said(hospital: Hospital) -> list[Said]:
    """One node of each type that has a field which no type before it has; each of these fields says something."""
    tiers, made = {spec.name: spec.tier for spec in FIELDS if spec.name not in BY_NUMBER}, dict[str, Said]()
    with hospital.site.uow(Actor.system("test")) as uow:
        for kind in SEARCHED:
            fresh = [field for field in kind.fields if field.indexed and field.name not in made]
            if fresh:
                values = {field.name: _value(uow, hospital, field) for field in kind.fields}
                node = _planted(uow, hospital, kind, values)
                for field in fresh:
                    made[field.name] = Said(
                        node.id, field.name, tiers[field.name], _typed(uow, field, values[field.name])
                    )
                for name, typed in _own(node, hospital) if kind.name == "medical_record" else ():
                    made[name] = Said(node.id, name, tiers[name], typed)
    indexed(hospital)
    assert set(made) == set(tiers), "no field is left out"
    return list(made.values())


def _own(node: Node, hospital: Hospital) -> Iterator[tuple[str, str]]:
    """The fields that are of no type."""
    yield "numbers", f"{node.data['mrn']}-{node.data['times']}"
    yield from {
        "type": node.type,
        "dept": str(node.dept_id),
        "state": node.state,
        "year": str(node.year),
    }.items()
    yield from {"date": str(node.date_to), "pinyin": name_key(NAME).split()[0], "text": WRITTEN}.items()
    yield from {
        "retention": str(node.retention_rule),
        "carrier": "electronic",
        "level": str(node.level),
    }.items()


def _value(uow: UnitOfWork, hospital: Hospital, field: Field) -> Any:
    match field.kind:
        case Kind.CODE:
            return CODES.get(field.name, "QY-1")
        case Kind.CHOICE:
            return next(iter(policies.vocabulary(uow, field.vocabulary or "")))
        case Kind.NUMBER:
            return 7
        case Kind.DATE:
            return "2026-11-12"
        case Kind.DEPT:
            return hospital.wards["CK"]
    return NAME if field.personal else f"奇异之{field.name.replace('_', '')}甲"


def _typed(uow: UnitOfWork, field: Field, value: Any) -> str:
    return (
        policies.vocabulary(uow, field.vocabulary or "")[value] if field.kind is Kind.CHOICE else str(value)
    )


def _planted(uow: UnitOfWork, hospital: Hospital, kind: Type, values: Mapping[str, Any]) -> Node:
    parents = {
        "component": "medical_record",
        "service_paper": "service_file",
        "dispute_paper": "dispute_file",
    }
    if above := parents.get(kind.name):
        more = {field.name: _value(uow, hospital, field) for field in TYPES[above].fields}
        parent = _planted(
            uow, hospital, TYPES[above], more | ({"times": 8} if above == "medical_record" else {})
        )
    else:
        category = uow.session.get_one(Node, hospital.categories["ZY·BL"], execution_options=TEST)
        parent = tree.series_for(
            uow, category, kind, {"date_from": "2026-11-12", "retention": kind.retention}
        )
    node = tree.plant(
        uow, parent, kind, dict(RECORD | values) if kind.name == "medical_record" else dict(values)
    )
    node.state, node.level_own = "archived", 1
    uow.session.flush()
    branches.reclassify(uow, node)
    write_on(uow, node, WRITTEN)
    return node


def grant(hospital: Hospital, node: int, tier: Tier) -> None:
    """The person holds this node at this tier, and nothing else."""
    with hospital.site.uow(Actor.system("test")) as uow:
        uow.session.execute(delete(AccessGrant))
        span = {"valid_from": uow.now, "valid_until": uow.now + timedelta(hours=2)}
        uow.session.add(AccessGrant(principal_id=hospital.people[PERSON], node_id=node, permission=TIERS[tier],
                                    cause="eread", max_level=3, **span))  # fmt: skip


def hits(uow: UnitOfWork, text: str) -> set[int]:
    found = search.find(uow, text)
    return {group.view.id for group in found.groups} | {view.id for view in found.called}


@once
def test_a_field_is_found_by_those_who_hold_its_tier_and_by_nobody_below(
    hospital: Hospital, said: list[Said]
) -> None:
    """With its name before it, without it, and as what must not stand there."""
    anybodys = {one.typed for one in said if one.tier is Tier.DISCOVER}
    for tier in Tier:
        for node in sorted({one.node for one in said}):
            grant(hospital, node, tier)
            with hospital.uow(PERSON, readonly=True) as uow:
                for one in (one for one in said if one.node == node):
                    expected = {node} if one.tier <= tier else set()
                    asked = f'"{one.typed}"' if one.field in INNER else f'{one.field}:"{one.typed}"'
                    assert hits(uow, asked) == expected, (tier, one)
                    if one.tier > tier:
                        assert hits(uow, f"-{asked}") == set(), (tier, one)
                    if (
                        one.tier is not Tier.DISCOVER
                        and one.typed not in anybodys
                        and not one.typed.isdecimal()
                    ):
                        assert (node in hits(uow, f'"{one.typed}"')) == (one.tier <= tier), (tier, one)
