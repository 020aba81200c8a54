"""The passage of a text that shows best why it was found. Who may see the text is the caller's to decide."""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from .query import And, Field, Or, Query, Said, Term
from .spotting import Span, Spotter

_MOST_HITS = 500  # a passage is chosen among these; a long record may say the word more often
_ELLIPSIS = ("…", False)

Pieces = list[tuple[str, bool]]


def snippet(text: str, query: Query, width: int, *, field: str | None = None) -> Pieces:
    """About ``width`` characters of the text in pieces, each with whether it is a hit; … where the text goes on.

    ``field`` is the field that the text is of: words asked of another field are not marked. The pieces are in normal
    form NFC.
    """
    text = unicodedata.normalize("NFC", text)
    spans = _spotter(tuple(spoken(query, field))).spans(text)[:_MOST_HITS]
    begin, end = _window(spans, len(text), width)
    pieces: Pieces = [_ELLIPSIS] if begin else []
    at = begin
    for start, stop in ((max(start, begin), min(stop, end)) for start, stop in spans):
        if start < stop:
            pieces += [(text[at:start], False), (text[start:stop], True)]
            at = stop
    pieces += [(text[at:end], False), *([_ELLIPSIS] if end < len(text) else [])]
    return [piece for piece in pieces if piece[0]]


@lru_cache(maxsize=64)
def _spotter(words: tuple[str, ...]) -> Spotter:
    """A page of hits looks for the same words in some fifty texts."""
    return Spotter(words)


def spoken(query: Query, field: str | None = None) -> list[str]:
    """The words that speak for a document, as far as they were asked of the field."""
    return list(_spoken(query, field, None))


def _spoken(query: Query, field: str | None, within: str | None) -> Iterator[str]:
    match query:
        case Term(text):
            if None in (field, within) or field == within:
                yield text
        case And() | Or() | Said():
            for part in query.parts:
                yield from _spoken(part, field, within)
        case Field(name, part):
            yield from _spoken(part, field, name)


def _window(spans: list[Span], length: int, width: int) -> Span:
    """The stretch with the most hits, the first of the best; a quarter of it comes before its first hit."""
    if length <= width:
        return 0, length
    best, most, behind = 0, 0, 0
    for at, (start, _) in enumerate(spans):
        begin = max(0, start - width // 4)
        behind = max(behind, at)
        while behind < len(spans) and spans[behind][1] <= begin + width:
            behind += 1
        if behind - at > most:
            best, most = begin, behind - at
    begin = min(best, length - width)
    return begin, begin + width
