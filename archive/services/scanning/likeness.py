"""重页: whether two pages look like the same sheet scanned twice."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import Path

import numpy as np
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


def distance(one: str, other: str) -> int:
    """In how many points two fingerprints differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def near(one: str, others: Sequence[str]) -> list[tuple[int, int]]:
    """Of many fingerprints those that differ in few enough points for one sheet: the place of each, and in how many."""
    if not others:
        return []
    rows = np.frombuffer(bytes.fromhex("".join(others)), np.uint8).reshape(len(others), -1)
    apart = np.bitwise_count(rows ^ np.frombuffer(bytes.fromhex(one), np.uint8)).sum(axis=1)
    return [(int(place), int(apart[place])) for place in np.flatnonzero(apart <= NEAR)]


def is_same(distance: int, text: str, other: str) -> bool:
    """Whether two pages whose pictures differ so much, with these texts, are one sheet.

    Forms of two patients, or two days of one, may differ in their figures alone: these are compared by themselves.
    """
    (one, figures), (two, others) = _read(text), _read(other)
    if not one and not two:
        return distance <= ALIKE
    return distance <= NEAR and _are_alike(figures, others) and _are_alike(one, two)


@lru_cache(4)  # a new page is compared with thousands of others
def _read(text: str) -> tuple[str, str]:
    """Its characters without what lies between them, and its figures alone."""
    characters = "".join(text.split())[:LONGEST]
    return characters, "".join(_FIGURES.findall(characters))


def _are_alike(one: str, two: str) -> bool:
    least = SAME_TEXT * (len(one) + len(two)) / 2
    if _common_at_most(one, two) < least:  # thousands are told apart by this alone
        return False
    return SequenceMatcher(None, one, two, autojunk=False).ratio() >= SAME_TEXT


def _common_at_most(one: str, two: str) -> int:
    """How many characters two texts can have in common, by how often each figure stands in them."""
    counts = [(one.count(figure), two.count(figure)) for figure in "0123456789"]
    mine, others = map(sum, zip(*counts, strict=True))
    return sum(map(min, counts)) + min(len(one) - mine, len(two) - others)
