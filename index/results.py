"""What comes out."""

from collections.abc import Mapping
from dataclasses import dataclass

CursorValue = float | int | str | None
Cursor = tuple[CursorValue, int]
"""The place of a hit in its order: its sort key and its number. Plain values, for the caller to sign and send round."""


@dataclass(frozen=True)
class Sort:
    """排序: by score, or by a field of any kind but TEXT. What lacks the field, or is held below its tier, is last."""

    field: str | None = None
    descending: bool = True


RELEVANCE = Sort()


@dataclass(frozen=True)
class Hit:
    """命中: a node's number and the fields in which something was found."""

    number: int
    score: float
    fields: frozenset[str]


@dataclass(frozen=True)
class Total:
    """How many hits there are; if not ``exact``, at least so many (1,000+)."""

    count: int
    exact: bool


Counted = tuple[tuple[str | int, int], ...]
"""Values, each with how many have it."""


@dataclass(frozen=True)
class Facets:
    """分面: how many hits have each value, the most frequent first. Not ``exact``: some phrases were not checked.

    ``total``: how many hits there are, as a page of them says it; it may know less.
    """

    counts: Mapping[str, Counted]
    total: Total
    exact: bool


@dataclass(frozen=True)
class Results:
    """One page of hits. ``next`` is None on the last page; a page cut short by limits has fewer hits and a ``next``."""

    hits: tuple[Hit, ...]
    total: Total
    next: Cursor | None
    generation: int


@dataclass(frozen=True)
class Suggestion:
    """联想词: a value as it is written, and how many documents that the asker holds have it."""

    value: str
    count: int


@dataclass(frozen=True)
class Differences:
    """Numbers that the index lacks, has in another version, or should not have; each ascending."""

    missing: tuple[int, ...]
    stale: tuple[int, ...]
    stray: tuple[int, ...]

    def __bool__(self) -> bool:
        return bool(self.missing or self.stale or self.stray)


@dataclass(frozen=True)
class Stats:
    """How large the index is: living documents, those only marked as deleted, segments, bytes on the disk.

    ``kept``: bytes that searches of this process have left in its memory for others, about.
    """

    documents: int
    deleted: int
    segments: int
    size: int
    kept: int
