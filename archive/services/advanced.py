"""高级检索: rows of field, way and value become an ordinary search, which is shown and edited like any other."""

from collections.abc import Sequence
from dataclasses import dataclass

from archive.errors import Invalid
from archive.i18n import _
from archive.models import Node
from archive.schema import clean
from archive.services import search_labels
from archive.services.search import LONGEST
from archive.sight import NodeView, views
from archive.uow import UnitOfWork
from index import QuerySyntax, parse

MOST_ROWS = 8
JOINS = ("and", "or", "not")
WAYS = ("has", "is", "span")


@dataclass(frozen=True)
class Row:
    """检索条件: how it joins what stands above it, the field (or any), the way, and the value; `to` ends a span."""

    join: str = "and"
    field: str = ""
    way: str = "has"
    value: str = ""
    to: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.value or self.to)


def composed(uow: UnitOfWork, begun: str, rows: Sequence[Row]) -> str:
    """`begun` with the rows added to it from top to bottom. Raises Invalid, which names the rows that are wrong."""
    labels = search_labels.labels(uow)
    wrong: dict[str, str] = {}
    text, is_choice = clean(begun), False
    if text:
        is_choice = True  # whatever it holds, it stays together
        if error := _unread(text, labels):
            wrong["q"] = error
    for number, row in enumerate(rows):
        if row.is_empty:
            continue
        part = "" if (error := _unfit(row)) else _part(row)
        if error := error or _unread(part, labels):
            wrong[f"value-{number}"] = error
        elif row.join == "or" and text:
            text, is_choice = f"{text} OR {part}", True
        else:
            sign = "-" if row.join == "not" else ""
            text, is_choice = f"{_together(text, is_choice=is_choice)} {sign}{part}".strip(), False
    if len(text) > LONGEST and not wrong:
        wrong["q"] = _("This is too long to search for.")
    if wrong:
        raise Invalid(fields=wrong)
    return text


def _together(text: str, *, is_choice: bool) -> str:
    """What stands above as one thing; of single words nobody need see brackets."""
    return f"({text})" if is_choice and " " in text else text


def _unread(text: str, labels: search_labels.Labels) -> str | None:
    """Why this cannot be read, or nothing."""
    try:
        parse(text, labels)
    except QuerySyntax as error:
        return _(error.message)
    return None


def _unfit(row: Row) -> str | None:
    if row.way == "span" and not row.field:
        return _("Choose a field: a range is of a year, a date or a number.")
    return (
        _("A range has two ends: the second one is for “from … to” only.")
        if row.to and row.way != "span"
        else None
    )


def _part(row: Row) -> str:
    """A row in the language of the search box."""
    value = search_labels.QUOTES.sub(" ", clean(row.value)).strip()
    if row.way == "span":
        end = search_labels.QUOTES.sub(" ", clean(row.to)).strip()
        return f"{_label(row.field)}{search_labels.quoted(f'{value}..{end}')}"
    if row.way == "is":
        return f"{_label(row.field)}={search_labels.quoted(value)}" if row.field else f'"{value}"'
    words = [search_labels.quoted(word) for word in value.split()]
    several = f"({' '.join(words)})" if len(words) > 1 else "".join(words)
    return f"{_label(row.field)}{several}" if row.field else several


def _label(name: str) -> str:
    return f"{search_labels.typed_words()[name][0]}:"


def place(uow: UnitOfWork, above: Node | None) -> NodeView | None:
    """Where the search stays, as the actor sees it."""
    return views(uow, [above])[0] if above else None
