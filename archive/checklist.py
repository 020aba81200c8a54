"""病历组成核对: which components a record must have, by what is known of the stay (domain §5). Pure.

A condition says yes, no, or None where the data cannot tell: what cannot be known is never missing.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

DIED = "5"
"""离院方式 of the national front page."""
FEMALE = "2"
Codes = Mapping[str, Mapping[str, Collection[str]]]
"""Of a condition the beginnings of codes that speak for it (`operations`, `diagnoses`), and those that do not (`but`)."""


@dataclass(frozen=True)
class Stay:
    """住院: what the front page says of a stay, as far as it is filled in."""

    admitted: date | None = None
    discharged: date | None = None
    outcome: str = ""
    sex: str = ""
    diagnosis: str = ""
    operations: tuple[str, ...] = ()

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Stay":
        """From the fields of a medical record."""
        return cls(
            _day(data.get("admitted_on")), _day(data.get("discharged_on")), str(data.get("outcome") or ""),
            str(data.get("sex") or ""), str(data.get("diagnosis_code") or ""),
            tuple(code for code in str(data.get("operation_codes") or "").split("；") if code),
        )  # fmt: skip


def _day(text: object) -> date | None:
    return date.fromisoformat(str(text)) if text else None


def _coded(name: str, stay: Stay, codes: Codes) -> bool | None:
    """Yes where a code says so. A code that is not there proves nothing: not every front page is coded."""
    wanted = codes.get(name, {})
    but = tuple(wanted.get("but", ()))
    said = any(
        code.startswith(tuple(wanted.get("operations", ()))) and not code.startswith(but)
        for code in stay.operations
    ) or stay.diagnosis.startswith(tuple(wanted.get("diagnoses", ())))
    return True if said else None


def _by_codes(name: str) -> "Condition":
    return lambda stay, codes: _coded(name, stay, codes)


def always(_stay: Stay, _codes: Codes) -> bool:
    """In every record."""
    return True


def discharged_alive(stay: Stay, _codes: Codes) -> bool | None:
    """出院: whoever died has a death note instead."""
    if stay.discharged is None:
        return False
    return stay.outcome != DIED if stay.outcome else None


def death(stay: Stay, _codes: Codes) -> bool | None:
    return stay.outcome == DIED if stay.outcome else None


def under_24_hours(stay: Stay, _codes: Codes) -> bool | None:
    """Days are known, hours are not: out on the next day may be either."""
    if stay.admitted is None or stay.discharged is None:
        return None
    days = (stay.discharged - stay.admitted).days
    return None if days == 1 else days < 1


def delivery(stay: Stay, codes: Codes) -> bool | None:
    if stay.sex and stay.sex != FEMALE:
        return False
    if stay.diagnosis and not stay.diagnosis.startswith(("O", "Z")) and not stay.operations:
        return False
    return _coded("delivery", stay, codes)


def birth(stay: Stay, codes: Codes) -> bool | None:
    """A delivery, unless the codes speak of a child that did not live."""
    if _coded("stillbirth", stay, codes):
        return None
    return delivery(stay, codes)


Condition = Callable[[Stay, Codes], bool | None]
CONDITIONS: Mapping[str, Condition] = {
    "always": always, "discharged_alive": discharged_alive, "death": death, "under_24_hours": under_24_hours,
    "delivery": delivery, "birth": birth,
    **{name: _by_codes(name) for name in (
        "surgery", "anaesthesia", "transfusion", "critical", "special_treatment", "consultation", "specimen",
        "imaging", "monitoring", "policy",
    )},
}  # fmt: skip
"""Every condition that a policy may name."""


@dataclass(frozen=True)
class Expected:
    """应有组成: whether a component must be there (None: if it applies), and whether it is, or one that stands for it."""

    code: str
    required: bool | None
    present: bool

    @property
    def missing(self) -> bool:
        return bool(self.required) and not self.present


def expected(body: Mapping[str, Any], stay: Stay, present: Collection[str]) -> list[Expected]:
    """Of each component of a checklist what is expected, in the order of the list."""
    return list(_expected(body, stay, present))


def _expected(body: Mapping[str, Any], stay: Stay, present: Collection[str]) -> Iterator[Expected]:
    for code, rule in body["components"].items():
        required = CONDITIONS[rule["when"]](stay, body["codes"])
        here = any(one in present for one in (code, *rule.get("instead", ())))
        yield Expected(code, required, here)


def completeness(found: Collection[Expected]) -> float:
    """完整率: present ∩ required / required, from 0 to 1; whole where nothing is required."""
    required = [one for one in found if one.required]
    return sum(one.present for one in required) / len(required) if required else 1.0
