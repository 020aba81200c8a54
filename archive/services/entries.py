"""著录条目: what the index is told of a node, and the same texts again where a search must look closer."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, bindparam, select

from archive.at_once import read_at_once
from archive.index_fields import SEARCHED, TIER
from archive.models import TEXT_OF_PAGE, Node, Page, PageText
from archive.names import readings
from archive.policy.permissions import TIERS, P
from archive.policy.rights import Overlay
from archive.policy.types import INHERITING, TYPES
from archive.schema import Field, Kind
from archive.services import holdings, policies
from archive.uow import IDS, UnitOfWork
from index import JOINT, Change, Drop, Put, TextsOf, Value

TRUSTED: Any = {"scope": "entries"}
PERSONS = tuple({field.name: None for kind in TYPES.values() for field in kind.fields if field.personal})


def searchable() -> ColumnElement[bool]:
    """Which nodes have a document: files and items that lie neither in the trash nor were destroyed."""
    kinds = [kind.name for kind in SEARCHED]
    return Node.type.in_(kinds) & (Node.overlay < Overlay.TRASHED) & (Node.state != "destroyed")


def documents(uow: UnitOfWork, ids: Sequence[int]) -> Iterator[Change]:
    """For each id the document as it is now, or that there is none. For the program itself, across all content."""
    for start in range(0, len(ids), IDS):
        part = ids[start : start + IDS]
        nodes = {
            node.id: node for node in uow.session.scalars(select(Node).where(Node.id.in_(part), searchable()))
        }
        texts = page_texts(uow, [node.id for node in nodes.values() if node.page_count])
        beside = _beside(uow, nodes.values())
        for number in part:
            node = nodes.get(number)
            if node is None:
                yield Drop(number)
            else:
                yield Put(number, node.revision, _values(uow, node, texts.get(number)) | beside[number])


def _beside(uow: UnitOfWork, nodes: Collection[Node]) -> dict[int, dict[str, Value]]:
    """What stands in other rows than the node's own: its carriers; of an item the period of its file, and where that lies."""
    carriers = holdings.carriers_of(uow, nodes)
    above = {node.parent_id for node in nodes if node.type in INHERITING}
    rows = select(Node.id, Node.retention_rule, Node.parent_id).where(Node.id.in_(above))
    files = {row.id: row for row in uow.session.execute(rows, execution_options=TRUSTED)}
    found: dict[int, dict[str, Value]] = {}
    for node in nodes:
        file = files.get(node.parent_id, node)
        said = {
            "carrier": carriers.get(node.id), "retention": node.retention_rule or file.retention_rule,
            "file": file.id, "folder": file.parent_id,
        }  # fmt: skip
        found[node.id] = {name: value for name, value in said.items() if value}
    return found


def page_texts(uow: UnitOfWork, numbers: Sequence[int]) -> dict[int, str]:
    """The text of all pages of some nodes, in their order. The caller has checked the nodes."""
    rows = (
        select(Page.node_id, PageText.text)
        .join(PageText, TEXT_OF_PAGE)
        .where(Page.node_id.in_(numbers))
        .order_by(Page.node_id, Page.ordinal)
    )
    return _joined(uow.session.execute(rows, execution_options=TRUSTED))


def _joined(rows: Iterable[Sequence[Any]]) -> dict[int, str]:
    pages: dict[int, list[str]] = {}
    for number, text in rows:
        pages.setdefault(number, []).append(text)
    return {number: JOINT.join(texts) for number, texts in pages.items()}


def texts_of(uow: UnitOfWork) -> TextsOf:
    """Where the index looks up whether words stand together: in the text itself, as far as the actor holds it."""
    looks: dict[str, Callable[[list[int]], dict[int, str]]] = {}

    def look(numbers: Sequence[int], name: str) -> Mapping[int, str]:
        if name not in looks:  # made once: a search asks several times
            looks[name] = _readable_texts(uow) if name == "text" else _field_texts(uow, name)
        found: dict[int, str] = {}
        for start in range(0, len(numbers), IDS):
            found |= looks[name](list(numbers[start : start + IDS]))
        return found

    return look


