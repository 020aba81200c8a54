"""seccomp: the kernel refuses some system calls to this process and to all its threads, for good.

Refused are: the network and local sockets; new processes and other programs (threads are allowed); the memory and open
files of other processes; and what would lead around the list (io_uring, namespaces, mounts, bpf, the x32 numbering).
"""

import ctypes
import os
import struct
import sys

_libc = ctypes.CDLL(None, use_errno=True)

_SET_SECCOMP, _FILTER = 22, 2
_LOAD, _EQUAL, _AT_LEAST, _HAS_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _MACHINE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data, little-endian
_X32, _CLONE3, _THREAD = 0x40000000, 435, 0x00010000
_EPERM, _ENOSYS = 0x00050001, 0x00050026
_ANSWERS = {"allow": 0x7FFF0000, "refuse": _EPERM, "unknown": _ENOSYS, "kill": 0x80000000}

# socket connect bind, execve execveat, ptrace process_vm_readv process_vm_writev pidfd_getfd, io_uring_setup unshare
# setns mount bpf userfaultfd perf_event_open: linux/arch/x86/entry/syscalls/syscall_64.tbl (then fork and vfork) and
# linux/include/uapi/asm-generic/unistd.h.
_X86_64 = (41, 42, 49, 59, 322, 101, 310, 311, 438, 425, 272, 308, 165, 321, 323, 298, 57, 58)
_GENERIC = (198, 203, 200, 221, 281, 117, 270, 271, 438, 425, 97, 268, 40, 280, 282, 241)
_MACHINES = {  # the audit number of the machine, clone, and what is refused
    "x86_64": (0xC000003E, 56, _X86_64),
    "aarch64": (0xC00000B7, 220, _GENERIC),
    "riscv64": (0xC00000F3, 220, _GENERIC),
    "loongarch64": (0xC0000102, 220, _GENERIC),
}

# What to do, with which number, and where to go if it is so or not; no name is the next step.
_Step = tuple[int, int, str | None, str | None]


def apply() -> bool:
    """Install the filter; False where the kernel or the machine has none. PR_SET_NO_NEW_PRIVS must be set."""
    machine = _MACHINES.get(os.uname().machine)
    if machine is None or sys.maxsize < 1 << 32:
        return False
    program = _assembled(_steps(*machine))
    code = ctypes.create_string_buffer(program)
    pointer = ctypes.create_string_buffer(struct.pack("HQ", len(program) // 8, ctypes.addressof(code)))
    return bool(_libc.prctl(_SET_SECCOMP, _FILTER, pointer, 0, 0) == 0)


def _steps(machine: int, clone: int, refused: tuple[int, ...]) -> list[_Step]:
    return [
        (_LOAD, _MACHINE, None, None),
        (_EQUAL, machine, None, "kill"),
        (_LOAD, _NUMBER, None, None),
        (_AT_LEAST, _X32, "refuse", None),
        *[(_EQUAL, number, "refuse", None) for number in refused],
        # Its flags lie behind a pointer, which a filter cannot follow; glibc then uses clone.
        (_EQUAL, _CLONE3, "unknown", None),
        (_EQUAL, clone, None, "allow"),
        (_LOAD, _FIRST_ARGUMENT, None, None),
        (_HAS_BIT, _THREAD, "allow", "refuse"),
    ]


def _assembled(steps: list[_Step]) -> bytes:
    ends = {name: len(steps) + place for place, name in enumerate(_ANSWERS)}
    code = b""
    for place, (action, number, so, not_so) in enumerate(steps):
        jumps = [ends[name] - place - 1 if name else 0 for name in (so, not_so)]
        code += struct.pack("HBBI", action, *jumps, number)
    return code + b"".join(struct.pack("HBBI", _RETURN, 0, 0, answer) for answer in _ANSWERS.values())
