"""A process of its own that writes without end, for tests that kill it: ``python writer.py folder apply|rebuild``."""

import sys
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from index import Drop, Index, Put
from tests.index.naive import FIELDS

BATCH = 7
TEXT = "慢性支气管炎急性发作，血压120/80mmHg。" * 20


def batch(turn: int) -> list[Put]:
    """All documents of a turn have the stamp of the turn."""
    return [Put(number, turn, {"body": f"{TEXT}第{turn}次", "code": f"T{turn}"}) for number in range(BATCH)]


def main() -> None:
    index = Index(Path(sys.argv[1]), FIELDS)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for turn in count(int(sys.argv[3])):
        if sys.argv[2] == "apply":
            index.apply([*batch(turn), Put(100 + turn, turn, {}), Drop(99 + turn)])
        else:
            index.rebuild([*batch(turn), Put(100 + turn, turn, {})])


if __name__ == "__main__":
    main()
