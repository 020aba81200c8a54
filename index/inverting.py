"""Many texts inverted at once: what ``analysis.terms`` says of each, as arrays over all of them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import analysis
from .analysis import LONGEST, fold

Codes = NDArray[np.uint64]
"""Terms as numbers: a pair of Chinese characters, one alone (with 0 beside it), or a word by its place in ``Words``."""

OTHER, HAN, LETTER, DIGIT, SPACE, UNKNOWN = range(6)
_SORTS = ((HAN, f"[{analysis.HAN}]"), (LETTER, analysis.LETTER), (DIGIT, r"\d"), (SPACE, r"\s"))
_BITS = 21  # of a character
_DOC_BITS = 22
MOST_TEXTS = 1 << _DOC_BITS
"""So many texts can be inverted at once."""
_WORD = np.uint64(1 << 63)
_PART = "\0"
"""Between texts: it is neither a space nor part of a word, so no term reaches across."""

_KINDS = np.full(0x110000, UNKNOWN, np.uint8)


@dataclass(frozen=True, eq=False)
class Run:
    """Postings, those of one code in the order of their documents."""

    codes: Codes
    docs: NDArray[np.uint32]
    counts: NDArray[np.uint32]


def kind_of(letter: str) -> int:
    """What the analysis takes a folded character for."""
    return next((kind for kind, pattern in _SORTS if re.match(pattern, letter)), OTHER)


class Words:
    """The words of one field of one segment, each with a number."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def code(self, word: str) -> int:
        return self._places.setdefault(word, len(self._places)) | 1 << 63

    def places(self, words: Iterable[str]) -> Codes:
        """The number of each of some words."""
        places, known = self._places, len(self._places)
        found = []
        for word in words:
            place = places.get(word)
            if place is None:
                place = places[word] = known
                known += 1
            found.append(place)
        return np.array(found, np.uint64)

    def terms(self, codes: Codes) -> list[bytes]:
        """What codes stand for, as the index writes it."""
        words = list(self._places)
        is_word = codes >= _WORD
        pairs = codes[~is_word]
        letters = np.empty((len(pairs), 2), np.uint32)
        letters[:, 0], letters[:, 1] = pairs >> np.uint64(_BITS), pairs & np.uint64((1 << _BITS) - 1)
        text = letters.tobytes().decode("utf-32-le")
        found = [b""] * len(codes)
        for at, place in zip(np.flatnonzero(~is_word).tolist(), range(0, len(text), 2), strict=True):
            found[at] = text[place : place + 2].rstrip(_PART).encode()
        for at, place in zip(
            np.flatnonzero(is_word).tolist(), (codes[is_word] ^ _WORD).tolist(), strict=True
        ):
            found[at] = words[place].encode()
        return found


def code_of(term: str, words: Words) -> int:
    """The code of a term that an index holds."""
    if len(term) <= 2 and all(kind_of(letter) == HAN for letter in term):
        return ord(term[0]) << _BITS | (ord(term[1]) if len(term) == 2 else 0)
    return words.code(term)


def inverted(texts: Sequence[str], first: int, words: Words) -> tuple[Run, NDArray[np.int64]]:
    """The postings of some texts, whose documents are numbered from ``first``; and how many terms each text has."""
    folded = [fold(text) for text in texts]
    joined = _PART.join([*folded, ""])
    letters = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    owner = np.repeat(np.arange(len(folded), dtype=np.uint64), [len(text) + 1 for text in folded])
    kinds = _kinds(letters)
    pairs, places = _of_han(letters, kinds)
    words_found, word_places = _of_words(joined, kinds, words)
    lengths = np.bincount(owner[places].astype(np.int64), minlength=len(folded))
    lengths += np.bincount(owner[word_places].astype(np.int64), minlength=len(folded))
    of_han, of_words = _counted(pairs, owner[places]), _counted(words_found, owner[word_places])
    docs = np.concatenate([of_han.docs, of_words.docs]) + np.uint32(first)
    codes = np.concatenate([of_han.codes, of_words.codes | _WORD])
    return Run(codes, docs, np.concatenate([of_han.counts, of_words.counts])), lengths


def _kinds(letters: NDArray[np.uint32]) -> NDArray[np.uint8]:
    kinds = _KINDS[letters]
    if (kinds == UNKNOWN).any():
        for letter in np.unique(letters[kinds == UNKNOWN]).tolist():
            _KINDS[letter] = kind_of(chr(letter))
        kinds = _KINDS[letters]
    return kinds


def _of_han(letters: NDArray[np.uint32], kinds: NDArray[np.uint8]) -> tuple[Codes, NDArray[np.intp]]:
    """Each Chinese character with the next one of its run, white space between them or not."""
    solid = np.flatnonzero(kinds != SPACE)
    han = kinds[solid] == HAN
    at = np.flatnonzero(han)  # never the last: what parts the texts is there
    left = letters[solid[at]].astype(np.uint64) << np.uint64(_BITS)
    right = np.where(han[at + 1], letters[solid[at + 1]], 0).astype(np.uint64)
    return left | right, solid[at]


def _of_words(joined: str, kinds: NDArray[np.uint8], words: Words) -> tuple[Codes, NDArray[np.intp]]:
    """Runs of letters and runs of digits."""
    wordlike = (kinds == LETTER) | (kinds == DIGIT)
    changes = np.flatnonzero(np.diff(np.where(wordlike, kinds, OTHER), prepend=OTHER, append=OTHER))
    begins = changes[wordlike[np.minimum(changes, len(kinds) - 1)] & (changes < len(kinds))]
    ends = changes[np.searchsorted(changes, begins, side="right")]
    ends = np.minimum(ends, begins + LONGEST)
    found = words.places(joined[begin:end] for begin, end in zip(begins.tolist(), ends.tolist(), strict=True))
    return found, begins


def _counted(codes: Codes, owners: NDArray[np.uint64]) -> Run:
    """Equal ones as one posting with its count. Code and text fit into one number, so that one sort does."""
    keys = np.sort(codes << np.uint64(_DOC_BITS) | owners)
    fresh = np.ones(len(keys), np.bool_)
    fresh[1:] = keys[1:] != keys[:-1]
    begins = np.flatnonzero(fresh)
    keys = keys[begins]
    docs = (keys & np.uint64(MOST_TEXTS - 1)).astype(np.uint32)
    return Run(keys >> np.uint64(_DOC_BITS), docs, np.diff(begins, append=len(codes)).astype(np.uint32))


def merged(runs: Sequence[Run]) -> Run:
    """Runs whose documents follow each other, as one in the order of the codes."""
    runs = [_NOTHING, *runs]
    codes = np.concatenate([run.codes for run in runs])
    order = np.argsort(codes, kind="stable")
    docs = np.concatenate([run.docs for run in runs])[order]
    return Run(codes[order], docs, np.concatenate([run.counts for run in runs])[order])


_NOTHING = Run(np.zeros(0, np.uint64), np.zeros(0, np.uint32), np.zeros(0, np.uint32))
