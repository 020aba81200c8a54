"""按文件名归位: the numbers that the name of a file says, or of the folder it lies in. Pure.

DA/T 31-2017: a file of many pages is called by the 档号, one of a single page by the 档号 and the serial of the image. What
scanners make up themselves, 001 or IMG_0007, says nothing: there the folder tells whose pages they are.
"""

import re
from collections.abc import Iterable
from pathlib import Path

ENDINGS = frozenset({".pdf", ".tif", ".tiff", ".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif", ".jp2"})
"""Of the files that become pages."""
_NUMBER = re.compile(r"\d{5}|\w·\w")
_SERIAL = re.compile(r"(?P<number>.*?\w)[-_ （(]+(?P<serial>\d{3,4})[)）]?")
"""Three figures at least: the last one of 00218647-2 is a stay, and no image."""
_DAY = re.compile(r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_FIGURES = re.compile(r"(\d+)")


def numbers(path: Path) -> tuple[str, ...]:
    """What may be the number of its record: the whole name, and the name without a serial; of a name without a number that
    of the folder. Nothing where neither says one. What could be a day, 20261122, is none: folders of scans are called so.
    """
    stem = path.stem.strip()
    said = stem if _NUMBER.search(stem) else path.parent.name.strip()
    serial = _SERIAL.fullmatch(said)
    meant = (said, serial["number"].strip()) if serial and said == stem else (said,)
    return tuple(number for number in meant if _NUMBER.search(number) and not _DAY.fullmatch(number))


_BATCH = re.compile(r"(SZ\d{4}-\d{4,})(?![0-9])", re.IGNORECASE)


def batch(path: Path) -> str | None:
    """The number of the batch whose pile it is, by how its name begins, or else that of its folder."""
    for name in (path.name, path.parent.name):
        if found := _BATCH.match(name.strip()):
            return found[1].upper()
    return None


def in_order(paths: Iterable[Path]) -> list[Path]:
    """Files as their pages follow each other: 2 before 10, folder after folder."""
    return sorted(paths, key=lambda path: [_natural(part) for part in path.parts])


def _natural(name: str) -> list[tuple[int, int, str]]:
    return [
        (0, int(part), part) if part.isdecimal() else (1, 0, part.casefold())
        for part in _FIGURES.split(name)
        if part
    ]
