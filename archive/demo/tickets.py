"""服务档案 in the house: complaints and praise as they come in and are settled, and calls after discharge."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import partial
from random import Random

from archive.demo import scanning, service, storeroom, studio
from archive.demo.cast import Cast
from archive.demo.diary import Diary
from archive.demo.lives import WEEKS, Life, Lot
from archive.demo.service import TICKET_PAPERS, FollowUp, Ticket
from archive.services import holdings, policies, steps, tree
from archive.uow import UnitOfWork

SETTLED = 12
"""Working days after which the papers of a ticket are complete and go to the archive."""
SHELF = 1
CALLED_AFTER = 7


@dataclass
class Dossier:
    """服务案卷: what the desk keeps of one person's matter, and where it stands in the tree."""

    title: str
    kind: str
    dept: str
    day: date
    person: str
    summary: str
    papers: dict[str, str] = field(default_factory=dict)
    """Title → text of each paper."""
    more: dict[str, str] = field(default_factory=dict)
    node: int = 0


@dataclass(frozen=True)
class Desk:
    """客户服务部 and its category in the tree."""

    diary: Diary
    cast: Cast
    category: int
    rng: Random

    def note(self, lives: Sequence[Life], *, tickets: int, calls: int) -> None:
        """Everything that the desk writes down."""
        self._note_tickets(tickets)
        self._note_calls(lives, calls)

    def _note_tickets(self, count: int) -> None:
        """Tickets of all kinds over the weeks of the story; the last ones are still open."""
        for day, number in self._days(count):
            at = datetime.combine(day, time(9 + number % 7, self.rng.randrange(60)))
            told = service.ticket(self.rng, number=f"GD{day:%Y%m%d}-{number:04d}", received_at=at)
            self._note(_of_ticket(told))

    def _days(self, count: int) -> Iterator[tuple[date, int]]:
        """So many days in order, each with the number of the ticket within it."""
        days = self.diary.days
        span = WEEKS * 7 - 2
        drawn = sorted(
            days.on(days.today - timedelta(days=1 + self.rng.randrange(span))) for _ in range(count)
        )
        for place, day in enumerate(drawn):
            yield day, sum(1 for other in drawn[:place] if other == day) + 1

    def _note_calls(self, lives: Sequence[Life], count: int) -> None:
        """Calls a week after discharge, the papers of each in a file of its own."""
        over = [
            life
            for life in lives
            if life.stay.is_over and not life.stay.case.death and life.lot is not Lot.BACKLOG
        ]
        for life in sorted(self.rng.sample(over, min(count, len(over))), key=lambda life: life.stay.left_on):
            stay = life.stay
            call = service.follow_up(self.rng, stay.who, stay.encounter, stay.case, days_after=CALLED_AFTER)
            self._note(_of_call(life, call))

    def _note(self, dossier: Dossier) -> None:
        days, day = self.diary.days, self.diary.days.on(dossier.day)
        done = days.after(day, SETTLED)
        self.diary.note(day, 10.5, "desk", partial(self._open, dossier=dossier))
        for place, title in enumerate(dossier.papers):
            self.diary.note(
                days.after(day, place), 13.0, "desk", partial(_add_paper, dossier=dossier, title=title)
            )
        if done < days.ago(1):
            acts: tuple[tuple[int, float, str, Callable[[UnitOfWork, Dossier], None]], ...] = (
                (0, 14.0, "archivist", _bind), (1, 10.5, "desk", _submit), (2, 16.0, "senior", _archive),
                (3, 15.0, "clerk", _shelve),
            )  # fmt: skip
            for later, hour, account, act in acts:
                self.diary.note(days.after(done, later), hour, account, _on(dossier, act))
        elif day > days.ago(5):
            self.diary.note(day, 15.5, "desk", partial(_upload, dossier=dossier))

    def _open(self, uow: UnitOfWork, dossier: Dossier) -> None:
        kinds = {label: code for code, label in policies.vocabulary(uow, "service_kind").items()}
        found = {
            name: {label: code for code, label in policies.vocabulary(uow, name).items()}[said]
            for name, said in dossier.more.items() if name in {"channel", "finding"}
        }  # fmt: skip
        fields = {
            "title": dossier.title, "date_from": dossier.day, "dept": self.cast.depts[dossier.dept],
            "service_kind": kinds[dossier.kind], "person": dossier.person, "summary": dossier.summary,
            **dossier.more, **found,
        }  # fmt: skip
        node = tree.add(uow, uow.node(self.category), kind="service_file", fields=fields)
        dossier.node = node.id
        steps.take(uow, node, "catalogue")


def _on(dossier: Dossier, act: Callable[[UnitOfWork, Dossier], object]) -> Callable[[UnitOfWork], object]:
    return lambda uow: act(uow, dossier)


def _of_ticket(of: Ticket) -> Dossier:
    papers = {title: service.ticket_text(key, of) for key, title in TICKET_PAPERS.items()}
    more = {
        "ticket_no": of.number, "channel": of.channel, "finding": of.finding,
        "decision": of.decision,
    }  # fmt: skip
    title = f"{of.kind}：{of.category}（{of.number}）"
    return Dossier(title, of.kind, of.dept, of.received_at.date(), of.complainant, of.summary, papers, more)


def _of_call(life: Life, call: FollowUp) -> Dossier:
    title = f"出院随访：{life.stay.who.mrn}-{life.stay.encounter.times}（{call.result}）"
    return Dossier(
        title,
        "随访",
        life.dept,
        call.at.date(),
        life.stay.who.name,
        call.text[:4000],
        {"随访记录": call.text},
    )


def _add_paper(uow: UnitOfWork, dossier: Dossier, title: str) -> None:
    fields = {"title": title, "date_from": uow.today}
    tree.add(uow, uow.node(dossier.node), kind="service_paper", fields=fields)


def _upload(uow: UnitOfWork, dossier: Dossier) -> None:
    text = "\n".join(f"【{title}】\n{text}" for title, text in dossier.papers.items())
    scanning.hand_in(uow, uow.node(dossier.node), studio.born_digital("客户服务登记", dossier.title, text))


def _bind(uow: UnitOfWork, dossier: Dossier) -> None:
    holdings.register(uow, uow.node(dossier.node), sheets=2 * len(dossier.papers))


def _submit(uow: UnitOfWork, dossier: Dossier) -> None:
    steps.take(uow, uow.node(dossier.node), "submit")


def _archive(uow: UnitOfWork, dossier: Dossier) -> None:
    steps.take(uow, uow.node(dossier.node), "archive")


def _shelve(uow: UnitOfWork, dossier: Dossier) -> None:
    year = dossier.day.year
    storeroom.box(
        uow, f"B{dossier.node:08d}", shelf=SHELF, year=year, name=f"TS-{year}-{dossier.day.month:02d}"
    )
