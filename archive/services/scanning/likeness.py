"""重页: whether two pages look like the same sheet scanned twice."""

from difflib import SequenceMatcher
from pathlib import Path

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


def is_same(distance: int, text: str, other: str) -> bool:
    """Whether two pages whose pictures differ so much, with these texts, are one sheet.

    Forms of two patients, or two days of one, may differ in their figures alone: these are compared by themselves.
    """
    one, two = "".join(text.split())[:LONGEST], "".join(other.split())[:LONGEST]
    if not one and not two:
        return distance <= ALIKE
    return distance <= NEAR and _are_alike(_figures(one), _figures(two)) and _are_alike(one, two)


def _figures(text: str) -> str:
    return "".join(sign for sign in text if sign.isdecimal())


def _are_alike(one: str, two: str) -> bool:
    matcher = SequenceMatcher(None, one, two, autojunk=False)
    return matcher.real_quick_ratio() >= SAME_TEXT and matcher.ratio() >= SAME_TEXT
