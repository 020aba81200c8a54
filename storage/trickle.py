"""A connection to a foreign machine whose answer is waited for so long and no longer, however it trickles."""

from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from io import BufferedReader, RawIOBase
from socket import socket
from time import monotonic
from typing import Any
from urllib.parse import urlsplit


def connection(address: str, whole: float, quiet: float) -> HTTPConnection:
    """For one question: its answer ends after ``whole`` seconds from now, or ``quiet`` ones without a byte, in TimeoutError.

    Raises ValueError for what is no address.
    """
    parts = urlsplit(address)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    made = kind(parts.hostname or "", parts.port, timeout=quiet)
    made.response_class = _until(monotonic() + whole, quiet)
    return made


def _until(end: float, quiet: float) -> type[HTTPResponse]:
    class Answer(HTTPResponse):
        def __init__(self, sock: socket, *args: Any, **more: Any) -> None:
            super().__init__(sock, *args, **more)
            self.fp.close()
            self.fp = BufferedReader(_Trickle(sock, end, quiet))

    return Answer


class _Trickle(RawIOBase):
    """What comes from a socket. The time limit of a socket alone begins anew with each byte."""

    def __init__(self, sock: socket, end: float, quiet: float) -> None:
        self._sock, self._end, self._quiet = sock, end, quiet
        self._bytes = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        left = self._end - monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(min(left, self._quiet))
        return self._bytes.readinto(buffer)

    def close(self) -> None:
        self._bytes.close()
        super().close()
