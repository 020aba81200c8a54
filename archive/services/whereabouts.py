"""Where is it 病案去向: any number or name → every file of the patient, and where each of its carriers is now."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select, union
from sqlalchemy.orm import aliased

from archive.journal import Event
from archive.models import Encounter, Holding, Node, Patient, Record
from archive.names import masked, masked_id
from archive.numbering import normalised
from archive.policy.permissions import P
from archive.policy.rights import Overlay
from archive.schema import clean
from archive.services import actors, holdings, patient_names, policies, tracers
from archive.services.patient_names import Way
from archive.services.tracers import Trace
from archive.sight import NodeView, views
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "whereabouts"}
MOST = 50
"""So many patients are shown: whoever finds more types more of the name."""
LONGEST = 120
NOT_TRASHED = Node.overlay < int(Overlay.TRASHED)


@dataclass(frozen=True)
class File:
    """卷: one file and its carriers. Date, department and pages are there for whoever may discover it."""

    node: NodeView
    left_on: object
    dept: str
    carrier: str | None
    volumes: list[Trace]
    pages: int
    is_meant: bool
    """Its very own number was typed."""

    @property
    def href(self) -> str | None:
        """Where the file is, for whoever may go there."""
        return self.node.href if P.DISCOVER in self.node.may else None

    @property
    def first_page(self) -> str | None:
        """Where reading begins, for whoever may read; a file whose pages lie in its items is opened itself."""
        return f"{self.href}/++page++1" if P.READ in self.node.may and self.node.page_count else None

    @property
    def may_ask(self) -> bool:
        """Whether to offer a request to whoever is not told where the paper is."""
        return P.REQUEST_CREATE in self.node.may and P.HOLDING_VIEW not in self.node.may


@dataclass(frozen=True)
class Person:
    """患者, with all files, the newest stay first; or a file that is no patient's.

    There is a name only for whoever may identify, and the mother's only where the patient was found by it.
    """

    mrn: str | None
    name: str | None
    sex: str
    birth: object
    mother: str | None
    files: list[File]
    merged: tuple[str, ...] = ()
    """Other numbers of theirs that were merged into this one."""


@dataclass(frozen=True)
class Found:
    """What was found; `is_capped`: more patients are called so than are shown."""

    people: list[Person]
    is_capped: bool

    @property
    def is_described(self) -> bool:
        """Whether anything is known beside numbers and places."""
        return any(file.href for person in self.people for file in person.files)


def find(uow: UnitOfWork, typed: str) -> Found:
    """Every file of whoever is meant: by 病案号, 病案号-次, 档号, barcode or old number, on files at identify or
    holding.view; by name, pinyin, mother's name or identity number, at identify alone. Raises Forbidden.
    """
    uow.require((P.IDENTIFY, P.HOLDING_VIEW))
    text = clean(typed)
    meant = _meant(uow, text) if 0 < len(text) <= LONGEST else _Meant()
    people = _people(uow, meant)
    said = masked_id(patient_names.folded(text)) if patient_names.is_identity(text) else text[:LONGEST]
    uow.read(
        Event(
            "whereabouts.searched", shown=tuple(sorted(uow.seen)), words={"query": said, "found": len(people)}
        )
    )
    return Found(people, meant.is_capped)


@dataclass
class _Meant:
    """Who is meant, the likeliest first: by a number, by a name (and which); and the files of a number of their own."""

    numbered: list[int] = field(default_factory=list)
    named: dict[int, str] = field(default_factory=dict)
    nodes: set[int] = field(default_factory=set)
    times: int | None = None
    is_capped: bool = False


def _meant(uow: UnitOfWork, text: str) -> _Meant:
    code, held = patient_names.folded(text), _handled(uow)
    carried = select(Holding.node_id).where(Holding.barcode.in_((code, f"B{code}")))
    called = union(select(Node.id).where(Node.archival_no == normalised(code)), carried)
    own = select(Node.id).where(Node.id.in_(called), NOT_TRASHED, held)
    nodes = set(uow.session.scalars(own, execution_options=TRUSTED))
    numbered = _who(uow, patient_names.by_number(text), held)
    if nodes:
        owners = _with_stays(select(patient_names.head())).where(Node.id.in_(nodes))
        numbered += uow.session.scalars(owners, execution_options=TRUSTED)
    named: dict[int, str] = {}
    for way in patient_names.by_name(uow.site.keys, text):
        for number in _who(uow, way, uow.access.clause(P.IDENTIFY)):
            named.setdefault(number, way.name)
    shown = dict(list(named.items())[:MOST])
    return _Meant(numbered, shown, nodes, patient_names.times_of(text), len(named) > MOST)


def _handled(uow: UnitOfWork) -> ColumnElement[bool]:
    """The files to which a number may lead: whoever handles a volume reads its number on the back."""
    return or_(uow.access.clause(P.IDENTIFY), uow.access.clause(P.HOLDING_VIEW))


def _with_stays(statement: Select[Any]) -> Select[Any]:
    """A select over nodes, joined to their stays and patients."""
    joined = statement.select_from(Node).join(Record, Record.node_id == Node.id)
    stays = joined.join(Encounter, Encounter.id == Record.encounter_id)
    return stays.join(Patient, Patient.id == Encounter.patient_id)


def _who(uow: UnitOfWork, way: Way, held: ColumnElement[bool]) -> list[int]:
    """The patients meant in this way who have a file that is `held`. To others they are nobody's patients."""
    file = (
        select(Node.id)
        .join(Record, Record.node_id == Node.id)
        .join(Encounter, Encounter.id == Record.encounter_id)
    )
    of_theirs = file.where(Encounter.patient_id == Patient.id, NOT_TRASHED, held).exists()
    statement = select(patient_names.head()).where(way.condition, of_theirs).order_by(way.order, Patient.id)
    found = uow.session.scalars(statement.limit(MOST + 1), execution_options=TRUSTED)
    return list(dict.fromkeys(found))


