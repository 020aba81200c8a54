"""What a search is asked and what it gives: values, for every way of searching."""

from dataclasses import dataclass, field
from enum import StrEnum

from archive.sight import NodeView

CAP = 1_000
"""Hits are counted up to here, and then said to be more: 1,000+."""


class Order(StrEnum):
    """排序."""

    RELEVANCE = "relevance"
    DATE = "date"
    NUMBER = "number"


@dataclass(frozen=True)
class Filters:
    """筛选: what the hits are narrowed to. Nothing narrows nothing."""

    type: str | None = None
    dept: int | None = None
    year: int | None = None
    state: str | None = None
    retention: str | None = None
    carrier: str | None = None
    level: str | None = None
    under: str | None = None
    """The uuid of what the hits lie under: a category, a folder, a record."""

    def __bool__(self) -> bool:
        return any(self.__dict__.values())

    def said(self) -> dict[str, object]:
        """Those that narrow something, by their names."""
        return {name: value for name, value in self.__dict__.items() if value}


@dataclass(frozen=True)
class Place:
    """A place within a file where words were found. Of `pieces`, those marked true are the words; `uuid`: the node's."""

    label: str
    href: str
    uuid: str
    pieces: list[tuple[str, bool]] = field(default_factory=list)
    thumbnail: str | None = None
    """The address of the small picture of the page, where the place is on one; only whoever may open it gets it."""


@dataclass(frozen=True)
class Group:
    """A file with the places in it; `more`: how many further ones."""

    view: NodeView
    places: list[Place]
    more: int = 0

    @property
    def picture(self) -> Place | None:
        """The first place on a page: one picture is enough for a hit."""
        return next((place for place in self.places if place.thumbnail), None)


@dataclass(frozen=True)
class Count:
    """One value of a facet, and how many of the hits that the person may know of have it."""

    value: str
    label: str
    count: int
    chosen: bool


@dataclass(frozen=True)
class Facet:
    """分面."""

    name: str
    label: str
    counts: list[Count]
    exact: bool = True
    """Whether every text was read in which the words may stand; if not, it is about so many."""


@dataclass(frozen=True)
class Tally:
    """命中数: how many places there are; with `capped`, at least so many."""

    count: int = 0
    capped: bool = False


@dataclass(frozen=True)
class Counts:
    """What stands beside the hits, and comes behind them: the facets, and how many hits there are where that can be told."""

    facets: list[Facet] = field(default_factory=list)
    total: Tally | None = None


@dataclass(frozen=True)
class Results:
    """One page of what was found.

    `called` was found by number or name. `total` counts files and items, honestly.
    `degraded`: the index could not be asked, so only titles, numbers, names and dates were searched.
    `next` and `previous` are cursors; the empty one is the first page's. `page` counts from 1.
    """

    called: list[NodeView] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    total: Tally = field(default_factory=Tally)
    next: str | None = None
    previous: str | None = None
    page: int = 1
    degraded: bool = False

    @property
    def is_empty(self) -> bool:
        return not (self.called or self.groups or self.next)