_SOME = Node.id.in_(bindparam("numbers", expanding=True))


def _readable_texts(uow: UnitOfWork) -> Callable[[list[int]], dict[int, str]]:
    """The text of all pages of nodes, as far as the actor may read it; checked and read in one statement."""
    rows = (
        uow.nodes(P.READ, Node.id, Page.ordinal, PageText.text)
        .join(Page, Page.node_id == Node.id)
        .join(PageText, TEXT_OF_PAGE)
        .where(_SOME)
    )

    def look(numbers: list[int]) -> dict[int, str]:
        found = sorted(read_at_once(uow.session, rows, {"numbers": numbers}, scope=P.READ.value))
        return _joined((number, text) for number, _ordinal, text in found)

    return look


def _field_texts(uow: UnitOfWork, name: str) -> Callable[[list[int]], dict[int, str]]:
    """A field of nodes, as far as the actor holds its tier. Not of whole nodes: those took longer than all else of a search."""
    fields = {kind.name: field for kind in SEARCHED for field in kind.fields if field.name == name}
    first = next(iter(fields.values()))
    # As a string: to read each as JSON took longer than all else of it.
    told = getattr(Node, first.column) if first.column else Node.data[name].as_string()
    needs = TIERS[TIER[first.tier]]
    rows = uow.nodes(needs, Node.id, Node.type, told.label("told")).where(_SOME)

    def look(numbers: list[int]) -> dict[int, str]:
        held = read_at_once(uow.session, rows, {"numbers": numbers}, scope=needs.value)
        values = {number: _said(uow, fields[kind], raw) for number, kind, raw in held if kind in fields}
        return {number: value for number, value in values.items() if isinstance(value, str)}

    return look


def _values(uow: UnitOfWork, node: Node, text: str | None) -> dict[str, Value]:
    values: dict[str, Value | None] = {
        "numbers": _numbers(node), "type": node.type, "dept": str(node.dept_id or ""), "state": node.state,
        "year": node.year, "date": node.date_to or node.date_from, "pinyin": _pinyin(node), "text": text,
        "level": str(node.level),
    }  # fmt: skip
    for field in TYPES[node.type].fields:
        if field.indexed:
            values[field.name] = value_of(uow, node, field)
    return {name: value for name, value in values.items() if value not in (None, "", ())}


def _numbers(node: Node) -> tuple[str, ...]:
    """The first is what hits are sorted by."""
    mrn, times = node.data.get("mrn"), node.data.get("times")
    stay = (node.title_key, f"{mrn}-{times}") if mrn else ()
    return (*stay, node.archival_no) if node.archival_no else stay


def _pinyin(node: Node) -> tuple[str, ...]:
    names = [str(node.data[name]) for name in PERSONS if node.data.get(name)]
    return tuple(reading for name in names for reading in readings(name))


def value_of(uow: UnitOfWork, node: Node, field: Field) -> Value | None:
    """What is indexed of one field: a choice by its words, in both languages."""
    return _said(uow, field, getattr(node, field.column) if field.column else node.data.get(field.name))


def _said(uow: UnitOfWork, field: Field, raw: Any) -> Value | None:
    if raw in (None, ""):
        return None
    if field.kind is Kind.CHOICE:
        return JOINT.join(_words(uow, field, str(raw)))
    if field.kind is Kind.NUMBER:
        return int(raw) if str(raw).lstrip("-").isdecimal() else None
    if field.kind is Kind.DATE:
        return raw if isinstance(raw, date) else date.fromisoformat(str(raw))
    text = str(raw).replace("\x1f", " ")
    return tuple(text.split(JOINT)) if field.kind is Kind.CODE and JOINT in text else text


def _words(uow: UnitOfWork, field: Field, code: str) -> Iterable[str]:
    label = policies.terms(uow, field.vocabulary or "").get(code, {"zh": code})
    return dict.fromkeys(filter(None, (label.get("zh"), label.get("en"))))
