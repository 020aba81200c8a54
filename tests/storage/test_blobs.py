import hashlib
import io
import json
import os
import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage import (
    BlobDamaged,
    BlobMissing,
    BlobRef,
    BlobStatus,
    FolderStore,
    StagedGone,
    Store,
    StoreUnwell,
    TooLarge,
)

Put = Callable[..., BlobRef]

LIMIT = 1 << 24
DAY = timedelta(days=1)
PAGE = "入院记录：患者因发热三天入院。".encode()


def path_of(root: Path, ref: BlobRef) -> Path:
    (path,) = (root / "blobs").rglob(ref.sha256)
    return path


def staged_files(root: Path) -> list[str]:
    return [path.name for path in (root / "staging").iterdir()]


def rewrite(path: Path, content: bytes) -> None:
    path.chmod(0o640)
    path.write_bytes(content)


class OneByteAtATime(io.BytesIO):
    """A slow line: it gives less than it was asked for."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(1, size or 0))


class CutOff(io.BytesIO):
    """A browser that goes away in the middle."""

    def read(self, size: int | None = -1, /) -> bytes:
        if part := super().read(size):
            return part
        raise ConnectionResetError


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> FolderStore:
    return FolderStore.create(tmp_path_factory.mktemp("shared"))


@settings(max_examples=60)
@given(
    content=st.binary(max_size=4096), record=st.uuids(), at=st.integers(0, 5000), length=st.integers(0, 5000)
)
def test_what_goes_in_comes_out(shared: Store, content: bytes, record: UUID, at: int, length: int) -> None:
    ref = shared.place(shared.stage(OneByteAtATime(content), LIMIT), record)
    assert (ref.sha256, ref.size) == (hashlib.sha256(content).hexdigest(), len(content))
    with shared.open(str(record), ref.sha256) as body:
        assert body.read() == content
        assert body.seek(at) == at
        assert body.read(length) == content[at : at + length]
        assert body.seek(0, os.SEEK_END) == body.tell() == ref.size
        assert body.seek(-(ref.size // 2), os.SEEK_CUR) == ref.size - ref.size // 2
        assert body.read() == content[ref.size - ref.size // 2 :]
    assert shared.verify(record, ref.sha256) is BlobStatus.OK


def test_a_file_of_many_megabytes_comes_out_whole(store: Store, put: Put) -> None:
    content = os.urandom(3_333_333)
    ref = put(content)
    with store.open(ref.record, ref.sha256) as body:
        assert body.read() == content


def test_the_content_does_not_begin_before_its_beginning(store: Store, put: Put) -> None:
    ref = put(b"abc")
    with store.open(ref.record, ref.sha256) as body:
        for offset, whence in ((-1, os.SEEK_SET), (-4, os.SEEK_END)):
            with pytest.raises((ValueError, OSError)):
                body.seek(offset, whence)


def test_a_file_on_the_disk_says_its_version_and_key_and_nobody_may_write_it(root: Path, put: Put) -> None:
    ref = put(PAGE)
    path = path_of(root, ref)
    assert path.read_bytes() == b"\x01\x00" + PAGE
    assert stat.S_IMODE(path.stat().st_mode) == 0o440
    record = str(ref.record)
    assert path.parent == root / "blobs" / record[:2] / record[2:4] / record
    for folder in (path.parent, path.parent.parent, path.parent.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o750


def test_a_web_server_cannot_send_the_header_by_a_short_cut(store: Store, put: Put) -> None:
    ref = put(PAGE)
    with store.open(ref.record, ref.sha256) as body, pytest.raises(OSError, match="fileno"):
        body.fileno()


def test_equal_content_in_two_records_is_kept_twice(store: Store, put: Put) -> None:
    one, other = put(PAGE), put(PAGE)
    store.remove_record(one.record)
    assert store.verify(one.record, one.sha256) is BlobStatus.MISSING
    assert store.verify(other.record, other.sha256) is BlobStatus.OK


def test_a_file_at_its_limit_passes_and_one_byte_more_leaves_nothing(store: Store, root: Path) -> None:
    store.discard(store.stage(io.BytesIO(b"x" * 100), 100))
    with pytest.raises(TooLarge) as refused:
        store.stage(io.BytesIO(b"x" * 101), 100)
    assert refused.value.limit == 100
    assert staged_files(root) == []


def test_an_upload_that_breaks_off_leaves_nothing(store: Store, root: Path) -> None:
    with pytest.raises(ConnectionResetError):
        store.stage(CutOff(PAGE), LIMIT)
    assert staged_files(root) == []


def test_placing_again_after_a_failed_transaction_changes_nothing(store: Store, root: Path) -> None:
    record = uuid4()
    staged = store.stage(io.BytesIO(PAGE), LIMIT)
    assert store.place(staged, record) == store.place(staged, record)
    assert store.place(store.stage(io.BytesIO(PAGE), LIMIT), record).sha256 == staged.sha256
    assert list(store.iterate()) == [(record, staged.sha256)]
    assert staged_files(root) == []


def test_a_damaged_file_is_no_reason_to_acknowledge_a_lost_one(store: Store, root: Path, put: Put) -> None:
    ref = put(PAGE)
    rewrite(path_of(root, ref), b"\x01\x00rot")
    staged = store.stage(io.BytesIO(PAGE), LIMIT)
    store.discard(staged)
    with pytest.raises(StagedGone):
        store.place(staged, ref.record)


def test_a_discarded_file_cannot_be_placed(store: Store) -> None:
    staged = store.stage(io.BytesIO(PAGE), LIMIT)
    store.discard(staged)
    store.discard(staged)
    with pytest.raises(StagedGone):
        store.place(staged, uuid4())
    with pytest.raises(StagedGone), store.materialise_staged(staged):
        pass


def test_a_child_process_gets_the_plain_file_and_it_goes_away(store: Store, root: Path, put: Put) -> None:
    ref = put(PAGE)
    with store.materialise(ref.record, ref.sha256) as path:
        assert path.read_bytes() == PAGE
    staged = store.stage(io.BytesIO(PAGE), LIMIT)
    with store.materialise_staged(staged) as looked_at:
        assert looked_at.read_bytes() == PAGE
    assert not path.exists()
    assert staged_files(root) == [staged.path.name]


@pytest.mark.parametrize("position", [0, 1, 2, -1])
def test_one_changed_byte_is_noticed_wherever_it_is(
    store: Store, root: Path, put: Put, position: int
) -> None:
    ref = put(PAGE)
    content = bytearray(path_of(root, ref).read_bytes())
    content[position] ^= 1
    rewrite(path_of(root, ref), bytes(content))
    assert store.verify(ref.record, ref.sha256) is BlobStatus.CHANGED


@pytest.mark.parametrize(
    "left", [b"", b"\x01", b"\x01\x00", b"\x01\x00" + PAGE[:-1], b"\x01\x00" + PAGE + b"!"]
)
def test_a_cut_or_lengthened_file_is_noticed(store: Store, root: Path, put: Put, left: bytes) -> None:
    ref = put(PAGE)
    rewrite(path_of(root, ref), left)
    assert store.verify(ref.record, ref.sha256) is BlobStatus.CHANGED


def test_a_folder_in_place_of_a_file_is_a_change_and_stops_nothing(
    store: Store, root: Path, put: Put
) -> None:
    ref = put(PAGE)
    path = path_of(root, ref)
    path.unlink()
    path.mkdir()
    assert store.verify(ref.record, ref.sha256) is BlobStatus.CHANGED


def test_a_file_of_an_unknown_format_is_not_read_as_content(store: Store, root: Path, put: Put) -> None:
    ref = put(PAGE)
    rewrite(path_of(root, ref), b"\x01\x07" + PAGE)
    with pytest.raises(BlobDamaged):
        store.open(ref.record, ref.sha256)


def test_placing_the_content_once_more_mends_a_damaged_file(store: Store, root: Path, put: Put) -> None:
    ref = put(PAGE)
    rewrite(path_of(root, ref), b"\x01\x00rot")
    put(PAGE, ref.record)
    assert store.verify(ref.record, ref.sha256) is BlobStatus.OK


def test_a_removed_record_leaves_nothing_anywhere(store: Store, root: Path, put: Put) -> None:
    gone, kept = put(PAGE), put(b"another")
    put(b"second page", gone.record)
    store.write_sidecar(gone.record, {"title": "出院小结"})
    store.put_derivative(gone.record, "page-1.jpg", b"image")
    store.remove_record(gone.record)
    store.remove_record(gone.record)
    assert not [path for path in root.rglob("*") if str(gone.record) in str(path)]
    assert staged_files(root) == []
    assert list(store.iterate()) == [(kept.record, kept.sha256)]
    for missing in (
        lambda: store.open(gone.record, gone.sha256),
        lambda: store.read_sidecar(gone.record),
        lambda: store.open_derivative(gone.record, "page-1.jpg"),
    ):
        with pytest.raises(BlobMissing):
            missing()


def test_a_late_thumbnail_does_not_outlive_its_destroyed_record(store: Store, root: Path, put: Put) -> None:
    ref = put(PAGE)
    store.remove_record(ref.record)
    with pytest.raises(BlobMissing):
        store.put_derivative(ref.record, "page-1.jpg", b"image")
    assert not list(root.rglob("page-1.jpg"))


def test_a_derivative_is_replaced_and_kept_apart_from_the_masters(store: Store, root: Path, put: Put) -> None:
    ref = put(PAGE)
    assert not store.has_derivative(ref.record, "page-1_400.jpg")
    store.put_derivative(ref.record, "page-1_400.jpg", b"first")
    store.put_derivative(ref.record, "page-1_400.jpg", b"second")
    assert store.has_derivative(ref.record, "page-1_400.jpg")
    with store.open_derivative(ref.record, "page-1_400.jpg") as image:
        assert image.read() == b"second"
    assert list(store.strays()) == []
    assert list(store.iterate()) == [(ref.record, ref.sha256)]
    assert staged_files(root) == []


def test_the_sidecar_is_json_that_is_the_same_for_the_same_content(store: Store, root: Path) -> None:
    record = uuid4()
    store.write_sidecar(record, {"页数": 12, "archival_no": "A001", "pages": [{"w": 1, "h": 2}]})
    (path,) = root.rglob("record.json")
    assert path.read_bytes() == '{"archival_no":"A001","pages":[{"h":2,"w":1}],"页数":12}'.encode()
    store.write_sidecar(record, {"archival_no": "A002"})
    assert store.read_sidecar(record) == json.loads(path.read_bytes()) == {"archival_no": "A002"}
    assert list(store.strays()) == []


@pytest.mark.parametrize("content", [{"width": float("nan")}, {"what": object()}, {"half": "\ud800"}])
def test_a_sidecar_that_is_no_json_keeps_the_old_one(
    store: Store, root: Path, content: dict[str, Any]
) -> None:
    record = uuid4()
    store.write_sidecar(record, {"archival_no": "A001"})
    with pytest.raises((ValueError, TypeError)):
        store.write_sidecar(record, content)
    assert store.read_sidecar(record) == {"archival_no": "A001"}
    assert staged_files(root) == []


def test_every_file_is_found_in_the_order_of_records(store: Store, put: Put) -> None:
    refs = [put(os.urandom(8)) for _ in range(30)]
    refs += [put(os.urandom(8), refs[0].record) for _ in range(3)]
    assert list(store.iterate()) == sorted((ref.record, ref.sha256) for ref in refs)


def test_cleaning_removes_what_a_kill_left_and_nothing_that_is_in_use(store: Store, root: Path) -> None:
    old, new = (store.stage(io.BytesIO(content), LIMIT) for content in (b"old", b"new"))
    long_ago = old.path.stat().st_mtime - DAY.total_seconds()
    os.utime(old.path, (long_ago, long_ago))
    (root / "staging" / "note.txt").write_text("not ours")
    os.utime(root / "staging" / "note.txt", (long_ago, long_ago))
    assert store.clean_staging(DAY / 2) == 1
    assert sorted(staged_files(root)) == sorted([new.path.name, "note.txt"])
    with pytest.raises(StagedGone):
        store.place(old, uuid4())
    store.place(new, uuid4())


def test_a_store_that_is_not_there_is_never_taken_for_an_empty_one(store: Store, root: Path) -> None:
    store.healthy()
    assert staged_files(root) == []
    root.rename(root.with_name("unmounted"))
    with pytest.raises(StoreUnwell):
        store.healthy()
    with pytest.raises(FileNotFoundError):
        list(store.iterate())
    with pytest.raises(StoreUnwell):
        FolderStore(root)
    assert not root.exists()
