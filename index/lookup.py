"""The leaves of a plan looked up, each among the documents held at its field's tier and no others."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

import numpy as np

from .analysis import Lexeme
from .clock import Tick
from .columns import MISSING
from .docs import NO_DOCS, Docs, common
from .fields import FieldSpec, Kind
from .plan import KeyLeaf, Leaf, NumberLeaf, RangeLeaf, TextLeaf
from .scope import Scope
from .space import Holders, Space


@dataclass(frozen=True, eq=False)
class Found:
    """What a leaf found: documents, ascending, all of them held at the leaf's tier.

    For each lexeme of the leaf its ``lists``: the held documents with it, also those that lack another lexeme. Of a leaf
    that found nothing they are not complete.
    """

    docs: Docs
    lists: tuple[Holders, ...] = ()


def look_up(leaf: Leaf, scope: Scope, tick: Tick) -> Found:
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
            docs = space.chosen(("key", field.name, key), lambda: _keyed(field.name, key, space))
        case RangeLeaf(field, low, high):
            docs = space.chosen(
                ("range", field.name, low, high), lambda: _ranged(field.name, low, high, space)
            )
        case NumberLeaf(_, numbers, column):
            docs = np.flatnonzero(np.isin(space.numbers(column), numbers))
    return Found(docs[scope.held(leaf.field.tier).of(docs)])


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
    return Found(reduce(lambda docs, more: common(docs, more, space.size), others, fewest), tuple(lists))


def _keyed(name: str, key: str, space: Space) -> Docs:
    return space.keywords(name).docs(key) if key else NO_DOCS


def _ranged(name: str, low: int | None, high: int | None, space: Space) -> Docs:
    numbers = space.numbers(name)
    within = numbers != MISSING
    if low is not None:
        within &= numbers >= low
    if high is not None:
        within &= numbers <= high
    return np.flatnonzero(within)
