"""补全: what may go on at the end of a search: fields, and values of the field that stands before the colon."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from archive.names import name_key
from archive.services import search_labels
from archive.services.patient_names import NUMBER
from archive.services.search_labels import Label
from archive.uow import UnitOfWork
from index import Damaged, Everything, TooSlow, fold

MOST = 8
LAST = re.compile(r"[^\s,，、。;；!！?？()（）\"“”＂「」『』]*\Z")
WORD = re.compile(r"\A[-－−]+")
LETTERS = re.compile(r"[a-z]{2,}")


@dataclass(frozen=True)
class Offer:
    """补全项. `text`: the whole search when it is taken; a field is to be followed by its value."""

    word: str
    text: str
    is_field: bool


def offers(uow: UnitOfWork, text: str) -> list[Offer]:
    """What the last word may become: nothing that the actor may not know of, nothing for an empty one."""
    begun = WORD.sub("", LAST.findall(text)[0])
    if not begun:
        return []
    before = text[: len(text) - len(begun)]
    label, colon, value = _parted(begun)
    if not colon:
        return [Offer(f"{word}:", f"{before}{word}:", is_field=True) for word in _fields(label)][:MOST]
    name = search_labels.meant(label)
    taken = _values(uow, search_labels.offered(uow, name), value.lstrip("=＝")) if name else ()
    sign = value[: len(value) - len(value.lstrip("=＝"))]
    return [
        Offer(one, f"{before}{label}:{sign}{search_labels.quoted(one)} ", is_field=False)
        for one in dict.fromkeys(taken)
    ][:MOST]


def _parted(begun: str) -> tuple[str, str, str]:
    label, colon, value = begun.replace("：", ":").partition(":")
    return label, colon, value


def _fields(begun: str) -> Iterator[str]:
    """The usual word of each field that begins so; another word for it only where that is what was begun."""
    wanted = fold(begun)
    for words in search_labels.typed_words().values():
        fitting = [word for word in words if fold(word).startswith(wanted) or _sounds(word, wanted)]
        yield from fitting[:1]


def _sounds(word: str, letters: str) -> bool:
    """科室 is begun by `ks`, and by `keshi`."""
    if LETTERS.fullmatch(letters) is None or word.isascii():
        return False
    return any(reading.startswith(letters) for reading in name_key(word).split())


def _values(uow: UnitOfWork, label: Label, begun: str) -> Iterable[str]:
    if label.choices:
        return _chosen(label.choices, begun)
    if label.name == "year":
        return (str(year) for year in _years(uow) if str(year).startswith(begun))
    if label.is_date:
        return (day for day in _days(uow.today) if day.startswith(begun))
    return _suggested(uow, label.name, begun) if label.is_suggested and begun else ()


def _chosen(choices: Iterable[str], begun: str) -> list[str]:
    """Those that begin so first, then those that say it further on."""
    wanted, known = fold(begun), list(choices)
    first = [one for one in known if fold(one).startswith(wanted) or _sounds(one, wanted)]
    return first + [one for one in known if one not in first and wanted in fold(one)]


def _days(today: date) -> tuple[str, ...]:
    """What people most often mean: this month, the last one, this year, the last one."""
    last = date(today.year - (today.month == 1), (today.month - 2) % 12 + 1, 1)
    return f"{today:%Y-%m}", f"{last:%Y-%m}", f"{today:%Y}", str(today.year - 1)


def _years(uow: UnitOfWork) -> list[int]:
    """The years of what the actor may know of, the newest first."""
    try:
        counts = uow.site.index.facets(
            Everything(), uow.site.access_map.allowed(uow), ["year"], texts_of=_no_texts
        )
    except (Damaged, TooSlow):
        return []
    return sorted((int(year) for year, _count in counts.counts["year"]), reverse=True)


def _no_texts(_numbers: object, _field: str) -> dict[int, str]:
    return {}


def _suggested(uow: UnitOfWork, name: str, begun: str) -> list[str]:
    """Codes that the index knows, of documents that the actor holds at the tier of the field."""
    field = "numbers" if name == "archival_no" else name
    try:
        found = uow.site.index.suggest(field, begun, uow.site.access_map.allowed(uow), limit=MOST)
    except (Damaged, TooSlow):
        return []
    return [one.value for one in found if field == name or not NUMBER.fullmatch(one.value)]
