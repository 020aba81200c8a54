"""病案首页查询: records by what their front page says, and a sample of them that anybody can draw again.

What a front page says is looked at record by record, in the order of the discharges: a page ends where it is full, and
what few records say is found quickly among those of some years, and not among a million. So the form begins with the last
year, and whoever asks for more waits no longer than `LONGEST`.
"""

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import blake2b, sha256
from typing import Any

from sqlalchemy import Select, false, func, select, tuple_

from archive import cursor, patience, schema
from archive.access import Checked
from archive.db import canonical
from archive.errors import Invalid, TakesTooLong
from archive.i18n import _, _l
from archive.journal import Event
from archive.models import AccessClass, Container, Holding, Location, Node, Policy
from archive.policy.permissions import P
from archive.policy.rights import Overlay
from archive.policy.types import TYPES
from archive.schema import Field, Kind, Type
from archive.services import holdings, listing, places, policies, spans_of_time, tree
from archive.services.front_page_conditions import CONDITIONS, Asked
from archive.sight import AT, NodeView, views
from archive.uow import IDS, UnitOfWork
from archive.workflow import State

TRUSTED: Any = {"scope": "front_pages"}
MOST_DRAWN = 500
"""So many volumes are pulled for one review at most."""
USUALLY_DRAWN = 50
SEED = re.compile(r"[0-9A-Za-z]{1,20}")
UNITS = {"years": _l("years"), "months": _l("months"), "days": _l("days")}
YEAR = timedelta(days=365)
LONGEST = 3.0
"""Seconds of work that a question may take."""
ORDERS = (P.DISCOVER, P.IDENTIFY, P.READ)
STAY = TYPES["medical_record"]
QUESTION = Type(
    "front_page", _l("Front-page query"), "question", "report-search", frozenset(), "", (
        Field("diagnosis", _l("Diagnosis or code"), longest=120),
        Field("operation", _l("Operation or code"), longest=120),
        Field("attending", _l("Doctor"), longest=60),
        Field("outcome", _l("Way of leaving"), Kind.CHOICE, vocabulary="outcome"),
        Field("dept", _l("Department"), Kind.DEPT),
        Field("sex", _l("Sex"), Kind.CHOICE, vocabulary="sex"),
        Field("age_from", _l("Age from"), Kind.NUMBER), Field("age_to", _l("Age to"), Kind.NUMBER),
        Field("age_unit", _l("Age in"), pattern="years|months|days"),
        Field("days_from", _l("Days of stay from"), Kind.NUMBER), Field("days_to", _l("Days of stay to"), Kind.NUMBER),
        Field("admitted_from", _l("Admitted from"), Kind.DATE), Field("admitted_to", _l("Admitted until"), Kind.DATE),
        Field("discharged_from", _l("Discharged from"), Kind.DATE),
        Field("discharged_to", _l("Discharged until"), Kind.DATE),
    ),
)  # fmt: skip
"""What may be asked, checked like any form."""
NAMES = tuple(field.name for field in QUESTION.fields)
NUMBERS = tuple(field.name for field in QUESTION.fields if field.kind is Kind.NUMBER)
GREATEST = 100_000

PAIRS = (("age_from", "age_to"), ("days_from", "days_to"), ("admitted_from", "admitted_to"),
         ("discharged_from", "discharged_to"))  # fmt: skip


def checked(uow: UnitOfWork, typed: Mapping[str, object]) -> dict[str, Any]:
    """The conditions as they were meant; nothing for those left open. Raises Invalid, field by field."""
    outcome = schema.check(QUESTION, typed, lambda name: tree.vocabulary(uow, name))
    values: dict[str, Any] = dict(outcome.values)
    wrong = dict(outcome.errors)
    for name in NUMBERS:
        if name in values and not 0 <= values[name] <= GREATEST:
            wrong[name] = _("Write a whole number that is not less than nothing.")
    for low, high in PAIRS:
        if {low, high} <= set(values) - set(wrong) and values[low] > values[high]:
            wrong[high] = _("The range ends before it begins.")
    if wrong:
        raise Invalid(fields=wrong)
    if not {"age_from", "age_to"} & set(values):
        values.pop("age_unit", None)
    return values


def _matching(uow: UnitOfWork, asked: Asked, *entities: Any) -> Select[Any]:
    """Records of those who have left that meet every condition, held at the strictest tier that one of them looks at."""
    used = [CONDITIONS[name] for name in asked if name in CONDITIONS]
    needs = max((AT[tier] for tier, _clause in used), key=ORDERS.index, default=P.DISCOVER)
    clauses = [CONDITIONS[name][1](value, asked) for name, value in asked.items() if name in CONDITIONS]
    # By the order of discharges and never by type: nearly all are of this one.
    kept = (Checked(Node.type) == STAY.name, Node.overlay < Overlay.TRASHED, Node.state != "destroyed")
    found = uow.nodes(needs, *entities).where(Node.date_to.is_not(None), *kept)
    return found.where(*clauses) if _holds_any(uow, needs) else found.where(false())


