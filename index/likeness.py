"""What to ask when nothing says it literally."""

from math import ceil

from .analysis import wanted
from .query import And, Or, Phrase, Query, Term

_LIKENESS = range(3, 41)
"""So many pairs of characters or words make a likeness; fewer say too little, more would only take time."""
_SHARED = 3
"""One in so many of them must be shared, and two at least: one alone is in every second document."""


def alike(query: Query) -> Or | None:
    """What shares words or pairs of characters with a query, the more and the rarer the better; nothing for few words.

    For when nothing says it literally. Only of plain words: whoever quotes, excludes or names a field means it so.
    """
    parts = query.parts if isinstance(query, And) else (query,)
    words = [part.text for part in parts if isinstance(part, Term) and not isinstance(part, Phrase)]
    if len(words) < len(parts):
        return None
    terms = [lexeme.term for word in words for lexeme in wanted(word).lexemes if not lexeme.starts]
    distinct = list(dict.fromkeys(terms))[: _LIKENESS[-1]]
    if len(distinct) not in _LIKENESS:
        return None
    return Or(tuple(map(Term, distinct)), least=max(2, ceil(len(distinct) / _SHARED)))
