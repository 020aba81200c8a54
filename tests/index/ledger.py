"""An index whose every turn is known beforehand; and the process that writes it, killed wherever it touches the disk.

``python ledger.py folder turn how``: how is ``free``, or the number of the touch at which it kills itself.
"""

import os
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from random import Random
from stat import S_ISREG
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

    Then it takes along what a power cut might: what was written into a file and not synced is gone in any case; at each
    second touch every name is, too, that was made, changed or removed since its folder was synced, and at a third of
    these a renamed file alone is not: a disk writes what it likes first.
    """

    def __init__(self, folder: Path, touch: int) -> None:
        self._folder, self._left = folder, touch
        self._forgets_names, self._but_renamed = touch % 2 == 0, touch % 3 == 0
        self._renamed = dict[Path, int | None]()
        self._synced = dict[int, int]()
        """Files by their inodes, and when what is safe of them was written."""
        self._safe = folder.with_name(f"{folder.name}.safe")
        self._names = dict[Path, dict[str, int | None]]()
        """What each folder surely contains: names, with the inode of a file. ``_safe`` holds a link to each, so that no
        inode is given to another file, and what was removed can come back."""
        for name in ("fsync", "rename", "replace"):
            setattr(os, name, self._watched(getattr(os, name)))

    def _watched(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any, **more: Any) -> Any:
            self._touch()
            given = call(*arguments, **more)
            if call.__name__ == "fsync":
                self._note(os.fstat(arguments[0]))
            else:
                self._renamed[Path(arguments[1])] = self._linked(Path(arguments[1]))
            self._touch()
            return given

        return watched

    def _note(self, synced: os.stat_result) -> None:
        if S_ISREG(synced.st_mode):
            self._synced[synced.st_ino] = synced.st_mtime_ns
        for folder in self._folders():
            if folder.stat().st_ino == synced.st_ino:
                self._names[folder] = {entry.name: self._linked(entry) for entry in folder.iterdir()}
                self._renamed = {
                    path: inode for path, inode in self._renamed.items() if path.parent != folder
                }

    def _folders(self) -> list[Path]:
        return [self._folder, *(path for path in self._folder.rglob("*") if path.is_dir())]

    def _linked(self, path: Path) -> int | None:
        if path.is_dir():
            return None
        inode = path.stat().st_ino
        link = self._safe / str(inode)
        if not link.exists():
            link.hardlink_to(path)
        return inode

    def knows(self) -> None:
        """What lies there already has been safe for long."""
        self._safe.mkdir()
        for folder in self._folders():
            self._note(folder.stat())
            for path in filter(Path.is_file, folder.iterdir()):
                self._note(path.stat())

    def _touch(self) -> None:
        self._left -= 1
        if self._left:
            return
        for path in filter(Path.is_file, [*self._folder.rglob("*"), *self._safe.iterdir()]):
            if self._synced.get(path.stat().st_ino) != path.stat().st_mtime_ns:
                os.truncate(path, 0)
        if self._forgets_names:
            shutil.rmtree(self._folder)
            self._bring_back(self._folder)
            for path, inode in self._renamed.items() if self._but_renamed else ():
                path.unlink(missing_ok=True)
                path.hardlink_to(self._safe / str(inode))
        shutil.rmtree(self._safe)
        os.kill(os.getpid(), signal.SIGKILL)

    def _bring_back(self, folder: Path) -> None:
        folder.mkdir(0o700)
        for name, inode in self._names.get(folder, {}).items():
            if inode is None:
                self._bring_back(folder / name)
            else:
                (folder / name).hardlink_to(self._safe / str(inode))


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
