"""What a scanner says is passed on, and nothing is made of silence."""

import socket
from io import BytesIO
from pathlib import Path
from threading import Thread

import pytest

from storage.antivirus import NotExamined, Verdict, examine, version
from tests.scanner import EICAR, NAME, VERSION, clamd


def test_a_scanner_says_what_it_finds_at_a_port_or_a_socket(tmp_path: Path) -> None:
    for place in (None, tmp_path / "clamd.sock"):
        with clamd(place) as address:
            assert examine(BytesIO(b"harmless" * 100_000), address) == Verdict(None)
            assert examine(BytesIO(b""), address) == Verdict(None)
            assert examine(BytesIO(b"before" * 50_000 + EICAR), address) == Verdict(NAME)
            assert version(address) == VERSION


def test_a_file_that_is_larger_than_the_scanner_takes_has_no_verdict() -> None:
    with clamd() as address, pytest.raises(NotExamined):
        examine(BytesIO(bytes(5_000_000)), address)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "/nowhere/clamd.sock", "nonsense:port", "[::1]:1", ""])
def test_where_nobody_answers_there_is_no_verdict(address: str) -> None:
    with pytest.raises(NotExamined):
        examine(BytesIO(b"anything"), address, seconds=2)
    with pytest.raises(NotExamined):
        version(address)


@pytest.mark.parametrize(
    "answer", [b"", b"stream: OK", b"stream: O", b"x" * 100_000, b"UNKNOWN COMMAND\0", b"stream: OK but\0"]
)
def test_an_answer_that_is_cut_off_or_not_understood_is_no_verdict(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def once() -> None:
            line, _address = server.accept()
            with line:
                line.recv(1 << 16)
                line.sendall(answer)

        Thread(target=once, daemon=True).start()
        with pytest.raises(NotExamined):
            examine(BytesIO(b"anything"), f"127.0.0.1:{server.getsockname()[1]}", seconds=5)


def test_a_scanner_that_says_nothing_is_not_waited_for_longer_than_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(NotExamined):
        examine(BytesIO(b"anything"), f"127.0.0.1:{server.getsockname()[1]}", seconds=0.2)
