"""Inpatient records in any number, archived, each with its patient, stay, volume and components; without pages."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import chain, cycle, islice
from random import Random
from typing import Any, cast

from sqlalchemy import Table, bindparam, update

from archive import classes
from archive.demo import cases, mass, people, storeroom, wording
from archive.demo.admissions import SHARES
from archive.demo.cases import Case
from archive.demo.filing import OUTCOMES
from archive.demo.names import full_name
from archive.models import (
    Encounter,
    Holding,
    HoldingEvent,
    HoldingStatus,
    Milestone,
    Node,
    NodeVersion,
    Outbox,
    Patient,
    Record,
    base32,
)  # fmt: skip
from archive.names import name_key, sort_key
from archive.policy.types import TYPES
from archive.services import policies, tree
from archive.services.imports import bulk, planting
from archive.services.imports.planting import Seed
from archive.uow import UnitOfWork

COMPONENTS = 12
YEARS = 12
MODELS = 300
RECORD, COMPONENT = TYPES["medical_record"], TYPES["component"]
KEPT_BY = "inpatient"
AGAIN_ONE_IN = 4
REMEMBERED = 3_000
"""So many patients of the latest batches may come back."""


@dataclass(frozen=True, slots=True)
class Model:
    """A case from which many stays are made: what they came with, and what their records hold."""

    case: Case
    dept: int
    papers: tuple[tuple[str, str, str], ...]
    """Code, title and sort key of each component."""

    @property
    def is_of_a_child(self) -> bool:
        return self.case.dept in {"EK", "XSEK"}


@dataclass
class Person:
    """A patient while the batch is written; `nodes` are the records so far, which the last discharge keeps together."""

    id: int
    mrn: str
    name: str
    sex: str
    born: date
    is_child: bool
    times: int = 0
    last: date = date.min
    nodes: list[int] = field(default_factory=list)


@dataclass
class Records:
    """病历的批量: writes batch after batch; the years follow one another."""

    fonds: str
    category: int
    depts: dict[str, int]
    doctors: Sequence[str]
    shelves: dict[str, int]
    total: int
    last_year: int
    rng: Random = field(default_factory=lambda: Random(7))
    done: int = 0

    def __post_init__(self) -> None:
        self._numbers = people.record_numbers(self.rng, first=20_000_000)
        self._known: list[Person] = []
        drawn = self.rng.choices(tuple(SHARES), tuple(SHARES.values()), k=MODELS)
        self._models = [_model(self.rng, dept, self.depts[dept]) for dept in drawn]
        self._like: dict[tuple[int | None, int, int], Node] = {}

    def write(self, uow: UnitOfWork, size: int) -> None:
        """One batch, of one year."""
        year = self.last_year - YEARS + 1 + self.done * YEARS // self.total
        self.done += size
        models = self.rng.choices(self._models, k=size)
        who = self._persons(uow, models, year)
        values = [self._stay(person, model, year) for person, model in zip(who, models, strict=True)]
        nodes = self._plant(uow, values, year)
        stays = bulk.write_numbered(
            uow, Encounter, [_encounter(uow, p, v) for p, v in zip(who, values, strict=True)]
        )
        bulk.write(
            uow, Record, [{"node_id": n.id, "encounter_id": s} for n, s in zip(nodes, stays, strict=True)]
        )
        self._keep_until(uow, who, nodes)
        self._shelve(uow, nodes)
        self._plant_components(uow, nodes, models)

    def _persons(self, uow: UnitOfWork, models: Sequence[Model], year: int) -> list[Person]:
        """The patients of a batch: some who were here in an earlier one, the others new."""
        found = [self._returning(model, year) or self._newcomer(model, year) for model in models]
        new = [person for person in found if not person.times]
        ids = bulk.write_numbered(uow, Patient, [_patient(person) for person in new])
        for person, number in zip(new, ids, strict=True):
            person.id = number
        self._known = [*self._known, *found][-REMEMBERED:]
        return found

    def _returning(self, model: Model, year: int) -> Person | None:
        """Now and then somebody of an earlier batch, who left a month ago at least and comes again this year."""
        if not self._known or self.rng.randrange(AGAIN_ONE_IN):
            return None
        place = self.rng.randrange(len(self._known))
        if self._known[place].last >= date(year, 11, 1) or self._known[place].is_child != model.is_of_a_child:
            return None
        self._known[place], self._known[-1] = self._known[-1], self._known[place]
        return self._known.pop()

    def _newcomer(self, model: Model, year: int) -> Person:
        sex = self.rng.choice("12") if model.is_of_a_child else "2"
        name = full_name(self.rng, female=sex == "2", infant=model.is_of_a_child)
        born = date(year, 1, 1) - timedelta(days=model.case.age_days)
        return Person(0, next(self._numbers), name, sex, born, model.is_of_a_child)

    def _stay(self, person: Person, model: Model, year: int) -> dict[str, Any]:
        first = max(date(year, 1, 2), person.last + timedelta(days=30))
        left = first + timedelta(days=self.rng.randrange((date(year, 12, 30) - first).days))
        if (left.month, left.day) == (
            2,
            29,
        ):  # a day that most years have not: their periods could not end on it
            left += timedelta(days=1)
        person.times, person.last = person.times + 1, left
        return {
            "mrn": person.mrn, "patient_name": person.name, "times": person.times, "dept": model.dept, "sex": person.sex,
            "birth": person.born.isoformat(), "admitted_on": (left - timedelta(days=model.case.days)).isoformat(),
            "discharged_on": left.isoformat(), "attending": self.rng.choice(self.doctors),
            "outcome": OUTCOMES[model.case.leaves], "diagnosis": model.case.diagnosis, "diagnosis_code": model.case.code,
        }  # fmt: skip

    def _plant(self, uow: UnitOfWork, values: Sequence[dict[str, Any]], year: int) -> list[Node]:
        folder = tree.series_for(
            uow, mass.category(uow, self.category), RECORD, {"discharged_on": f"{year}-01-01"}
        )
        given = mass.numbers(
            uow, fonds=self.fonds, category="ZY·BL", year=year, retention=KEPT_BY, count=len(values)
        )
        return planting.plant(
            uow,
            [
                Seed(folder, RECORD, told, "archived", archival_no=number, slug=serial, year=year)
                for told, (number, serial) in zip(values, given, strict=True)
            ],
        )

    def _keep_until(self, uow: UnitOfWork, who: Iterable[Person], nodes: Iterable[Node]) -> None:
        """保管期限 runs from the last discharge, for the earlier records of a patient too (domain §8)."""
        kept = policies.in_force(uow, "retention").body["rules"][KEPT_BY]
        until: dict[int, date] = {}
        for person, node in zip(who, nodes, strict=True):
            person.nodes.append(node.id)
            until |= dict.fromkeys(person.nodes, person.last.replace(year=person.last.year + kept["years"]))
        rows = [{"number": number, "day": day} for number, day in until.items()]
        table = cast(Table, Node.__table__)
        late = update(table).where(table.c.id == bindparam("number")).values(retain_until=bindparam("day"))
        uow.session.execute(late, rows, execution_options=mass.TRUSTED)

    def _shelve(self, uow: UnitOfWork, nodes: Iterable[Node]) -> None:
        rows = [
            {"node_id": node.id, "barcode": f"B{node.data['mrn']}-{node.data['times']}", "status": HoldingStatus.SHELVED,
             "location_id": self.shelves[storeroom.shelf_of(node.data["mrn"])], "sheets": self.rng.randint(18, 70)}
            for node in nodes
        ]  # fmt: skip
        volumes = bulk.write_numbered(uow, Holding, rows)
        moved = [
            {"holding_id": number, "to_status": HoldingStatus.SHELVED, "at": uow.now} for number in volumes
        ]
        bulk.write(uow, HoldingEvent, moved)
        reached = [
            {"node_id": row["node_id"], "track": "paper", "step": "shelved", "at": uow.now} for row in rows
        ]
        bulk.write(uow, Milestone, reached)

    def _plant_components(self, uow: UnitOfWork, nodes: Sequence[Node], models: Sequence[Model]) -> None:
        """Items as the tree makes them, written past the objects: there are twelve times as many as records."""
        ids = iter(classes.reserve_node_ids(uow.session, len(nodes) * COMPONENTS))
        rows = list(
            chain.from_iterable(
                self._items(uow, node, model, ids) for node, model in zip(nodes, models, strict=True)
            )
        )
        bulk.write(uow, Node, rows)
        bulk.write(uow, NodeVersion, [_version(row) for row in rows])
        bulk.write(
            uow, Outbox, [{"topic": "index", "node_id": row["id"], "at": uow.now, "tries": 0} for row in rows]
        )

    def _items(
        self, uow: UnitOfWork, file: Node, model: Model, ids: Iterator[int]
    ) -> Iterator[dict[str, Any]]:
        like = self._alike(uow, file)
        admitted, left = file.date_from or date.min, file.date_to or date.min
        for place, (code, title, key) in enumerate(model.papers, start=1):
            number = next(ids)
            yield {
                "id": number, "parent_id": file.id, "slug": f"{place:03d}", "path": f"{file.path}{base32(number)}/",
                "depth": file.depth + 1, "type": COMPONENT.name, "workflow": COMPONENT.workflow, "state": file.state,
                "position": place, "title": title, "title_key": key, "archival_no": f"{file.archival_no}-{place:03d}",
                "date_from": left if code in {"SY", "CY"} else admitted, "year": file.year, "dept_id": file.dept_id,
                "data": {"component": code}, "inherits": True, "shared": False, "level_own": COMPONENT.level,
                "level": like.level, "overlay_own": 0, "overlay": 0, "policy_id": like.policy_id, "scope_id": like.scope_id,
                "access_class": like.access_class, "hold_count": 0, "page_count": 0, "version": 1, "revision": 1,
                "created_at": uow.now, "updated_at": uow.now,
            }  # fmt: skip

    def _alike(self, uow: UnitOfWork, file: Node) -> Node:
        """A component that is never written, with the class that every component of such a record has."""
        context = (file.scope_id, file.level, file.dept_id or 0)
        if context not in self._like:
            like = Node(
                id=file.id, path=file.path, type=COMPONENT.name, workflow=COMPONENT.workflow, state=file.state,
                level_own=COMPONENT.level, overlay_own=0, shared=False, inherits=True, dept_id=file.dept_id,
            )  # fmt: skip
            classes.classify(uow.session, like, file)
            self._like[context] = like
        return self._like[context]


def _model(rng: Random, dept: str, number: int) -> Model:
    case = cases.case(rng, dept)
    own = ((code, wording.title(code, case)) for code in wording.components(case))
    more = cycle((code, wording.TITLES[code]) for code in ("FZ", "BC", "YZ"))
    papers = islice(chain(own, more), COMPONENTS)
    return Model(case, number, tuple((code, title, sort_key(title)) for code, title in papers))


def _patient(of: Person) -> dict[str, Any]:
    return {
        "mrn": of.mrn,
        "name": of.name,
        "name_key": name_key(of.name),
        "sex": of.sex,
        "birth": of.born,
        "version": 1,
    }


def _encounter(uow: UnitOfWork, person: Person, told: dict[str, Any]) -> dict[str, Any]:
    return {
        "patient_id": person.id, "kind": "inpatient", "times": told["times"], "dept_id": told["dept"],
        "admitted_at": date.fromisoformat(told["admitted_on"]), "discharged_at": date.fromisoformat(told["discharged_on"]),
        "outcome": told["outcome"], "attending": told["attending"], "created_at": uow.now,
    }  # fmt: skip


def _version(row: dict[str, Any]) -> dict[str, Any]:
    snapshot = {
        "title": row["title"], "date_from": str(row["date_from"]), "dept_id": row["dept_id"], "level_own": row["level_own"],
        "retention_rule": None, **row["data"],
    }  # fmt: skip
    return {"node_id": row["id"], "version": 1, "snapshot": snapshot, "at": row["created_at"]}
