"""What one person sees of a node: each field only at its tier, and whoever was identified is noted for the journal."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

from sqlalchemy import select

from archive.i18n import _
from archive.models import ROOT_ID, Node
from archive.names import masked
from archive.policy.permissions import P
from archive.policy.rights import Overlay
from archive.policy.types import TYPES
from archive.policy.workflows import WORKFLOWS
from archive.schema import Field, Kind, Tier
from archive.services import actors, policies
from archive.uow import UnitOfWork

PARENTS = frozenset(parent for kind in TYPES.values() for parent in kind.parents)
AT = {Tier.DISCOVER: P.DISCOVER, Tier.IDENTIFY: P.IDENTIFY, Tier.READ: P.READ}


@dataclass(frozen=True)
class Chip:
    """A state as it is shown: word, colour and shape."""

    name: str
    label: str
    kind: str


@dataclass(frozen=True)
class Shown:
    """A field with the value that this person may know."""

    field: Field
    value: object
    text: str


class NodeView:
    """A node as one actor sees it. Templates get nothing else of a node."""

    carrier: str | None = None
    """paper, electronic or dual, where the page has asked for it."""

    def __init__(self, uow: UnitOfWork, node: Node) -> None:
        self._uow, self._node = uow, node
        self.type = TYPES.get(node.type)
        self.may: frozenset[P] = uow.access.permissions(node)

    def __repr__(self) -> str:
        return f"<NodeView {self._node.id}>"

    @property
    def id(self) -> int:
        return self._node.id

    @property
    def uuid(self) -> str:
        return str(self._node.uuid)

    @property
    def version(self) -> int:
        return self._node.version

    @property
    def number(self) -> str | None:
        return self._node.archival_no

    @property
    def mrn(self) -> str | None:
        return self._node.data.get("mrn")

    @property
    def times(self) -> int | None:
        return self._node.data.get("times")

    @property
    def stay(self) -> str | None:
        """病案号-次: what people say; of the tier discover."""
        return f"{self.mrn}-{self.times}" if self.mrn else None

    @cached_property
    def title(self) -> str | None:
        """The title for whoever may identify; the name masked where they may not unmask; nothing below that."""
        if P.IDENTIFY not in self.may:
            return None
        self._uow.saw(self._node)
        if not self.mrn:
            return self._node.title
        parts = [
            self.stay or "",
            self.person or "",
            str(self._node.data.get("discharged_on") or _("in hospital")),
        ]
        return " · ".join(parts)

    @property
    def label(self) -> str:
        """What stands on a link: the title, else the number that may be known, else the type."""
        return self.title or self.stay or self.number or self.type_label

    @property
    def code(self) -> str:
        """What stands in the title of a window, which browsers keep: a number, of a folder its title, no name of a person."""
        return self.stay or self.number or (self.label if self.is_container else self.type_label)

    @property
    def person(self) -> str | None:
        """The patient's name, masked unless it may be unmasked."""
        if P.IDENTIFY not in self.may or not (name := self._node.data.get("patient_name")):
            return None
        self._uow.saw(self._node)
        return str(name) if P.UNMASK in self.may else masked(str(name))

    @cached_property
    def href(self) -> str:
        return href(self._uow, self._node)

    @property
    def icon(self) -> str:
        return self.type.icon if self.type else "folder"

    @property
    def type_label(self) -> str:
        return str(self.type.label) if self.type else ""

    @property
    def is_container(self) -> bool:
        return self._node.workflow == "container"

    @property
    def workflow(self) -> str:
        return self._node.workflow

    @property
    def holds_items(self) -> bool:
        """Whether anything can lie in it: containers, and files with their items."""
        return self.is_container or self._node.type in PARENTS

    @property
    def is_trashed(self) -> bool:
        return self._node.trashed_at is not None

    @property
    def is_sealed(self) -> bool:
        """封存: the original lies in a sealed package, its own or that of what it belongs to."""
        return self._node.overlay == Overlay.SEALED

    @property
    def state(self) -> Chip:
        """The state of the workflow; of a record whose original is sealed, that it is."""
        state = WORKFLOWS[self._node.workflow].state(self._node.state)
        if self.is_sealed:
            return Chip(state.name, _("Sealed"), "seal")
        return Chip(state.name, str(state.title), state.look)

    @property
    def level(self) -> int:
        return self._node.level

    @property
    def page_count(self) -> int:
        return self._node.page_count

    @property
    def retain_until(self) -> Any:
        return self._node.retain_until

    @property
    def date_from(self) -> Any:
        return self._node.date_from

    @property
    def year(self) -> int | None:
        return self._node.year

    @property
    def discharged_on(self) -> Any:
        """The day of discharge of a record; of the tier discover."""
        return self._node.date_to if self._node.type == "medical_record" else None

    @property
    def dept_id(self) -> int | None:
        """The department; of the tier discover."""
        return self._node.dept_id

    @property
    def updated_at(self) -> Any:
        return self._node.updated_at

    def can(self, permission: str) -> bool:
        return P(permission) in self.may

    def value(self, name: str) -> object:
        """The raw value of a field at its tier, or nothing."""
        field = self.type.field(name) if self.type else None
        return self._value(field) if field else None

    def _value(self, field: Field) -> object:
        if AT[field.tier] not in self.may:
            return None
        value = getattr(self._node, field.column) if field.column else self._node.data.get(field.name)
        if value in (None, ""):
            return None
        if field.tier is not Tier.DISCOVER:
            self._uow.saw(self._node)
        return discreet(self.may, field, value)

    @property
    def fields(self) -> list[Shown]:
        """Every field that has a value this person may know, in the order of the type."""
        return list(self._told(self.type.fields if self.type else ()))

    def some(self, names: Collection[str]) -> list[Shown]:
        """The same of some fields, in the order of the type."""
        fields = self.type.fields if self.type else ()
        return list(self._told(field for field in fields if field.name in names))

    def _told(self, fields: Iterable[Field]) -> Iterator[Shown]:
        return (shown for field in fields if (shown := self._shown(field)))

    def _shown(self, field: Field) -> Shown | None:
        value = self._value(field)
        return None if value is None else Shown(field, value, words(self._uow, field, value))


