"""A virus scanner as clamd answers: it knows one virus, and takes files up to a size."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer, ThreadingUnixStreamServer
from threading import Thread

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR" + b"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The file that every scanner calls a virus and that harms nobody."""
NAME = "Eicar-Test-Signature"
VERSION = "ClamAV 1.4.2/27500/Sun Nov 22 08:00:00 2026"


class _Answering(BaseRequestHandler):
    limit = 1_000_000

    def handle(self) -> None:
        command = b""
        while not command.endswith(b"\0"):
            command += self.request.recv(1)
        said = VERSION if command == b"zVERSION\0" else self._examined()
        self.request.sendall(said.encode() + b"\0")

    def _examined(self) -> str:
        content = b""
        while size := int.from_bytes(self._exactly(4)):
            content += self._exactly(size)
            if len(content) > self.limit:
                return "INSTREAM size limit exceeded. ERROR"
        return f"stream: {NAME} FOUND" if EICAR in content else "stream: OK"

    def _exactly(self, size: int) -> bytes:
        said = b""
        while len(said) < size:
            said += self.request.recv(size - len(said))
        return said


@contextmanager
def clamd(path: Path | None = None) -> Iterator[str]:
    """One that runs while the block lasts, at a port of this machine or at a path; gives its address."""
    server = (
        ThreadingUnixStreamServer(str(path), _Answering)
        if path
        else ThreadingTCPServer(("127.0.0.1", 0), _Answering)
    )
    server.daemon_threads = True
    with server:
        Thread(target=server.serve_forever, daemon=True, kwargs={"poll_interval": 0.01}).start()
        yield str(path) if path else f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
