import subprocess
import sys
from pathlib import Path
from time import sleep

import numpy as np
import pytest

import index as full_text
from index import Index, Masks, Put, Term

from .naive import FIELDS
from .writer import BATCH, TEXT

WRITER = Path(__file__).with_name("writer.py")


def killed_after(seconds: float, folder: Path, what: str, turn: int) -> None:
    """Let a process write for a while and kill it in the midst of it."""
    arguments = [sys.executable, str(WRITER), str(folder), what, str(turn)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        sleep(seconds)
        process.kill()


@pytest.mark.parametrize("what", ["apply", "rebuild"])
def test_a_writer_that_is_killed_leaves_all_of_a_step_or_nothing(
    index: Index, tmp_path: Path, everyone: Masks, what: str
) -> None:
    last = 0
    for attempt in range(60):
        killed_after(0.02 + 0.017 * attempt, tmp_path / "index", what, last + 1)
        reopened = full_text.open(tmp_path / "index", FIELDS)
        found = reopened.search(Term("支气管炎急性"), everyone, texts_of=texts, limit=100)
        turns = {hit.number: turn_of(reopened, hit.number) for hit in found.hits}
        assert len(set(turns.values())) <= 1, "all documents of one turn"
        if turns:
            (turn,) = set(turns.values())
            assert turn >= last
            last = turn
            expected = [*((number, turn) for number in range(BATCH)), (100 + turn, turn)]
            assert not reopened.check(expected)
        assert {entry.suffix for entry in (tmp_path / "index").rglob("*") if entry.is_file()} <= {
            ".json", ".lock", ".toc", ".seg",
        }  # fmt: skip
        if attempt >= 7 and last:
            break
    assert last, "at least one step was done"
    index.apply([Put(900, 1, {"body": "新"})])
    assert [hit.number for hit in index.search(Term("新"), everyone, texts_of=texts, limit=9).hits] == [900]


def texts(numbers: object, field: str) -> dict[int, str]:
    return dict.fromkeys(range(BATCH), TEXT)


def turn_of(index: Index, number: int) -> int:
    """The turn that a document was written in, by its code."""
    only = np.arange(1000) == number
    (code,) = index.suggest("code", "T", Masks(only, only, only))
    return int(code.value[1:])