def discreet(may: Collection[P], field: Field | None, value: object) -> object:
    """A value as whoever holds `may` is told it: names are masked without person.unmask."""
    return masked(str(value)) if value and field and field.personal and P.UNMASK not in may else value


def words(uow: UnitOfWork, field: Field | None, value: object) -> str:
    """A value as it is said: the label of a code, the name of a department."""
    if value in (None, ""):
        return ""
    if field and field.kind is Kind.CHOICE and field.vocabulary:
        return policies.vocabulary(uow, field.vocabulary).get(str(value), str(value))
    if field and field.kind is Kind.DEPT:
        return actors.department_names(uow.session).get(int(str(value)), "")
    return str(value)


def views(uow: UnitOfWork, nodes: Iterable[Node]) -> list[NodeView]:
    """The nodes as the actor sees them; classes and slugs are read once for all of them."""
    found = list(nodes)
    uow.access.prepare(found)
    _learn_slugs(uow, found)
    return [NodeView(uow, node) for node in found]


_ALPHABET = {character: value for value, character in enumerate("0123456789abcdefghjkmnpqrstvwxyz")}


def ids_of(path: str) -> list[int]:
    """The ids along a path, from the root."""
    ids = []
    for part in path.rstrip("/").split("/"):
        number = 0
        for character in part:
            number = number * 32 + _ALPHABET[character]
        ids.append(number)
    return ids


def _slugs(uow: UnitOfWork) -> dict[int, tuple[str, str]]:
    known: dict[int, tuple[str, str]] = uow.session.info.setdefault("slugs", {ROOT_ID: ("", "root")})
    return known


def _learn_slugs(uow: UnitOfWork, nodes: Sequence[Node]) -> dict[int, tuple[str, str]]:
    known = _slugs(uow)
    read = chain(nodes, *uow.lineage.values())
    known |= {node.id: (node.slug, node.type) for node in read}
    missing = {number for node in nodes for number in ids_of(node.path)} - set(known)
    if missing:
        rows = uow.session.execute(
            select(Node.id, Node.slug, Node.type).where(Node.id.in_(missing)),
            execution_options={"scope": "slugs"},
        )
        known |= {number: (slug, kind) for number, slug, kind in rows}
    return known


def href(uow: UnitOfWork, node: Node) -> str:
    """Where the node is: `/a/<slug>/…`. Slugs carry no names, so the way to a node discloses nothing."""
    known, way = _slugs(uow), ids_of(node.path)
    if not all(number in known for number in way):
        known = _learn_slugs(uow, [node])
    return "/a/" + "/".join(known[number][0] for number in way[1:])


def parent_of(uow: UnitOfWork, node: Node) -> NodeView | None:
    """The node above, if there is one that the actor may discover."""
    above = ids_of(node.path)[1:-1]
    found = uow.list(uow.nodes(P.DISCOVER).where(Node.id == above[-1])) if above else []
    return NodeView(uow, found[0]) if found else None


def crumbs(uow: UnitOfWork, node: Node) -> list[tuple[str, str]]:
    """(label, href) of the ancestors that the actor may discover, from the top."""
    above = ids_of(node.path)[1:-1]
    if not above:
        return []
    if node.id in uow.lineage:
        found = [one for one in reversed(uow.lineage[node.id][1:]) if uow.can(P.DISCOVER, one)]
    else:
        found = uow.list(uow.nodes(P.DISCOVER).where(Node.id.in_(above)).order_by(Node.depth))
    return [(view.label, view.href) for view in views(uow, found)]
