"""Pieces of a file: each that was acknowledged is there after a kill and after a power cut, and none is half."""

import io
import os
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from storage import FolderStore, StagedGone
from tests.storage.test_crashes import deaths

LIMIT = 1 << 24


def keep(store: FolderStore, arrival: UUID, number: int, content: bytes) -> None:
    store.arriving.keep(arrival, number, store.stage(io.BytesIO(content), LIMIT))


def test_pieces_are_joined_in_their_order(store: FolderStore) -> None:
    arrival, pieces = uuid4(), [os.urandom(70_000) for _ in range(12)]
    for number, piece in enumerate(pieces):
        keep(store, arrival, number, piece)
    assert store.arriving.received(arrival) == 12 * 70_000
    staged = store.arriving.joined(arrival)
    with store.materialise_staged(staged) as path:
        assert path.read_bytes() == b"".join(pieces)


def test_what_follows_a_gap_has_not_arrived(store: FolderStore) -> None:
    arrival = uuid4()
    for number in (0, 2):
        keep(store, arrival, number, b"page")
    assert store.arriving.received(arrival) == 4
    assert store.arriving.joined(arrival).size == 4


def test_a_kill_at_any_step_keeps_each_piece_that_was_acknowledged(store: FolderStore) -> None:
    arrival = uuid4()
    keep(store, arrival, 0, b"first" * 1000)
    for _ in deaths(lambda: keep(store, arrival, 1, b"second" * 1000)):
        assert store.arriving.received(arrival) in (5_000, 11_000)
        assert store.arriving.joined(arrival).size in (5_000, 11_000)
    assert store.arriving.received(arrival) == 11_000


def test_a_forgotten_file_leaves_nothing(store: FolderStore, root: Path) -> None:
    arrival, other = uuid4(), uuid4()
    keep(store, arrival, 0, b"page")
    keep(store, other, 0, b"page")
    assert set(store.arriving.all()) == {arrival, other}
    store.arriving.forget(arrival)
    store.arriving.forget(arrival)
    assert list(store.arriving.all()) == [other]
    assert store.arriving.received(arrival) == 0


def test_a_piece_that_was_cleaned_away_is_told(store: FolderStore) -> None:
    staged = store.stage(io.BytesIO(b"page"), LIMIT)
    store.discard(staged)
    with pytest.raises(StagedGone):
        store.arriving.keep(uuid4(), 0, staged)
