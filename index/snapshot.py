"""The index as it was at one generation: segments, and which of their documents are still alive."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from whoosh.index import TOC

from .allowed import Mask
from .files import NAME, DurableStorage
from .segments import SegmentView, reading
from .space import Space


@dataclass(frozen=True, eq=False)
class Part:
    """A segment and its living documents."""

    view: SegmentView
    alive: Mask


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Immutable, shared by threads; files that are deleted meanwhile stay readable while it is held."""

    generation: int
    parts: tuple[Part, ...]
    space: Space
    """The documents of all parts in one row, and what is kept of them."""


def latest(storage: DurableStorage) -> int:
    """The newest table of contents in a folder; −1 if there is none."""
    number: int = TOC._latest_generation(storage, NAME)
    return number


def contents(storage: DurableStorage, schema: Any, toc: int) -> list[Any]:
    """The segments that a table of contents names. Raises Damaged, or FileNotFoundError if it was replaced."""
    with reading(f"table of contents {toc}"):
        segments: list[Any] = TOC.read(storage, NAME, gen=toc, schema=schema).segments
    return segments


def opened(
    storage: DurableStorage, segments: list[Any], generation: int, previous: Snapshot | None
) -> Snapshot:
    """A snapshot of these segments, taking over the views that the previous one has of the same files."""
    known = {part.view.name: part.view for part in previous.parts} if previous else {}
    parts = tuple(_part(storage, segment, known) for segment in segments)
    earlier = previous.space if previous else None
    space = Space([part.view for part in parts], [part.alive for part in parts], earlier)
    return Snapshot(generation, parts, space)


def _part(storage: DurableStorage, segment: Any, known: dict[str, SegmentView]) -> Part:
    view = known.get(segment.segment_id()) or SegmentView(storage, segment)
    alive = np.ones(view.size, np.bool_)
    alive[list(segment.deleted_docs())] = False
    return Part(view, alive)
