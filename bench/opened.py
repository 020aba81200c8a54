"""How much memory a process holds in which an index is open: ``python -m bench.opened folder documents``."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import index
from bench.engines import PAGE, Ours
from index import Masks, parse

WORDS = ("患者", "治疗", "可以", "医院", "规定", "应当", "检查")
TIMES = 10


def main(folder: Path, count: int) -> int:
    """Prints the most megabytes held after one opening and after ten, each with searches and facets."""
    everything = np.ones(count, np.bool_)
    who, held = Masks(everything, everything, everything), []
    for _ in range(TIMES):
        opened = index.open(folder, Ours.fields)
        for word in WORDS:
            opened.search(parse(word, {}), who, texts_of=nothing, limit=PAGE)
            opened.facets(parse(word, {}), who, ["department", "year"], texts_of=nothing)
        held.append(most_held())
    print(f"{held[0]:,.0f} / {held[-1]:,.0f}")
    return 0


def most_held() -> float:
    """Megabytes. (What getrusage tells begins with those of the process that started this one.)"""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def nothing(_numbers: Sequence[int], _field: str) -> dict[int, str]:
    """No text is asked for: pairs of characters need none."""
    return {}


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
