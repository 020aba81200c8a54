"""点名: whether words name a patient whom their writer may know of. Such words are for nobody else to read.

Of others nothing is asked: the answer would tell that there is such a patient. It is not asked which words a search
would find the patient by, but which a reader would know them by: a name in the middle of a sentence is one.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator

from sqlalchemy import ColumnElement, or_

from archive import spelling
from archive.models import Node, Patient
from archive.policy.permissions import P
from archive.services import patient_names, pinpoint, search_labels
from archive.services.entries import searchable
from archive.uow import UnitOfWork
from index import And, Field, Not, Or, Query, QuerySyntax, Reading, Term, Whole, parse

STRETCH = range(2, 9)
"""Characters of a name that may stand in other words, 患者张三复查; a longer one stands by itself."""
SYLLABLES = range(1, 5)
"""So many words of letters may be one name: zhang san, ou yang zhen hua."""
MOST_WORDS = 80
"""Words of letters that are looked at: a search has no more."""
SHORTEST_SOUND = 3
SHORTEST_NUMBER = 5
"""Figures of a number among other words: fewer are a year, a dose or a count, unless a label says otherwise."""
AT_ONCE = 100
"""Conditions of one statement."""
HAN = re.compile(r"[^\W\d_a-z\u00c0-\u024f]+(?:·[^\W\d_a-z\u00c0-\u024f]+)*", re.IGNORECASE)
LATIN = re.compile(r"[a-z\u00c0-\u024f][a-z\u00c0-\u024f1-5'’‘`]*", re.IGNORECASE)
IDENTITY = re.compile(r"(?=(\d{17}[\dX]))", re.IGNORECASE)
BETWEEN = re.compile(r"[\s:：=＝,，、。;；!！?？()（）\"“”＂「」『』<>《》\[\]【】]+")
NUMBERED = re.compile(r"[a-z0-9]+(?:[-./][a-z0-9]+)*", re.IGNORECASE)
FIGURES = re.compile(r"\d+(?:-\d{1,3})?")
STAY = re.compile(r"\d{3,10}-\d{1,3}")


def names_a_patient(uow: UnitOfWork, text: str) -> bool:
    """Whether a name, a mother's or former name, its pinyin, or a number of somebody whom the actor may know stands in it."""
    plain = unicodedata.normalize("NFKC", text)
    return _is_numbered(uow, plain) or any(_is_known(uow, who) for who in _meant(uow, plain))


def _is_numbered(uow: UnitOfWork, text: str) -> bool:
    return any(node.data.get("mrn") for code in _codes(uow, text) for node in pinpoint.by_number(uow, code))


def _codes(uow: UnitOfWork, text: str) -> set[str]:
    """What may be a number of a patient or of their record."""
    pieces = set(BETWEEN.split(text))
    for piece in list(pieces):
        pieces |= {*NUMBERED.findall(piece), *FIGURES.findall(piece)}
    long = {code for code in pieces if len(code) >= SHORTEST_NUMBER or STAY.fullmatch(code)}
    return long | {text.strip()} | set(_labelled(uow, text))


def _labelled(uow: UnitOfWork, text: str) -> Iterator[str]:
    """Whatever stands behind 病案号: or what else the number is called, however short."""
    kept = {word: Reading(_Kept(search_labels.meant(word) or word)) for word in search_labels.labels(uow)}
    try:
        yield from _terms(parse(text, kept), "")
    except QuerySyntax:
        return


class _Kept:
    """The value of a label as it was typed, under the name of what the label means."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, text: str, *, whole: bool) -> Query:
        return Field(self.name, Whole(text) if whole else Term(text))


def _terms(query: Query, within: str) -> Iterator[str]:
    match query:
        case Term(text) if within == "mrn":
            yield text
        case Field(name, part):
            yield from _terms(part, name)
        case Not(part):
            yield from _terms(part, within)
        case And(parts) | Or(parts):
            for each in parts:
                yield from _terms(each, within)


def _meant(uow: UnitOfWork, text: str) -> Iterator[ColumnElement[bool]]:
    """Conditions on patients, one a statement: who is called so, is read so, or has this identity number."""
    solid = "".join(text.split())
    hashes = [uow.site.keys.identity_hash(found.upper()) for found in IDENTITY.findall(solid)]
    if hashes:
        yield Patient.id_hash.in_(hashes)
    if called := _called(solid):
        yield from patient_names.called(called)
    sounds = [way for sound in _sounds(text) for way in spelling.spellings(sound)]
    for start in range(0, len(sounds), AT_ONCE):
        yield or_(*patient_names.read_as(sounds[start : start + AT_ONCE]))


def _called(solid: str) -> set[str]:
    """Every stretch of characters that may be a name; spaces within one, as in 张　三, have gone."""
    runs = HAN.findall(solid)
    inside = {run[at : at + long] for run in runs for long in STRETCH for at in range(len(run) - long + 1)}
    return inside | {run for run in runs if len(run) >= STRETCH[0]}


def _sounds(text: str) -> Collection[str]:
    words = LATIN.findall(text)[:MOST_WORDS]
    runs = (" ".join(words[at : at + many]) for many in SYLLABLES for at in range(len(words) - many + 1))
    said = (spelling.letters(run) for run in runs)
    return {sound for sound in said if sound and len(sound) >= SHORTEST_SOUND}


def _is_known(uow: UnitOfWork, who: ColumnElement[bool]) -> bool:
    """Whether the actor may see by name a record of somebody who meets the condition."""
    records = pinpoint.records_of(patient_names.whole(who))
    seen = uow.nodes(P.IDENTIFY, Node.id).where(searchable(), Node.id.in_(records)).limit(1)
    return uow.session.scalar(seen) is not None
