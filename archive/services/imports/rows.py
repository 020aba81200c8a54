"""A row on its way in: its values, what became of it, and what is wrong with it; and the tally of all rows."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import islice
from typing import Any, Protocol, Self, TypeVar

from archive.i18n import _
from archive.services.imports.kinds import Column, ImportKind
from archive.services.imports.mapping import Heading, Mapped
from archive.services.imports.values import Wrong, is_nothing, plain
from archive.uow import UnitOfWork

T = TypeVar("T")


class Outcome(StrEnum):
    """What an import does with a row."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    WRONG = "wrong"


@dataclass(frozen=True)
class Problem:
    """错误: the row and column as the spreadsheet counts and calls them, and what to do, in words."""

    row: int
    column: str
    text: str


@dataclass
class Row:
    """One row of the file. `values` has what the file tells, `written` how it does; an empty cell says nothing."""

    number: int
    values: dict[str, Any] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    outcome: Outcome = Outcome.NEW

    @property
    def is_wrong(self) -> bool:
        return bool(self.problems)

    def afresh(self) -> "Row":
        """The row as it was read: a transaction that is tried again judges it again."""
        return replace(self, values=dict(self.values), problems=list(self.problems))


@dataclass(frozen=True)
class Reader:
    """读行: turns cells into rows, by what the columns are called in this file."""

    kind: ImportKind
    heading: Heading
    mapped: Mapped
    digits: int | None = None
    """How many digits a record number has: a spreadsheet drops the zeros before it."""

    def name(self, column: str) -> str:
        """What a column of ours is called in the file, or on our pages where the file has none."""
        place = self.mapped.get(column)
        if place is None or place >= len(self.heading.names):
            known = next((one for one in self.kind.columns if one.name == column), None)
            return str(known.label) if known else ""
        return self.heading.names[place]

    def object(self, row: Row, column: str, text: str) -> None:
        """Notes what is wrong with a row."""
        row.problems.append(Problem(row.number, self.name(column) if column else "", text))
        row.outcome = Outcome.WRONG

    def row(self, number: int, cells: list[str]) -> Row:
        row = Row(number)
        for column in self.kind.columns:
            place = self.mapped.get(column.name)
            cell = plain(cells[place]) if place is not None and place < len(cells) else ""
            self._take(row, column, cell)
        return row

    def _take(self, row: Row, column: Column, cell: str) -> None:
        if is_nothing(cell) and not (cell and column.name == "sex"):  # 不详 is a sex, and nothing elsewhere
            if column.required:
                self.object(row, column.name, _("This must be filled in."))
            return
        if len(cell) > column.longest:
            self.object(row, column.name, _("At most %(most)d characters, please.", most=column.longest))
            return
        if column.name == "mrn" and self.digits and cell.isdigit():
            cell = cell.zfill(self.digits)
        try:
            row.values[column.name], row.written[column.name] = column.read(cell), cell
        except Wrong as wrong:
            self.object(row, column.name, str(wrong))


def refuse_doubles(reader: Reader, rows: Iterable[Row], seen: dict[str, int]) -> None:
    """A key that stood in an earlier row of the file already is wrong. `seen` lives as long as the import."""
    for row in rows:
        key = "\0".join(str(row.values.get(name, "")) for name in reader.kind.key)
        first = seen.setdefault(key, row.number)
        if first != row.number and not row.is_wrong:
            reader.object(
                row, reader.kind.key[0], _("Row %(row)d has the same already. Leave one of them.", row=first)
            )


PROBLEMS_KEPT = 500


@dataclass(frozen=True)
class Tally:
    """计数: how many rows became what, and the first of what is wrong."""

    counts: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def __getitem__(self, outcome: Outcome) -> int:
        return self.counts.get(outcome.value, 0)

    @property
    def rows(self) -> int:
        return sum(self.counts.values())

    def plus(self, rows: Iterable[Row]) -> Self:
        counts, problems = dict(self.counts), list(self.problems)
        for row in rows:
            counts[row.outcome.value] = counts.get(row.outcome.value, 0) + 1
            problems += row.problems
        return type(self)(counts, tuple(problems[:PROBLEMS_KEPT]))

    def as_json(self) -> dict[str, Any]:
        return {
            "counts": dict(self.counts), "rows": self.rows, "errors": self[Outcome.WRONG],
            "problems": [[one.row, one.column, one.text] for one in self.problems],
        }  # fmt: skip

    @classmethod
    def of_json(cls, kept: Mapping[str, Any] | None) -> Self:
        said = kept or {}
        return cls(said.get("counts", {}), tuple(Problem(*one) for one in said.get("problems", ())))


@dataclass(frozen=True)
class Made:
    """What a row made, or what it changed: `before` is how it was, and how it is since."""

    row: int
    kind: str
    target: int
    before: dict[str, Any] | None = None


Keep = Callable[[Made], None]


class Loader(Protocol):
    """Knows one kind: judges rows against the archive, and brings them in. Rows come in batches, in order."""

    reader: Reader

    def judge(self, uow: UnitOfWork, rows: list[Row]) -> None:
        """Says of each row that is not wrong yet what would become of it, or what is wrong."""

    def bring(self, uow: UnitOfWork, rows: list[Row], keep: Keep) -> None:
        """Writes the new and changed ones of rows just judged, and tells `keep` of each thing made or changed."""


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items, so many at a time."""
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch
