"""Archival numbers 档号: rendered and parsed in both syntaxes of the standards. Pure (domain §3.1)."""

import re
from dataclasses import dataclass

DOTS = str.maketrans({"•": "·", "・": "·", "．": "·", "‧": "·", "－": "-", "—": "-", "–": "-"})

BY_2015 = re.compile(
    r"(?P<fonds>[A-Z0-9]{4})-(?P<category>[A-Z]{2})·(?P<year>\d{4})-(?P<retention>Y|D[1-9]\d{0,2})"
    r"(?:-(?P<org>[A-Z0-9]{2,6}|[\u4e00-\u9fff]{2,10}))?-(?P<item>\d{4})"
)
BY_ITEM = re.compile(
    r"(?P<fonds>[A-Z]\d{3})-(?P<category>[A-Z]{2}(?:·[A-Z]{2,4})?)·(?P<year>\d{4})·(?P<retention>Y|D[1-9]\d{0,2})"
    r"(?:·(?P<org>\d{3}|[\u4e00-\u9fff]{2,10}|[A-Z]{2,6}))?-(?P<item>\d{3,6})"
)
BY_VOLUME = re.compile(
    r"(?P<fonds>[A-Z]\d{3})-(?P<category>[A-Z]{2}(?:·(?!\d{4}(?:\D|$))[A-Z0-9]{1,4}){0,2})(?:·(?P<year>\d{4}))?"
    r"(?:·(?P<retention>Y|D[1-9]\d{0,2}))?-(?P<volume>\d{3,6})(?:-(?P<item>\d{3,4}))?"
)


@dataclass(frozen=True)
class ArchivalNumber:
    """档号. `volume` and `item` keep their leading zeros: the number is stable for ever."""

    fonds: str
    category: str
    year: str | None = None
    retention: str | None = None
    org: str | None = None
    volume: str | None = None
    item: str | None = None
    syntax: str = "item"

    def __str__(self) -> str:
        if self.syntax == "2015":
            tail = [part for part in (self.org, self.item) if part]
            return f"{self.fonds}-{self.category}·{self.year}-{self.retention}-{'-'.join(tail)}"
        parts = [part for part in (self.category, self.year, self.retention, self.org) if part]
        serial = "-".join(part for part in (self.volume, self.item) if part)
        return f"{self.fonds}-{'·'.join(parts)}-{serial}"

    @property
    def prefix(self) -> str:
        """What the serial number counts within: the series."""
        return "·".join(
            part for part in (f"{self.fonds}-{self.category}", self.year, self.retention, self.org) if part
        )


def normalised(text: str) -> str:
    """The number as it is kept: the middle dot is easily typed as another one."""
    compact = re.sub(r"\s+", "", text.translate(DOTS)).upper()
    return re.sub(r"(?<=[A-Z0-9\u4e00-\u9fff])\.(?=[A-Z0-9\u4e00-\u9fff])", "·", compact)


def parse(text: str) -> ArchivalNumber:
    """The parts of an archival number. Raises ValueError when it follows neither standard."""
    plain = normalised(text)
    for syntax, pattern in (("2015", BY_2015), ("item", BY_ITEM), ("volume", BY_VOLUME)):
        if found := pattern.fullmatch(plain):
            return ArchivalNumber(**found.groupdict(), syntax=syntax)
    raise ValueError(f"not an archival number: {text!r}")
