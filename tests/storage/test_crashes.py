"""What is left after a kill, and when processes do the same at once."""

import io
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from storage import BlobMissing, BlobRef, BlobStatus, FolderStore

Whole = Callable[[FolderStore, list[tuple[UUID, str, int]]], None]

LIMIT = 1 << 24
PROJECT = Path(__file__).parents[2]
UPLOADER = """
import io, os, sys
from pathlib import Path
from uuid import UUID
from storage import FolderStore
store, record = FolderStore(Path(sys.argv[1])), UUID(sys.argv[2])
while True:
    content = os.urandom(int.from_bytes(os.urandom(2)) * 8)
    ref = store.place(store.stage(io.BytesIO(content), 1 << 24), record)
    print(ref.record, ref.sha256, ref.size, flush=True)
"""


def put(store: FolderStore, content: bytes, record: UUID) -> BlobRef:
    return store.place(store.stage(io.BytesIO(content), LIMIT), record)


@pytest.mark.parametrize("seed", range(6))
def test_what_was_acknowledged_survives_a_kill(
    store: FolderStore, root: Path, seed: int, assert_whole: Whole
) -> None:
    chance, record = random.Random(seed), uuid4()
    command = [sys.executable, "-c", UPLOADER, str(root), str(record)]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as uploader:
        assert uploader.stdout
        lines = [uploader.stdout.readline() for _ in range(chance.randint(1, 25))]
        spin = sum(range(chance.randint(0, 60_000)))  # let it run on to a moment that nobody chose
        assert spin >= 0
        uploader.kill()
        lines += uploader.stdout.read().splitlines()
    acknowledged = [line.split() for line in lines]
    assert_whole(store, [(UUID(owner), sha256, int(size)) for owner, sha256, size in acknowledged])
    store.clean_staging(timedelta())
    assert list((root / "staging").iterdir()) == []


def dies_at(step: int, work: Callable[[], object]) -> bool:
    """Do the work in a process that is killed at its nth call of the file system; tell whether it was."""
    child = os.fork()
    if child == 0:
        left = step

        def hook(event: str, _arguments: object) -> None:
            nonlocal left
            if event == "open" or (event.startswith("os.") and event != "os.kill"):
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        try:
            sys.addaudithook(hook)
            work()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def deaths(work: Callable[[], object]) -> Iterator[int]:
    """Each step at which the work can be killed, after it was, until it gets to its end."""
    step = 0
    while dies_at(step, work):
        yield step
        step += 1
    assert step > 5


def test_a_kill_at_any_step_of_an_upload_leaves_the_whole_file_or_none(
    store: FolderStore, assert_whole: Whole
) -> None:
    earlier = put(store, b"earlier page", uuid4())
    record = uuid4()
    for _ in deaths(lambda: put(store, b"page" * 5000, record)):
        assert_whole(store, [(earlier.record, earlier.sha256, earlier.size)])
    placed = [name for owner, name in store.iterate() if owner == record]
    assert [store.verify(record, sha256) for sha256 in placed] == [BlobStatus.OK]


def test_a_kill_at_any_step_keeps_the_old_sidecar_or_has_the_new(store: FolderStore) -> None:
    record, old, new = uuid4(), {"version": 1}, {"version": 2, "title": "长" * 9000}
    store.write_sidecar(record, old)
    for _ in deaths(lambda: store.write_sidecar(record, new)):
        assert store.read_sidecar(record) in (old, new)
    assert store.read_sidecar(record) == new


def test_a_removal_killed_at_any_step_never_leaves_half_a_record_and_can_be_finished(
    store: FolderStore, root: Path
) -> None:
    record = uuid4()

    def fill() -> None:
        for content in (b"1", b"22", b"333"):
            put(store, content, record)
        store.put_derivative(record, "page-1.jpg", b"image")

    fill()
    for _ in deaths(lambda: store.remove_record(record)):
        assert len(list(store.iterate())) in (0, 3)
        store.remove_record(record)
        assert not [path for path in root.rglob("*") if str(record) in path.name]
        fill()


def test_the_next_cleaning_finishes_a_removal_that_nobody_repeats(store: FolderStore, root: Path) -> None:
    record = uuid4()

    def put_and_remove() -> None:
        put(store, b"page", record)
        store.remove_record(record)

    for _ in deaths(put_and_remove):
        store.clean_staging(timedelta())
        assert list((root / "staging").iterdir()) == []


def at_once(*works: Callable[[], object]) -> None:
    """Run each work in a process of its own, all released by the same word, and expect them to end well."""
    gate, word = os.pipe()
    children = []
    for work in works:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.close(word)
                os.read(gate, 1)
                work()
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    os.close(gate)
    os.close(word)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * len(works)


def test_two_processes_may_place_the_same_content_at_once(
    store: FolderStore, root: Path, assert_whole: Whole
) -> None:
    records = sorted(uuid4() for _ in range(40))

    def upload() -> None:
        for record in records:
            assert put(store, b"same page", record).size == 9

    at_once(upload, upload)
    sha256 = put(store, b"same page", records[0]).sha256
    assert list(store.iterate()) == [(record, sha256) for record in records]
    assert_whole(store, [(record, sha256, 9) for record in records])
    assert list((root / "staging").iterdir()) == []


def test_no_thumbnail_is_left_when_its_record_is_destroyed_meanwhile(store: FolderStore, root: Path) -> None:
    records = [put(store, b"page", uuid4()).record for _ in range(60)]

    def draw() -> None:
        for record in records:
            try:
                for number in range(5):
                    store.put_derivative(record, f"page-{number}.jpg", b"image")
            except BlobMissing:
                continue

    def destroy() -> None:
        for record in records:
            store.remove_record(record)

    at_once(draw, destroy)
    assert list(root.rglob("*.jpg")) == []


def test_two_processes_may_destroy_and_clean_at_once(store: FolderStore, root: Path) -> None:
    records = [put(store, b"page", uuid4()).record for _ in range(40)]

    def destroy() -> None:
        for record in records:
            store.remove_record(record)

    at_once(destroy, destroy, lambda: [store.clean_staging(timedelta(days=1)) for _ in records])
    assert list(store.iterate()) == []
    assert list((root / "staging").iterdir()) == []
