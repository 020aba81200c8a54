"""疾病与手术操作编码: codes and their terms, looked up either way; public knowledge that betrays nothing of any record."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from unicodedata import normalize

from sqlalchemy import Select, case, delete, func, insert, or_, select

from archive.errors import Invalid
from archive.i18n import Lazy, _, _l
from archive.models import CodeList, CodeTerm
from archive.policy.permissions import P
from archive.policy.types import PROCEDURE
from archive.services import synonyms
from archive.uow import UnitOfWork, action
from index import Damaged, TooSlow

SEED = Path(__file__).parent.parent / "policy" / "codes" / "icd10.tsv"
SYSTEM = "ICD-10"
HEADINGS = {
    "code": ("code", "icd", "icd10", "icd-10", "icd9", "icd-9", "icd-9-cm-3", "编码", "疾病编码", "诊断编码", "主要编码",
             "诊断代码", "手术编码", "操作编码", "手术操作编码", "手术及操作编码"),
    "term": ("term", "disease", "name", "名称", "疾病名称", "诊断名称", "诊断", "疾病", "手术名称", "操作名称", "手术操作名称",
             "手术及操作名称"),
}  # fmt: skip
MOST, OFFERED, BELOW = 100_000, 5, 10
LONGEST_CODE, LONGEST_TERM = 20, 200


@dataclass(frozen=True)
class System:
    """分类体系: how its codes look, and in which fields of a record code and term stand (domain §7)."""

    name: str
    title: Lazy
    shape: re.Pattern[str]
    code: str
    term: str


SYSTEMS = {
    system.name: system
    for system in (
        System(SYSTEM, _l("Diagnosis codes"), re.compile(r"[A-Z]\d{2}(?:\.[0-9x]{1,8})?[+*]?"), "diagnosis_code", "diagnosis"),
        System("ICD-9-CM-3", _l("Operation codes"), re.compile(PROCEDURE), "operation_codes", "operations"),
    )
}  # fmt: skip
FIELDS = {system.code: system for system in SYSTEMS.values()}
"""The field of a record → the classification of its codes."""


@dataclass(frozen=True)
class Coded:
    """编码与名称."""

    code: str
    term: str
    system: str = field(default="", compare=False)


@dataclass(frozen=True)
class Listed:
    """编码表 by which the hospital codes, as it says of itself; no version where none has been loaded."""

    system: System
    version: str = ""
    source: str = ""
    loaded_at: datetime | None = None
    terms: int = 0


@dataclass(frozen=True)
class Loading:
    """编码表 to be loaded: which classification, in which version, from where."""

    system: str
    version: str
    source: str
    terms: Sequence[Coded]


def kept(code: str) -> str:
    """A code as the classifications write it, with a small x wherever one stands for a place: I10.x00, 74.1x01, X60."""
    narrow = normalize("NFKC", code).strip()
    return narrow[:1].upper() + narrow[1:].lower()


def written(text: str) -> tuple[System, str] | None:
    """A typed code as it is kept, and whose it is: ｉ２１．9 → I21.9; nothing for what is none."""
    code = kept(text)
    return next(((system, code) for system in SYSTEMS.values() if system.shape.fullmatch(code)), None)


def named(uow: UnitOfWork, system: System, code: str) -> Coded | None:
    """What a code means; of one that is not in the list, what the nearest code above it means: I21.900 → I21.9 → I21."""
    above = {code[:length].rstrip(".+*x") for length in range(3, len(code) + 1)}
    found = _terms().where(CodeList.system == system.name, CodeTerm.code.in_({code, *above}))
    row = uow.session.execute(found.order_by(func.length(CodeTerm.code).desc(), CodeTerm.id).limit(1)).first()
    return Coded(*row) if row else None


def _terms() -> Select[str, str, str]:
    return select(CodeTerm.code, CodeTerm.term, CodeList.system).join(
        CodeList, CodeList.id == CodeTerm.list_id
    )


def meant(uow: UnitOfWork, text: str) -> list[Coded]:
    """The codes that a typed word may mean, a few: those of the very term or of a synonym first, then the shortest."""
    if code := written(text):
        return [found] if (found := named(uow, *code)) else []
    word = text.strip()
    if len(word) < 2 or word.isascii():
        return []
    exact = CodeTerm.term.in_((word, *synonyms.of(uow, word)))
    likely = _terms().where(or_(exact, CodeTerm.term.contains(word, autoescape=True)))
    length = case((exact, 0), else_=func.length(CodeTerm.term))
    # Some more than are offered: a code can stand in two classifications, and is offered once.
    rows = uow.session.execute(likely.order_by(length, CodeTerm.code).limit(2 * OFFERED))
    return list(dict.fromkeys(Coded(*row) for row in rows))[:OFFERED]


def begun(uow: UnitOfWork, system: System, text: str) -> list[Coded]:
    """The codes of one classification that begin with what is typed, or in whose terms it stands; a few, the shortest first."""
    code, word = kept(text), text.strip()
    if not word:
        return []
    fits = CodeTerm.code.startswith(code, autoescape=True)
    if not word.isascii():
        fits = CodeTerm.term.contains(word, autoescape=True)
    found = _terms().where(CodeList.system == system.name, fits)
    length = func.length(CodeTerm.code) if word.isascii() else func.length(CodeTerm.term)
    return [Coded(*row) for row in uow.session.execute(found.order_by(length, CodeTerm.code).limit(OFFERED))]


def below(uow: UnitOfWork, system: System, code: str) -> tuple[str, ...]:
    """The finer codes of records that the actor may read: I21 → I21.001, I21.900. Nothing where the index cannot tell."""
    try:
        allowed = uow.site.access_map.allowed(uow)
        found = uow.site.index.suggest(system.code, code, allowed, limit=BELOW)
    except (Damaged, TooSlow):
        return ()
    return tuple(sorted(one.value for one in found if one.value != code))


def listed(uow: UnitOfWork) -> list[Listed]:
    """What is loaded of each classification."""
    loaded = {row.system: row for row in uow.session.scalars(select(CodeList))}
    count = select(CodeTerm.list_id, func.count(CodeTerm.id)).group_by(CodeTerm.list_id)
    terms = dict(uow.session.execute(count).all())
    return [
        Listed(system, row.version, row.source, row.loaded_at, terms.get(row.id, 0)) if (row := loaded.get(name))
        else Listed(system) for name, system in SYSTEMS.items()
    ]  # fmt: skip


def versions(uow: UnitOfWork) -> dict[str, str]:
    """Classification → the version that is loaded, for a page that shows a few of its codes."""
    return dict(uow.session.execute(select(CodeList.system, CodeList.version)).all())


@action("codes.loaded", needs=P.CONFIG_MANAGE)
def load(uow: UnitOfWork, what: Loading) -> int:
    """Puts a version of a classification in the place of the one before; gives how many terms. Raises Invalid."""
    if not what.terms or not all((what.system.strip(), what.version.strip(), what.source.strip())):
        raise Invalid(
            _("Say which classification it is, its version and its source, and give at least one code.")
        )
    if (system := SYSTEMS.get(what.system)) is None:
        raise Invalid(
            _("Records have codes of these classifications: %(names)s.", names=_(", ").join(SYSTEMS))
        )
    if sum(bool(system.shape.fullmatch(one.code)) for one in what.terms) * 2 < len(what.terms):
        # Two lists are at hand, and one would take the place of the other. Ranges and chapters are no codes either.
        raise Invalid(_("Most of these are no codes of %(system)s.", system=system.name))
    count = _replace(uow, what)
    uow.note(system=what.system, version=what.version, source=what.source, terms=count)
    return count


def seed(uow: UnitOfWork) -> None:
    """The three-character categories that are shipped, where the hospital has loaded none."""
    if uow.session.scalar(select(CodeList.id).where(CodeList.system == SYSTEM)) is None:
        with SEED.open(encoding="utf-8", newline="") as file:
            terms = list(told(csv.reader(file, delimiter="\t")))
        _replace(uow, Loading(SYSTEM, "三位类目", "chaseliu/ICD-10-CN (MIT)", terms))


def _replace(uow: UnitOfWork, what: Loading) -> int:
    known = uow.session.scalar(select(CodeList).where(CodeList.system == what.system))
    listed = known or CodeList(system=what.system)
    listed.version, listed.source, listed.loaded_at = what.version, what.source, uow.now
    uow.session.add(listed)
    uow.session.flush()
    uow.session.execute(delete(CodeTerm).where(CodeTerm.list_id == listed.id))
    rows = [{"list_id": listed.id, "code": one.code, "term": one.term} for one in dict.fromkeys(what.terms)]
    uow.session.execute(insert(CodeTerm), rows)
    return len(rows)


def told(rows: Iterable[Sequence[str]]) -> Iterator[Coded]:
    """The codes of a table with a heading. Raises Invalid for one without, for too many, and for a cell that is no code."""
    places: tuple[int, int] | None = None
    for number, row in enumerate(rows, start=1):
        if number > MOST:
            raise Invalid(_("The file has too many rows. Load one classification at a time."))
        cells = [normalize("NFKC", cell).strip() for cell in row]
        if places is None:
            places = _columns(cells)
        elif any(cells):
            yield _coded(cells, places, number)
    if places is None:
        raise Invalid(_("Two columns are needed: one is headed 编码 or code, the other 名称 or term."))


def _columns(cells: Sequence[str]) -> tuple[int, int] | None:
    folded = [cell.casefold() for cell in cells]
    code, term = (
        next((at for at, cell in enumerate(folded) if cell in HEADINGS[name]), None)
        for name in ("code", "term")
    )
    return (code, term) if code is not None and term is not None else None


def _coded(cells: Sequence[str], places: tuple[int, int], number: int) -> Coded:
    code, term = (cells[place] if place < len(cells) else "" for place in places)
    if not code or not term or len(code) > LONGEST_CODE or len(term) > LONGEST_TERM:
        raise Invalid(
            _(
                "Row %(number)d: a code and a term are needed, of at most 20 and 200 characters.",
                number=number,
            )
        )
    return Coded(kept(code), term)
