"""Documents to search: real questions, answers and statutes, mixed; and what people would type."""

import csv
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from bench.names import name_of

DATA = Path(__file__).parents[2] / "shared" / "data"
LETTERS = 1_500
"""Characters of a document."""
CLASSES = 400
"""Access classes; each document is in one."""
DEPARTMENTS, YEARS = 12, 16


@dataclass(frozen=True)
class Document:
    """One to be indexed: `access` is its class."""

    number: int
    access: int
    department: int
    year: int
    text: str
    name: str


@dataclass(frozen=True)
class Person:
    """Who searches: the classes that they hold."""

    name: str
    classes: frozenset[int]


PEOPLE = (
    Person("narrow", frozenset(range(0, CLASSES, 100))),
    Person("medium", frozenset(range(0, CLASSES, 8))),
    Person("broad", frozenset(range(CLASSES - 4))),
)
EVERYBODY = Person("all", frozenset(range(CLASSES)))


def required() -> None:
    """Ends the program, and says why, where the collection of texts is not beside the project."""
    if not (DATA / "qa").is_dir():
        print(f"NOT RUN: the texts are not at {DATA.name}/qa and {DATA.name}/laws beside the project.")
        sys.exit(1)


def documents(count: int) -> Iterator[Document]:
    """So many, the same each time: passages of 50 to 300 characters, one after the other."""
    random, texts = Random(7), pool()
    for number in range(count):
        parts: list[str] = []
        while sum(map(len, parts)) < LETTERS:
            start = random.randrange(len(texts) - 300)
            parts.append(texts[start : start + random.randrange(50, 300)])
        yield Document(
            number,
            random.randrange(CLASSES),
            random.randrange(DEPARTMENTS),
            2010 + random.randrange(YEARS),
            "".join(parts)[:LETTERS],
            name_of(number),
        )


def questions() -> list[tuple[str, str]]:
    """Each title with the question and answer that it stands over."""
    return [(line["title"], f"{line['question']}；{line['answer']}") for line in _lines()]


def _lines() -> list[dict[str, str]]:
    with (DATA / "qa" / "medical_qa.csv").open(encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def pool() -> str:
    """All texts, one behind the other."""
    answers = ["".join(line.values()) for line in _lines()]
    return "".join([*answers, *(path.read_text("utf-8") for path in sorted((DATA / "laws").glob("*.md")))])


def phrases(texts: list[str], length: int, count: int) -> list[str]:
    """Chinese passages of so many characters, drawn from the texts."""
    random, found = Random(length), list[str]()
    while len(found) < count:
        text = random.choice(texts)
        start = random.randrange(len(text) - length)
        passage = text[start : start + length]
        if all("\u4e00" <= letter <= "\u9fff" for letter in passage):
            found.append(passage)
    return found
