"""借阅: what doctors asked for, what was decided, what went over the desk, what is overdue."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from random import Random

from archive.demo.cast import Cast
from archive.demo.diary import Diary
from archive.demo.lives import Life, Lot
from archive.services import conflicts, loans, requests, reservations, slips, volumes
from archive.services.sheet_counts import Seen
from archive.uow import UnitOfWork

REASONS = {
    "treatment": ("患者再次入院，需参考上次手术记录", "门诊复诊，核对既往用药", "产后随访，查阅分娩经过"),
    "quality": ("运行病历质控抽查", "甲级病历评选"),
    "research": ("瘢痕子宫再次妊娠课题病例收集", "早产儿结局回顾性研究"),
}
REFUSED = "病案正在质控，请下周再申请"
REVOKED = "用途变更，请重新申请"


@dataclass
class Slip:
    """借阅申请: who asks for which record, and by which number it runs once it has been filed."""

    life: Life
    who: str
    kind: str
    purpose: str
    days: int
    reason: str
    number: str = ""


class Lending:
    """Notes requests and loans; each record has its own story, so that no two are in each other's way."""

    def __init__(self, diary: Diary, cast: Cast, lives: Sequence[Life], rng: Random) -> None:
        self._diary, self._cast, self._rng = diary, cast, rng
        self._days = diary.days
        on_shelf = [life for life in lives if life.is_lendable and life.stay.case.level < 2]
        self._scanned = [life for life in on_shelf if life.lot is Lot.SCANNED]
        self._paper = [life for life in on_shelf if life.lot is not Lot.SCANNED]
        rng.shuffle(self._paper)
        self._debtors: set[str] = set()
        self._readings: set[tuple[str, str]] = set()

    def note(self, *, returned: int) -> None:
        """All of it; so many loans are over."""
        self._note_paper(returned)
        self._note_readings()

    # On paper

    def _note_paper(self, returned: int) -> None:
        """Loans of every state: overdue ones first, since whoever has one borrows nothing else."""
        for place, life in enumerate(self._take(before=self._days.ago(16), most=3)):
            late = self._doctor("CK" if place == 0 else life.dept)
            self._debtors.add(late)
            self._lend(life, late, self._days.ago(14 - 2 * place))
        for life in self._take(before=self._days.ago(8), most=1):
            self._note_queue(life)
        for life in self._take(before=self._days.ago(14), most=1):
            self._lend(life, self._doctor(life.dept), self._days.ago(12))
            self._diary.note(self._days.ago(5), 16.0, "clerk", partial(_lose, life=life))
        for life in self._take(before=self._days.ago(14), most=returned):
            self._note_returned(life)
        self._note_recent()

    def _note_queue(self, life: Life) -> None:
        """预约: one did not collect it in time; of two who then wanted it the second finds it kept for them."""
        days = self._days
        late, first, second = self._rng.sample(self._extras(life.dept), 3)
        self._approve(self._ask(life, late, days.ago(7)), days.ago(7))
        self._diary.errand(days.ago(3), 7.5, reservations.pass_on)
        self._lend(life, first, days.ago(3))
        self._approve(self._ask(life, second, days.ago(2)), days.ago(2))
        self._diary.note(days.ago(1), 16.5, "clerk", partial(_take_back, life=life, missing=False))

    def _note_recent(self) -> None:
        recent = list(self._take(before=self._days.ago(5), most=15))
        accounts = ("clinician", "", "head", "", "")
        lent = [
            self._lend(life, account or self._doctor(life.dept), self._days.ago(2))
            for life, account in zip(recent[:5], accounts, strict=False)
        ]
        for slip in lent[-1:]:
            self._diary.note(self._days.ago(1), 15.5, "clerk", partial(_renew, slip=slip))
        for life, account in zip(recent[5:8], ("clinician2", "", ""), strict=False):
            self._approve(
                self._ask(life, account or self._doctor(life.dept), self._days.ago(2)), self._days.ago(1)
            )
        for life, account in zip(recent[8:11], ("clinician", "", ""), strict=False):
            self._ask(life, account or self._doctor(life.dept), self._days.ago(1))
        for life, end in zip(recent[11:14], ("refuse", "cancel", "refuse"), strict=False):
            self._note_unlent(life, end)
        self._note_today(recent)

    def _note_today(self, recent: Sequence[Life]) -> None:
        """On a working day the desk has been busy this morning: one volume came back, one went out."""
        if self._days.calendar.works(self._days.today):
            for life in recent[1:2]:
                self._diary.note(
                    self._days.today, 8.5, "clerk", partial(_take_back, life=life, missing=False)
                )
            for life in recent[14:]:
                self._lend(life, self._doctor(life.dept), self._days.ago(1))

    def _take(self, *, before: date, most: int) -> Iterator[Life]:
        """Records that have stood on the shelf since before that day; none is taken twice."""
        fitting = [life for life in self._paper if life.shelved and life.shelved < before][:most]
        for life in fitting:
            self._paper.remove(life)
        yield from fitting

    def _doctor(self, dept: str) -> str:
        """Somebody of the ward who has no part in the cast: what they do stands in nobody's way."""
        return self._rng.choice(self._extras(dept))

    def _extras(self, dept: str) -> list[str]:
        free = (account for account in self._cast.doctors[dept] if account not in self._debtors)
        return [account for account in free if account.isdecimal()]

    def _note_returned(self, life: Life) -> None:
        shelved = life.shelved or self._days.today
        span = self._days.calendar.between(shelved, self._days.ago(9))
        day = self._days.after(shelved, self._rng.randint(1, max(1, span)))
        who = self._rng.choice(
            [account for account in self._cast.doctors[life.dept] if account not in self._debtors]
        )
        self._lend(life, who, day)
        back = self._days.after(day, self._rng.choice((1, 2, 3)) + 1)
        missing = self._rng.randrange(15) == 0
        self._diary.note(back, 16.5, "clerk", partial(_take_back, life=life, missing=missing))

    def _lend(self, life: Life, who: str, day: date) -> Slip:
        slip = self._ask(life, who, day)
        self._approve(slip, day)
        self._diary.note(self._days.after(day, 1), 10.0, "clerk", partial(_issue, slip=slip))
        return slip

    def _note_unlent(self, life: Life, end: str) -> None:
        slip = self._ask(life, self._doctor(life.dept), self._days.ago(3))
        by = slip.who if end == "cancel" else self._decider(slip)
        self._diary.note(self._days.ago(2), 11.5, by, _step(slip, end, REFUSED))

    # On the screen

    def _note_readings(self) -> None:
        """Readings in every state, on records that have been scanned; cast and doctors read side by side."""
        mine = [life for life in self._scanned if life.dept == "CK"] or self._scanned
        theirs = [life for life in self._scanned if life.dept != "CK"] or self._scanned
        stories: tuple[tuple[Sequence[Life], int, str, str], ...] = (
            (mine, 0, "clinician", "approve"), (theirs, 0, "clinician2", "approve"),
            (mine, 1, "clinician", "give_back"), (theirs, 1, "", "revoke"), (mine, 2, "", ""), (mine, 0, "", ""),
            (theirs, 0, "", "refuse"), (mine, 1, "", "cancel"), (mine, 2, "head", "approve"),
        )  # fmt: skip
        for lives, place, account, end in stories:
            if lives:
                life = lives[place % len(lives)]
                self._note_reading(life, self._reader(life, account), end)

    def _reader(self, life: Life, account: str) -> str:
        """That account, or a doctor of the ward or of another: nobody asks for one record twice."""
        of_others = [who for dept in self._cast.doctors for who in self._extras(dept)]
        for asking in ([account] if account else [], self._extras(life.dept), of_others):
            if fresh := [who for who in asking if (life.barcode, who) not in self._readings]:
                return self._rng.choice(fresh)
        raise LookupError(f"nobody is left who has not asked for {life.barcode}")

    def _note_reading(self, life: Life, who: str, end: str) -> None:
        self._readings.add((life.barcode, who))
        slip = Slip(life, who, "eread", "research", 30, self._rng.choice(REASONS["research"]))
        self._diary.note(self._days.ago(2), 10.5, who, _asking(slip))
        if end in {"approve", "give_back", "revoke"}:
            self._endorse(slip, self._days.ago(2))
            self._diary.note(self._days.ago(2), 12.0, self._decider(slip), _step(slip, "approve"))
        if end not in {"", "approve"}:
            by = who if end in {"give_back", "cancel"} else self._decider(slip)
            self._diary.note(
                self._days.ago(1), 11.5, by, _step(slip, end, REVOKED if end == "revoke" else REFUSED)
            )

    # Both

    def _ask(self, life: Life, who: str, day: date) -> Slip:
        purpose = self._rng.choice(("treatment", "treatment", "quality", "research"))
        slip = Slip(life, who, "paper", purpose, 3, self._rng.choice(REASONS[purpose]))
        self._diary.note(day, 9.0, who, _asking(slip))
        return slip

    def _approve(self, slip: Slip, day: date) -> None:
        self._endorse(slip, day)
        self._diary.note(day, 12.5, self._decider(slip), _step(slip, "approve"))

    def _endorse(self, slip: Slip, day: date) -> None:
        """The head of whoever asks is heard first, where the rule says so."""
        ward = next(dept for dept, doctors in self._cast.doctors.items() if slip.who in doctors)
        head = self._cast.heads.get(ward, slip.who)
        if slip.purpose == "research" and head != slip.who:
            self._diary.note(day, 11.4, head, _step(slip, "endorse"))

    def _decider(self, slip: Slip) -> str:
        """The head decides for obstetrics, never on what is their own; the archivist for others; on some the senior alone."""
        if slip.purpose in {"quality", "research"}:
            return "senior"
        return "head" if slip.life.dept == "CK" and slip.who != "head" else "archivist"


