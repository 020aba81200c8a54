"""What the kernel is asked to take away from this process, for good, before it reads a foreign byte.

Limits on memory, processor time and the size of a file hold on every Unix. The other two walls are of Linux, need no
privilege, and are used where they can be had: seccomp (no network, no other program, no other process) and
Landlock (no file but the libraries, the input and the output folder).
"""

import ctypes
import os
import resource
import struct
import sys
import sysconfig
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from storage.limits import Limits

_libc = ctypes.CDLL(None, use_errno=True)

_SET_SECCOMP, _SET_NO_NEW_PRIVS, _FILTER = 22, 38, 2
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000 | 1  # EPERM
_X32 = 0x40000000  # the second numbering of x86-64, by which a list of numbers could be walked around

# Network; other programs; the memory and files of other processes; ways around this list (io_uring, namespaces, bpf).
# linux/arch/x86/entry/syscalls/syscall_64.tbl and linux/include/uapi/asm-generic/unistd.h, in one order.
_X86_64 = (41, 42, 49, 59, 322, 101, 310, 311, 438, 425, 272, 308, 165, 321, 323, 298)
_GENERIC = (198, 203, 200, 221, 281, 117, 270, 271, 438, 425, 97, 268, 40, 280, 282, 241)
_MACHINES = {
    "x86_64": (0xC000003E, _X86_64),
    "aarch64": (0xC00000B7, _GENERIC),
    "riscv64": (0xC00000F3, _GENERIC),
    "loongarch64": (0xC0000102, _GENERIC),
}

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF, _PATH_BENEATH, _VERSION = 444, 445, 446, 1, 1
_WRITE_FILE, _READ_FILE, _READ_DIR, _REMOVE_FILE, _MAKE_FILE = 1 << 1, 1 << 2, 1 << 3, 1 << 5, 1 << 8
_TRUNCATE = 1 << 14  # since version 3
_LIBRARIES = ("/usr/lib", "/usr/lib64", "/usr/share/fonts", "/usr/local/lib", "/usr/local/share/fonts", "/lib", "/lib64")
_SMALL_FILES = ("/etc/ld.so.cache", "/etc/localtime", "/dev/null", "/dev/urandom", "/sys/devices/system/cpu")


def confine(*, reads: Iterable[Path], output: Path | None) -> dict[str, bool]:
    """Give up network, programs and files, and tell what could be given up: ``{"network": …, "files": …}``.

    To be called while there is one thread: threads that run already would keep their rights.
    """
    _libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    return {"files": _keep_files(reads, output), "network": _give_up_calls()}


def limit(limits: Limits) -> int:
    """Set the limits that hold for all steps; gives the address space in bytes that is allowed in the end."""
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
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + limits.cpu_seconds + 1, hard))


def _address_space() -> int:
    """What the interpreter and the libraries of the task take by themselves: 40 to 900 MB, depending on the task."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def _give_up_calls() -> bool:
    known = _MACHINES.get(os.uname().machine)
    if known is None or sys.maxsize < 1 << 32:
        return False
    machine, numbers = known
    checks = [(_EQUAL, 1, 0, machine), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, 0)]
    checks += [(_AT_LEAST, len(numbers) + 1, 0, _X32)]
    checks += [(_EQUAL, len(numbers) - place, 0, number) for place, number in enumerate(numbers)]
    program = [(_LOAD, 0, 0, 4), *checks, (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    pointer = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(program), ctypes.addressof(code)))
    return bool(_libc.prctl(_SET_SECCOMP, _FILTER, pointer, 0, 0) == 0)


def _keep_files(reads: Iterable[Path], output: Path | None) -> bool:
    version = _libc.syscall(_CREATE_RULESET, None, 0, _VERSION)
    if version < 1:
        return False
    handled = (1 << 13) - 1 | (_TRUNCATE if version >= 3 else 0)
    attributes = struct.pack("Q", handled)
    if version >= 6:
        attributes += struct.pack("QQ", 0, 3)  # neither abstract sockets nor signals to processes outside
    rules = _libc.syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    if rules < 0:
        return False
    try:
        for path in (*_code_folders(), *map(Path, _LIBRARIES), *map(Path, _SMALL_FILES), *reads):
            _allow(rules, path, _READ_FILE | _READ_DIR)
        if output is not None:
            writing = _READ_FILE | _READ_DIR | _WRITE_FILE | _REMOVE_FILE | _MAKE_FILE | _TRUNCATE
            _allow(rules, output, writing & handled)
        return bool(_libc.syscall(_RESTRICT_SELF, rules, 0) == 0)
    finally:
        os.close(rules)


def _allow(rules: int, path: Path, rights: int) -> None:
    with suppress(FileNotFoundError):
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        if not path.is_dir():
            rights &= _READ_FILE | _WRITE_FILE
        _libc.syscall(_ADD_RULE, rules, _PATH_BENEATH, struct.pack("=Qi", rights, place), 0)
        os.close(place)


def _code_folders() -> set[Path]:
    """The standard library, the installed libraries and this package: not the checkout, whose ``var/`` has the data."""
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    installed = {Path(entry) for entry in sys.path if Path(entry).name in {"site-packages", "dist-packages"}}
    return installed | {Path(sysconfig.get_path(name)) for name in names} | {Path(__file__).parents[1]}
