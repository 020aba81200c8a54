"""制度修订: the next version of a policy is written, compared with what would hold otherwise, and adopted."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.exc import IntegrityError

from archive.errors import Conflict, Invalid, NotFound
from archive.i18n import _
from archive.models import PolicyVersion
from archive.policy import toml
from archive.policy.permissions import P
from archive.policy.relations import Problem
from archive.policy.shapes import SHAPES, problems
from archive.schema import clean
from archive.services import policies, standing
from archive.uow import UnitOfWork, action

LONGEST_SOURCE, LONGEST_TEXT = 300, 100_000
IN_FIELDS = (
    "loans", "gates", "numbering", "holds", "inspections", "emergency", "reminders", "trash", "page_checks", "uploads",
    "digitisation", "checklist", "imaging", "copying", "queue", "counting", "mail",
)  # fmt: skip
"""Kinds whose numbers and ticks can be changed one by one; the others are lists, and are written as a text."""
Path = tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """One value that changes: where it stands, what would hold otherwise, what is to hold."""

    place: Path
    before: Any
    after: Any


@dataclass(frozen=True)
class Proposal:
    """制度草案: a body that has been checked. `replaced`: versions that were to hold later and never will."""

    kind: str
    body: dict[str, Any]
    source: str
    day: date
    after: int
    """The newest version when it was written."""
    differences: list[Difference]
    replaced: list[int]

    @property
    def text(self) -> str:
        return toml.written(self.body)


class Unfit(Invalid):
    """草案有误: a draft that cannot be adopted; each problem says its place."""

    def __init__(self, found: list[Problem], **fields: str) -> None:
        self.problems = found
        super().__init__(fields=fields | ({"text": "\n".join(map(told, found))} if found else {}))


def told(problem: Problem) -> str:
    """A problem in one line, its place first."""
    return f"{'.'.join(problem.place)}: {problem.sentence}" if problem.place else problem.sentence


def newest(uow: UnitOfWork, kind: str) -> PolicyVersion:
    """The version that the next one follows, whether it holds already or not. Raises NotFound for no such policy."""
    found = policies.versions(uow, kind) if kind in SHAPES else []
    if not found:
        raise NotFound
    return found[0]


def values(body: Mapping[str, Any], kind: str) -> dict[Path, int | bool]:
    """The numbers and ticks of a body, each with its place; nothing for a kind that is written as a text."""
    found = _leaves(body) if kind in IN_FIELDS else ()
    return {place: value for place, value in found if isinstance(value, int)}


def _leaves(value: Any, place: Path = ()) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, (*place, str(name)))
    else:
        yield place, value


def filled(body: Mapping[str, Any], kind: str, typed: Mapping[str, str]) -> dict[str, Any]:
    """The body with the numbers and ticks of a form, whose names are places joined by slashes."""
    told_of = {place: typed.get("/".join(place), "").strip() for place in values(body, kind)}

    def walk(value: Any, place: Path) -> Any:
        if isinstance(value, Mapping):
            return {name: walk(inner, (*place, str(name))) for name, inner in value.items()}
        if isinstance(value, bool):
            return told_of[place] == "1" if place in told_of else value
        if place in told_of:
            return (
                int(told_of[place])
                if told_of[place].isdecimal() and len(told_of[place]) < 9
                else told_of[place]
            )
        return value

    whole: dict[str, Any] = walk(body, ())
    return whole


def body_of(uow: UnitOfWork, kind: str, typed: Mapping[str, str]) -> dict[str, Any]:
    """The body that a form means, whether as a text or field by field. Raises Unfit for a text that is no TOML."""
    if "text" not in typed:
        return filled(newest(uow, kind).body, kind, typed)
    if len(typed["text"]) > LONGEST_TEXT:
        raise Unfit([Problem((), _("At most %(most)d characters, please.", most=LONGEST_TEXT))])
    body = toml.read(typed["text"])
    if isinstance(body, Problem):
        raise Unfit([body])
    return body


def propose(
    uow: UnitOfWork, kind: str, *, body: dict[str, Any], source: str, day: str, after: int
) -> Proposal:
    """Checks a draft and says what it would change. Raises Unfit, or Conflict when another was adopted meanwhile."""
    last = newest(uow, kind)
    if last.version != after:
        raise Conflict(
            _(
                "Somebody has adopted version %(n)d meanwhile. Read it, then write yours again.",
                n=last.version,
            )
        )
    found = problems(kind, body) or standing.objections(uow, kind, body)
    named, from_day, wrong = clean(source), _day(uow, day), {}
    if not named or len(named) > LONGEST_SOURCE:
        wrong["source"] = _(
            "Name the rule, article or decision, in at most %(most)d characters.", most=LONGEST_SOURCE
        )
    if from_day is None:
        wrong["day"] = _("Choose today or a later day.")
    if found or wrong or from_day is None:
        raise Unfit(found, **wrong)
    moment = begins(uow, from_day)
    otherwise = policies.at(uow, kind, moment)
    changes = differences(otherwise.body if otherwise else {}, body)
    later = [
        row.version
        for row in policies.versions(uow, kind)
        if row.valid_from >= moment and row.valid_from > uow.now
    ]
    if not changes and not later:
        raise Unfit([Problem((), _("Nothing differs from what holds already."))])
    return Proposal(kind, body, named, from_day, after, changes, later)


def _day(uow: UnitOfWork, text: str) -> date | None:
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        return None
    return day if uow.today <= day <= date(uow.today.year + 10, 12, 31) else None


def begins(uow: UnitOfWork, day: date) -> datetime:
    """From when a version of that day holds: its first moment in the hospital, today at once."""
    if day <= uow.today:
        return uow.now
    return datetime.combine(day, time(), ZoneInfo(uow.site.settings.timezone)).astimezone(UTC)


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Every value that is new, gone or another, in the order of the new version; then what stands in another order."""
    old, new = dict(_leaves(before)), dict(_leaves(after))
    changed = [
        Difference(place, old.get(place), new.get(place))
        for place in dict.fromkeys([*new, *old]) if old.get(place) != new.get(place)
    ]  # fmt: skip
    return [*changed, *_moved(before, after)]


