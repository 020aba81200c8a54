"""Values that begin as somebody has begun to type: of documents that they hold, and of no others."""

from collections import Counter
from collections.abc import Mapping

import numpy as np

from .allowed import Allowed
from .analysis import key
from .clock import Clock
from .counting import labelled
from .docs import union
from .documents import SEPARATOR
from .fields import FieldSpec, Kind
from .results import Suggestion
from .scope import Scope
from .snapshot import Snapshot

MOST_IDENTIFIERS = 500
"""So many identifiers are looked at, of those that the asker holds: behind one letter there may be a million."""


def suggest(
    snapshot: Snapshot, spec: FieldSpec, allowed: Allowed, prefix: str, *, limit: int, clock: Clock
) -> tuple[Suggestion, ...]:
    """Values of an IDENT or KEYWORD field that begin with ``prefix``, the most frequent first.

    Only values of documents held at the field's tier exist for the asker. An empty prefix suggests nothing.
    Of an IDENT field the first ``MOST_IDENTIFIERS`` in their own order are compared. Raises TooSlow.
    """
    if spec.kind not in {Kind.IDENT, Kind.KEYWORD}:
        raise ValueError(f"the field {spec.name} suggests nothing")
    start = key(prefix)
    if not start:
        return ()
    scope = Scope(snapshot, allowed)
    counts = (_identifiers if spec.kind is Kind.IDENT else _keywords)(spec, start, scope, clock)
    best = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit]
    return tuple(Suggestion(value, count) for value, count in best)


def _keywords(spec: FieldSpec, start: str, scope: Scope, clock: Clock) -> Mapping[str, int]:
    column, docs = scope.space.keywords(spec.name), np.flatnonzero(scope.held(spec.tier).mask)
    found = {}
    for value, count in labelled(column, docs).items():
        clock.tick()
        if key(value).startswith(start):
            found[value] = count
    return found


def _identifiers(spec: FieldSpec, start: str, scope: Scope, clock: Clock) -> Mapping[str, int]:
    held = scope.held(spec.tier).mask
    first = scope.space.first_terms(spec.name, start, held, MOST_IDENTIFIERS, clock.tick)
    docs, counts = union(list(first.values()), scope.space.size), Counter[str]()
    for column in scope.space.labels(spec.name):
        within = docs[(docs >= column.start) & (docs < column.start + len(column.codes))] - column.start
        codes, times = np.unique(column.codes[within], return_counts=True)
        for code, count in zip(codes.tolist(), times.tolist(), strict=True):
            clock.tick()
            values = set(column.labels[code].split(SEPARATOR))
            counts.update({value: count for value in values if key(value) in first})
    return counts
