"""Where words stand in a text, found in the text as it was written: to fold a long record takes longer than to search it."""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from .analysis import HAN, LETTER, fold, units

Span = tuple[int, int]
_BASIC_PLANE = range(0x80, 0x10000)
BEYOND = re.compile("[\U00010000-\U0010ffff]")


class _Forms(NamedTuple):
    """How characters are written: ``alike`` by the folded one, and those that fold into none, several or another kind."""

    alike: dict[str, str]
    unlike: re.Pattern[str]
    all_unlike: re.Pattern[str]


@cache
def _forms() -> _Forms:
    """Of all characters of the basic plane, once a process; of those beyond it each is unlike, as they are rare."""
    written = list(map(chr, _BASIC_PLANE))
    alike: dict[str, str] = {chr(code): chr(code - 32) for code in range(ord("a"), ord("z") + 1)}
    unlike = []
    for letter, folded in zip(written, fold("\0".join(written)).split("\0"), strict=True):
        if letter == folded:
            continue
        if len(folded) == 1 and _kind(letter) == _kind(folded):
            alike[folded] = alike.get(folded, "") + letter
        else:
            unlike.append(letter)
    # A class of the basic plane alone is a table, and fast; with a character beyond it, it would be a list.
    table = f"[{re.escape(''.join(unlike))}]"
    return _Forms(alike, re.compile(table), re.compile(f"{table}|{BEYOND.pattern}"))


def _kind(letter: str) -> int:
    """What decides where a word ends."""
    patterns = (f"[{HAN}]", LETTER, r"\d", r"\s")
    return next((at for at, pattern in enumerate(patterns) if re.match(pattern, letter)), len(patterns))


class Spotter:
    """Looks for several words in any number of texts; a word may be a phrase, whatever the spacing in the text."""

    def __init__(self, words: Iterable[str]) -> None:
        known = {tuple(found) for word in words if (found := units(word))}
        self._pattern = re.compile(_any_of(sorted(known, key=len, reverse=True))) if known else None

    @staticmethod
    def prepare() -> None:
        """Makes what the first one of a process would else wait for: some 0.1 seconds of work."""
        _forms()
        joining()

    def __bool__(self) -> bool:
        """Whether there is anything to look for."""
        return self._pattern is not None

    def spans(self, text: str) -> list[Span]:
        """Where the words stand, first to last, not overlapping. The text is in normal form NFC."""
        if self._pattern is None:
            return []
        forms = _forms()
        unlike = forms.all_unlike if BEYOND.search(text) else forms.unlike
        replaced = unlike.sub(lambda found: _folded(found[0]), text)
        hits = [hit.span() for hit in self._pattern.finditer(replaced)]
        return _as_written(text, hits, unlike) if hits and replaced is not text else hits


@cache
def _folded(letter: str) -> str:
    return fold(letter)


def _as_written(text: str, hits: list[Span], unlike: re.Pattern[str]) -> list[Span]:
    """The same places in the text before it was folded in part."""
    offsets: list[int] = []
    at = 0
    for found in unlike.finditer(text):
        offsets.extend(range(at, found.start()))
        offsets.extend([found.start()] * len(_folded(found[0])))
        at = found.end()
    offsets.extend(range(at, len(text) + 1))
    spans, last = [], 0
    for begin, end in hits:
        start, stop = offsets[begin], offsets[end - 1] + 1
        while stop < offsets[end]:  # a variation selector belongs to the character before it
            stop += 1
        if start >= last:
            spans.append((start, stop))
            last = stop
    return spans


def _any_of(phrases: list[tuple[str, ...]]) -> str:
    """The first letters of all come first, as one class: Python looks for those fast, and for nothing else."""
    firsts = {_character(words[0][0]) for words in phrases}
    letters = "".join(first.removeprefix("[").removesuffix("]") for first in firsts)
    return f"[{letters}](?:{'|'.join(map(_phrase, phrases))})"


def _phrase(words: tuple[str, ...]) -> str:
    """One of the phrases, behind its first letter."""
    first, *rest = words
    begun = f"(?<={_character(first[0])}){_word_edge(first, before=True)}"
    return begun + r"\s*".join([_letters(first[1:]) + _word_edge(first), *map(_unit, rest)])


def _unit(unit: str) -> str:
    kind = _kind_of_word(unit)
    return (f"(?<!{kind})" if kind else "") + _letters(unit) + _word_edge(unit)


def _word_edge(unit: str, *, before: bool = False) -> str:
    """That the word or number does not go on; ``before``: to the left, where its first letter has been read."""
    kind = _kind_of_word(unit)
    return (f"(?<!{kind}.)" if before else f"(?!{kind})") if kind else ""


def _kind_of_word(unit: str) -> str | None:
    """Letters or digits; nothing for a Chinese character or a sign, which stand alone."""
    return next((kind for kind in (LETTER, r"\d") if re.match(kind, unit)), None)


def _letters(unit: str) -> str:
    return "".join(map(_character, unit))


def _character(letter: str) -> str:
    others = _forms().alike.get(letter, "")
    return f"[{re.escape(letter + others)}]"


@cache
def joining() -> re.Pattern[str]:
    """Characters that may become one with what stands before them once that is folded: then to spot is not enough."""
    marks = [
        letter
        for letter in map(chr, _BASIC_PLANE)
        if not 0xD800 <= ord(letter) < 0xE000
        and any(unicodedata.category(one).startswith("M") for one in unicodedata.normalize("NFKD", letter))
    ]
    return re.compile(f"[{re.escape(''.join(marks))}\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff\uffa0-\uffdc]")
