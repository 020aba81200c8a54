"""Full text for people who may each see another part of it: see README.md. Knows nothing of the archive."""

import warnings
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

# Whoosh 2.7.4 has a comparison that Python frowns upon, aloud, whenever it compiles the file afresh: it does so here.
with warnings.catch_warnings():
    warnings.simplefilter("ignore", SyntaxWarning)
    import_module("whoosh.codec.whoosh3")

from .allowed import NOBODY, Allowed, Masks, Sealed
from .analysis import fold
from .checking import TextsOf
from .documents import JOINT, Change, Drop, Put, Value
from .engine import Index
from .errors import Busy, Damaged, QuerySyntax, Reason, TooSlow
from .fields import FieldSpec, Kind, Tier
from .language import Reading, folded_label, parse
from .likeness import alike
from .query import (
    Among,
    And,
    Everything,
    Field,
    Not,
    Or,
    Phrase,
    Query,
    Range,
    Said,
    Term,
    Whole,
)
from .ranges import range_of
from .results import RELEVANCE, Cursor, Differences, Facets, Hit, Results, Sort, Stats, Suggestion, Total
from .search import Limits
from .snippets import snippet, spoken
from .spotting import Spotter

__all__ = [  # not "open": a star import must not hide Python's own
    "JOINT",
    "NOBODY",
    "RELEVANCE",
    "Allowed",
    "Among",
    "And",
    "Busy",
    "Change",
    "Cursor",
    "Damaged",
    "Differences",
    "Drop",
    "Everything",
    "Facets",
    "Field",
    "FieldSpec",
    "Hit",
    "Index",
    "Kind",
    "Limits",
    "Masks",
    "Not",
    "Or",
    "Phrase",
    "Put",
    "Query",
    "QuerySyntax",
    "Range",
    "Reading",
    "Reason",
    "Results",
    "Said",
    "Sealed",
    "Sort",
    "Spotter",
    "Stats",
    "Suggestion",
    "Term",
    "TextsOf",
    "Tier",
    "TooSlow",
    "Total",
    "Value",
    "Whole",
    "alike",
    "fold",
    "folded_label",
    "parse",
    "range_of",
    "snippet",
    "spoken",
]


def open(path: Path, fields: Iterable[FieldSpec]) -> Index:  # noqa: A001 - index.open reads as it should
    """Open an index and remove what a killed writer left there.

    Raises Damaged: then ``Index(path, fields).rebuild(...)`` makes a new one.
    """
    index = Index(path, fields)
    index.generation()
    index.tidy()
    return index
