"""Threads of a long-running process share few heaps."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from archive import arenas

ROOT = Path(arenas.__file__).parents[1]
THREADS = 12
PROGRAM = f"""
import ctypes, threading
from archive import arenas
{{share}}
c = ctypes.CDLL(None)
c.malloc.restype = ctypes.c_void_p
together = threading.Barrier({THREADS})
def take():
    together.wait()
    c.malloc(100)
    together.wait()
threads = [threading.Thread(target=take) for _ in range({THREADS})]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
c.malloc_stats()
"""


def heaps(share: str) -> int:
    done = subprocess.run([sys.executable, "-c", PROGRAM.format(share=share)], cwd=ROOT, env={"PYTHONPATH": str(ROOT)},
                          capture_output=True, text=True, check=True)  # fmt: skip
    return done.stderr.count("Arena ")


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="this C library is not glibc: it has no heaps to be shared"
)
def test_twelve_threads_use_two_heaps_and_without_it_more() -> None:
    assert heaps("") > arenas.MOST
    assert heaps("arenas.share()") == arenas.MOST
