"""扩展检索: a plain word is also looked for as whatever else is said for it: its synonyms, the term of a code."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from archive.index_fields import FIELDS
from archive.services import codes, synonyms
from archive.uow import UnitOfWork
from index import And, Field, Kind, Or, Phrase, Query, Said, Term

MOST = 12
"""So many words are looked for beside those that were typed: each costs as much as one that was."""
LONGEST_RUN = 4
"""So many words one after another may be one word of the list: atrial fibrillation."""
TEXTS = frozenset(spec.name for spec in FIELDS if spec.kind is Kind.TEXT)


@dataclass(frozen=True)
class Widened:
    """A query with what it is looked for beside; `typed`: the words of which there is more than one way to say them."""

    query: Query
    typed: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()

    def exactly(self, text: str) -> str:
        """What to type for these words and no others: each in quotation marks."""
        for word in self.typed:
            alone = r"(?<![^\s:：(（])" + r"\s+".join(map(re.escape, word.split())) + r"(?![^\s)）])"
            text = re.sub(alone, lambda found: f"“{found.group()}”", text)
        return text


def widened(uow: UnitOfWork, query: Query) -> Widened:
    """The query with synonyms and terms of codes as further ways of saying each plain word.

    A phrase in quotation marks is meant to the letter, and what is excluded is excluded as it was typed.
    """
    walk = _Walk(uow)
    wider = walk.through(query)
    return Widened(wider, tuple(walk.typed), tuple(walk.beside))


@dataclass
class _Walk:
    uow: UnitOfWork
    typed: list[str] = field(default_factory=list)
    beside: dict[str, None] = field(default_factory=dict)

    def through(self, query: Query, within: str | None = None) -> Query:
        match query:
            case Phrase():
                return query
            case Term(text):
                return self._word(query, text, within)
            case And(parts):
                return And(tuple(self._runs(parts, within)))
            case Or(parts, least):
                return Or(tuple(self.through(part, within) for part in parts), least)
            case Field(name, part) if name in TEXTS or name in codes.FIELDS:
                return Field(name, self.through(part, name))
        return query

    def _runs(self, parts: Sequence[Query], within: str | None) -> Iterator[Query]:
        at = 0
        while at < len(parts):
            length = next((n for n in range(LONGEST_RUN, 1, -1) if self._is_one(parts[at : at + n], n)), 1)
            run = parts[at : at + length]
            if length > 1:
                words = " ".join(part.text for part in run if isinstance(part, Term))
                yield self._word(And(tuple(run)), words, within)
            else:
                yield self.through(run[0], within)
            at += length

    def _is_one(self, run: Sequence[Query], length: int) -> bool:
        words = [part.text for part in run if isinstance(part, Term) and not isinstance(part, Phrase)]
        return len(words) == length and bool(synonyms.of(self.uow, " ".join(words)))

    def _word(self, query: Query, text: str, within: str | None) -> Query:
        ways = list(self._ways(text, within))
        room = MOST - len(self.beside)
        if not ways or room <= 0:
            return query
        self.typed.append(text)
        self.beside |= dict.fromkeys(said for said, _way in ways[:room])
        return Said(query, tuple(way for _said, way in ways[:room]))

    def _ways(self, text: str, within: str | None) -> Iterator[tuple[str, Query]]:
        """What else is looked for, and how it is called on the page."""
        if within not in codes.FIELDS:
            yield from ((word, Term(word)) for word in synonyms.of(self.uow, text))
        system, code = codes.written(text) or (None, text)
        if system and within in (None, system.code):
            yield from (
                (finer, Field(system.code, Term(finer))) for finer in codes.below(self.uow, system, code)
            )
            if within is None and (found := codes.named(self.uow, system, code)):
                yield found.term, Field(system.term, Term(found.term))
