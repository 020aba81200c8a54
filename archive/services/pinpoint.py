"""按号码、姓名直达: what people call a thing, looked up in the database itself, each name at its own tier."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Select, func, literal, select, union_all

from archive import spelling
from archive.index_fields import SEARCHED
from archive.models import Container, Encounter, Holding, Node, Patient, Record
from archive.numbering import normalised
from archive.policy.permissions import P
from archive.services import patient_names
from archive.services.entries import searchable
from archive.uow import UnitOfWork

MOST = 50
SHORTEST, LONGEST = 2, 120
FOUND = frozenset(kind.name for kind in SEARCHED)
SIGNS = frozenset(':："“”')
"""No name has them: what has one is a search in the language of the search box."""


def by_number(uow: UnitOfWork, text: str, needs: P = P.DISCOVER) -> list[Node]:
    """What has exactly this 档号, barcode, 病案号 (with or without 次) or old number, as far as one may know of it, or holds
    another right on it.

    Every number has a figure in it, if only 一: words without one cost nothing. A page asks several times.
    """
    typed = text.strip()
    if not SHORTEST <= len(typed) <= LONGEST or not any(map(str.isnumeric, typed)):
        return []
    return uow.once(
        ("by number", typed, needs), lambda: _in_turn(uow, needs, union_all(*_numbered(typed)), MOST)
    )


def _numbered(typed: str) -> Iterator[Select[Any]]:
    for turn, way in enumerate(_numbers(typed)):
        yield way.add_columns(literal(turn).label("turn"))


def _numbers(typed: str) -> Iterator[Select[Any]]:
    yield select(Node.id.label("id")).where(Node.archival_no == normalised(typed))
    code = patient_names.folded(typed)
    yield select(Holding.node_id).where(Holding.barcode == code)
    boxed = select(Holding.node_id).join(Container, Container.id == Holding.container_id)
    yield boxed.where(Container.barcode == code)  # in one condition SQLite would look at every volume
    way, times = patient_names.by_number(typed), patient_names.times_of(typed)
    stays = records_of(way.condition)
    yield stays.where(Encounter.times == times) if times is not None else stays


def by_name(uow: UnitOfWork, text: str, most: int = MOST) -> list[Node]:
    """Records of patients whom one may identify: whose name begins so, in characters, pinyin or initials, then whose
    mother's or former name does; or who have exactly this identity number."""
    typed = text.strip()
    may_be = (
        SHORTEST <= len(typed) <= LONGEST and SIGNS.isdisjoint(typed) and uow.actor.might(P.IDENTIFY, FOUND)
    )
    ways = [way.meant for way in patient_names.by_name(uow.site.keys, typed)] if may_be else []
    if spelling.letters(typed) is None:
        return _of_people(uow, ways, most)
    # Initials mean thousands of people, and as many mothers: those are not asked for where names alone fill the list.
    found: dict[int, Node] = {}
    for way in ways:
        for node in _of_people(uow, [way], most) if len(found) < most else ():
            found.setdefault(node.id, node)
    return list(found.values())[:most]


def _of_people(uow: UnitOfWork, who: Sequence[ColumnElement[bool]], most: int) -> list[Node]:
    """The records of patients who meet the conditions, in turn."""
    if not who:
        return []
    meant = patient_names.in_turn(who).subquery()
    stays = select(Record.node_id.label("id"), meant.c.turn).join_from(
        meant, Encounter, Encounter.patient_id == meant.c.id
    )
    return _in_turn(uow, P.IDENTIFY, stays.join(Record, Record.encounter_id == Encounter.id), most)


def _in_turn(uow: UnitOfWork, needs: P, given: Select[Any] | CompoundSelect[Any], most: int) -> list[Node]:
    """The nodes of rows of ids with the number of a turn: those of the first turn before all others, the newest first."""
    each = given.subquery()
    first = select(each.c.id, func.min(each.c.turn).label("turn")).group_by(each.c.id).subquery()
    statement = uow.nodes(needs).join(first, first.c.id == Node.id).where(searchable())
    newest = statement.order_by(first.c.turn, Node.date_from.desc(), Node.id.desc())
    nodes: list[Node] = uow.list(newest.limit(most))
    return nodes


def records_of(who: ColumnElement[bool]) -> Select[Any]:
    """The nodes of the records of patients who meet the condition."""
    stays = select(Record.node_id).join(Encounter, Encounter.id == Record.encounter_id)
    return stays.join(Patient, Patient.id == Encounter.patient_id).where(who)
