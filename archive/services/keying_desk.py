"""著录台 as it is shown: what is to be keyed, the image of the front page, and what two people keyed side by side."""

from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.orm import aliased

from archive.errors import Conflict, NotFound
from archive.i18n import _
from archive.journal import Event
from archive.models import BatchVolume, Keying, Node, Principal
from archive.policy.permissions import P
from archive.policy.types import INHERITING, TYPES
from archive.services import keying, pages, policies, viewer
from archive.services.scanning import batches
from archive.sight import NodeView, href, views, words
from archive.uow import UnitOfWork

FRONT = "SY"
"""住院病案首页 among the kinds of components (domain §4)."""
SIDES = 4
"""A front page and what may belong to it: its back, and a sheet that was added."""
LISTED = 100
FIRST, AGAIN, DECIDE, OWN = "first", "again", "decide", "own"
ORDER = (FIRST, AGAIN, DECIDE, OWN)
"""What can be done with a record here, in the order in which it is offered; `own` waits for another person."""


@dataclass(frozen=True)
class Waiting:
    """A record that is to be keyed: what is to be done with it, and who keyed it first."""

    node: NodeView
    task: str
    by: str | None
    at: datetime | None


@dataclass(frozen=True)
class Sheet:
    """One side of the front page. Of the first its reading is written down with the page that shows it."""

    href: str
    page: pages.PageView
    ticket: str | None


@dataclass(frozen=True)
class Keyed:
    """One value of a difference: whose, when, and its characters with those marked that the other lacks."""

    whose: str
    by: str | None
    value: str
    parts: list[tuple[str, bool]]


@dataclass(frozen=True)
class Difference:
    """双录不一致: one field on which two people differ."""

    name: str
    label: str
    sides: list[Keyed]


def waiting(uow: UnitOfWork, *, batch: str = "", task: str = "") -> list[Waiting]:
    """What the actor may key, those that nobody has keyed yet first; of a batch, or one kind of task alone.

    Raises NotFound for a batch that the actor may not know of.
    """
    what = _task(uow)
    statement = _open(uow, batch, Node, what, Principal.name, Keying.first_at).outerjoin(
        Principal, Principal.id == Keying.first_by_id
    )
    if task in ORDER:
        statement = statement.where(what == ORDER.index(task))
    rows = uow.session.execute(statement.order_by(what, Node.id).limit(LISTED)).all()
    seen = views(uow, [row[0] for row in rows])
    return [
        Waiting(view, ORDER[number], by, at) for view, (_node, number, by, at) in zip(seen, rows, strict=True)
    ]


def counts(uow: UnitOfWork, *, batch: str = "") -> dict[str, int]:
    """How many records wait for each task."""
    what = _task(uow)
    found = dict(uow.session.execute(_open(uow, batch, what, func.count(Node.id)).group_by(what)).all())
    return {task: found.get(number, 0) for number, task in enumerate(ORDER)}


def next_after(uow: UnitOfWork, node: Node, *, task: str, batch: str = "") -> Node | None:
    """The next record with something to do for the actor: of the same task first, behind this one first."""
    what = _task(uow)
    same, behind = case((what == ORDER.index(task), 0), else_=1), case((Node.id > node.id, 0), else_=1)
    statement = _open(uow, batch, Node).where(Node.id != node.id, what != ORDER.index(OWN))
    found: Node | None = uow.session.scalar(statement.order_by(same, what, behind, Node.id).limit(1))
    return found


def task_of(uow: UnitOfWork, node: Node) -> str:
    """What the actor can do with this record now. Raises what `keying.require` does."""
    rule, row = keying.require(uow, node), keying.of(uow, node)
    if row is None or row.state == keying.DONE:
        return FIRST
    if row.state == keying.DIFFERS:
        return DECIDE
    return OWN if keying.is_own(uow, rule, row) else AGAIN


def _task(uow: UnitOfWork) -> ColumnElement[int]:
    """Where a record stands for the actor, as its place in ORDER."""
    mine: Any = Keying.first_by_id == uow.actor.principal_id
    if not policies.in_force(uow, "keying").body["second"]["other_person"]:
        mine = Keying.node_id.is_(None)
    return case((Keying.node_id.is_(None), 0), (Keying.state == keying.DIFFERS, 2), (mine, 3), else_=1)


