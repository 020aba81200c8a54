"""Archives that take long to plant: with JUANZONG_BENCH_KEEP, a folder, they are planted once and used again."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

KEEP = os.environ.get("JUANZONG_BENCH_KEEP", "")
"""The folder of one archive, of one bench: planted there if it is empty, used as it is else, whatever size is asked for."""


@contextmanager
def archive(plant: Callable[[Path], object], keep: str = KEEP) -> Iterator[Path]:
    """The folder of a planted archive; without one to keep it in, another each time, which is gone at the end."""
    with TemporaryDirectory(prefix="juanzong-bench-") as name:
        folder = Path(keep) if keep else Path(name) / "var"
        if folder.is_dir() and any(folder.iterdir()):
            print(f"\nThe archive that was kept in {folder}, as it is")
        else:
            _planted(folder, plant)
        yield folder


def _planted(folder: Path, plant: Callable[[Path], object]) -> None:
    """Planted aside and renamed when it is whole: one that was cut off is never used half."""
    aside = folder.with_name(f"{folder.name}.planting")
    shutil.rmtree(aside, ignore_errors=True)
    plant(aside)
    if folder.is_dir():
        folder.rmdir()
    aside.rename(folder)
