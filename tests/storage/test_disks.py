"""What is left after a power cut and on a full disk: real disks, which only root can mount."""

import errno
import fcntl
import io
import os
import shutil
import struct
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from storage import BlobRef, FolderStore, StoreFull

Mount = Callable[..., Path]
Whole = Callable[[FolderStore, list[tuple[UUID, str, int]]], None]

LIMIT = 1 << 24
EXT4_IOC_SHUTDOWN, WITHOUT_FLUSHING_THE_JOURNAL = 0x8004587D, 2


def put(store: FolderStore, content: bytes, record: UUID) -> BlobRef:
    return store.place(store.stage(io.BytesIO(content), LIMIT), record)


@contextmanager
def power_cut(image: Path, mounted: Mount) -> Iterator[FolderStore]:
    """A store on an ext4 disk of its own, which at the end loses all that the disk was not made to write."""
    folder = mounted("-o", "loop", image)
    yield FolderStore.create(folder / "var")
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.ioctl(handle, EXT4_IOC_SHUTDOWN, struct.pack("I", WITHOUT_FLUSHING_THE_JOURNAL))
    finally:
        os.close(handle)
    subprocess.run(["umount", folder], check=True)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    with path.open("wb") as file:
        file.truncate(16 << 20)
    try:
        subprocess.run(["mkfs.ext4", "-q", path], check=True)
    except FileNotFoundError:
        pytest.skip("mkfs.ext4 is not installed here")
    return path


def after_a_power_cut(image: Path, mounted: Mount) -> FolderStore:
    return FolderStore(mounted("-o", "loop", image) / "var")


def test_an_acknowledged_file_survives_a_power_cut(image: Path, mounted: Mount, assert_whole: Whole) -> None:
    with power_cut(image, mounted) as store:
        refs = [put(store, os.urandom(50_000), uuid4()) for _ in range(3)]
    again = after_a_power_cut(image, mounted)
    assert_whole(again, [(ref.record, ref.sha256, ref.size) for ref in refs])


def test_a_sidecar_survives_a_power_cut(image: Path, mounted: Mount) -> None:
    record = uuid4()
    with power_cut(image, mounted) as store:
        store.write_sidecar(record, {"title": "出院记录"})
        store.write_sidecar(record, {"title": "住院病案首页"})
    assert after_a_power_cut(image, mounted).read_sidecar(record) == {"title": "住院病案首页"}


def test_a_destroyed_record_does_not_come_back_after_a_power_cut(image: Path, mounted: Mount) -> None:
    with power_cut(image, mounted) as store:
        ref = put(store, b"to be destroyed", uuid4())
        store.remove_record(ref.record)
    assert list(after_a_power_cut(image, mounted).iterate()) == []
    assert [path for path in image.parent.rglob("*") if str(ref.record) in path.name] == []


def fill(ballast: Path) -> None:
    """Write until the disk has no byte left."""
    with ballast.open("wb", buffering=0) as file:
        while not is_full(lambda: file.write(b"x" * 4096)):
            pass


def fill_with_files(folder: Path) -> None:
    """Make files until the disk can name no more."""
    while not is_full((folder / uuid4().hex).touch):
        pass


def is_full(act: Callable[[], object]) -> bool:
    try:
        act()
    except OSError as error:
        if error.errno == errno.ENOSPC:
            return True
        raise
    return False


def test_an_upload_to_a_full_disk_says_so_and_harms_nothing(mounted: Mount, assert_whole: Whole) -> None:
    disk = mounted("-t", "tmpfs", "-o", "size=512k", "tmpfs")
    store, record = FolderStore.create(disk / "var"), uuid4()
    ref = put(store, b"a" * 100_000, record)
    store.write_sidecar(record, {"version": 1})
    with pytest.raises(StoreFull):
        store.stage(io.BytesIO(b"b" * 600_000), LIMIT)
    assert list((disk / "var" / "staging").iterdir()) == []
    fill(disk / "ballast")
    for attempt in (
        lambda: store.stage(io.BytesIO(b"c"), LIMIT),
        lambda: store.write_sidecar(record, {"version": 2}),
        lambda: store.put_derivative(record, "page-1.jpg", b"image"),
        lambda: store.materialise(record, ref.sha256).__enter__(),
        store.healthy,
    ):
        with pytest.raises(StoreFull):
            attempt()
    assert list((disk / "var" / "staging").iterdir()) == []
    assert store.read_sidecar(record) == {"version": 1}
    assert_whole(store, [(ref.record, ref.sha256, ref.size)])
    (disk / "ballast").unlink()
    assert put(store, b"there is room again", record).size == 19


def test_a_disk_without_room_for_a_folder_keeps_the_staged_file_for_later(
    mounted: Mount, assert_whole: Whole
) -> None:
    disk = mounted("-t", "tmpfs", "-o", "size=1m,nr_inodes=12", "tmpfs")
    store, record = FolderStore.create(disk / "var"), uuid4()
    staged = store.stage(io.BytesIO(b"page"), LIMIT)
    (disk / "ballast").mkdir()
    fill_with_files(disk / "ballast")
    with pytest.raises(StoreFull):
        store.place(staged, record)
    next((disk / "ballast").iterdir()).unlink()  # room for one file, but not for its folders
    with pytest.raises(StoreFull):
        store.write_sidecar(record, {"version": 1})
    assert list(store.iterate()) == []
    assert list((disk / "var" / "staging").iterdir()) == [staged.path]
    shutil.rmtree(disk / "ballast")
    ref = store.place(staged, record)
    assert_whole(store, [(ref.record, ref.sha256, ref.size)])


def test_every_folder_above_a_new_file_is_written_to_the_disk(
    store: FolderStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced, really = [], os.fsync

    def fsync(handle: int) -> None:
        synced.append(Path(f"/proc/self/fd/{handle}").readlink())
        really(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    record = str(uuid4())
    shard = root / "blobs" / record[:2]
    ref = put(store, b"page", UUID(record))
    path = shard / record[2:4] / record / ref.sha256
    assert synced[0].parent == root / "staging"
    assert synced[1:] == [root / "blobs", shard, shard / record[2:4], path.parent]
