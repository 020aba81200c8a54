"""Files that come in pieces: each piece lies safely on the disk before it is acknowledged, so that sending can go on after
a lost network, a reload, or a kill.

What has arrived is what lies here, and is written down nowhere else: no database can remember pieces that a power cut took.
"""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from uuid import UUID

from .blobs import Staged, StagedGone
from .header import HEADER, open_body
from .staging import Staging, naming_full, remove_tree, sync_folder

_ARRIVING = ".arriving"
_READ = 1 << 20


@dataclass(frozen=True)
class Arriving:
    """分块接收区: a folder for each file under way, its pieces numbered; beside what else is staged, so a rename moves them."""

    staging: Staging

    def keep(self, arrival: UUID, number: int, piece: Staged) -> None:
        """Keep a staged piece under its number, durably; the same number again takes its place. Raises StoreFull, StagedGone."""
        folder = self.staging.folder / f"{arrival}{_ARRIVING}"
        with naming_full():
            folder.mkdir(0o750, exist_ok=True)
            try:
                piece.path.replace(folder / f"{number:06}")
            except FileNotFoundError as gone:
                raise StagedGone(piece.path) from gone
            sync_folder(folder)
            sync_folder(self.staging.folder)

    def received(self, arrival: UUID) -> int:
        """How many bytes have arrived, from the first on without a gap."""
        return sum(path.stat().st_size - len(HEADER) for path in self._pieces(arrival))

    def joined(self, arrival: UUID) -> Staged:
        """The pieces as one staged file, durable; they stay until they are forgotten. Raises StoreFull."""
        digest, size = hashlib.sha256(), 0
        with self.staging.new_file(durable=True) as (file, path):
            file.write(HEADER)
            for piece in self._pieces(arrival):
                with open_body(piece) as source:
                    while chunk := source.read(_READ):
                        size += len(chunk)
                        digest.update(chunk)
                        file.write(chunk)
        return Staged(digest.hexdigest(), size, path)

    def forget(self, arrival: UUID) -> None:
        """Remove the pieces; that there are none is no error."""
        remove_tree(self.staging.folder / f"{arrival}{_ARRIVING}")

    def all(self) -> Iterator[UUID]:
        """Every file of which pieces lie here."""
        for folder in list(self.staging.folder.glob(f"*{_ARRIVING}")):
            with suppress(ValueError):
                yield UUID(folder.stem)

    def _pieces(self, arrival: UUID) -> Iterator[Path]:
        folder = self.staging.folder / f"{arrival}{_ARRIVING}"
        for number in count():
            piece = folder / f"{number:06}"
            if not piece.exists():
                return
            yield piece