def _open(uow: UnitOfWork, batch: str, *entities: Any) -> Any:
    """Over records with pages that the actor may edit and read and that are not done."""
    item = aliased(Node)
    inside = exists().where(item.parent_id == Node.id, item.type.in_(INHERITING), item.page_count > 0)
    statement = (
        uow.nodes(P.EDIT, *entities)
        .select_from(Node)
        .outerjoin(Keying, Keying.node_id == Node.id)
        .where(
            uow.access.clause(P.READ), Node.type.in_(keying.types(uow)), Node.state.in_(keying.STATES),
            Node.trashed_at.is_(None), or_(Node.page_count > 0, inside),
            or_(Keying.node_id.is_(None), Keying.state != keying.DONE),
        )
    )  # fmt: skip
    if batch:
        found = batches.find(uow, batch)
        statement = statement.where(
            Node.id.in_(select(BatchVolume.node_id).where(BatchVolume.batch_id == found.id))
        )
    return statement


def shown(uow: UnitOfWork, node: Node) -> dict[str, str]:
    """What stands in the fields at first: what the record says; whoever keyed it already finds what they keyed."""
    row, values = keying.of(uow, node), keying.now(uow, node)
    mine = row is not None and row.state == keying.ONCE and row.first_by_id == uow.actor.principal_id
    return values | row.first if row is not None and mine else values


def sheets(uow: UnitOfWork, node: Node) -> list[Sheet]:
    """The front page and what follows it in the same item; the reading of the first is written down. Raises Conflict."""
    target, ordinal = _front(uow, node)
    uow.read(uow.event_about(target, Event("page.viewed", words={"page": ordinal, "keying": True})))
    address, found = href(uow, target), []
    for number in range(ordinal, min(ordinal + SIDES, target.page_count + 1)):
        ticket = pages.ticket(uow, target, number) if number == ordinal else None
        found.append(Sheet(address, pages.one(uow, target, number), ticket))
    return found


def _front(uow: UnitOfWork, node: Node) -> tuple[Node, int]:
    """The first page of the component that is the front page, else the first page of the record."""
    inside = and_(
        Node.parent_id == node.id, Node.type == "component", Node.page_count > 0, Node.trashed_at.is_(None)
    )
    front = uow.nodes(P.READ).where(inside, Node.data["component"].as_string() == FRONT)
    found: Node | None = uow.session.scalar(front.order_by(Node.position, Node.id).limit(1))
    if found is not None:
        return found, 1
    try:
        return viewer.address(uow, node, 1)
    except NotFound as error:
        raise Conflict(_("There is no page here yet from which it could be keyed.")) from error


def differences(uow: UnitOfWork, node: Node) -> list[Difference]:
    """What two people keyed, and what the record says, for each field that has to be decided."""
    row = keying.of(uow, node)
    if row is None or row.state != keying.DIFFERS:
        return []
    people = select(Principal.id, Principal.name).where(Principal.id.in_((row.first_by_id, row.second_by_id)))
    names: dict[int | None, str] = dict(uow.session.execute(people).all())
    found = []
    for name in keying.differing(uow, node, row):
        field, values = TYPES[node.type].field(name), (row.first[name], row.second[name])
        said = [words(uow, field, value) for value in values]
        sides = [
            Keyed("first", names.get(row.first_by_id), values[0], _marked(said[0], said[1])),
            Keyed("second", names.get(row.second_by_id), values[1], _marked(said[1], said[0])),
        ]
        now = keying.now(uow, node)[name]
        if now and now not in values:
            sides.append(Keyed("record", None, now, [(words(uow, field, now), False)]))
        found.append(Difference(name, str(field.label), sides))
    return found


def _marked(text: str, other: str) -> list[tuple[str, bool]]:
    """The text in pieces, and whether each is not in the other."""
    alike = SequenceMatcher(None, text, other, autojunk=False).get_opcodes()
    return [(text[start:end], act != "equal") for act, start, end, _from, _to in alike if end > start]
