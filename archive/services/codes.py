"""疾病编码: codes and their terms, looked up either way; public knowledge that betrays nothing of any record."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from unicodedata import normalize

from sqlalchemy import delete, func, insert, select

from archive.errors import Invalid
from archive.i18n import _
from archive.models import CodeList, CodeTerm
from archive.policy.permissions import P
from archive.services import synonyms
from archive.uow import UnitOfWork, action
from index import Damaged, TooSlow

SEED = Path(__file__).parent.parent / "policy" / "codes" / "icd10.tsv"
SYSTEM = "ICD-10"
CODE = re.compile(r"[A-Z]\d{2}(?:\.[0-9X]{1,8})?[+*]?")
HEADINGS = {
    "code": ("code", "icd", "icd10", "icd-10", "编码", "疾病编码", "诊断编码", "主要编码", "诊断代码"),
    "term": ("term", "disease", "name", "名称", "疾病名称", "诊断名称", "诊断", "疾病"),
}
MOST, OFFERED, BELOW = 100_000, 5, 10
LONGEST_CODE, LONGEST_TERM = 20, 200


@dataclass(frozen=True)
class Coded:
    """编码与名称."""

    code: str
    term: str


@dataclass(frozen=True)
class Loading:
    """编码表 to be loaded: which classification, in which version, from where."""

    system: str
    version: str
    source: str
    terms: Sequence[Coded]


def written(text: str) -> str | None:
    """A typed code as it is kept: ｉ２１．9 → I21.9; nothing for what is none."""
    code = normalize("NFKC", text).strip().upper()
    return code if CODE.fullmatch(code) else None


def named(uow: UnitOfWork, code: str) -> Coded | None:
    """What a code means; of one that is not in the list, what the nearest code above it means: I21.900 → I21.9 → I21."""
    above = {code[:length].rstrip(".+*") for length in range(3, len(code) + 1)}
    found = select(CodeTerm).where(CodeTerm.code.in_({code, *above}))
    row = uow.session.scalar(found.order_by(func.length(CodeTerm.code).desc(), CodeTerm.id).limit(1))
    return Coded(row.code, row.term) if row else None


def meant(uow: UnitOfWork, text: str) -> list[Coded]:
    """The codes that a typed word may mean, a few: those of the very term or of a synonym first, then the shortest."""
    if code := written(text):
        return [found] if (found := named(uow, code)) else []
    word = text.strip()
    if len(word) < 2 or word.isascii():
        return []
    exact = select(CodeTerm).where(CodeTerm.term.in_((word, *synonyms.of(uow, word))))
    within = select(CodeTerm).where(CodeTerm.term.contains(word, autoescape=True))
    shortest = within.order_by(func.length(CodeTerm.term), CodeTerm.code).limit(OFFERED)
    rows = [
        *uow.session.scalars(exact.order_by(CodeTerm.code).limit(OFFERED)),
        *uow.session.scalars(shortest),
    ]
    return list(dict.fromkeys(Coded(row.code, row.term) for row in rows))[:OFFERED]


def below(uow: UnitOfWork, code: str) -> tuple[str, ...]:
    """The finer codes of records that the actor may read: I21 → I21.001, I21.900. Nothing where the index cannot tell."""
    try:
        allowed = uow.site.access_map.allowed(uow)
        found = uow.site.index.suggest("diagnosis_code", code, allowed, limit=BELOW)
    except (Damaged, TooSlow):
        return ()
    return tuple(sorted(one.value for one in found if one.value != code))


@action("codes.loaded", needs=P.CONFIG_MANAGE)
def load(uow: UnitOfWork, what: Loading) -> int:
    """Puts a version of a classification in the place of the one before; gives how many terms. Raises Invalid."""
    if not what.terms or not all((what.system.strip(), what.version.strip(), what.source.strip())):
        raise Invalid(
            _("Say which classification it is, its version and its source, and give at least one code.")
        )
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
    return Coded(code.upper(), term)
