"""The files of an archive kept in the machine's memory, as a server does by itself that has memory to spare.

Some virtual machines give it back within seconds, so that what is measured is their disk: JUANZONG_BENCH_WARM sets how many
seconds lie between two readings of everything, which a process of its own does; 0, unless told otherwise, for none.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

from bench.figures import size

EVERY = size("WARM", 0)
CHUNK = 1 << 20


@contextmanager
def kept_in_memory(*folders: Path) -> Iterator[None]:
    """While the block lasts."""
    if not EVERY:
        yield
        return
    reading = get_context("spawn").Process(target=_read, args=(folders,), daemon=True)
    reading.start()
    try:
        yield
    finally:
        reading.terminate()
        reading.join()


def _read(folders: tuple[Path, ...]) -> None:
    while True:
        for file in [file for folder in folders for file in folder.rglob("*") if file.is_file()]:
            try:
                with file.open("rb") as stream:
                    while stream.read(CHUNK):
                        pass
            except FileNotFoundError:  # the index has another state now
                continue
        time.sleep(EVERY)
