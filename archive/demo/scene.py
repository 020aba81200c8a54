"""One stay as a writer of its papers sees it: who, when, and the standing phrases of the department."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

from archive.demo.cases import Case
from archive.demo.people import Encounter, Patient, age_on

BOOKS = ("records", "theatre", "bedside")
_GROUPS = {"EK": "child", "XSEK": "newborn"}
_NTH_DAY = re.compile(r"^(术后|产后|入院|生后)(?:第(\d+)天|当日)")


@cache
def phrase_book(name: str) -> Mapping[str, Any]:
    """A file of `phrases/`, read once."""
    text = (files("archive.demo") / "phrases" / f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"


@dataclass(frozen=True, slots=True)
class Scene:
    """The facts of a stay, and the moments that all its papers must agree on."""

    who: Patient
    stay: Encounter
    case: Case

    @property
    def group(self) -> str:
        """Which standing phrases fit: of a woman, a child, a newborn."""
        return _GROUPS.get(self.case.dept, "woman")

    @property
    def age(self) -> str:
        return age_on(self.who, self.stay.admitted_at.date())

    @property
    def diagnoses(self) -> str:
        terms = [self.case.diagnosis, *(other.term for other in self.case.others)]
        return (
            terms[0]
            if len(terms) == 1
            else "　".join(f"{n}. {term}" for n, term in enumerate(terms, start=1))
        )

    @property
    def first_diagnoses(self) -> str:
        """初步诊断: what was thought on admission, when nothing has happened yet."""
        return self.case.admission or self.case.diagnosis

    def after(self, hours: float) -> datetime:
        """So long after admission, but before the patient leaves."""
        at = self.stay.admitted_at + timedelta(hours=hours)
        return min(at, self.stay.discharged_at - timedelta(minutes=30))

    @property
    def op_start(self) -> datetime:
        """An urgent operation or one of a day stay comes hours after admission, any other the next morning."""
        op = self.case.operation
        if op is None:
            return self.after(24)
        if op.urgent or self.case.days == 0:
            return self.after(op.hours)
        morning = self.stay.admitted_at.replace(hour=8, minute=40) + timedelta(days=1)
        return morning + timedelta(minutes=int(self.stay.bed) * 5)

    @property
    def op_end(self) -> datetime:
        op = self.case.operation
        return self.op_start + timedelta(minutes=op.minutes if op else 60)

    @property
    def labour_at(self) -> datetime:
        return self.stay.admitted_at - timedelta(hours=2)

    @property
    def full_at(self) -> datetime:
        """宫口开全: the end of the first stage."""
        birth = self.case.birth
        return self.labour_at + timedelta(minutes=birth.stages[0] if birth else 0)

    @property
    def born_at(self) -> datetime:
        birth = self.case.birth
        if birth is None or birth.caesarean:
            return self.op_start + timedelta(minutes=9)
        return self.full_at + timedelta(minutes=birth.stages[1])

    def noted_at(self, note: str, index: int) -> datetime:
        """When a progress note was written: the day that it names itself, else its share of the stay."""
        named = _NTH_DAY.match(note)
        if named:
            anchor = {"术后": self.op_end, "产后": self.born_at}.get(named[1], self.stay.admitted_at)
            if named[2] is None:
                return min(anchor + timedelta(hours=2, minutes=15), self.after(24 * 365))
            at = anchor + timedelta(days=int(named[2]))
        else:
            at = self.stay.admitted_at + timedelta(
                days=1 + index * self.case.days / (len(self.case.course) + 1)
            )
        written = at.replace(hour=9, minute=(7 * index + 12) % 60)
        return min(max(written, self.after(6)), self.stay.discharged_at - timedelta(minutes=30))

    def notes(self, *, after_operation: bool) -> tuple[tuple[datetime, str], ...]:
        """The progress notes, in order, of the days after an operation or of the other days."""
        chosen = [
            (self.noted_at(note, n), note)
            for n, note in enumerate(self.case.course)
            if (note.startswith("术后") and self.case.operation is not None) is after_operation
        ]
        return tuple(sorted(chosen))

    def bank(self) -> Mapping[str, Sequence[str]]:
        """The phrases to draw from, those of this patient's group under their plain names."""
        entries: dict[str, Sequence[str]] = {}
        for book in BOOKS:
            entries |= phrase_book(book).get("bank", {})
        suffix = f"_{self.group}"
        return entries | {
            name.removesuffix(suffix): these for name, these in entries.items() if name.endswith(suffix)
        }

    def own(self, purpose: str) -> Random:
        """Chance that belongs to this stay, so that all its papers agree."""
        return Random(f"{self.stay.admit_no} {purpose}")

    @property
    def vitals(self) -> str:
        """体温, 脉搏, 呼吸 and, of grown people, 血压 on admission."""
        rng = self.own("vitals")
        low, high = {"woman": (72, 92), "child": (104, 132), "newborn": (128, 148)}[self.group]
        breath = {"woman": (17, 20), "child": (24, 34), "newborn": (40, 50)}[self.group]
        draws = self.case.draws
        warm = draws.get("temp_high") or rng.uniform(36.3, 37.0)
        text = (
            f"T {warm:.1f}℃，P {rng.randint(low, high)}次/分，R {draws.get('rr', rng.randint(*breath))}次/分"
        )
        return text + (f"，BP {self.pressure}mmHg。" if self.group == "woman" else "。")

    @property
    def pressure(self) -> str:
        rng, draws = self.own("pressure"), self.case.draws
        return f"{draws.get('sbp', rng.randint(104, 128))}/{draws.get('dbp', rng.randint(64, 82))}"
