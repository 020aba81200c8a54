"""`make bench-recognition`: characters that are read wrongly on pages as a scanner gives them, and what reading them costs."""

import os
import sys
import tempfile
import unicodedata
from pathlib import Path
from statistics import mean

from PIL import Image, ImageDraw

from bench import corpus
from bench.figures import Table, most_held, size
from bench.sheets import Sheet, sheets
from storage.recognise import Recogniser

PAGES = size("PAGES", 48)
AIM, WORST = 0.006, 0.03
TICKS = os.sysconf("SC_CLK_TCK")
SAME = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "。": "."})
"""Signs that are written in two ways; full and half width are the same, too."""


def main() -> int:
    corpus.required()
    print(
        f"\n{PAGES} pages; an error is a character that is missing, wrong or too much; width, spaces and the form of quotation"
    )
    print("marks do not count. CPU seconds of the confined child alone, without loading the models.")
    table = Table(
        "page",
        "dpi",
        "points",
        "skew",
        "noise",
        "seals",
        "letters",
        "wrong",
        "per cent",
        "sure",
        "CPU s",
        width=7,
    )
    rates: dict[str, list[float]] = {}
    costs: list[float] = []
    wrong_in_all = letters_in_all = 0
    with tempfile.TemporaryDirectory(prefix="juanzong-bench-") as name, Recogniser() as recogniser:
        file = Path(name) / "page.jpg"
        others = children()
        loading = _loaded(recogniser, file)
        (child,) = children() - others
        for number, sheet in enumerate(sheets(PAGES), start=1):
            file.write_bytes(sheet.jpeg)
            before = _worked(child)
            read = recogniser.recognise(file)
            costs.append(_worked(child) - before)
            written = _folded(sheet.written)
            wrong = edits(written, _folded(read.text))
            rates.setdefault(sheet.face, []).append(wrong / len(written))
            wrong_in_all, letters_in_all = wrong_in_all + wrong, letters_in_all + len(written)
            table.row(f"{number} {sheet.face}", sheet.dpi, sheet.points, sheet.skew, sheet.noise, sheet.seals, len(written),
                      wrong, f"{wrong / len(written):.2%}", f"{read.confidence:.3f}", f"{costs[-1]:.2f}")  # fmt: skip
            _keep(sheet, number, read.text)
        peak = most_held(child)
    every = [rate for one in rates.values() for rate in one]
    print(f"\nOf {letters_in_all:,} characters {wrong_in_all:,} wrong.")
    summary = Table("what", "mean", "worst", width=9)
    for face, one in rates.items():
        summary.row(f"character error, {face}", f"{mean(one):.2%}", f"{max(one):.2%}")
    summary.row(
        f"character error, all (aim {AIM:.1%}, {WORST:.0%})", f"{mean(every):.2%}", f"{max(every):.2%}"
    )
    summary.row("CPU seconds a page (aim 5)", f"{mean(costs):.2f}", f"{max(costs):.2f}")
    summary.row("CPU seconds to load the models", f"{loading:.2f}", "")
    summary.row("memory of the child, MB (aim 700)", "", f"{peak:.0f}")
    return 0


def _keep(sheet: Sheet, number: int, read: str) -> None:
    """Leaves pages and what was read in JUANZONG_BENCH_KEEP, to look at what went wrong."""
    if folder := os.environ.get("JUANZONG_BENCH_KEEP"):
        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number:03}.jpg").write_bytes(sheet.jpeg)
        (place / f"{number:03}.written.txt").write_text(sheet.written)
        (place / f"{number:03}.read.txt").write_text(read)


def _loaded(recogniser: Recogniser, file: Path) -> float:
    """The first page of a child loads its models; gives the CPU seconds of that, with a page of next to nothing."""
    page = Image.new("L", (600, 200), 255)
    ImageDraw.Draw(page).text((20, 80), "1", 0)
    page.save(file, "JPEG")
    others = children()
    recogniser.recognise(file)
    (child,) = children() - others
    return _worked(child)


def children() -> set[int]:
    """The processes that this one has started."""
    return {
        int(number)
        for task in Path("/proc/self/task").iterdir()
        for number in (task / "children").read_text().split()
    }


def _worked(process: int) -> float:
    """CPU seconds of a process so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


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