def _holds_any(uow: UnitOfWork, needs: P) -> bool:
    """Whether the actor holds any record at that tier: whoever holds none would wait for nothing."""
    kinds = select(AccessClass.id).join(Policy, Policy.id == AccessClass.policy_id)
    theirs = kinds.where(Policy.type == STAY.name, AccessClass.id.in_(uow.access.classes(needs)))
    return uow.actor.has_grants or uow.session.scalar(theirs.limit(1)) is not None


@contextmanager
def _in_time(uow: UnitOfWork) -> Iterator[None]:
    try:
        with patience.at_most(uow.session, LONGEST):
            yield
    except patience.TookTooLong as slow:
        raise TakesTooLong(
            _("Too many records would have to be looked through. Give a shorter period of discharge.")
        ) from slow


@dataclass(frozen=True)
class Carried:
    """A volume of a record, and where it stands, for whoever handles volumes."""

    barcode: str
    place: str | None
    status: State
    order: tuple[str, int]


@dataclass(frozen=True)
class Line:
    """One record as a list shows it; each value only for whoever holds its tier."""

    view: NodeView
    age: str
    days: int
    volumes: tuple[Carried, ...]


@dataclass(frozen=True)
class Page:
    """One page of what was found, newest discharge last; `total` is honest up to the cap."""

    lines: list[Line]
    total: int
    capped: bool
    next: str | None


def find(uow: UnitOfWork, asked: Asked, after: str | None = None) -> Page:
    """What meets the conditions, page by page."""
    purpose = (
        f"front_pages:{uow.actor.principal_id}:{sha256(canonical(dict(asked)).encode()).hexdigest()[:16]}"
    )
    begin = cursor.unpack(uow.site.keys, purpose, after)
    with _in_time(uow):
        # The count has read what stands on the page, unless it lies far on.
        counted = _numbers(uow, asked, listing.CAP + 1)
        here = [row for row in counted if begin is None or [row.date_to, row.id] > begin]
        if begin and len(counted) > listing.CAP and len(here) <= listing.PAGE:
            here = _numbers(uow, asked, listing.PAGE + 1, begin)
    chosen = here[: listing.PAGE]
    onward = (
        cursor.pack(uow.site.keys, purpose, [chosen[-1].date_to, chosen[-1].id])
        if len(here) > len(chosen)
        else None
    )
    lines = _lines(uow, _by_number(uow, [row.id for row in chosen]))
    total = min(len(counted), listing.CAP)
    _tell(uow, "front_page.searched", lines, asked, found=total)
    return Page(lines, total, len(counted) > listing.CAP, onward)


def _numbers(uow: UnitOfWork, asked: Asked, most: int, begin: list[Any] | None = None) -> list[Any]:
    """Day of discharge and id of what meets the conditions, the earliest first, from a place on."""
    found = _matching(uow, asked, Node.date_to, Node.id).order_by(Node.date_to, Node.id).limit(most)
    if begin:
        found = found.where(tuple_(Node.date_to, Node.id) > tuple_(*begin))
    return list(uow.session.execute(found))


def _by_number(uow: UnitOfWork, numbers: Sequence[int]) -> list[NodeView]:
    """Records that were found before, in the same order."""
    found: list[Node] = []
    for start in range(0, len(numbers), IDS):
        found += uow.list(uow.nodes(P.DISCOVER).where(Node.id.in_(numbers[start : start + IDS])))
    return sorted(views(uow, found), key=lambda view: (view.discharged_on, view.id))


def lately(uow: UnitOfWork) -> dict[str, str]:
    """The period with which the form begins: the last year up to today."""
    return {"discharged_from": str(uow.today - YEAR), "discharged_to": str(uow.today)}


def everything(uow: UnitOfWork, asked: Asked) -> list[Line]:
    """All that meets the conditions, as many as a list may have, in the order of the shelves, to be taken along."""
    with _in_time(uow):
        found = _numbers(uow, asked, listing.TAKEN)
    lines = _shelved(_lines(uow, _by_number(uow, [row.id for row in found])))
    _tell(uow, "front_page.exported", lines, asked, found=len(lines))
    return lines


@dataclass(frozen=True)
class Sample:
    """随机样本: `lines` in the order of the shelves, drawn by `seed` from `of` records."""

    lines: list[Line]
    seed: str
    of: int


def fresh_seed() -> str:
    """A seed that nobody has chosen."""
    return f"{secrets.randbelow(10**8):08}"


