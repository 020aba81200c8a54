"""A plan of an import: which file, which kind, which columns; and the loader that carries it out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from archive.errors import Conflict, Forbidden, Invalid, NotFound
from archive.i18n import Lazy, _
from archive.models import Node
from archive.policy.permissions import P
from archive.policy.types import TYPES
from archive.services import tree
from archive.services.imports import kinds, mapping
from archive.services.imports.discharges import Discharges
from archive.services.imports.kinds import ImportKind
from archive.services.imports.mapping import Heading
from archive.services.imports.numbered import Numbered
from archive.services.imports.patients import Patients
from archive.services.imports.people import Departments, Staff
from archive.services.imports.reading import Table
from archive.services.imports.rows import Loader, Reader
from archive.uow import UnitOfWork

SAMPLE = 5
RECORDS = "medical_record"


@dataclass(frozen=True)
class Plan:
    """导入方案: what the person has chosen. It travels in the arguments of the job."""

    kind: str
    token: str
    category: str | None = None
    """The uuid of the category, where the kind goes into one."""
    said: Mapping[str, int | None] = field(default_factory=dict)
    digits: int | None = None
    filename: str = ""

    def as_args(self) -> dict[str, Any]:
        return {
            "kind": self.kind, "token": self.token, "filename": self.filename, "category": self.category,
            "said": dict(self.said), "digits": self.digits,
        }  # fmt: skip

    @classmethod
    def of_args(cls, args: Mapping[str, Any]) -> Self:
        return cls(
            args["kind"], args["token"], args["category"], args["said"], args["digits"], args["filename"]
        )


@dataclass(frozen=True)
class Layout:
    """What a file looks like by a plan: its headings, the columns found, some rows, and what is still missing."""

    kind: ImportKind
    heading: Heading
    mapped: Mapping[str, int]
    sample: list[tuple[int, list[str]]]
    missing: list[str]


@dataclass(frozen=True)
class Choice:
    """One kind of import that a person may use."""

    name: str
    label: Lazy
    about: Lazy
    categories: list[tuple[str, str]]
    """(uuid, title) of the categories that it may go into; empty where it goes into none."""


def choices(uow: UnitOfWork) -> list[Choice]:
    """What this person may import, and into which categories."""
    found = []
    open_to = _categories(uow) if uow.can(P.ADD) else []
    for kind in kinds.KINDS.values():
        into = [(str(node.uuid), node.title) for node in open_to if node.data.get("type") in kind.types]
        if into if kind.types else uow.can(kind.needs):
            found.append(Choice(kind.name, kind.label, kind.about, into))
    return found


def _categories(uow: UnitOfWork) -> list[Node]:
    found = uow.list(uow.nodes(P.ADD).where(Node.type == "category").order_by(Node.path))
    return [
        node
        for node in found
        if (kind := TYPES.get(node.data.get("type", ""))) and tree.may_describe(uow, kind)
    ]


def entitled(uow: UnitOfWork, plan: Plan) -> Node | None:
    """The category that the plan goes into, or nothing. Raises Forbidden or NotFound for whoever may not import it."""
    kind = kinds.KINDS.get(plan.kind)
    if kind is None:
        raise NotFound
    if not kind.types:
        uow.require(kind.needs)
        return None
    into = [node for node in _categories(uow) if node.data.get("type") in kind.types]
    chosen = [node for node in into if str(node.uuid) == plan.category] or (into if not plan.category else [])
    if not chosen:
        raise Forbidden
    if len(chosen) > 1:
        raise Invalid(fields={"category": _("Choose the category that it goes into.")})
    return chosen[0]


def kind_of(uow: UnitOfWork, plan: Plan) -> ImportKind:
    """The kind of a plan with the columns of its category. Raises as `entitled` does."""
    category = entitled(uow, plan)
    return kinds.kind_of(plan.kind, category.data.get("type") if category else None)


def layout(uow: UnitOfWork, plan: Plan, table: Table) -> Layout:
    """How the plan reads the file. Raises Invalid for a file without rows."""
    kind = kind_of(uow, plan)
    heading = mapping.heading_of(kind, table.rows())
    if heading is None:
        raise Invalid(fields={"file": _("There is nothing in this file. Choose the one with the rows.")})
    mapped = mapping.chosen(kind, mapping.guess(kind, heading.names), plan.said)
    sample = [row for row, _place in zip(_below(heading, table), range(SAMPLE), strict=False)]
    return Layout(
        kind, heading, mapped, sample, [str(column.label) for column in mapping.missing(kind, mapped)]
    )


def _below(heading: Heading, table: Table) -> Iterator[tuple[int, list[str]]]:
    return ((number, cells) for number, cells in table.rows() if number > heading.row)


def total(heading: Heading, table: Table) -> int:
    """How many rows there are below the headings."""
    return sum(1 for _row in _below(heading, table))


def loader(uow: UnitOfWork, plan: Plan, found: Layout) -> Loader:
    """What carries the plan out. Raises Conflict while a column that must be there is missing."""
    if found.missing:
        raise Conflict(_("Say which column is: %(names)s.", names="、".join(found.missing)))
    reader = Reader(found.kind, found.heading, found.mapped, plan.digits)
    category = entitled(uow, plan)
    if category is None:
        return Departments(reader) if plan.kind == "departments" else Staff(reader)
    if plan.kind == "patients":
        return Patients(reader)
    if plan.kind == "discharges":
        return Discharges(reader, category.id)
    return Numbered(reader, category.id, str(category.data["type"]))


def rows_below(found: Layout, table: Table) -> Iterator[tuple[int, list[str]]]:
    """The rows that are brought in, with their numbers."""
    return _below(found.heading, table)
