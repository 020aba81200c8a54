"""What is not about patients: statutes that came in, documents of the offices, a few of every other category."""

import re
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from random import Random

from archive.demo import office, scanning, storeroom, studio
from archive.demo.cast import Cast
from archive.demo.diary import Diary
from archive.demo.hospital import DEPARTMENTS, HOSPITAL
from archive.demo.lives import WEEKS
from archive.demo.office import Document, Entry
from archive.demo.studio import File, Studio
from archive.policy.holdings import CATEGORIES
from archive.services import holdings, steps, tree
from archive.uow import UnitOfWork

STATUTES = Path(__file__).parents[3] / "shared" / "data" / "laws"
"""Texts of law, kept beside the checkout; without them the offices' own documents must do."""
TYPES = {category.code: category.type for category in CATEGORIES}
SHELVES = {code: min(place, 6) for place, code in enumerate(TYPES, start=1)}
OUR_NUMBER = "云妇幼收〔{year}〕{n}号"
ISSUERS = re.compile(r"(全国人民代表大会常务委员会|国务院|\S{2,8}人民代表大会常务委员会|\S{2,8}人民政府)")
DATED = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
SAID = re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})日")
BORN_DIGITAL, SCANNED = 15, 4
"""Of the statutes and of our own documents, how many are files that the worker still has to make pages of."""


@dataclass
class Item:
    """件: what is described of one item, and where it stands in the tree."""

    category: str
    fields: dict[str, object]
    sheets: int
    file: Callable[[], File] | None = None
    node: int = 0


