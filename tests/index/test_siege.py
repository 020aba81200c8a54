"""The writer killed, again and again; and readers who go on meanwhile. What was acknowledged is there, and nothing else."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import sleep

import numpy as np
import pytest

import index as full_text
from index import Index, Masks, Phrase, Put
from tests.soaking import how_many

from .ledger import NUMBERS, changes, holding, put, text_of, texts_of
from .naive import FIELDS

LEDGER, READER = (Path(__file__).with_name(name) for name in ("ledger.py", "reader.py"))
TOUCHES = 18
"""Before and after each fsync and rename of a turn with a segment; a rebuild or a purge has some more."""
ALL = np.ones(NUMBERS * 2, np.bool_)
EVERYONE = Masks(ALL, ALL, ALL)


@dataclass
class Siege:
    """An index, how far its writer has come for sure, and what was found after each kill."""

    folder: Path
    random: Random = field(default_factory=lambda: Random(20261122))
    turn: int = 0
    held: dict[int, int] = field(default_factory=dict)
    unacknowledged: int = 0
    looked_at: int = 0

    def kill(self, *, at: int | None) -> None:
        """At so many touches of the disk, or at a moment that nobody chose; then what is there is compared."""
        how = "free" if at is None else str(at)
        arguments = [sys.executable, str(LEDGER), str(self.folder), str(self.turn), how]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout
            assert writer.stdout.readline() == "ready\n"
            if at is None:
                sleep(self.random.uniform(0.0, 0.25))
                writer.kill()
            acknowledged = [int(line) for line in writer.stdout if line.endswith("\n")]
        assert writer.returncode == -9, "it was killed, and did not end by a fault of its own"
        self._compare(acknowledged[-1] if acknowledged else self.turn)

    def _compare(self, acknowledged: int) -> None:
        self.held = holding(acknowledged, self.held, self.turn)
        further = holding(acknowledged + 1, self.held, acknowledged)
        index = Index(self.folder, FIELDS)  # as the next process finds it: nothing has been tidied
        if index.check(self.held.items()):
            assert not index.check(further.items()), "neither what was acknowledged nor that and one turn"
            self.unacknowledged += 1
            self.held, self.turn = further, acknowledged + 1
        else:
            self.turn = acknowledged
        self._no_wrong_hit(index)
        self._nothing_stray_after_the_next_commit()

    def _no_wrong_hit(self, index: Index) -> None:
        """Every passage leads to the documents in which it stands, and to no others."""
        stamp = self.random.choice(list(self.held.values() or [1]))
        for words in (
            f"第{stamp}次写入",
            "支气管炎，急性发作",
            "前置胎盘",
            f"编号{self.random.randrange(NUMBERS)}者",
        ):
            expected = {number for number, stamp in self.held.items() if words in text_of(number, stamp)}
            page = index.search(Phrase(words), EVERYONE, texts_of=texts_of(self.held), limit=NUMBERS + 1)
            assert {hit.number for hit in page.hits} == expected, words
            assert page.total.count == len(expected), words
            self.looked_at += len(expected)

    def _nothing_stray_after_the_next_commit(self) -> None:
        index = full_text.open(self.folder, FIELDS) if self.turn % 2 else Index(self.folder, FIELDS)
        index.apply([Put(NUMBERS, self.turn + 10_000_000 + self.looked_at, {"body": "再写一次"})])
        index.apply([full_text.Drop(NUMBERS)])
        (epoch,) = (entry for entry in self.folder.iterdir() if entry.is_dir())
        assert {entry.name for entry in self.folder.iterdir()} == {"index.json", "writer.lock", epoch.name}
        names = sorted(entry.name for entry in epoch.iterdir())
        assert len([name for name in names if name.endswith(".toc")]) == 1, names
        assert len(names) == 1 + index.stats().segments, names


@pytest.fixture
def siege(tmp_path: Path) -> Siege:
    Index(tmp_path / "index", FIELDS).rebuild([])
    return Siege(tmp_path / "index")


def test_a_writer_killed_wherever_it_touches_the_disk_loses_nothing_that_it_acknowledged(
    siege: Siege,
) -> None:
    for touch in (5, 13, *range(2, 2 * TOUCHES, 4)):
        siege.kill(at=touch)
    siege.kill(at=None)


@pytest.mark.soak
def test_a_writer_killed_hundreds_of_times_loses_nothing_that_it_acknowledged(
    siege: Siege, record_property: Callable[[str, object], None]
) -> None:
    kills = how_many("kills_of_the_index", usual=200)
    for number in range(kills):
        siege.kill(at=None if number % 2 else 1 + number // 2 % (5 * TOUCHES))
    record_property(
        "soak",
        f"{kills:,} kills of the writer, each second one before or after a given fsync or rename with all that was not "
        f"synced emptied, and in turn every name that was not: every acknowledged turn of {siege.turn:,} "
        f"there, {siege.unacknowledged} more than acknowledged, "
        f"{siege.looked_at:,} hits right, no file left after the next commit",
    )


def read_while(folder: Path, commits: int, processes: int) -> tuple[int, int]:
    """Lets processes of several threads read until so many commits are done; gives their searches and states seen."""
    stop = folder.parent / "stop"
    readers = [
        subprocess.Popen(
            [sys.executable, str(READER), str(folder), str(stop)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(processes)
    ]
    try:
        for reader in readers:
            assert reader.stdout
            assert reader.stdout.readline() == "ready\n"
        write(Index(folder, FIELDS), commits)
    finally:
        stop.touch()
        told = [reader.communicate(timeout=120)[0].split() for reader in readers]
    assert [reader.returncode for reader in readers] == [0] * processes, told
    return sum(int(searches) for searches, _ in told), max(int(states) for _, states in told)


def write(index: Index, commits: int) -> None:
    """Turns of the ledger beside ten documents that every commit writes anew; now and then all of it, or what is dropped."""
    for turn in range(1, commits + 1):
        others = [change for change in changes(turn) if change.number >= 10]
        tens = [
            Put(number, turn, {**put(number, turn).values, "dept": "十", "ward": f"第{turn}版"})
            for number in range(10)
        ]
        if turn % 60 == 0:
            index.rebuild([*tens, *(change for change in others if isinstance(change, Put))])
        else:
            index.apply([*tens, *others])
        if turn % 40 == 0:
            index.purge()


def test_readers_never_err_during_commits(index: Index, tmp_path: Path) -> None:
    write(index, 1)
    searches, states = read_while(tmp_path / "index", commits=45, processes=1)
    assert searches > 10
    assert states > 1


@pytest.mark.soak
def test_readers_of_several_processes_never_err_during_hundreds_of_commits(
    index: Index, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    commits, processes = how_many("commits", usual=500), 3
    write(index, 1)
    searches, states = read_while(tmp_path / "index", commits, processes)
    record_property(
        "soak",
        f"{commits:,} commits, rebuilds and purges among them: {searches:,} searches of {processes} processes with two "
        f"threads each saw up to {states:,} states, each whole, and none erred",
    )
