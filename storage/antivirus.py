"""病毒检查: asks a clamd, which the hospital runs, whether bytes are known to do harm. Without an answer nothing is said.

The protocol is that of clamd(8): INSTREAM takes the bytes in chunks, each with its length before it.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

_CHUNK = 1 << 18
_LONGEST = 1_000
"""Bytes of an answer."""
_CLEAN, _FOUND = "stream: OK", " FOUND"


class NotExamined(Exception):
    """There is no verdict: nobody answered, or not in time, or the file is larger than the scanner takes."""


@dataclass(frozen=True)
class Verdict:
    """检查结论: the name of what was found; None of what is not known to do harm."""

    virus: str | None


def examine(stream: BinaryIO, address: str, *, seconds: float = 120.0) -> Verdict:
    """What the clamd at an address, host:port or the path of a socket, says of some bytes. Raises NotExamined."""
    with _asking(address, seconds) as line:
        line.sendall(b"zINSTREAM\0")
        while chunk := stream.read(_CHUNK):
            line.sendall(len(chunk).to_bytes(4) + chunk)
        line.sendall(bytes(4))
        said = _answer(line)
    if said == _CLEAN:
        return Verdict(None)
    if said.endswith(_FOUND):
        return Verdict(said.removeprefix("stream: ").removesuffix(_FOUND))
    raise NotExamined(said)


def version(address: str, *, seconds: float = 2.0) -> str:
    """The scanner and the age of what it knows, in its own words. Raises NotExamined."""
    with _asking(address, seconds) as line:
        line.sendall(b"zVERSION\0")
        return _answer(line)


@contextmanager
def _asking(address: str, seconds: float) -> Iterator[socket.socket]:
    try:
        with _connected(address, seconds) as line:
            yield line
    except (OSError, ValueError) as error:
        raise NotExamined(repr(error)) from error


def _connected(address: str, seconds: float) -> socket.socket:
    host, colon, port = address.rpartition(":")
    if colon and not address.startswith("/"):
        return socket.create_connection((host.strip("[]"), int(port)), timeout=seconds)
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        line.settimeout(seconds)
        line.connect(address)
    except BaseException:
        line.close()
        raise
    return line


def _answer(line: socket.socket) -> str:
    """To its end; one that is cut off is none."""
    said = b""
    while not said.endswith(b"\0"):
        more = line.recv(4096)
        if not more or len(said) > _LONGEST:
            raise OSError("the answer was cut off")
        said += more
    return said.rstrip(b"\0").decode("utf-8", "replace").strip()