@dataclass(frozen=True)
class Office:
    """院办公室 and the categories of the tree, by their codes."""

    diary: Diary
    cast: Cast
    categories: Mapping[str, int]
    rng: Random

    def note(self, drawing: Studio, *, statutes: int, documents: int, others: int) -> None:
        """Up to so many statutes, our own documents, and some items of each other category."""
        self._note_statutes(statutes)
        self._note_documents(documents, drawing)
        self._note_others(others)

    def _note_statutes(self, most: int) -> None:
        texts = sorted(STATUTES.glob("*.md"))[:most] if STATUTES.is_dir() else []
        for number, path in enumerate(texts, start=1):
            item = self._statute(path, number)
            if number % 3 == 0 and number // 3 <= BORN_DIGITAL:
                item.file = partial(_printed, path)
            self._note(item)

    def _statute(self, path: Path, number: int) -> Item:
        text = path.read_text(encoding="utf-8")
        issuer, year = ISSUERS.search(text), self.diary.days.today.year
        chapters = [line.lstrip("# ").strip() for line in text.splitlines() if line.startswith("## ")]
        fields = _common(self.cast.depts, "BGS", _day_of(path.stem, text), _title(path, text)) | {
            "responsible": issuer[1] if issuer else "国务院", "document_no": OUR_NUMBER.format(year=year, n=number),
            "open_status": "open", "publicity": "proactive", "keywords": "法律法规",
            "scope_and_content": "；".join(chapters)[:2000] or text[:600],
        }  # fmt: skip
        return Item("WS", fields, max(2, len(text) // 900))

    def _note_documents(self, count: int, drawing: Studio) -> None:
        """Our own documents of the last two years; some of them are being scanned, under their red headings."""
        years = (self.diary.days.today.year - 1, self.diary.days.today.year - 2)
        for number in range(1, count + 1):
            made = office.document(self.rng, year=years[number % 2], number=number)
            file = _scan(made, drawing).result if number <= SCANNED else None
            self._note(
                Item("WS", document_fields(self.cast.depts, made), 2 + made.body.count("\n") // 12, file)
            )

    def _note_others(self, each: int) -> None:
        """A few items of every other category."""
        for code in office.CATEGORIES:
            for _ in range(each):
                made = office.entry(self.rng, code, year=self.diary.days.today.year - self.rng.randint(1, 6))
                self._note(Item(code, entry_fields(self.cast.depts, made), self.rng.randint(6, 120)))

    def _note(self, item: Item) -> None:
        """What is only paper goes through to its box; what is a file as well waits for its pages."""
        days = self.diary.days
        if item.file is not None:
            day = days.ago(self.rng.randint(2, 5))
            self.diary.note(day, 9.0, "archivist", partial(self._describe, item=item))
            self.diary.note(day, 13.0, "archivist", partial(_upload, item=item, file=item.file))
            return
        day = days.on(days.today - timedelta(days=self.rng.randint(3, WEEKS * 7 - 2)))
        self.diary.note(day, 9.0, "archivist", partial(self._describe, item=item))
        if self.rng.random() < 0.94:
            self.diary.note(days.after(day, 1), 14.0, "archivist", partial(_submit, item=item))
            self.diary.note(days.after(day, 2), 16.0, "senior", partial(_archive, item=item))
            self.diary.note(days.after(day, 3), 15.0, "clerk", partial(_shelve, item=item))

    def _describe(self, uow: UnitOfWork, item: Item) -> None:
        category = uow.node(self.categories[item.category])
        node = tree.add(uow, category, kind=TYPES[item.category], fields=item.fields)
        item.node = node.id
        steps.take(uow, node, "catalogue")
        holdings.register(uow, node, sheets=item.sheets)


def document_fields(depts: Mapping[str, int], of: Document) -> dict[str, object]:
    """What is described of a document of our own."""
    return _common(depts, of.dept, of.issued_on, of.title) | {
        "responsible": f"{HOSPITAL}{DEPARTMENTS[of.dept].zh}", "document_no": of.number, "open_status": "controlled",
        "retention": of.retention, "publicity": "on_request", "keywords": of.kind, "scope_and_content": of.body,
    }  # fmt: skip


def entry_fields(depts: Mapping[str, int], of: Entry) -> dict[str, object]:
    """What is described of an item of another category, with what its type asks for."""
    project = of.title.partition("（")[0]
    more: dict[str, dict[str, object]] = {
        "construction": {"project": project}, "research": {"project": project.split("”")[0].strip("“”")},
        "accounting": {"fiscal_year": of.formed_on.year},
    }  # fmt: skip
    return _common(depts, of.dept, of.formed_on, of.title) | {
        "responsible": f"{HOSPITAL}{DEPARTMENTS[of.dept].zh}", "open_status": "controlled",
        "retention": of.retention, "scope_and_content": of.summary, **more.get(TYPES[of.category], {}),
    }  # fmt: skip


def _common(depts: Mapping[str, int], dept: str, day: date, title: str) -> dict[str, object]:
    return {"title": title[:300], "date_from": day, "dept": depts[dept], "language": "zh"}


def _day_of(name: str, text: str) -> date:
    """When it was issued, as its name says or else its first line."""
    found = DATED.search(name) or SAID.search(text)
    return date(*(int(part) for part in found.groups())) if found else date(2010, 1, 1)


def _title(path: Path, text: str) -> str:
    first = next((line for line in text.splitlines() if line.startswith("# ")), "")
    return first.lstrip("# ").strip() or path.stem.partition("(")[0]


def _printed(path: Path) -> File:
    text = path.read_text(encoding="utf-8")
    lines = (line.lstrip("# ").strip() for line in text.splitlines()[1:] if not line.startswith("<!--"))
    body = "\n".join(line for line in lines if line)
    return studio.born_digital(path.stem, _title(path, text), body)


def _scan(document: Document, drawing: Studio) -> "Future[File]":
    return drawing.scan(document.number, [studio.official_sheet(document)], "tif")


def _upload(uow: UnitOfWork, item: Item, file: Callable[[], File]) -> None:
    scanning.hand_in(uow, uow.node(item.node), file())


def _submit(uow: UnitOfWork, item: Item) -> None:
    steps.take(uow, uow.node(item.node), "submit")


def _archive(uow: UnitOfWork, item: Item) -> None:
    steps.take(uow, uow.node(item.node), "archive")


def _shelve(uow: UnitOfWork, item: Item) -> None:
    year = int(str(item.fields["date_from"])[:4])
    name = f"{item.category.replace('·', '-')}-{year}-01"
    storeroom.box(uow, f"B{item.node:08d}", shelf=SHELVES[item.category], year=year, name=name)