def draw(
    uow: UnitOfWork, asked: Asked, number: int, seed: str, *, event: str = "front_page.sampled"
) -> Sample:
    """`number` of the records that meet the conditions, each as likely as any other.

    The same seed draws the same ones again from the same records, on any computer; a record that has come since takes
    the place of at most one. Conditions, seed and what was drawn stand in the journal. Raises Invalid.
    """
    if not SEED.fullmatch(seed):
        raise Invalid(fields={"seed": _("Digits and letters, 20 at most.")})
    if not 1 <= number <= MOST_DRAWN:
        raise Invalid(fields={"sample": _("From 1 to %(most)d records.", most=MOST_DRAWN)})
    with _in_time(uow):
        known = uow.session.execute(_matching(uow, asked, Node.id, Node.uuid)).all()
    ranked = sorted(known, key=lambda row: blake2b(f"{seed}:{row.uuid}".encode()).digest())
    chosen = [row.id for row in ranked[:number]]
    lines = _shelved(_lines(uow, _by_number(uow, chosen)))
    _tell(uow, event, lines, asked, seed=seed, number=number, found=len(known),
          drawn=[line.view.uuid for line in lines])  # fmt: skip
    return Sample(lines, seed, len(known))


def shelved(uow: UnitOfWork, seen: list[NodeView]) -> list[Line]:
    """Records that the actor was shown, with those of their volumes that the actor handles, along the shelves."""
    return _shelved(_lines(uow, seen))


def _shelved(lines: list[Line]) -> list[Line]:
    """Along the shelves, as far as the actor may know of them; what stands nowhere comes last, by its number."""

    def on_the_way(line: Line) -> Any:
        first = min((volume.order for volume in line.volumes), default=("~", 0))
        return first, places.shelf_order(line.view.mrn), line.view.times or 0, line.view.id

    return sorted(lines, key=on_the_way)


def _lines(uow: UnitOfWork, seen: list[NodeView]) -> list[Line]:
    volumes = _volumes(uow, [view.id for view in seen if view.can(P.HOLDING_VIEW)])
    return [_line(view, tuple(volumes.get(view.id, ()))) for view in seen]


def _line(view: NodeView, volumes: tuple[Carried, ...]) -> Line:
    birth, admitted, left = view.value("birth"), view.date_from, view.discharged_on
    age = spans_of_time.age_said(date.fromisoformat(str(birth)), admitted) if birth and admitted else ""
    return Line(view, age, spans_of_time.days_of_stay(admitted, left), volumes)


def _volumes(uow: UnitOfWork, numbers: list[int]) -> dict[int, list[Carried]]:
    """The volumes of nodes whose volumes the actor handles, as they stand along the shelves."""
    place = func.coalesce(Holding.location_id, Container.location_id)
    found: dict[int, list[Carried]] = {}
    for start in range(0, len(numbers), IDS):
        rows = uow.session.execute(
            select(
                Holding.node_id, Holding.barcode, Holding.status, Location.code, Location.path, Container.seq
            )
            .outerjoin(Container, Container.id == Holding.container_id)
            .outerjoin(Location, Location.id == place)
            .where(Holding.node_id.in_(numbers[start : start + IDS]))
            .order_by(Location.path, Container.seq, Holding.barcode),
            execution_options=TRUSTED,
        )
        for row in rows:
            order = (row.path or "~", row.seq or 0)
            carried = Carried(row.barcode, row.code, holdings.STATUSES[row.status], order)
            found.setdefault(row.node_id, []).append(carried)
    return found


def _tell(uow: UnitOfWork, name: str, lines: list[Line], asked: Asked, **words: object) -> None:
    """One line of the journal: the conditions, and of whom the list shows who they are."""
    shown = tuple(sorted(line.view.id for line in lines if P.IDENTIFY in line.view.may))
    uow.read(Event(name, shown=shown, words={"conditions": dict(asked), **words}))


def in_words(uow: UnitOfWork, asked: Asked) -> list[tuple[str, str]]:
    """The conditions as a reader says them, for the head of a printed list."""
    told = [field for field in QUESTION.fields if field.name != "age_unit" and field.name in asked]
    return [(str(field.label), _worded(uow, field, asked[field.name], asked)) for field in told]


def _worded(uow: UnitOfWork, field: Field, value: Any, asked: Asked) -> str:
    if field.name in {"age_from", "age_to"}:
        return f"{value} {UNITS[asked.get('age_unit', 'years')]}"
    if field.kind is Kind.DEPT:
        return tree.vocabulary(uow, "departments").get(str(value), str(value))
    if field.kind is Kind.CHOICE:
        return policies.vocabulary(uow, field.vocabulary or "").get(str(value), str(value))
    return str(value)
