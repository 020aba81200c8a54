"""是否要找: other names, like the one that was typed, of patients whom one may identify. No name, no suggestion."""

import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, not_, or_, select

from archive import spelling
from archive.journal import Event
from archive.models import Encounter, Node, Patient, Record
from archive.names import SURNAMES, name_key
from archive.policy.permissions import P
from archive.schema import clean
from archive.services.entries import searchable
from archive.services.patient_names import begins
from archive.sight import NodeView
from archive.uow import UnitOfWork

MOST = 5
FEW = 3
"""Whoever is shown so many records of that very name needs no other one."""
HAN = "[\u3400-\u9fff\U00020000-\U000323af]"
NAME = re.compile(rf"{HAN}{{2,4}}|{HAN}\s+{HAN}")
"""Forms set a name of two characters with a gap between them."""
LETTERS = range(4, 25)
"""So many letters of pinyin: fewer are initials or a syllable."""
ENOUGH = 3
"""Of a shorter name one character off is half of the name, and anybody."""
FREQUENT = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金"
    "韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常"
)
"""The hundred most frequent surnames: for a surname that was typed wrongly, since no index begins behind it."""


def of(uow: UnitOfWork, typed: str) -> tuple[str, ...]:
    """Up to MOST names that are not what was typed: those that sound the same, then those of sounds that are taken for
    one another, then those with one other character. Only names that the actor may read unmasked, each once.
    """
    text = clean(typed)
    found: dict[str, int] = {}
    for way in _ways(text):
        if len(found) < MOST:
            found |= dict(
                uow.session.execute(_called(uow, way, [text, *found]).limit(MOST - len(found))).all()
            )
    told = _told(uow, found)
    if told:
        shown = tuple(sorted(found[name] for name in told))
        uow.read(Event("search.suggested", shown=shown, words={"query": text}))
    return told


def _ways(text: str) -> Iterator[ColumnElement[bool]]:
    """Conditions on patients, the likeliest first, each over ranges of an index; none for what is no name."""
    if NAME.fullmatch(text):
        name = re.sub(r"\s+", "", text)
        read, others = name_key(name).split()[0], not_(begins(Patient.name, name))
        yield and_(_read(read), others)
        yield from (and_(way, others) for way in _confused(read))
        if len(name) >= ENOUGH:
            yield and_(or_(*_one_off(name)), others)
    elif (letters := spelling.letters(text)) is not None and len(letters) in LETTERS:
        others = not_(begins(Patient.name_key, letters))
        yield from (and_(way, others) for way in _confused(letters))


def _read(letters: str) -> ColumnElement[bool]:
    """Whose whole name is read so: the initials stand behind a space."""
    return begins(Patient.name_key, f"{letters} ")


def _confused(letters: str) -> Iterator[ColumnElement[bool]]:
    ways = [_read(other) for other in spelling.alike(letters)]
    if ways:
        yield or_(*ways)


def _one_off(name: str) -> Iterator[ColumnElement[bool]]:
    """As long, and one character is another: the surname as one of those that there are, or a later character as any."""
    yield Patient.name.in_([surname + name[1:] for surname in (*FREQUENT, *SURNAMES)])
    for place in range(1, len(name)):
        begin, end = name[:place], name[place + 1 :]
        yield and_(begins(Patient.name, begin), Patient.name.like(f"{begin}_{end}"))


def _called(uow: UnitOfWork, way: ColumnElement[bool], but: list[str]) -> Select[Any]:
    """Names, and one record of each through which the actor may both identify and unmask."""
    # The likely records first, as a list: else a database begins with all that there are.
    likely = _with_patients(select(Record.node_id)).where(way, Patient.name.not_in(but))
    records = uow.nodes(P.IDENTIFY, Patient.name, func.max(Node.id)).join(Record, Record.node_id == Node.id)
    known = _with_patients(records).where(uow.access.clause(P.UNMASK), searchable(), Node.id.in_(likely))
    return known.group_by(Patient.name, Patient.name_key).order_by(Patient.name_key, Patient.name)


def _with_patients(records: Select[Any]) -> Select[Any]:
    joined = records.join(Encounter, Encounter.id == Record.encounter_id)
    return joined.join(Patient, Patient.id == Encounter.patient_id)


def _told(uow: UnitOfWork, found: dict[str, int]) -> tuple[str, ...]:
    """The names as the records themselves tell them to the actor: a masked one is none."""
    if not found:
        return ()
    nodes = uow.list(uow.nodes(P.IDENTIFY).where(Node.id.in_(found.values())))
    said = {node.id: NodeView(uow, node).person for node in nodes}
    return tuple(name for name, number in found.items() if said.get(number) == name)
