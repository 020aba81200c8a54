"""`make bench-recognition`: characters that are read wrongly on pages as a scanner gives them, and what reading them costs."""

import os
import sys
import tempfile
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean

from PIL import Image, ImageDraw

from bench import corpus
from bench.figures import Table, most_held, size
from bench.served import tree
from bench.sheets import Sheet, sheets
from bench.worked import worked
from storage.recognise import Recogniser

PAGES = size("PAGES", 48)
AIM, WORST = 0.006, 0.03
SAME = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "。": "."})
"""Signs that are written in two ways; full and half width are the same, too."""


@dataclass
class Read:
    """What has been read so far: by face the share of characters read wrongly, and the CPU seconds of each page."""

    rates: dict[str, list[float]] = field(default_factory=dict)
    costs: list[float] = field(default_factory=list)
    wrong: int = 0
    letters: int = 0

    def page(self, sheet: Sheet, text: str, cost: float) -> int:
        """Counts one page; gives its wrong characters."""
        written = _folded(sheet.written)
        wrong = edits(written, _folded(text))
        self.rates.setdefault(sheet.face, []).append(wrong / len(written))
        self.costs.append(cost)
        self.wrong, self.letters = self.wrong + wrong, self.letters + len(written)
        return wrong


def main() -> int:
    corpus.required()
    print(
        f"\n{PAGES} pages; an error is a character that is missing, wrong or too much; width, spaces and the form of quotation"
    )
    print("marks do not count. CPU seconds of the confined child alone, without loading the models.")
    read = Read()
    with tempfile.TemporaryDirectory(prefix="juanzong-bench-") as name, Recogniser() as recogniser:
        file = Path(name) / "page.jpg"
        child = _loaded(recogniser, file)
        loading = worked(child)
        _read_each(recogniser, file, child, read)
        _told(read, loading, most_held(child))
    return 0


def _read_each(recogniser: Recogniser, file: Path, child: int, read: Read) -> None:
    columns = ("dpi", "points", "skew", "noise", "seals", "letters", "wrong", "per cent", "sure", "CPU s")
    table = Table("page", *columns, width=7)
    for number, sheet in enumerate(sheets(PAGES), start=1):
        file.write_bytes(sheet.jpeg)
        before = worked(child)
        found = recogniser.recognise(file)
        cost = worked(child) - before
        wrong, letters = read.page(sheet, found.text, cost), len(_folded(sheet.written))
        table.row(f"{number} {sheet.face}", sheet.dpi, sheet.points, sheet.skew, sheet.noise, sheet.seals, letters, wrong,
                  f"{wrong / letters:.2%}", f"{found.confidence:.3f}", f"{cost:.2f}")  # fmt: skip
        _keep(sheet, number, found.text)


def _told(read: Read, loading: float, peak: float) -> None:
    every = [rate for one in read.rates.values() for rate in one]
    print(f"\nOf {read.letters:,} characters {read.wrong:,} wrong.")
    table = Table("what", "mean", "worst", width=9)
    for face, one in read.rates.items():
        table.row(f"character error, {face}", f"{mean(one):.2%}", f"{max(one):.2%}")
    table.row(f"character error, all (aim {AIM:.1%}, {WORST:.0%})", f"{mean(every):.2%}", f"{max(every):.2%}")
    table.row("CPU seconds a page (aim 5)", f"{mean(read.costs):.2f}", f"{max(read.costs):.2f}")
    table.row("CPU seconds to load the models", f"{loading:.2f}", "")
    table.row("memory of the child, MB (aim 700)", "", f"{peak:.0f}")


def _keep(sheet: Sheet, number: int, read: str) -> None:
    """Leaves pages and what was read in JUANZONG_BENCH_KEEP, to look at what went wrong."""
    if folder := os.environ.get("JUANZONG_BENCH_KEEP"):
        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number:03}.jpg").write_bytes(sheet.jpeg)
        (place / f"{number:03}.written.txt").write_text(sheet.written)
        (place / f"{number:03}.read.txt").write_text(read)


def _loaded(recogniser: Recogniser, file: Path) -> int:
    """The child that reads: with the first page, of next to nothing, it loads its models."""
    page = Image.new("L", (600, 200), 255)
    ImageDraw.Draw(page).text((20, 80), "1", 0)
    page.save(file, "JPEG")
    others = set(tree(os.getpid()))
    recogniser.recognise(file)
    (child,) = set(tree(os.getpid())) - others
    return child


def _folded(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split()).translate(SAME)


def edits(left: str, right: str) -> int:
    """Characters to change, add or take away until one text is the other."""
    row = list(range(len(right) + 1))
    for done, letter in enumerate(left, 1):
        above, row = row, [done]
        for place, other in enumerate(right, 1):
            row.append(min(above[place] + 1, row[-1] + 1, above[place - 1] + (letter != other)))
    return row[-1]


if __name__ == "__main__":
    sys.exit(main())
