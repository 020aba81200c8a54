"""Who came to the invented hospital and when: patients, their stays, some of them again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random

from archive.demo import cases, people
from archive.demo.cases import Case
from archive.demo.hospital import Staff
from archive.demo.people import Encounter, Patient

SHARES = {"CK": 42, "EK": 24, "FK": 16, "XSEK": 11, "RXWK": 7}
"""Of a hundred stays, how many each department has."""
RETURNING = {"CK": ("hyperemesis", "preterm", "diabetes"), "FK": (), "EK": (), "RXWK": ()}
"""The departments to which patients come back; with what they came first, where not every case allows a second."""
AGAIN_ONE_IN = 6
SPECIAL = ("hepatitis", "syphilis")
"""Cases that the hospital counts among the special ones (S2)."""


@dataclass(frozen=True, slots=True)
class Stay:
    """住院: one patient, one encounter, one case. `is_over` is false while the patient is still in the house."""

    who: Patient
    encounter: Encounter
    case: Case
    is_over: bool = True

    @property
    def left_on(self) -> date:
        return self.encounter.discharged_at.date()


def stays(
    rng: Random, everybody: Sequence[Staff], left: Sequence[date], *, in_house: int, today: date
) -> list[Stay]:
    """One stay for each day of discharge, and some patients who are in the house today; in the order of admission."""
    numbers = people.record_numbers(rng)
    drafts = sorted((_draft(rng, n, day) for n, day in enumerate(left)), key=lambda draft: draft[0])
    drafts += [
        (today - timedelta(days=rng.randint(0, 2)), "CK" if n % 2 else "EK", None) for n in range(in_house)
    ]
    found: list[Stay] = []
    for place, (day, dept, key) in enumerate(drafts):
        again = None if key or place >= len(left) else _returning(rng, found, dept, day)
        if again is not None:
            found.append(_again(rng, everybody, again, day))
        else:
            case = cases.case(rng, dept, key=key)
            found.append(_first(rng, everybody, case, day, next(numbers), is_over=place < len(left)))
    return found


def _draft(rng: Random, place: int, day: date) -> tuple[date, str, str | None]:
    """A day of discharge with its department; every fortieth stay is one of the special cases."""
    if place % 40 == 7:
        return day, "CK", SPECIAL[place // 40 % len(SPECIAL)]
    return day, rng.choices(tuple(SHARES), tuple(SHARES.values()))[0], None


def _returning(rng: Random, before: Sequence[Stay], dept: str, day: date) -> Stay | None:
    """Somebody who may come to this department again, the last time at least three weeks ago."""
    if dept not in RETURNING or rng.randrange(AGAIN_ONE_IN):
        return None
    firsts = RETURNING[dept]
    fitting = [
        stay for stay in _last_stays(before)
        if stay.case.dept == dept and stay.encounter.times < 4 and (day - stay.left_on).days > 30
        and (not firsts or stay.case.key in firsts) and stay.case.leaves != "死亡"
    ]  # fmt: skip
    return rng.choice(fitting) if fitting else None


def _last_stays(before: Sequence[Stay]) -> Iterator[Stay]:
    newest = {stay.who.mrn: stay for stay in before}
    return iter(newest.values())


def _first(
    rng: Random, everybody: Sequence[Staff], case: Case, day: date, mrn: str, *, is_over: bool
) -> Stay:
    came = day - timedelta(days=case.days)
    who = people.patient(rng, dept=case.dept, on=came, age_days=case.age_days, mrn=mrn)
    return _stay(rng, everybody, who, case, day, times=1, is_over=is_over)


def _again(rng: Random, everybody: Sequence[Staff], before: Stay, day: date) -> Stay:
    age = (day - before.who.born).days
    try:
        case = cases.case(rng, before.case.dept, age_days=age)
    except LookupError:
        case = before.case
    return _stay(rng, everybody, before.who, case, day, times=before.encounter.times + 1)


def _stay(
    rng: Random,
    everybody: Sequence[Staff],
    who: Patient,
    case: Case,
    day: date,
    *,
    times: int,
    is_over: bool = True,
) -> Stay:
    days = case.days if is_over else 0
    admitted = datetime.combine(day - timedelta(days=days), time(rng.randint(7, 9), rng.randrange(60)))
    encounter = people.encounter(
        rng, who, dept=case.dept, everybody=everybody, admitted_at=admitted, days=days, times=times
    )
    return Stay(who, encounter, case, is_over)
