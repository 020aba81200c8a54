"""医保规则: what insurers usually deduct for, looked for in the recognised text of a record. Pure.

A page without recognised text says nothing: where a rule would need it, the answer is that it cannot be told.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from archive.policy.shape import Code, Shape

Codes = Annotated[list[Code], Field(min_length=1, max_length=40)]
Words = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=20)]], Field(min_length=1, max_length=20)
]
NO_TIME, NO_NAME, NOT_MENTIONED, NO_CONSENT = "no_time", "no_name", "not_mentioned", "no_consent"
DAY = re.compile(r"\d{4}\s*[-./年]\s*\d{1,2}\s*[-./月]\s*\d{1,2}")


class Slips(Shape):
    """检查检验单: in which components each page must bear a day and the patient's name."""

    components: Codes


class Mention(Shape):
    """结果须在病程中提及: what a report is known by, and where the notes must speak of it."""

    reports: Codes
    notes: Codes
    words: Words


class SelfPaid(Shape):
    """自费项目: what they are known by, where they stand, and which components are a consent to them."""

    words: Words
    components: Codes
    consents: Codes


class Insurance(Shape):
    """医保规则."""

    slips: Slips
    mentions: dict[Code, Mention]
    self_paid: SelfPaid


@dataclass(frozen=True)
class Sheet:
    """A page of a record: its component, its number within it, and what was read on it; nothing where nothing was."""

    node: int
    component: str
    ordinal: int
    text: str


@dataclass(frozen=True)
class Hit:
    """What a rule came to: `at` is the page that shows it; of what cannot be told, `unread` pages that would tell it."""

    rule: str
    at: Sheet
    word: str = ""
    unread: int = 0

    @property
    def is_known(self) -> bool:
        """Whether it can be told from what was read; a person confirms it in any case."""
        return not self.unread


def check(rules: Insurance, sheets: Sequence[Sheet], name: str) -> list[Hit]:
    """What the rules come to in one record, whose patient has this name."""
    return [
        *_slips(rules.slips, sheets, name),
        *_mentions(rules.mentions.values(), sheets),
        *_consents(rules.self_paid, sheets),
    ]


def _slips(rule: Slips, sheets: Sequence[Sheet], name: str) -> Iterator[Hit]:
    for sheet in _of(sheets, rule.components):
        if not sheet.text:
            yield Hit(NO_TIME, sheet, unread=1)
            continue
        if not DAY.search(sheet.text):
            yield Hit(NO_TIME, sheet)
        if name and name not in _close(sheet.text):
            yield Hit(NO_NAME, sheet)


def _mentions(rules: Iterable[Mention], sheets: Sequence[Sheet]) -> Iterator[Hit]:
    for rule in rules:
        report = next(
            ((sheet, word) for sheet in _of(sheets, rule.reports) if (word := _word(rule.words, sheet))), None
        )
        notes = _of(sheets, rule.notes)
        if report and not any(_word(rule.words, note) for note in notes):
            sheet, word = report
            yield Hit(NOT_MENTIONED, sheet, word, unread=_unread(notes) or (0 if notes else 1))


def _consents(rule: SelfPaid, sheets: Sequence[Sheet]) -> Iterator[Hit]:
    paid = next(
        ((sheet, word) for sheet in _of(sheets, rule.components) if (word := _word(rule.words, sheet))), None
    )
    given = _of(sheets, rule.consents)
    if paid and not any(_word(rule.words, consent) for consent in given):
        yield Hit(NO_CONSENT, *paid, unread=_unread(given))


def _of(sheets: Sequence[Sheet], components: Iterable[str]) -> list[Sheet]:
    wanted = set(components)
    return [sheet for sheet in sheets if sheet.component in wanted]


def _word(words: Iterable[str], sheet: Sheet) -> str:
    said = _close(sheet.text).upper()
    return next((word for word in words if word.upper() in said), "")


def _close(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _unread(sheets: Iterable[Sheet]) -> int:
    return sum(not sheet.text for sheet in sheets)
