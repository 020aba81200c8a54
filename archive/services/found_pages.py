"""启封核对: what was counted in the package when it was opened, beside what its list says, line by line."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archive.i18n import _
from archive.models import Hold

MOST = 99_999


@dataclass(frozen=True)
class Listed:
    """One line of the list: a volume or a paper, and how many sheets or pages of it were sealed, where that was counted."""

    key: str
    label: str
    count: int | None
    is_sheets: bool


@dataclass(frozen=True)
class Found:
    """What was counted of one line at the opening; `differs` when that is not what was sealed."""

    label: str
    listed: int | None
    found: int
    differs: bool


def listed(hold: Hold) -> list[Listed]:
    """The lines of a list: its volumes, its papers, or what was counted at night."""
    manifest = hold.manifest
    found = [
        Listed(
            f"found_volume{place}",
            _("Volume %(barcode)s", barcode=one["barcode"]),
            one["sheets"],
            is_sheets=True,
        )
        for place, one in enumerate(manifest["volumes"])
    ]
    if said := manifest.get("said"):
        count = int(said["sheets"]) if said["sheets"].isdecimal() else None
        found.append(Listed("found_said", _("Counted at night"), count, is_sheets=True))
    pages = Counter(page["item"] for page in manifest["pages"])
    return found + [
        Listed(f"found_item{place}", one["title"] or _("Not yet split"), pages[one["item"]], is_sheets=False)
        for place, one in enumerate(manifest["items"])
    ]


def counted(hold: Hold, typed: Mapping[str, str], wrong: dict[str, str]) -> list[dict[str, Any]]:
    """What was typed, to be kept: of each line that was counted its words, the listed and the found number.

    `wrong` takes what is no number.
    """
    kept = []
    for line in listed(hold):
        text = typed.get(line.key, "").strip()
        if not text:
            continue
        if not (text.isascii() and text.isdecimal()) or int(text) > MOST:
            wrong[line.key] = _("Write a whole number, or nothing where it was not counted.")
            continue
        kept.append({"label": line.label, "listed": line.count, "found": int(text)})
    return kept


def recorded(hold: Hold) -> list[Found]:
    """What was counted when the package was opened."""
    rows: Sequence[Mapping[str, Any]] = hold.found or []
    return [
        Found(
            row["label"],
            row["listed"],
            row["found"],
            row["listed"] is not None and row["listed"] != row["found"],
        )
        for row in rows
    ]


def differing(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The lines that do not agree, in words."""
    return [
        _(
            "%(what)s: %(listed)s listed, %(found)s found",
            what=row["label"],
            listed=row["listed"],
            found=row["found"],
        )
        for row in rows
        if row["listed"] is not None and row["listed"] != row["found"]
    ]
