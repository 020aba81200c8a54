"""Which texts say a phrase. To fold a long text takes longer than to look through it: few texts are folded, or none."""

import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from .analysis import HAN, IS_HAN, REPLACED, flat, fold, says, units
from .documents import JOINT
from .spotting import BEYOND, Spotter, joining

_ALL_HAN = re.compile(rf"[{HAN}]+")
_LETTERS = 1 << 18
"""Characters looked through at once: each takes some 12 bytes while it is."""
_COMPATIBLE = ((0x2E80, 0x33FF), (0xF900, 0xFAFF))
"""Where Unicode has further forms of Chinese characters: radicals, enclosed and squared ones, those for compatibility."""
_PLAIN, _PARTING, _HIDING = range(3)
_SIGN, _OTHER_SIGN = "\0", "\1"
"""They are neither white space nor part of a word."""

Said = NDArray[np.bool_]


def being(texts: Sequence[str], said: str) -> Said:
    """Of which of some texts some words are all that it says, or all of one of the texts joined in it."""
    wanted = units(said)
    return np.array([any(units(part) == wanted for part in text.split(JOINT)) for text in texts], np.bool_)


def saying(texts: Sequence[str], phrase: str) -> Said:
    """Which of some texts contain a flat phrase, of Chinese characters, words, numbers or signs."""
    if _ALL_HAN.fullmatch(phrase):
        return _saying_chinese(texts, phrase)
    spotter, joins = Spotter([phrase]), joining()
    rare = bool(joins.search(phrase) or BEYOND.search(phrase))
    return np.array(
        [
            says(flat(text), phrase)
            if rare or joins.search(text) or BEYOND.search(text)
            else bool(spotter.spans(text))
            for text in texts
        ],
        np.bool_,
    )


def hides_han(letter: str) -> bool:
    """Whether folding puts other Chinese characters in the place of this one, or brings its neighbours together."""
    folded = fold(letter)
    return not folded or (folded != letter and bool(IS_HAN.search(folded)))


def _kinds() -> NDArray[np.uint8]:
    kinds = np.full(
        0x110000, _HIDING, np.uint8
    )  # of the characters beyond the basic plane each may hide others
    kinds[:0x10000] = _PLAIN
    suspects = [*REPLACED, *(chr(code) for first, last in _COMPATIBLE for code in range(first, last + 1))]
    kinds[[ord(letter) for letter in suspects if hides_han(letter)]] = _HIDING
    kinds[[code for code in range(0x10000) if chr(code).isspace()]] = _PARTING
    return kinds


_KINDS = _kinds()


def _saying_chinese(texts: Sequence[str], phrase: str) -> Said:
    """Which of some texts contain a phrase of Chinese characters.

    Most contain it just as it is looked for, or not at all: only in those that could hide it are the
    characters in question replaced, in many of them at once.
    """
    found = np.array([phrase in text for text in texts], np.bool_)
    for doubtful in _portions(np.flatnonzero(~found).tolist(), texts):
        kinds, letters = _kinds_in([texts[at] for at in doubtful])
        hiding = [at for at, kind in zip(doubtful, kinds.tolist(), strict=True) if kind > _PLAIN]
        shown = _shown([texts[at] for at in hiding], letters, phrase)
        found[hiding] = [phrase in text for text in shown]
    return found


def _portions(places: Iterable[int], texts: Sequence[str]) -> Iterator[list[int]]:
    """The places of some texts, as many at once as are looked through at once; one at least."""
    some, letters = list[int](), 0
    for at in places:
        if some and letters + len(texts[at]) > _LETTERS:
            yield some
            some, letters = [], 0
        some.append(at)
        letters += len(texts[at])
    if some:
        yield some


def _kinds_in(texts: Sequence[str]) -> tuple[NDArray[np.uint8], list[str]]:
    """Of each text whether anything in it parts or hides Chinese characters; and the letters that do, in any of them."""
    starts = np.cumsum([0, *(len(text) + 1 for text in texts[:-1])])
    letters = np.frombuffer(_SIGN.join([*texts, ""]).encode("utf-32-le", "surrogatepass"), np.uint32)
    kinds = _KINDS.take(letters)
    return np.maximum.reduceat(kinds, starts), list(map(chr, set(letters[kinds > _PLAIN].tolist())))


def _shown(texts: Sequence[str], letters: Iterable[str], phrase: str) -> list[str]:
    """The texts as far as they could say a Chinese phrase: without white space, and with what hiding letters stand for."""
    together = _SIGN.join(texts)
    if together.count(_SIGN) >= len(texts) > 0:
        together = _SIGN.join(text.replace(_SIGN, _OTHER_SIGN) for text in texts)
    for letter in letters:
        shown = "".join(fold(letter).split())
        if not shown or any(one in phrase for one in shown):
            together = together.replace(letter, shown)
    return together.split(_SIGN) if texts else []
