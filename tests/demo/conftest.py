"""A small invented hospital with its casebook, the same in every test."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from random import Random

import pytest

import archive.demo
from archive.demo import cases, hospital, people
from archive.demo.hospital import Staff
from archive.demo.scene import Scene

ADMITTED = datetime(2026, 5, 12, 9, 40, tzinfo=timezone(timedelta(hours=8)))
ALL_CASES = [(dept, key) for dept in hospital.ADMITTING for key in cases.keys(dept)]


@pytest.fixture(scope="session")
def everybody() -> tuple[Staff, ...]:
    return hospital.staff(Random(1))


@pytest.fixture(scope="session")
def stay_of(everybody: tuple[Staff, ...]) -> Callable[..., Scene]:
    """A stay with the case of that name: patient, encounter and case that fit each other."""

    def make(dept: str, key: str, seed: int = 7) -> Scene:
        rng = Random(f"{dept} {key} {seed}")
        case = cases.case(rng, dept, key=key)
        who = people.patient(rng, dept=dept, on=ADMITTED.date(), age_days=case.age_days, mrn="00218647")
        stay = people.encounter(
            rng, who, dept=dept, everybody=everybody, admitted_at=ADMITTED, days=case.days
        )
        return Scene(who, stay, case)

    return make


@pytest.fixture(scope="session")
def font() -> Path:
    """The font that the product ships."""
    return Path(archive.demo.__file__).parents[1] / "static" / "fonts" / "NotoSansSC-Regular.ttf"