def _people(uow: UnitOfWork, meant: _Meant) -> list[Person]:
    owners, nodes = _files(uow, meant)
    seen = views(uow, nodes)
    told = _Told.of(uow, seen, meant, _merged(uow, set(owners.values())))
    groups: dict[int, list[NodeView]] = {number: [] for number in (*meant.numbered, *meant.named)}
    for view in seen:
        groups.setdefault(owners.get(view.id, -view.id), []).append(view)
    mothers = _mothers(uow, [number for number, way in meant.named.items() if way == "mother"])
    return [_person(owner, group, told, mothers.get(owner)) for owner, group in groups.items() if group]


def _files(uow: UnitOfWork, meant: _Meant) -> tuple[dict[int, int], list[Node]]:
    """Node id → its patient; and the nodes, the newest stay first."""
    owners: dict[int, int] = {}
    nodes: dict[int, Node] = {}
    stays: Any = select(Node, patient_names.head())
    every = _with_stays(stays).order_by(Encounter.admitted_at.desc(), Encounter.times.desc(), Node.id)
    for patients, held in ((meant.numbered, _handled(uow)), (meant.named, uow.access.clause(P.IDENTIFY))):
        theirs = or_(Patient.id.in_(list(patients)), Patient.merged_into.in_(list(patients)))
        of_them = every.where(theirs, NOT_TRASHED, held)
        for node, patient in uow.session.execute(of_them, execution_options=TRUSTED) if patients else ():
            owners[node.id], nodes[node.id] = patient, node
    if alone := meant.nodes - set(nodes):  # documents, service files: nobody's stay
        of_nobody = select(Node).where(Node.id.in_(alone), NOT_TRASHED, _handled(uow))
        nodes |= {node.id: node for node in uow.session.scalars(of_nobody, execution_options=TRUSTED)}
    return owners, list(nodes.values())


def _merged(uow: UnitOfWork, owners: set[int]) -> dict[int, tuple[str, list[str]]]:
    """Of those who have merged numbers: the number that counts, and the others."""
    merged, survivor = aliased(Patient), aliased(Patient)
    statement = (
        select(survivor.id, survivor.mrn, merged.mrn)
        .join(merged, merged.merged_into == survivor.id)
        .where(survivor.id.in_(owners))
        .order_by(merged.mrn)
    )
    found: dict[int, tuple[str, list[str]]] = {}
    for owner, mrn, other in uow.session.execute(statement, execution_options=TRUSTED) if owners else ():
        found.setdefault(owner, (mrn, []))[1].append(other)
    return found


def _mothers(uow: UnitOfWork, patients: list[int]) -> dict[int, str]:
    """Their names, of patients who have been found by them."""
    if not patients:
        return {}
    statement = select(Patient.id, Patient.mother).where(Patient.id.in_(patients))
    return {
        number: name for number, name in uow.session.execute(statement, execution_options=TRUSTED) if name
    }


@dataclass(frozen=True)
class _Told:
    """What is read once for all files."""

    volumes: dict[int, list[Trace]]
    pages: dict[int, int]
    carriers: dict[int, str]
    departments: dict[int, str]
    sexes: dict[str, str]
    meant: _Meant
    merged: dict[int, tuple[str, list[str]]]

    @classmethod
    def of(
        cls,
        uow: UnitOfWork,
        seen: Sequence[NodeView],
        meant: _Meant,
        merged: dict[int, tuple[str, list[str]]],
    ) -> "_Told":
        return cls(
            tracers.traces(uow, seen), tracers.pages(uow, seen), holdings.carriers_of(uow, seen),
            actors.department_names(uow.session), policies.vocabulary(uow, "sex"), meant,
            merged,
        )  # fmt: skip

    def file(self, view: NodeView) -> File:
        number, dept = view.id, _value(view, "dept")
        in_stay = self.meant.times is not None and self.meant.times == view.times
        return File(
            node=view, left_on=_value(view, "discharged_on") or _value(view, "date_from"),
            dept=self.departments.get(int(str(dept)), "") if dept else "", carrier=self.carriers.get(number),
            volumes=self.volumes.get(number, []), pages=self.pages.get(number, 0),
            is_meant=number in self.meant.nodes or in_stay,
        )  # fmt: skip


def _value(view: NodeView, name: str) -> object:
    """A field's value at its tier; nothing where the type has no such field."""
    return view.value(name) if view.type and any(field.name == name for field in view.type.fields) else None


def _person(owner: int, group: Iterable[NodeView], told: _Told, mother: str | None) -> Person:
    files = [told.file(view) for view in group]
    titles = [
        file.node.title for file in files
    ]  # each title notes its file as shown, before the event is written
    told_of = [file.node for file, title in zip(files, titles, strict=True) if title] or [files[0].node]
    mrn, others = told.merged.get(owner, (told_of[0].mrn, []))
    first = next((node for node in told_of if node.mrn == mrn), told_of[0])
    if mrn not in {file.node.mrn for file in files}:  # nothing under the number that counts is theirs to know
        mrn, others = first.mrn, []
    return Person(
        mrn=mrn, merged=tuple(others), name=first.person if first.mrn else first.title,
        sex=told.sexes.get(str(_value(first, "sex")), ""), birth=_value(first, "birth"),
        mother=masked(mother) if mother and not first.can(P.UNMASK) else mother, files=files,
    )  # fmt: skip
