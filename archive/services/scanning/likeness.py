"""重页: whether two pages look like the same sheet scanned twice."""

import re
from collections.abc import Iterable
from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 16
"""A fingerprint has so many rows of so many points, each darker or lighter than its neighbour."""
NEAR, ALIKE = 48, 12
"""Points in which two scans of one sheet may differ: where their texts agree, and where there is no text to compare.

Two filled-in sheets of one form differ in fewer points than one would think; what is written on them tells them apart.
"""
SAME_TEXT = 0.95
"""Of the characters: recognition errs a little differently each time."""
LONGEST = 2000
_FIGURES = re.compile(r"\d+")


def fingerprint(thumbnail: Path) -> str:
    """感知哈希: of the picture of a page, as hexadecimal digits."""
    with Image.open(thumbnail) as picture:
        small = picture.convert("L").resize((SIDE + 1, SIDE), Image.Resampling.BOX)
    points = small.tobytes()
    bits = 0
    for row in range(SIDE):
        for column in range(SIDE):
            place = row * (SIDE + 1) + column
            bits = bits << 1 | (points[place] > points[place + 1])
    return f"{bits:0{SIDE * SIDE // 4}x}"


class Traits:
    """Of many pages what tells almost all of them apart: the points of their pictures, how often each figure stands in their
    texts, and which characters follow each other. The texts themselves are read of those alone that are left.
    """

    def __init__(self, pages: Iterable[tuple[str, str]]) -> None:
        # Bytes, not a list of arrays for each page: of ten thousand pages these would be fifty megabytes.
        points, counts, pairs = bytearray(), bytearray(), bytearray()
        many = 0
        for one, text in pages:
            points += bytes.fromhex(one)
            counts += np.array(_counts(text), np.int32).tobytes()
            for part in _read(text):
                pairs += _pairs(part).astype(np.uint16).tobytes()
            many += 1
        self._points = np.frombuffer(points, np.uint8).reshape(many, SIDE * SIDE // 8)
        self._counts = np.frombuffer(counts, np.int32).reshape(many, _CHARACTERS + 1)
        self._pairs = np.frombuffer(pairs, np.uint16).reshape(many, 2, _PAIRS)

    def perhaps(self, place: int, others: NDArray[np.intp]) -> list[tuple[int, int]]:
        """Of the pages at `others` those that may be the same sheet as the one at `place`, with in how many points they
        differ; none is left out of which `is_same` would say so.
        """
        apart = np.bitwise_count(self._points[others] ^ self._points[place]).sum(axis=1)
        mine, theirs = self._counts[place], self._counts[others]
        bare = ~theirs.any(axis=1)
        if not mine.any():
            fits = bare & (apart <= ALIKE)
        else:
            fits = ~bare & (apart <= NEAR)
            for rest in (_FIGURE, _CHARACTERS):
                fits &= _may_agree(mine, theirs, rest)
        left = np.flatnonzero(fits)
        left = left[self._may_follow(place, others[left])]
        return [(int(others[found]), int(apart[found])) for found in left]

    def _may_follow(self, place: int, others: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Whether enough characters follow each other in both: what agrees lies in at most one part more than there are
        characters that do not agree, and each part has one pair less than characters.
        """
        mine, theirs = self._pairs[place].astype(np.int32), self._pairs[others].astype(np.int32)
        common = np.minimum(mine, theirs).sum(axis=2)
        most = mine.sum(axis=1) + theirs.sum(axis=2) + 2
        fits: NDArray[np.bool_] = (common >= (1.5 * SAME_TEXT - 1) * most - 1).all(axis=1)
        return fits


_FIGURE, _CHARACTERS = 10, 11
"""Behind the ten figures: figures of other scripts, and characters that are no figure of ours."""
_PAIRS = 256
"""Kinds of pairs that are told apart, among thousands."""


def _counts(text: str) -> list[int]:
    characters, figures = _read(text)
    ours = [characters.count(figure) for figure in "0123456789"]
    return [*ours, len(figures) - sum(ours), len(characters) - sum(ours)]


def _pairs(text: str) -> NDArray[np.intp]:
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    return np.bincount((codes[:-1] * 31 + codes[1:]) % _PAIRS, minlength=_PAIRS)


def _may_agree(mine: NDArray[np.int32], theirs: NDArray[np.int32], rest: int) -> NDArray[np.bool_]:
    """Whether two texts can have enough in common, by how often each figure stands in them."""
    ours = np.r_[:_FIGURE, rest]
    common = np.minimum(mine[ours], theirs[:, ours]).sum(axis=1)
    most = mine[ours].sum() + theirs[:, ours].sum(axis=1)
    fits: NDArray[np.bool_] = common >= SAME_TEXT * most / 2
    return fits


def is_same(distance: int, text: str, other: str) -> bool:
    """Whether two pages whose pictures differ so much, with these texts, are one sheet.

    Forms of two patients, or two days of one, may differ in their figures alone: these are compared by themselves.
    """
    (one, figures), (two, others) = _read(text), _read(other)
    if not one and not two:
        return distance <= ALIKE
    return distance <= NEAR and _are_alike(figures, others) and _are_alike(one, two)


@lru_cache(4)  # one page is compared with many others
def _read(text: str) -> tuple[str, str]:
    """Its characters without what lies between them, and its figures alone."""
    characters = "".join(text.split())[:LONGEST]
    return characters, "".join(_FIGURES.findall(characters))


def _are_alike(one: str, two: str) -> bool:
    return SequenceMatcher(None, one, two, autojunk=False).ratio() >= SAME_TEXT
