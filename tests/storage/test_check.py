import os
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from storage import BlobRef, Finding, FolderStore, Problem, check

Put = Callable[..., BlobRef]
Register = list[tuple[UUID, str, int]]


def registered(*refs: BlobRef) -> Register:
    return sorted((ref.record, ref.sha256, ref.size) for ref in refs)


def path_of(root: Path, ref: BlobRef) -> Path:
    return next((root / "blobs").rglob(f"{ref.record}/{ref.sha256}"))


@pytest.fixture
def refs(put: Put) -> list[BlobRef]:
    """Seven records of three pages."""
    return [put(os.urandom(100), record) for record in [uuid4() for _ in range(7)] for _ in range(3)]


def test_a_whole_store_has_no_findings(store: FolderStore, refs: list[BlobRef]) -> None:
    store.write_sidecar(refs[0].record, {"title": "病案首页"})
    assert list(check(store, registered(*refs))) == []


def test_missing_changed_and_stray_files_are_found_and_named(
    store: FolderStore, root: Path, put: Put, refs: list[BlobRef]
) -> None:
    missing, changed, stray, *intact = refs
    path_of(root, missing).unlink()
    path = path_of(root, changed)
    content = bytearray(path.read_bytes())
    content[50] ^= 1
    path.chmod(0o640)
    path.write_bytes(content)
    unknown = put(b"of a record that nobody registered")
    never = (uuid4(), "0" * 64, 5)
    assert set(check(store, sorted([*registered(missing, changed, *intact), never]))) == {
        Finding(Problem.MISSING, missing.record, missing.sha256),
        Finding(Problem.CHANGED, changed.record, changed.sha256),
        Finding(Problem.STRAY, stray.record, stray.sha256),
        Finding(Problem.STRAY, unknown.record, unknown.sha256),
        Finding(Problem.MISSING, never[0], never[1]),
    }


def test_a_register_whose_size_was_altered_beside_the_right_hash_is_found(
    store: FolderStore, put: Put
) -> None:
    ref = put(b"twelve bytes")
    altered = [(ref.record, ref.sha256, 11)]
    assert list(check(store, altered)) == [Finding(Problem.CHANGED, ref.record, ref.sha256)]


def test_a_file_that_cannot_be_read_does_not_end_the_check(
    store: FolderStore, root: Path, refs: list[BlobRef]
) -> None:
    for ref in (refs[0], refs[-1]):
        path = path_of(root, ref)
        path.unlink()
        path.mkdir()
    findings = [finding for finding in check(store, registered(*refs)) if finding.record]
    assert {(finding.problem, finding.name) for finding in findings} == {
        (Problem.CHANGED, refs[0].sha256),
        (Problem.CHANGED, refs[-1].sha256),
    }


def test_things_that_no_store_put_there_are_strays(
    store: FolderStore, root: Path, refs: list[BlobRef]
) -> None:
    ref = refs[0]
    folder, record = path_of(root, ref).parent, str(ref.record)
    (folder / "Thumbs.db").touch()
    (folder / "copy").mkdir()
    (folder / ("f" * 64)).symlink_to(ref.sha256)
    (root / "blobs" / ".DS_Store").touch()
    astray = root / "blobs" / "zz" / record[2:4] / record
    astray.mkdir(parents=True)
    (astray / ref.sha256).touch()
    here = f"{record[:2]}/{record[2:4]}/{record}"
    assert {finding.name for finding in check(store, registered(*refs))} == {
        f"{here}/Thumbs.db",
        f"{here}/copy",
        f"{here}/{'f' * 64}",
        ".DS_Store",
        f"zz/{record[2:4]}/{record}/{ref.sha256}",
    }


def test_an_empty_store_and_an_empty_register_are_both_heard(store: FolderStore, refs: list[BlobRef]) -> None:
    assert {finding.problem for finding in check(store, [])} == {Problem.STRAY}
    for ref in refs:
        store.remove_record(ref.record)
    findings = list(check(store, registered(*refs)))
    assert [(finding.problem, finding.record, finding.name) for finding in findings] == [
        (Problem.MISSING, record, sha256) for record, sha256, _ in registered(*refs)
    ]


def test_progress_counts_every_registered_file(store: FolderStore, refs: list[BlobRef]) -> None:
    heard: list[int] = []
    assert list(check(store, registered(*refs), heard.append)) == []
    assert heard == [3, 6, 9, 12, 15, 18, 21]


def test_records_may_be_given_as_text(store: FolderStore, refs: list[BlobRef]) -> None:
    lines = [(str(record), sha256, size) for record, sha256, size in registered(*refs)]
    assert list(check(store, lines)) == []


def test_a_register_in_another_order_is_refused_because_it_would_make_strays(
    store: FolderStore, refs: list[BlobRef]
) -> None:
    with pytest.raises(ValueError, match="sorted by record"):
        list(check(store, reversed(registered(*refs))))


def test_the_register_is_read_as_the_check_goes_and_never_as_a_whole(
    store: FolderStore, refs: list[BlobRef]
) -> None:
    lines = registered(*refs)
    taken = 0

    def read() -> Iterator[tuple[UUID, str, int]]:
        nonlocal taken
        for line in lines:
            taken += 1
            yield line

    store.remove_record(lines[0][0])
    assert next(check(store, read())).problem is Problem.MISSING
    assert taken <= 4
