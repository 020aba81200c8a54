"""The small language that people type."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import NoReturn, Protocol

from .analysis import has_words
from .errors import QuerySyntax
from .fields import FieldSpec, Kind
from .query import And, Field, Not, Or, Phrase, Query, Term, Whole
from .ranges import range_of

LONGEST_QUERY = 1000
MOST_WORDS = 50
_DEEPEST = 10


class Meaning(Protocol):
    """Gives the query of a value; ``whole``: it stood behind ``=`` and is all that is said there.

    Raises ValueError with a sentence, one of few, for the person who typed it.
    """

    def __call__(self, text: str, *, whole: bool) -> Query: ...


@dataclass(frozen=True)
class Reading:
    """A label whose values people do not call as the index does."""

    meaning: Meaning


Labels = Mapping[str, FieldSpec | Reading]
"""What people may write before a colon, and the field that it means."""

_SPACE = r"[\s,，、。;；!！?？]"
_OPEN, _CLOSE = "(（", ")）"
_QUOTES = {'"': '"', "“": "”", "”": "”", "＂": "＂", "「": "」", "『": "』"}
_DASH = "-－−"
_WHOLE = "=＝"
_BLANK = re.compile(_SPACE + "+")
_WORD = re.compile(rf"(?:(?!{_SPACE})[^{_OPEN}{_CLOSE}{''.join(_QUOTES)}])+")
_LABEL = re.compile(r"([^:：]+)[:：]")


def parse(text: str, labels: Labels) -> Query:
    """The query that a person typed: words, "phrases", -not, OR, (groups), label:value, ranges as 2024..2026.

    A label that is not in ``labels`` is read as part of the word. Raises QuerySyntax.
    """
    if len(text) > LONGEST_QUERY:
        raise QuerySyntax("This is too long to search for.", LONGEST_QUERY)
    return _Parser(text, {folded_label(label): spec for label, spec in labels.items()}).query()


def folded_label(label: str) -> str:
    """Labels that differ by width or case alone are the same."""
    return unicodedata.normalize("NFKC", label).casefold()


class _Parser:
    """One method for each rule of the grammar; each returns None for what holds no word, like a lone dash."""

    def __init__(self, text: str, labels: Labels) -> None:
        self._text = text
        self._labels = labels
        self._at = 0
        self._words = 0
        self._depth = 0

    def query(self) -> Query:
        found = self._alternatives()
        if self._at < len(self._text):
            self._fail("This bracket closes nothing.")
        return found or self._fail("Type at least one word to search for.", at=0)

    def _fail(self, message: str, *, at: int | None = None) -> NoReturn:
        raise QuerySyntax(message, self._at if at is None else at)

    def _sees(self, characters: str) -> bool:
        return self._at < len(self._text) and self._text[self._at] in characters

    def _ends(self) -> bool:
        return self._at >= len(self._text) or self._sees(_CLOSE) or bool(_BLANK.match(self._text, self._at))

    def _skip_blank(self) -> None:
        if blank := _BLANK.match(self._text, self._at):
            self._at = blank.end()

    def _plain(self) -> str:
        word = _WORD.match(self._text, self._at)
        return word.group() if word else ""

    def _alternatives(self) -> Query | None:
        sides = [self._conjunction()]
        while self._plain() == "OR":
            at = self._at
            self._at += len("OR")
            sides.append(self._conjunction())
            if None in sides:
                self._fail("OR needs a word on both sides.", at=at)
        kept = tuple(side for side in sides if side is not None)
        return Or(kept) if len(kept) > 1 else next(iter(kept), None)

    def _conjunction(self) -> Query | None:
        parts: list[Query] = []
        self._skip_blank()
        while not self._ends() and self._plain() != "OR":
            if part := self._part():
                parts.append(part)
            self._skip_blank()
        return And(tuple(parts)) if len(parts) > 1 else next(iter(parts), None)

    def _part(self) -> Query | None:
        dashes = 0
        while self._sees(_DASH):
            self._at += 1
            dashes += 1
        if not dashes:
            return self._atom()
        if dashes > 1 or self._ends():
            return None  # a rule of dashes or a lone one: punctuation
        part = self._atom()
        return part and Not(part)

    def _atom(self) -> Query | None:
        if self._sees(_OPEN):
            return self._group()
        at, quoted, text = self._at, self._sees("".join(_QUOTES)), self._value()
        label = None if quoted else _LABEL.match(text)
        if label and (spec := self._labels.get(folded_label(label.group(1)))):
            self._at = at + label.end()
            return self._read(spec) if isinstance(spec, Reading) else self._labelled(spec)
        return self._word(text, quoted=quoted) if has_words(text) else None

    def _value(self) -> str:
        """A phrase without its quotation marks, or a word."""
        at = self._at
        if not self._sees("".join(_QUOTES)):
            text = self._plain()
            self._at += len(text)
            return text
        end = self._text.find(_QUOTES[self._text[at]], at + 1)
        if end < 0:
            self._fail("This quotation mark is never closed.")
        self._at = end + 1
        return self._text[at + 1 : end]

    def _word(self, text: str, *, quoted: bool) -> Term:
        self._count()
        return Phrase(text) if quoted else Term(text)

    def _count(self) -> None:
        self._words += 1
        if self._words > MOST_WORDS:
            self._fail("There are too many words to search for.")

    def _group(self) -> Query | None:
        at = self._at
        self._depth += 1
        if self._depth > _DEEPEST:
            self._fail("There are too many brackets within brackets.")
        self._at += 1
        inner = self._alternatives()
        if not self._sees(_CLOSE):
            self._fail("This bracket is never closed.", at=at)
        self._at += 1
        self._depth -= 1
        return inner

    def _read(self, label: Reading) -> Query:
        at = self._at
        if self._sees(_OPEN):
            if inner := self._group():
                return _each(inner, lambda text: self._meant(partial(label.meaning, whole=False), text, at))
            self._fail("A value must follow the colon.", at=at)
        whole = self._sees(_WHOLE)
        self._at += whole
        text = self._value()
        if not has_words(text):
            self._fail("A value must follow the colon.", at=at)
        self._count()
        return self._meant(partial(label.meaning, whole=whole), text, at)

    def _meant(self, meaning: Callable[[str], Query], text: str, at: int) -> Query:
        try:
            return meaning(unicodedata.normalize("NFKC", text))
        except ValueError as error:
            raise QuerySyntax(str(error), at) from None

    def _labelled(self, spec: FieldSpec) -> Query:
        at, ranged = self._at, spec.kind in {Kind.INTEGER, Kind.DATE}
        if self._sees(_OPEN) and not ranged:
            if inner := self._group():
                return Field(spec.name, inner)
            self._fail("A value must follow the colon.", at=at)
        whole = self._sees(_WHOLE)
        self._at += whole
        quoted, text = self._sees("".join(_QUOTES)), self._value()
        if not has_words(text):
            self._fail("A value must follow the colon.", at=at)
        if not ranged:
            word = self._word(text, quoted=quoted)
            return Field(spec.name, Whole(text) if whole else word)
        self._count()
        return self._meant(partial(range_of, spec), text, at)


def _each(query: Query, meaning: Callable[[str], Query]) -> Query:
    """A query with what each of its words means instead of the word."""
    match query:
        case Term(text):
            return meaning(text)
        case And(parts) | Or(parts):
            return replace(query, parts=tuple(_each(part, meaning) for part in parts))
        case Not(part):
            return Not(_each(part, meaning))
    return query
