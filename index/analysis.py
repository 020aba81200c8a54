"""From text to what is stored and looked up. One function folds both, so what was written one way is found another."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from operator import add
from pathlib import Path

# Ideographs of all planes, 々 and 〇, and the private use areas: older hospital systems have glyphs of their own
# for rare names.
HAN = (
    "\u4e00-\u9fff\u3400-\u4dbf\u3005\u3007\uf900-\ufaff\ue000-\uf8ff"
    "\U00020000-\U0003fffd\U000f0000-\U000ffffd\U00100000-\U0010fffd"
)
LETTER = rf"[^\W\d_{HAN}]"
LONGEST = 64
"""Of a longer word (a key, a blob in base64) only so many letters are stored; the rest is compared in the text."""

_RUN = re.compile(rf"[{HAN}](?:\s*[{HAN}])*|{LETTER}+|\d+")
_UNIT = re.compile(rf"[{HAN}]|{LETTER}+|\d+|\S")
_WORDLIKE = re.compile(rf"[{HAN}]|{LETTER}|\d")
IS_HAN = re.compile(rf"[{HAN}]")
_IS_LETTER = re.compile(LETTER)
_GAP = re.compile(r"\s+")

# What a person does not see, or cannot tell apart: it must not decide whether a thing is found.
_INVISIBLE = (
    (0xAD, 0xAD), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x2069), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
    (0xD800, 0xDFFF), (0xE0100, 0xE01EF),
)  # fmt: skip
_DASHES = "‐‑‒–—―−"
_DOTS = "•‧∙⋅・"


def _replacements() -> dict[str, str]:
    # Full width is NFKC's work, but NFKC is slow where it has any, and every Chinese text has a ，.
    table = {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
    for line in Path(__file__).with_name("simplified.txt").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            table[line[0]] = line[1]
    table.update(dict.fromkeys(_DASHES, "-") | dict.fromkeys(_DOTS, "·"))
    for first, last in _INVISIBLE:
        table.update((chr(code), "") for code in range(first, last + 1))
    return table


REPLACED = _replacements()
_FEW = 40


def _replaced(text: str) -> str:
    """By whole-text replacements if they are few, as in nearly every text: a table would ask for each character."""
    present = REPLACED.keys() & set(text)
    if len(present) > _FEW:
        return text.translate({ord(one): REPLACED[one] for one in present})
    for one in present:
        text = text.replace(one, REPLACED[one])
    return text


def fold(text: str) -> str:
    """The text without differences of width, case, and traditional or simplified form. The length may change."""
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKC", _replaced(text)).casefold()
    return _replaced(unicodedata.normalize("NFKC", text))


def terms(text: str) -> Counter[str]:
    """What a text field stores of a text, and how often.

    A run of Chinese, across spaces and line breaks, gives its overlapping pairs and its last character alone, so that
    each character begins exactly one term; letters and digits give words.
    """
    found: list[str] = []
    for run in _RUN.findall(fold(text)):
        if IS_HAN.match(run):
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


def flat(text: str) -> str:
    """The folded text without white space, but for one space where it parts two words or two numbers."""
    return _GAP.sub(_gap, fold(text))


def _gap(found: re.Match[str]) -> str:
    text, start, end = found.string, found.start(), found.end()
    return " " if start and end < len(text) and _continues(text[start - 1], text[end]) else ""


def _continues(before: str, after: str) -> bool:
    """Whether two neighbouring characters are of one word or number."""
    if before.isdecimal() or after.isdecimal():
        return before.isdecimal() and after.isdecimal()
    return bool(_IS_LETTER.match(before) and _IS_LETTER.match(after))


def says(text: str, phrase: str) -> bool:
    """Whether a flat text contains a flat phrase, word by word: *CT* is not in *ECT*."""
    at = text.find(phrase)
    while at >= 0:
        end = at + len(phrase)
        inside = at and _continues(text[at - 1], text[at])
        if not inside and not (end < len(text) and _continues(text[end - 1], text[end])):
            return True
        at = text.find(phrase, at + 1)
    return False


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
    """What a field must store (``lexemes``, all of them) and, unless that proves it, what its flat text must say."""

    lexemes: tuple[Lexeme, ...]
    phrase: str | None


def wanted(text: str) -> Wanted:
    """How words, kept together, are looked up. No lexemes: there is nothing that could be found."""
    parts = units(text)
    pair = len(parts) == 2 and all(IS_HAN.match(part) for part in parts)
    proven = pair or (len(parts) == 1 and len(parts[0]) <= LONGEST)
    return Wanted(tuple(dict.fromkeys(_lexemes(parts))), None if proven else flat(" ".join(parts)))


def _lexemes(parts: list[str]) -> Iterator[Lexeme]:
    run = ""
    for part in [*parts, ""]:
        if part and IS_HAN.match(part):
            run += part
            continue
        if len(run) == 1:
            yield Lexeme(run, starts=True)
        yield from map(Lexeme, map(add, run, run[1:]))
        run = ""
        if part and _WORDLIKE.match(part):
            yield Lexeme(part[:LONGEST])
