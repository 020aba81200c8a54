"""Everything that is not about patients: notices, minutes, rules, and the catalogue entries of the other categories."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

from archive.demo.filling import Facts, fill
from archive.demo.hospital import DEPARTMENTS, HOSPITAL
from archive.demo.scene import phrase_book


@dataclass(frozen=True, slots=True)
class Document:
    """公文: one administrative document with its body."""

    kind: str
    number: str
    title: str
    dept: str
    issued_on: date
    retention: str
    body: str

    @property
    def text(self) -> str:
        """Body and closing: what is printed below the red heading with its number and title."""
        on = f"{self.issued_on.year}年{self.issued_on.month}月{self.issued_on.day}日"
        return f"{self.body}\n　　　　{HOSPITAL}{DEPARTMENTS[self.dept].zh}\n　　　　{on}"


@dataclass(frozen=True, slots=True)
class Entry:
    """An item of another category: equipment, construction, research, accounts, photographs, objects."""

    category: str
    title: str
    dept: str
    formed_on: date
    retention: str
    summary: str


CATEGORIES = ("KJ·SB", "KJ·JJ", "KJ·KY", "KJ·YL", "KJ·YJ", "KU", "RS", "ZP", "LY", "LX", "SW")


def document(rng: Random, *, year: int, number: int) -> Document:
    """An administrative document of that year; `number` is its number within the year (发文字号)."""
    story = rng.choice(phrase_book("office")["document"])
    on = _some_day(rng, year)
    if "month" in story:
        on = on.replace(month=story["month"], day=rng.randint(15, 30))
    facts = _facts(rng, on)
    return Document(
        kind=story["kind"],
        number=f"云妇幼〔{year}〕{number}号",
        title=fill(story["title"], facts),
        dept=story["dept"],
        issued_on=on,
        retention=story["retention"],
        body=fill(story["body"], facts),
    )


def entry(rng: Random, category: str, *, year: int) -> Entry:
    """A catalogue entry of one of `CATEGORIES`. Raises LookupError for another."""
    story: Any = next((one for one in phrase_book("office")["entry"] if one["category"] == category), None)
    if story is None:
        raise LookupError(f"no entries of category {category}")
    on = _some_day(rng, year)
    facts = _facts(rng, on)
    return Entry(
        category=category,
        title=fill(rng.choice(story["titles"]), facts),
        dept=story["dept"],
        formed_on=on,
        retention=story["retention"],
        summary=fill(story["body"], facts),
    )


def _some_day(rng: Random, year: int) -> date:
    return date(year, 1, 5) + timedelta(days=rng.randrange(350))


def _facts(rng: Random, on: date) -> Facts:
    numbers = {
        "year": on.year,
        "month": on.month,
        "day": on.day,
        "n": rng.randint(2, 6),
        "m": rng.randint(7, 36),
        "money": rng.randint(18, 260),
    }
    return Facts(numbers, phrase_book("office")["bank"], rng)
