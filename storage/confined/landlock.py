"""Landlock (Linux 5.13 and later): this process keeps the files that it is given and loses all others, for good.

Files that are open already stay open. It knows nothing of the metadata of files: what exists can still be seen.
"""

import ctypes
import os
import struct
import sys
import sysconfig
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every machine
_PATH_BENEATH, _ASK_VERSION = 1, 1
_ALL = (1 << 13) - 1
_WRITE_FILE, _READ_FILE, _READ_DIR, _REMOVE_FILE, _MAKE_FILE = 1 << 1, 1 << 2, 1 << 3, 1 << 5, 1 << 8
_TRUNCATE = 1 << 14  # since version 3
_NO_ABSTRACT_SOCKETS, _NO_SIGNALS = 1, 2  # to processes outside, since version 6

# Shared libraries, and fonts for PDF files that bring none.
_OF_THE_SYSTEM = (
    "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/fonts", "/usr/local/share/fonts",
    "/etc/ld.so.cache", "/etc/localtime", "/dev/null", "/dev/urandom", "/proc/self", "/sys/devices/system/cpu",
)  # fmt: skip


def apply(*, reads: Iterable[Path], output: Path | None) -> bool:
    """Keep the libraries, ``reads`` and, to write, the folder ``output``; False where the kernel has no Landlock.

    PR_SET_NO_NEW_PRIVS must be set. Threads that run already are not bound.
    """
    version = _libc.syscall(_CREATE_RULESET, None, 0, _ASK_VERSION)
    if version < 1:
        return False
    handled = _ALL | (_TRUNCATE if version >= 3 else 0)
    attributes = struct.pack("Q", handled)
    if version >= 6:
        attributes += struct.pack("QQ", 0, _NO_ABSTRACT_SOCKETS | _NO_SIGNALS)
    rules = _libc.syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    if rules < 0:
        return False
    try:
        for path in (*_code(), *map(Path, _OF_THE_SYSTEM), *reads):
            _allow(rules, path, _READ_FILE | _READ_DIR)
        if output is not None:
            to_write = _WRITE_FILE | _MAKE_FILE | _REMOVE_FILE | _TRUNCATE
            _allow(rules, output, handled & (_READ_FILE | _READ_DIR | to_write))
        return bool(_libc.syscall(_RESTRICT_SELF, rules, 0) == 0)
    finally:
        os.close(rules)


def _allow(rules: int, path: Path, rights: int) -> None:
    with suppress(FileNotFoundError):
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        if not path.is_dir():
            rights &= _READ_FILE | _WRITE_FILE | _TRUNCATE
        _libc.syscall(_ADD_RULE, rules, _PATH_BENEATH, struct.pack("=Qi", rights, place), 0)
        os.close(place)


def _code() -> set[Path]:
    """The standard library, the installed libraries and this package: not the checkout, whose ``var/`` has the data."""
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    installed = {Path(entry) for entry in sys.path if Path(entry).name in {"site-packages", "dist-packages"}}
    return installed | {Path(sysconfig.get_path(name)) for name in names} | {Path(__file__).parents[1]}
