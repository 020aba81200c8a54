"""What this process gives up, for good, before it reads a foreign byte."""

import ctypes
import os
import resource
from collections.abc import Iterable
from pathlib import Path

from storage.limits import Limits

from . import landlock, seccomp

_SET_NO_NEW_PRIVS = 38


def confine(*, reads: Iterable[Path], output: Path | None) -> dict[str, bool]:
    """Give up files, network and programs; tells which walls stand.

    To be called while there is one thread: threads that run already would keep their rights.
    """
    ctypes.CDLL(None).prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    return {"files": landlock.apply(reads=reads, output=output), "calls": seccomp.apply()}


def limit(limits: Limits) -> int:
    """Set the limits that hold for all steps; gives the address space, in bytes, that is allowed in the end."""
    os.nice(10)
    space = _address_space() + limits.memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (space, space))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits.file_bytes, limits.file_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return space


def begin_step(limits: Limits) -> None:
    """Allow ``cpu_seconds`` from now on; the kernel ends the process after them, whatever it is doing."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(
        resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + limits.cpu_seconds + 1, hard)
    )


def is_short_of_memory(limits: Limits) -> bool:
    """Whether more than half of what it may take has been taken at any time: a decoder that found too little says nothing."""
    said = Path("/proc/self/status").read_text().partition("VmPeak:")[2].split()
    allowed, _ = resource.getrlimit(resource.RLIMIT_AS)
    return allowed != resource.RLIM_INFINITY and int(said[0]) * 1024 > allowed - limits.memory_bytes // 2


def _address_space() -> int:
    """What the interpreter and the libraries of the task take, which differs much from task to task, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
