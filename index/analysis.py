"""From text to what is stored and looked up. One function folds both, so what was written one way is found another."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from operator import add
from pathlib import Path

# Ideographs of all planes, 々 and 〇, and the private use areas: older hospital systems write rare names with glyphs of their own.
HAN = (
    "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\ue000-\uf8ff"
    "\U00020000-\U0003fffd\U000f0000-\U000ffffd\U00100000-\U0010fffd"
)
LETTER = rf"[^\W\d_{HAN}]"
LONGEST = 64
"""Of a longer word (a key, a blob in base64) only so many letters are stored; the rest is compared in the text."""

_RUN = re.compile(rf"[{HAN}](?:\s*[{HAN}])*|{LETTER}+|\d+")
_UNIT = re.compile(rf"[{HAN}]|{LETTER}+|\d+|\S")
_WORDLIKE = re.compile(rf"[{HAN}]|{LETTER}|\d")
_IS_HAN = re.compile(rf"[{HAN}]")
_JOIN = "\x1f"  # white space to a regular expression, hence never a unit

# What a person does not see, or cannot tell apart: it must not decide whether a thing is found.
_INVISIBLE = (
    (0xAD, 0xAD), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x2069), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
    (0xD800, 0xDFFF), (0xE0100, 0xE01EF),
)  # fmt: skip
_DASHES = "‐‑‒–—―−"
_DOTS = "•‧∙⋅・"


def _table() -> dict[int, str | None]:
    table: dict[int, str | None] = {}
    for line in Path(__file__).with_name("simplified.txt").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            table[ord(line[0])] = line[1]
    table.update((ord(dash), "-") for dash in _DASHES)
    table.update((ord(dot), "·") for dot in _DOTS)
    for first, last in _INVISIBLE:
        table.update((code, None) for code in range(first, last + 1))
    return table


_TABLE = _table()


def fold(text: str) -> str:
    """The text without differences of width, case, and traditional or simplified form. The length may change."""
    text = unicodedata.normalize("NFKC", text)
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", text.casefold()).translate(_TABLE)


@cache
def _folded(character: str) -> str:
    return fold(character)


def folded_with_offsets(text: str) -> tuple[str, list[int]]:
    """The folded text, and for each of its characters and its end the offset in ``text`` that it came from.

    ``text`` is in normal form NFC: there, characters fold one by one as they do together (Hangul and kana marks apart).
    """
    parts = [_folded(character) for character in text]
    offsets = [at for at, part in enumerate(parts) for _ in part]
    return "".join(parts), [*offsets, len(text)]


def terms(text: str) -> Counter[str]:
    """What a text field stores of a text, and how often.

    A run of Chinese, across spaces and line breaks, gives its overlapping pairs and its last character alone, so that
    each character begins exactly one term; letters and digits give words.
    """
    found: list[str] = []
    for run in _RUN.findall(fold(text)):
        if _IS_HAN.match(run):
            characters = "".join(run.split())
            found.extend(map(add, characters, characters[1:]))
            found.append(characters[-1])
        else:
            found.append(run[:LONGEST])
    return Counter(found)


def units(text: str) -> list[str]:
    """The folded text as characters, words, numbers and signs, without white space and without signs at either end."""
    found: list[str] = _UNIT.findall(fold(text))
    spoken = [at for at, unit in enumerate(found) if _WORDLIKE.match(unit)]
    return found[spoken[0] : spoken[-1] + 1] if spoken else []


def has_words(text: str) -> bool:
    """Whether there is anything to look up."""
    return bool(_WORDLIKE.search(fold(text)))


def chain(text: str) -> str:
    """All units of a text, delimited: one text contains another, word by word, if its chain contains the other's."""
    return _JOIN + _JOIN.join(_UNIT.findall(fold(text))) + _JOIN


def chain_of(wanted: list[str]) -> str:
    """The chain of units that are already taken apart."""
    return _JOIN + _JOIN.join(wanted) + _JOIN


def key(text: str) -> str:
    """An identifier or keyword as it is compared: whole, folded, without white space."""
    return "".join(fold(text).split())


@dataclass(frozen=True)
class Lexeme:
    """One look-up among the stored terms: a term, or all terms that begin with a character."""

    term: str
    starts: bool = False


@dataclass(frozen=True)
class Wanted:
    """What a field must store (``lexemes``, all of them) and, unless that proves it, what its text must contain."""

    lexemes: tuple[Lexeme, ...]
    chain: str | None


def wanted(text: str) -> Wanted:
    """How words, kept together, are looked up. No lexemes: there is nothing that could be found."""
    parts = units(text)
    pair = len(parts) == 2 and all(_IS_HAN.match(part) for part in parts)
    proven = pair or (len(parts) == 1 and len(parts[0]) <= LONGEST)
    return Wanted(tuple(dict.fromkeys(_lexemes(parts))), None if proven else chain_of(parts))


def _lexemes(parts: list[str]) -> Iterator[Lexeme]:
    run = ""
    for part in [*parts, ""]:
        if part and _IS_HAN.match(part):
            run += part
            continue
        if len(run) == 1:
            yield Lexeme(run, starts=True)
        yield from map(Lexeme, map(add, run, run[1:]))
        run = ""
        if part and _WORDLIKE.match(part):
            yield Lexeme(part[:LONGEST])
