"""The casebook: what people come to an invented hospital with, and what becomes of it."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

from archive.demo.filling import drawn, fill, value

_BOOKS = ("obstetrics", "gynaecology", "paediatrics", "neonates", "breast")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """诊断: ICD-10 code and term."""

    code: str
    term: str


@dataclass(frozen=True, slots=True)
class Operation:
    """手术: what was done, in ICD-9-CM-3, and what was found; an urgent one starts `hours` after admission."""

    name: str
    code: str
    extra: tuple[Diagnosis, ...]
    level: int
    incision: str
    anaesthesia: str
    urgent: bool
    hours: int
    indication: str
    findings: str
    steps: str
    blood_ml: int
    minutes: int
    specimen: str
    gross: str
    micro: str


@dataclass(frozen=True, slots=True)
class Birth:
    """分娩: the child and the hours of labour, in minutes for each of the three stages."""

    mode: str
    female: bool
    weight_g: int
    length_cm: int
    apgar: tuple[int, int, int]
    liquor: str
    stages: tuple[int, int, int]
    blood_ml: int

    @property
    def caesarean(self) -> bool:
        return "剖宫产" in self.mode


@dataclass(frozen=True, slots=True)
class Special:
    """特殊检查（治疗）: what the patient consents to."""

    name: str
    purpose: str
    risks: str


@dataclass(frozen=True, slots=True)
class Consultation:
    """会诊: who was asked, why, and what they said."""

    dept: str
    why: str
    opinion: str


@dataclass(frozen=True, slots=True)
class Imaging:
    """检查报告: the kind of examination, findings, impression."""

    kind: str
    findings: str
    impression: str


@dataclass(frozen=True, slots=True)
class Case:
    """病例: everything of one stay that does not depend on who the patient is. `level` is the sensitivity, 0 to 3;
    `admission` is what was thought at first, empty where that was right."""

    dept: str
    key: str
    diagnosis: str
    code: str
    admission: str
    others: tuple[Diagnosis, ...]
    complaint: str
    illness: str
    exam: str
    tests: str
    basis: str
    plan: str
    course: tuple[str, ...]
    long_orders: tuple[str, ...]
    once_orders: tuple[str, ...]
    labs: tuple[str, ...]
    abnormal: Mapping[str, float | str]
    imaging: Imaging | None
    operation: Operation | None
    birth: Birth | None
    special: Special | None
    consult: Consultation | None
    critical: str
    transfusion: str
    death: str
    advice: str
    result: str
    leaves: str
    age_days: int
    days: int
    level: int
    draws: Mapping[str, int | float]

    @property
    def procedures(self) -> tuple[Diagnosis, ...]:
        """手术及操作 as the front page lists them, the main one first."""
        if self.operation:
            return (Diagnosis(self.operation.code, self.operation.name), *self.operation.extra)
        if self.birth:
            cut = "侧切" in self.birth.mode
            return (Diagnosis("73.6", "外阴切开术"),) if cut else (Diagnosis("73.59", "其他手法助产分娩"),)
        return ()


@cache
def _templates(dept: str) -> tuple[Mapping[str, Any], ...]:
    for book in _BOOKS:
        text = (files("archive.demo") / "casebook" / f"{book}.toml").read_text(encoding="utf-8")
        page = tomllib.loads(text)
        if page["dept"] == dept:
            return tuple(page["case"])
    raise LookupError(f"no casebook for department {dept}")


def keys(dept: str) -> tuple[str, ...]:
    """Names of the cases that a department has."""
    return tuple(template["key"] for template in _templates(dept))


def case(rng: Random, dept: str, *, age_days: int | None = None, key: str | None = None) -> Case:
    """A case of this department, the common ones more often; of a person of that age, or of that name, if given.

    Raises LookupError if no case fits.
    """
    fitting = [t for t in _templates(dept) if (key in (None, t["key"])) and _fits(t, age_days)]
    if not fitting:
        raise LookupError(f"no case of {dept} fits {key or ''} at {age_days} days of age")
    template = rng.choices(fitting, [t["weight"] for t in fitting])[0]
    return _case(rng, dept, template, age_days)


def _ages(template: Mapping[str, Any]) -> tuple[int, int]:
    if "age_days" in template:
        return template["age_days"][0], template["age_days"][1]
    low, high = template["age"]
    return low * 366, high * 365


def _fits(template: Mapping[str, Any], age_days: int | None) -> bool:
    low, high = _ages(template)
    return age_days is None or low <= age_days <= high


def _case(rng: Random, dept: str, template: Mapping[str, Any], age_days: int | None) -> Case:
    facts = drawn(rng, template.get("draw", {}))
    filled = _fill_all({k: v for k, v in template.items() if k not in _NUMBERS}, facts)
    return Case(
        dept=dept,
        others=tuple(Diagnosis(code, term) for code, term in filled["others"]),
        abnormal={
            name: found if isinstance(found, str) else value(rng, *found)
            for name, found in template.get("abnormal", {}).items()
        },
        imaging=Imaging(*filled["imaging"]) if "imaging" in filled else None,
        operation=_operation(rng, filled["operation"]) if "operation" in filled else None,
        birth=_birth(rng, filled["birth"], template.get("operation")) if "birth" in filled else None,
        special=Special(**filled["special"]) if "special" in filled else None,
        consult=Consultation(**filled["consult"]) if "consult" in filled else None,
        age_days=rng.randint(*_ages(template)) if age_days is None else age_days,
        days=rng.randint(*template["days"]),
        level=template.get("level", 1),
        draws=facts,
        course=tuple(filled["course"]),
        long_orders=tuple(filled["long_orders"]),
        once_orders=tuple(filled["once_orders"]),
        labs=tuple(filled["labs"]),
        **{name: filled[name] for name in _TEXTS},
        **{name: filled.get(name, other) for name, other in _OPTIONAL.items()},
    )


_NUMBERS = frozenset({"draw", "age", "age_days", "days", "weight", "level", "abnormal"})
_TEXTS = (
    "key",
    "diagnosis",
    "code",
    "complaint",
    "illness",
    "exam",
    "tests",
    "basis",
    "plan",
    "advice",
    "result",
)
_OPTIONAL = {"admission": "", "critical": "", "transfusion": "", "death": "", "leaves": "医嘱离院"}


def _fill_all(part: Any, facts: Mapping[str, object]) -> Any:
    if isinstance(part, str):
        return fill(part, facts)
    if isinstance(part, list):
        return [_fill_all(one, facts) for one in part]
    if isinstance(part, dict):
        return {name: _fill_all(one, facts) for name, one in part.items()}
    return part


def _operation(rng: Random, part: Mapping[str, Any]) -> Operation:
    rest = {k: v for k, v in part.items() if k not in ("blood", "minutes", "extra")}
    return Operation(
        **{"urgent": False, "hours": 2, "specimen": "", "gross": "", "micro": "", **rest},
        extra=tuple(Diagnosis(code, name) for code, name in part.get("extra", ())),
        blood_ml=round(rng.randint(*part["blood"]), -1) or 5,
        minutes=rng.randint(*part["minutes"]),
    )


def _birth(rng: Random, part: Mapping[str, Any], operation: object) -> Birth:
    weight = round(rng.randint(*part["weight"]), -1)
    stages = (0, 0, 1) if operation else (rng.randint(300, 680), rng.randint(15, 70), rng.randint(5, 15))
    apgar = part.get("apgar", (rng.choice((9, 9, 10)), 10, 10))
    return Birth(
        mode=part["mode"],
        female=rng.random() < 0.49,
        weight_g=weight,
        length_cm=42 + round(weight / 430),
        apgar=(apgar[0], apgar[1], apgar[2]),
        liquor=part.get("liquor", "清"),
        stages=stages,
        blood_ml=int(part["blood"]) if "blood" in part else round(rng.randint(180, 340), -1),
    )