def _moved(before: Mapping[str, Any], after: Mapping[str, Any], place: Path = ()) -> Iterator[Difference]:
    """Tables whose entries stand in another order: of lending rules the first that fits is the one, and lists show words so."""
    old, new = [name for name in before if name in after], [name for name in after if name in before]
    if place and old != new:
        yield Difference(place, old, new)
    for name in new:
        if isinstance(before[name], Mapping) and isinstance(after[name], Mapping):
            yield from _moved(before[name], after[name], (*place, str(name)))


@action("policy.adopted", needs=P.CONFIG_MANAGE)
def adopt(uow: UnitOfWork, proposal: Proposal) -> PolicyVersion:
    """Makes a draft the next version. What was decided before keeps the version by which it was decided.

    Raises Unfit or Conflict as `propose` does: between showing and adopting, the archive may have moved on.
    """
    now = propose(uow, proposal.kind, body=proposal.body, source=proposal.source, day=proposal.day.isoformat(),
                  after=proposal.after)  # fmt: skip
    made = PolicyVersion(
        kind=now.kind, version=now.after + 1, body=now.body, source={"zh": now.source}, adopted_at=uow.now,
        approved_by=uow.actor.principal_id, valid_from=begins(uow, now.day),
    )  # fmt: skip
    try:
        with uow.session.begin_nested():  # of two at once, the version number lets one through
            uow.session.add(made)
    except IntegrityError as error:
        raise Conflict(
            _("Somebody has adopted another version meanwhile. Read it, then write yours again.")
        ) from error
    uow.session.info.get("policies", {}).pop(now.kind, None)
    uow.note(kind=now.kind, version=made.version, source=now.source, holds_from=now.day.isoformat(),
             changed={".".join(one.place): [one.before, one.after] for one in now.differences})  # fmt: skip
    return made
