"""The leaves of a plan looked up, each among the documents held at its field's tier and no others."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

import numpy as np

from .allowed import Mask
from .analysis import Lexeme
from .clock import Tick
from .columns import MISSING
from .docs import NO_DOCS, Chosen, Docs, among, common
from .fields import FieldSpec, Kind
from .held import Held
from .plan import KeyLeaf, Leaf, NumberLeaf, RangeLeaf, TextLeaf
from .scope import Scope
from .space import Holders, Space


@dataclass(frozen=True, eq=False)
class Found:
    """What a leaf found: documents, ascending, all of them held at the leaf's tier.

    ``documents``: how many there are in the whole row. For each lexeme of the leaf its ``lists``: the held documents with
    it, also those that lack another lexeme. Of a leaf that found nothing they are not complete.
    """

    docs: Docs
    documents: int
    lists: tuple[Holders, ...] = ()

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return self.docs.nbytes + sum(one.size for one in self.lists)

    def among(self, docs: Docs) -> Mask:
        """Which of some documents it found."""
        return among(docs, self.docs, self.documents)

    def row(self) -> Mask:
        """For each document whether it found it."""
        row = np.zeros(self.documents, np.bool_)
        row[self.docs] = True
        return row


@dataclass(frozen=True, eq=False)
class Broad:
    """The same of what so much fits that a list would be longer than the row itself; it gives no score."""

    fits: Mask

    lists = ()

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return self.fits.nbytes

    def among(self, docs: Docs) -> Mask:
        """Which of some documents fit."""
        return self.fits[docs]

    def row(self) -> Mask:
        """For each document whether it fits."""
        return self.fits


def look_up(leaf: Leaf, scope: Scope, tick: Tick) -> Found | Broad:
    """The documents of a leaf; of a leaf with a phrase those that may prove to be."""
    tick()
    space = scope.space
    match leaf:
        case TextLeaf(field, wanted):
            return _together(_lists(field, wanted.lexemes, scope, tick), space)
        case KeyLeaf(field, key) if field.kind is Kind.IDENT:
            lists = [held_postings(field, Lexeme(key), scope, tick)] if key else []
            return _together(lists, space)
        case KeyLeaf(field, key):
            chosen = space.chosen(("key", field.name, key), lambda: _keyed(field.name, key, space))
        case RangeLeaf(field, low, high):
            chosen = space.chosen(
                ("range", field.name, low, high), lambda: _ranged(field.name, low, high, space)
            )
        case NumberLeaf(_, numbers, column):
            chosen = Chosen.of(np.isin(space.numbers(column), numbers))
    return _held(chosen, scope.held(leaf.field.tier))


def _held(chosen: Chosen, held: Held) -> Found | Broad:
    """What is chosen, as far as it is held."""
    if chosen.row is None:
        return Found(chosen.docs[held.of(chosen.docs)], len(held.mask))
    own = Chosen.of(chosen.row & held.mask)
    return Found(own.docs, len(held.mask)) if own.row is None else Broad(own.row)


def held_postings(field: FieldSpec, lexeme: Lexeme, scope: Scope, tick: Tick) -> Holders:
    """The held documents with a lexeme."""
    found = scope.space.postings(field.name, lexeme.term, tick, starts=lexeme.starts)
    if not len(found.docs):
        return found
    held = scope.held(field.tier).of(found.docs)
    return found if held.all() else Holders(found.docs[held], found.counts[held])


def _lists(field: FieldSpec, lexemes: Iterable[Lexeme], scope: Scope, tick: Tick) -> list[Holders]:
    """Those of each lexeme; no more once one has none, as that is in most of the fields."""
    lists = list[Holders]()
    for lexeme in lexemes:
        lists.append(held_postings(field, lexeme, scope, tick))
        if not len(lists[-1].docs):
            break
    return lists


def _together(lists: list[Holders], space: Space) -> Found:
    """The documents that are in all of the lists. Of no lists: none."""
    fewest, *others = sorted((found.docs for found in lists), key=len) or [NO_DOCS]
    docs = reduce(lambda docs, more: common(docs, more, space.size), others, fewest)
    return Found(docs, space.size, tuple(lists))


def _keyed(name: str, key: str, space: Space) -> Mask:
    return space.keywords(name).row(key) if key else np.zeros(space.size, np.bool_)


def _ranged(name: str, low: int | None, high: int | None, space: Space) -> Mask:
    numbers = space.numbers(name)
    within: Mask = numbers != MISSING
    if low is not None:
        within &= numbers >= low
    if high is not None:
        within &= numbers <= high
    return within
