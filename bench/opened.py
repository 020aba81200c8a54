"""How much memory a process holds in which the search bench's index is open; for a process of its own."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

import index
from bench.engines import PAGE, Ours
from bench.figures import most_held
from index import Masks, parse

WORDS = ("患者", "治疗", "可以", "医院", "规定", "应当", "检查")
TIMES = 10


def held(folder: Path, count: int) -> tuple[float, float]:
    """The most megabytes held after one opening and after ten, each with searches and facets over so many documents."""
    everything = np.ones(count, np.bool_)
    who, most = Masks(everything, everything, everything), []
    for _ in range(TIMES):
        opened = index.open(folder, Ours.fields)
        for word in WORDS:
            opened.search(parse(word, {}), who, texts_of=nothing, limit=PAGE)
            opened.facets(parse(word, {}), who, ["department", "year"], texts_of=nothing)
        most.append(most_held())
    return most[0], most[-1]


def nothing(_numbers: Sequence[int], _field: str) -> dict[int, str]:
    """No text is asked for: pairs of characters need none."""
    return {}
