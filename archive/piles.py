"""分卷: which page of a mixed pile belongs to which volume, and to which component of it. Pure.

One cover sheet stands before each volume, and everything behind it is that volume's until the next one. Whatever cannot
be told is left to a person: a page in the wrong record is worse than one in the queue.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

COVER, PART = "COVER:", "PART:"
"""What our sheets say, before the barcode of a volume and the code of a component."""
MARK = "JUANZONG SHEET"
"""Printed on our sheets in large letters: one whose barcode is spoilt is known by it."""


class Aside(StrEnum):
    """不入卷: why a page goes into no record."""

    COVER = "cover"
    SEPARATOR = "separator"
    BLANK = "blank"
    DUPLICATE = "duplicate"
    FOREIGN = "foreign"
    SPOILT = "spoilt"


class Doubt(StrEnum):
    """存疑: what a person must look at before anything is linked."""

    LOOSE = "loose"
    """Nobody knows of which volume it is."""
    UNREAD = "unread"
    """One of our sheets whose barcode cannot be read."""
    STRANGER = "stranger"
    """It says another patient than those of the batch."""
    ELSEWHERE = "elsewhere"
    """It says another patient of the batch than the one it lies with."""
    DUPLICATE = "duplicate"
    """It looks like an earlier page that goes into the same volume."""


@dataclass(frozen=True)
class Leaf:
    """One page as it came, with what was found on it and what a person has said of it."""

    id: int
    codes: tuple[str, ...] = ()
    is_blank: bool = False
    is_sheet: bool = False
    """It says that it is one of our sheets."""
    title: str | None = None
    """The code of the component whose printed title stands on it."""
    records: frozenset[str] = frozenset()
    """病案号 that it says."""
    said: Mapping[str, Any] = field(default_factory=dict)
    """What a person decided: volume, component, aside; `onwards`: also of what lies behind it; `sheet`: the
    ordinal of the page of whose sheet it is one more picture. `fine`: doubts that they have
    looked at while it lay with the volume `fine_for`.
    """


@dataclass(frozen=True)
class Volume:
    """A volume of the batch: the barcode on its cover sheet, and the 病案号 of its patient if there is one."""

    id: int
    barcode: str
    record: str | None = None


@dataclass(frozen=True)
class Placed:
    """Where a page goes."""

    id: int
    volume: int | None
    component: str | None = None
    aside: str | None = None
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Alike:
    """A page that looks like an earlier one, or that a later one looks like."""

    ordinal: int
    twin: int | None
    """The earlier one, if there is one."""
    volume: int | None
    is_kept: bool
    """It goes into a record, and is not set aside."""


def doubled(pages: Iterable[Alike]) -> dict[int, int]:
    """Of pages in their order those that look like one before them which goes into the same volume: each, and which one.

    What looks like the same page looks alike: of three scans of one sheet the third is asked about also when the second
    was set aside, and none of them once the other two are.
    """
    first: dict[int, int] = {}
    kept: dict[tuple[int, int | None], int] = {}
    found = {}
    for page in pages:
        sheet = first[page.ordinal] = first.get(page.twin or 0, page.ordinal)
        if not page.is_kept:
            continue
        if (before := kept.get((sheet, page.volume))) is not None:
            found[page.ordinal] = before
        kept[sheet, page.volume] = page.ordinal
    return found


@dataclass(frozen=True)
class _Here:
    """Where one is in the pile."""

    volume: int | None = None
    component: str | None = None


def split(leaves: Iterable[Leaf], volumes: Sequence[Volume]) -> Iterator[Placed]:
    """Where each page of a pile goes, in its order. What a person has said of a page holds for those behind it, too."""
    by_barcode = {volume.barcode: volume.id for volume in volumes}
    by_record: dict[str, set[int]] = {}
    for volume in volumes:
        if volume.record:
            by_record.setdefault(volume.record, set()).add(volume.id)
    here = _Here()
    for leaf in leaves:
        here, placed = _step(leaf, here, by_barcode, by_record)
        fine = leaf.said.get("fine", ()) if leaf.said.get("fine_for") == placed.volume else ()
        looked_at = set(fine)
        yield replace(placed, doubts=tuple(doubt for doubt in placed.doubts if doubt not in looked_at))


def _step(
    leaf: Leaf, here: _Here, by_barcode: Mapping[str, int], by_record: Mapping[str, set[int]]
) -> tuple[_Here, Placed]:
    if leaf.said.keys() & {"volume", "component", "aside"}:
        return _as_said(leaf, here, by_record)
    if cover := _after(COVER, leaf.codes):
        return _covered(leaf, by_barcode.get(cover))
    if part := _after(PART, leaf.codes):
        return replace(here, component=part), Placed(leaf.id, here.volume, aside=Aside.SEPARATOR)
    if leaf.is_sheet:
        # The next volume begins here, and nobody knows which: nothing behind it may be taken for the last one's.
        return _Here(), Placed(leaf.id, None, doubts=(Doubt.UNREAD,))
    if leaf.is_blank:
        return here, Placed(leaf.id, here.volume, aside=Aside.BLANK)
    here = replace(here, component=leaf.title or here.component)
    return here, Placed(leaf.id, here.volume, here.component, doubts=tuple(_doubts(leaf, here, by_record)))


def _as_said(leaf: Leaf, here: _Here, by_record: Mapping[str, set[int]]) -> tuple[_Here, Placed]:
    volume = leaf.said.get("volume", here.volume)
    if "sheet" in leaf.said:
        # It lies with its sheet, wherever that goes; what is behind it goes where it would go behind any page with this title.
        mine = _Here(volume, leaf.said.get("component"))
        placed = Placed(leaf.id, volume, mine.component, doubts=tuple(_doubts(leaf, mine, by_record)))
        return replace(here, component=leaf.title or here.component), placed
    if aside := leaf.said.get("aside"):
        return _behind(leaf, here, volume, aside), Placed(leaf.id, volume, aside=aside)
    carried = here.component if volume == here.volume else None
    mine = _Here(volume, leaf.said.get("component", leaf.title or carried))
    goes_on = volume == here.volume or leaf.said.get("onwards", False)
    doubts = tuple(_doubts(leaf, mine, by_record))
    return (mine if goes_on else here), Placed(leaf.id, volume, mine.component, doubts=doubts)


def _behind(leaf: Leaf, here: _Here, volume: int | None, aside: str) -> _Here:
    """Where one is behind a page that a person has set aside. A cover sheet that is called something else ends the volume
    before it all the same.
    """
    if aside == Aside.COVER:
        return _Here(volume)
    is_cover = _after(COVER, leaf.codes) is not None or (leaf.is_sheet and _after(PART, leaf.codes) is None)
    return _Here() if is_cover and aside != Aside.SEPARATOR else here


def _covered(leaf: Leaf, volume: int | None) -> tuple[_Here, Placed]:
    if volume is None:
        return _Here(), Placed(leaf.id, None, doubts=(Doubt.STRANGER,))
    return _Here(volume), Placed(leaf.id, volume, aside=Aside.COVER)


def _after(lead: str, codes: Iterable[str]) -> str | None:
    return next((code.removeprefix(lead).strip() for code in codes if code.startswith(lead)), None)


def _doubts(leaf: Leaf, here: _Here, by_record: Mapping[str, set[int]]) -> Iterator[Doubt]:
    for record in sorted(leaf.records):
        if record not in by_record:
            yield Doubt.STRANGER
        elif here.volume is not None and here.volume not in by_record[record]:
            yield Doubt.ELSEWHERE
    if here.volume is None:
        yield Doubt.LOOSE


_RECORD = re.compile(r"病\s*[案历]\s*号[:：\s]*([0-9]{6,10})(?![0-9])")
_STAY = re.compile(r"住\s*院\s*号[:：\s]*([0-9]{6,10})(?![0-9])")
"""In some hospitals the number of the patient, in others that of the stay alone."""
_CODE = re.compile(r"B?([0-9]{6,10})(?:-[0-9A-Z-]+)?")
_FIRST = 8
"""So many lines down a printed title stands: below the hospital, and sometimes below the name of the ward."""
_MORE = 10
"""So many characters may stand beside a title on its line: a number, a page."""


def records_in(text: str) -> set[str]:
    """The 病案号 that a text names as such."""
    return set(_RECORD.findall(text))


def stays_in(text: str) -> set[str]:
    """住院号: numbers that may be a 病案号, where they are some patient's."""
    return set(_STAY.findall(text))


def records_on(codes: Iterable[str]) -> set[str]:
    """What may be a 病案号 on barcodes; specimens have such numbers, too."""
    return {found[1] for code in codes if (found := _CODE.fullmatch(code))}


def is_sheet(text: str) -> bool:
    """Whether it says that it is one of our sheets."""
    return MARK.replace(" ", "") in _compact(text).upper()


def titled(text: str, titles: Mapping[str, Sequence[str]]) -> str | None:
    """The component (code → its printed titles) whose title stands at the head of a page; the longest that fits."""
    lines = [_compact(line) for line in text.splitlines()[:_FIRST]]
    fitting = [
        (len(title), code)
        for code, words in titles.items()
        for title in words
        if any(title in line and len(line) <= len(title) + _MORE for line in lines)
    ]
    return max(fitting)[1] if fitting else None


def _compact(text: str) -> str:
    return "".join(text.split())