def _asking(slip: Slip) -> Callable[[UnitOfWork], object]:
    def act(uow: UnitOfWork) -> None:
        made = requests.ask(uow, uow.node(slip.life.node), kind=slip.kind, purpose=slip.purpose, days=slip.days,
                            reason=slip.reason, declared=conflicts.NONE)  # fmt: skip
        slip.number = made.number

    return act


def _step(slip: Slip, name: str, reason: str | None = None) -> Callable[[UnitOfWork], object]:
    def act(uow: UnitOfWork) -> None:
        request = slips.one(uow, slip.number)
        if (
            name not in {"approve", "refuse"} or request.state == "requested"
        ):  # a rule may have opened it at once
            requests.advance(uow, request, name, reason=reason)

    return act


def _issue(uow: UnitOfWork, slip: Slip) -> None:
    loans.issue(uow, slips.one(uow, slip.number), barcode=slip.life.barcode)


def _take_back(uow: UnitOfWork, *, life: Life, missing: bool) -> None:
    loans.take_back(uow, life.barcode, seen=Seen(life.count() - missing, confirmed=missing))


def _lose(uow: UnitOfWork, *, life: Life) -> None:
    """遗失: the ward has looked everywhere, and the loan ends so."""
    holding, _node = uow.holding(life.barcode)
    volumes.lose(uow, holding, because="科室多次查找未果，借阅人书面说明")


def _renew(uow: UnitOfWork, slip: Slip) -> None:
    loans.renew(uow, slips.one(uow, slip.number))
