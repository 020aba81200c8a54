"""Which column of a spreadsheet is which: found by its heading, or said by the person. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from archive.services.imports.kinds import Column, ImportKind

HEADING_WITHIN = 10
"""Many lists begin with the name of the hospital and a title: the headings are in one of the first rows."""


@dataclass(frozen=True)
class Heading:
    """表头: the row that names the columns, and what each column is called there."""

    row: int
    names: tuple[str, ...]


Mapped = Mapping[str, int]
"""Name of a column of ours → place in the row, from 0."""


def compact(heading: str) -> str:
    """A heading for comparison: 「患者姓名*（必填）」 is 患者姓名."""
    text = unicodedata.normalize("NFKC", heading).lower()
    text = re.sub(r"\((?:必填|选填|必录|required|可空)[^)]*\)|【[^】]*】|\[[^\]]*\]", "", text)
    return re.sub(r"[\s*:：_()./、-]+", "", text)


def heading_of(kind: ImportKind, rows: Iterable[tuple[int, list[str]]]) -> Heading | None:
    """The row in which most columns of the kind are found; the first row where none is."""
    best: Heading | None = None
    most = -1
    for row, cells in rows:
        if row > HEADING_WITHIN and best is not None:
            break
        found = len(guess(kind, cells))
        if found > most:
            best, most = Heading(row, tuple(cells)), found
    return best


def guess(kind: ImportKind, names: Iterable[str]) -> dict[str, int]:
    """The columns found by their headings; the surest heading of a column wins."""
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        places.setdefault(compact(name), place)
    found: dict[str, int] = {}
    for column in kind.columns:
        words = [compact(word) for word in kind.headings(column)]
        free = [places[word] for word in words if word in places and places[word] not in found.values()]
        if free:
            found[column.name] = free[0]
    return found


def chosen(kind: ImportKind, guessed: Mapped, said: Mapping[str, int | None]) -> dict[str, int]:
    """The guess as far as the person did not say otherwise; None takes a column away."""
    known = {column.name for column in kind.columns}
    merged = {**guessed, **{name: place for name, place in said.items() if name in known}}
    return {name: place for name, place in merged.items() if place is not None}


def missing(kind: ImportKind, mapped: Mapped) -> list[Column]:
    """The columns that must be there and are not."""
    return [column for column in kind.columns if column.required and column.name not in mapped]
