"""The leaves of a plan looked up in one segment, each among the documents allowed at its field's tier and no others."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .allowed import Mask
from .analysis import Lexeme, key
from .columns import MISSING, Codes
from .documents import SEPARATOR
from .fields import FieldSpec, Kind
from .plan import KeyLeaf, Leaf, RangeLeaf, TextLeaf
from .segments import Counts, Docs, Postings, SegmentView, among

Tick = Callable[[], None]
"""Called between steps; raises TooSlow when the time is up."""


@dataclass(frozen=True, eq=False)
class Found:
    """What a leaf found in a segment: documents, ascending, all of them allowed at the leaf's tier.

    For each lexeme of the leaf: how often each of ``docs`` holds it (``counts``), and how many allowed documents do
    (``holders``), also those that lack another lexeme.
    """

    docs: Docs
    counts: tuple[Counts, ...] = ()
    holders: tuple[int, ...] = ()


def look_up(leaf: Leaf, view: SegmentView, allowed: Mask, tick: Tick) -> Found:
    """The documents of a leaf; of a leaf with a phrase those that may prove to be."""
    match leaf:
        case TextLeaf(field, wanted):
            return _together([holding(field, lexeme, view, allowed, tick) for lexeme in wanted.lexemes])
        case KeyLeaf(field, wanted_key) if field.kind is Kind.IDENT:
            return _together([holding(field, Lexeme(wanted_key), view, allowed, tick)] if wanted_key else [])
        case KeyLeaf(field, wanted_key):
            codes, _ = view.labels(field.name)
            return Found(np.flatnonzero(np.isin(codes, _codes_of(wanted_key, field, view)) & allowed))
        case RangeLeaf(field, low, high):
            numbers = view.numbers(field.name)
            within = (numbers != MISSING) & allowed
            if low is not None:
                within &= numbers >= low
            if high is not None:
                within &= numbers <= high
            return Found(np.flatnonzero(within))


def _codes_of(wanted: str, field: FieldSpec, view: SegmentView) -> Codes:
    """The labels among whose values the key is."""
    _, labels = view.labels(field.name)
    codes = [at for at, label in enumerate(labels) if wanted and wanted in map(key, label.split(SEPARATOR))]
    return np.array(codes, np.int32)


def holding(field: FieldSpec, lexeme: Lexeme, view: SegmentView, allowed: Mask, tick: Tick) -> Postings:
    """The allowed documents that hold a lexeme."""
    tick()
    found = (
        view.postings_from(field.name, lexeme.term, tick)
        if lexeme.starts
        else view.postings(field.name, lexeme.term)
    )
    keep = allowed[found.docs]
    return Postings(found.docs[keep], found.counts[keep])


def _together(lists: list[Postings]) -> Found:
    """The documents that are in all of the lists. Of no lists: none."""
    if not lists:
        return Found(np.zeros(0, np.int64))
    if len(lists) == 1:
        return Found(lists[0].docs, (lists[0].counts,), (len(lists[0].docs),))
    docs = min((found.docs for found in lists), key=len)
    for found in sorted(lists, key=lambda one: len(one.docs)):
        docs = docs[among(docs, found.docs)]
    counts = tuple(found.counts[np.searchsorted(found.docs, docs)] for found in lists)
    return Found(docs, counts, tuple(len(found.docs) for found in lists))
