"""An index whose every turn is known beforehand; and the process that writes it, killed wherever it touches the disk.

``python ledger.py folder turn how``: how is ``free``, or the number of the touch at which it kills itself.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from index import Change, Drop, Index, Put
from tests.index.naive import FIELDS

NUMBERS = 400
REBUILT_EACH, PURGED_EACH = 17, 11
WORDS = ("慢性支气管炎", "急性发作", "前置胎盘", "妊娠合并子宫瘢痕", "血压120/80mmHg", "CT检查", "未见异常")


def text_of(number: int, stamp: int) -> str:
    """What a document says; the turn that wrote it stands in it."""
    random = Random(number * 1_000_003 + stamp)
    return "，".join([*random.choices(WORDS, k=random.randint(3, 60)), f"第{stamp}次写入", f"编号{number}者"])


def put(number: int, stamp: int) -> Put:
    return Put(number, stamp, {"body": text_of(number, stamp), "code": f"N{number}", "year": stamp})


def changes(turn: int) -> list[Change]:
    """What a turn does: puts some, new and known, and drops some."""
    random = Random(turn)
    numbers = random.sample(range(NUMBERS), random.randint(2, 40))
    cut = random.randint(0, len(numbers) // 3)
    return [*(Drop(number) for number in numbers[:cut]), *(put(number, turn) for number in numbers[cut:])]


def holding(turn: int, before: dict[int, int] | None = None, begin: int = 0) -> dict[int, int]:
    """The stamp of every document after a turn; ``before`` is what was held after the turn ``begin``."""
    held = dict(before or {})
    for now in range(begin + 1, turn + 1):
        for change in changes(now):
            if isinstance(change, Put):
                held[change.number] = change.stamp
            else:
                held.pop(change.number, None)
    return held


def texts_of(held: dict[int, int]) -> Callable[[Sequence[int], str], dict[int, str]]:
    return lambda numbers, _field: {
        number: text_of(number, held[number]) for number in numbers if number in held
    }


class Doom:
    """Counts every fsync and every rename, and kills this process before or after one of them.

    Then it takes along what a power cut would: of each file that was never synced nothing is left.
    """

    def __init__(self, folder: Path, touch: int) -> None:
        self._folder, self._left, self._synced = folder, touch, set[int]()
        for name in ("fsync", "rename", "replace"):
            setattr(os, name, self._watched(getattr(os, name)))

    def _watched(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any, **more: Any) -> Any:
            self._touch()
            given = call(*arguments, **more)
            if call.__name__ == "fsync":
                self._synced.add(os.fstat(arguments[0]).st_ino)
            self._touch()
            return given

        return watched

    def _touch(self) -> None:
        self._left -= 1
        if self._left:
            return
        for path in self._files():
            if path.stat().st_ino not in self._synced:
                os.truncate(path, 0)
        os.kill(os.getpid(), signal.SIGKILL)

    def _files(self) -> Iterable[Path]:
        return (path for path in self._folder.rglob("*") if path.is_file())

    def knows(self) -> None:
        """What lies there already has been safe for long."""
        self._synced |= {path.stat().st_ino for path in self._files()}


def main() -> None:
    folder, last, how = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    index = Index(folder, FIELDS)
    if how != "free":
        Doom(folder, int(how)).knows()
    held = holding(last)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for turn in count(last + 1):
        held = holding(turn, held, turn - 1)
        if turn % REBUILT_EACH == 0:
            index.rebuild(put(number, stamp) for number, stamp in held.items())
        else:
            index.apply(changes(turn))
        if turn % PURGED_EACH == 0:
            index.purge()
        sys.stdout.write(f"{turn}\n")  # acknowledged
        sys.stdout.flush()


if __name__ == "__main__":
    main()
