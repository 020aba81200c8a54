import io
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from storage import BlobRef, BlobStatus, FolderStore, Problem, check


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore.create(tmp_path / "var")


@pytest.fixture
def root(store: FolderStore, tmp_path: Path) -> Path:
    """The folder of the store, for a look behind its back."""
    return tmp_path / "var"


@pytest.fixture
def put(store: FolderStore) -> Callable[..., BlobRef]:
    """Stage and place at once, as an upload does."""

    def put(content: bytes, record: UUID | None = None) -> BlobRef:
        return store.place(store.stage(io.BytesIO(content), limit=1 << 24), record or uuid4())

    return put


@pytest.fixture
def assert_whole() -> Callable[[FolderStore, list[tuple[UUID, str, int]]], None]:
    """Everything acknowledged is there, and nothing under a hash is half a file."""

    def assert_whole(store: FolderStore, acknowledged: list[tuple[UUID, str, int]]) -> None:
        findings = check(store, sorted(acknowledged))
        assert [finding for finding in findings if finding.problem is not Problem.STRAY] == []
        assert {store.verify(*blob) for blob in store.iterate()} <= {BlobStatus.OK}
        assert list(store.strays()) == []

    return assert_whole


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Mount a real file system for a test; only root can, elsewhere the test is skipped with the system's reason."""
    folders: list[Path] = []

    def mount(*arguments: str | Path) -> Path:
        folder = tmp_path / f"disk{len(folders)}"
        folder.mkdir()
        done = _run("mount", *arguments, folder)
        if done is None or done.returncode:
            reason = done.stderr if done else "there is no mount command"
            pytest.skip(f"a file system cannot be mounted here: {reason}")
        folders.append(folder)
        return folder

    yield mount
    for folder in folders:
        _run("umount", folder)


def _run(*command: Any) -> subprocess.CompletedProcess[str] | None:
    if shutil.which(command[0]) is None:
        return None
    return subprocess.run([os.fspath(part) for part in command], capture_output=True, text=True, check=False)
