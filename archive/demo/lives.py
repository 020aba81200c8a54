"""The life of each record in the house, planned day by day: when it was collected, described, scanned, archived."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from random import Random

from archive.demo import wording
from archive.demo.admissions import Stay
from archive.demo.diary import Days
from archive.demo.studio import File

WEEKS = 20
"""So long ago the archive began to work with the program."""
NEW_GATE = 15
"""Working days: so long ago the hospital decided that no record is archived without its pages."""
CORE = frozenset({"SY", "RY", "RC24", "BC", "SSJL", "CK", "CY", "SW", "FZ", "YZ"})
"""What is listed of a record that was archived before the new gate: its main parts."""


class Lot(StrEnum):
    """What is special about the life of a record."""

    PLAIN = "plain"
    BACKLOG = "backlog"
    """存量: of former years, taken up in the first weeks."""
    LATE = "late"
    """逾期未归: still on the ward."""
    SCANNED = "scanned"
    """Scanned in the house and archived since."""
    SCANNING = "scanning"
    """Its pages have just been scanned; nobody has looked at them yet."""
    SEALED = "sealed"
    """Scanned and archived, and then sealed at the family's wish."""
    CORRECTED = "corrected"
    TRASHED = "trashed"
    LOST = "lost"
    LOCKED = "locked"
    """涉诉: raised to S3, for the senior archivist alone."""


@dataclass
class Life:
    """One record: its stay, the days of its life, and, once it exists, its number in the tree."""

    stay: Stay
    lot: Lot
    registered: date
    sheets: int
    """Counted when the volume was taken up; of a scanned one, as many as it has pages."""
    collected: date | None = None
    described: date | None = None
    arranged: date | None = None
    submitted: date | None = None
    archived: date | None = None
    shelved: date | None = None
    node: int = 0
    items: dict[str, int] = field(default_factory=dict)
    """Component → its number in the tree."""
    files: dict[str, Callable[[], File]] = field(default_factory=dict)
    """Component → the file of its pages; under no name, the file of the whole record."""

    @property
    def barcode(self) -> str:
        return f"B{self.stay.who.mrn}-{self.stay.encounter.times}"

    @property
    def dept(self) -> str:
        return self.stay.case.dept

    @property
    def components(self) -> tuple[str, ...]:
        every = wording.components(self.stay.case)
        return (
            tuple(code for code in every if code in CORE) if self.shelved and not self.is_scanned else every
        )

    @property
    def is_scanned(self) -> bool:
        return self.lot in {Lot.SCANNED, Lot.SEALED}

    def count(self) -> int:
        """The sheets of the volume."""
        return sum(file().pages for file in self.files.values()) if self.is_scanned else self.sheets

    @property
    def is_lendable(self) -> bool:
        """Whether a story of lending may be told of it."""
        return self.shelved is not None and self.lot in {Lot.PLAIN, Lot.BACKLOG, Lot.SCANNED}


def discharges(rng: Random, days: Days, count: int) -> list[date]:
    """Days on which patients left: four fifths since the archive began, more of them lately; the others before."""
    start = days.today - timedelta(weeks=WEEKS)
    older = [start - timedelta(days=rng.randint(150, 520)) for _ in range(count // 5)]
    span = (days.today - start).days - 1
    newer = [
        days.today - timedelta(days=1 + int(span * rng.random() ** 1.25)) for _ in range(count - len(older))
    ]
    return sorted(older + newer)


def plan(rng: Random, days: Days, stays: Sequence[Stay], *, scanned: int, scanning: int) -> list[Life]:
    """The lives of all records, in the order of registration, with their special lots drawn."""
    start = days.on(days.today - timedelta(weeks=WEEKS))
    lives = [_life(rng, days, stay, start) for stay in stays]
    _draw_lots(days, lives, scanned, scanning)
    return sorted(lives, key=lambda life: (life.registered, life.stay.who.mrn))


def _life(rng: Random, days: Days, stay: Stay, start: date) -> Life:
    sheets = rng.randint(14, 30) + 3 * min(stay.case.days, 12)
    if not stay.is_over:
        return Life(stay, Lot.PLAIN, days.on(min(stay.encounter.admitted_at.date(), days.ago(1))), sheets)
    if stay.left_on < start:
        life = Life(stay, Lot.BACKLOG, days.after(start, rng.randint(1, 25)), sheets)
        return _onward(rng, days, life, described=days.after(life.registered, 1))
    life = Life(stay, Lot.PLAIN, days.on(stay.left_on), sheets)
    life.collected = days.after(life.registered, rng.choice((1, 1, 1, 2, 2, 3)))
    return _onward(rng, days, life, described=days.after(life.collected, rng.randint(0, 2)))


def _onward(rng: Random, days: Days, life: Life, *, described: date) -> Life:
    """From the table of the record room to the shelf."""
    arranged = days.after(described, rng.randint(0, 1))
    submitted = days.after(arranged, rng.randint(1, 2))
    archived = days.after(submitted, rng.randint(1, 3))
    life.described, life.arranged, life.submitted, life.archived = described, arranged, submitted, archived
    life.shelved = days.after(archived, 1)
    return life


def _draw_lots(days: Days, lives: list[Life], scanned: int, scanning: int) -> None:
    """Special lots go to records that are at the right place by now; each gets one."""
    plain = [life for life in lives if life.lot is Lot.PLAIN and life.stay.is_over]
    _draw_scanned(days, plain, scanned)
    waiting = [
        life for life in plain
        if life.lot is Lot.PLAIN and not life.archived and life.arranged and life.arranged < days.ago(1)
        and life.stay.case.level < 2
    ]  # fmt: skip
    for life in waiting[:scanning]:
        life.lot, life.submitted = Lot.SCANNING, None
    _draw_accidents(days, [life for life in plain if life.lot is Lot.PLAIN])


def _draw_scanned(days: Days, plain: list[Life], count: int) -> None:
    """Since the new gate, only what was scanned is archived; what came to it without pages waits before it."""
    gated = [life for life in plain if life.archived and life.archived >= days.ago(NEW_GATE)]
    fitting = [
        life for life in gated if life.shelved and life.shelved < days.ago(2) and life.stay.case.level < 2
    ]
    first = sorted(fitting, key=lambda life: (life.dept not in {"CK", "EK"}, life.archived))[:count]
    for life in gated:
        life.lot = Lot.SCANNED if life in first else Lot.PLAIN
        if life not in first:
            life.archived = life.shelved = None
    if len(first) > 1:
        first[-1].lot = Lot.SEALED


def _draw_accidents(days: Days, plain: list[Life]) -> None:
    old = [life for life in plain if life.shelved and life.shelved < days.ago(NEW_GATE)]
    lots = (Lot.CORRECTED, Lot.CORRECTED, Lot.LOST, Lot.LOCKED)
    for life, lot in zip(old[:: max(1, len(old) // len(lots))], lots, strict=False):
        life.lot = lot
    overdue = [life for life in plain if days.ago(14) <= life.registered < days.ago(6) and not life.shelved]
    fresh = [life for life in plain if life.registered >= days.ago(5)]
    for life in overdue[:3]:
        life.lot, life.collected = Lot.LATE, None
    for life in fresh[:1]:
        life.lot = Lot.TRASHED
    for life in (*overdue[:3], *fresh[:1]):
        life.described = life.arranged = life.submitted = None
