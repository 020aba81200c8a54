"""What a decoder might do that has been taken over. Tasks for a sandboxed child; see test_sandbox.py."""

import ctypes
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from storage.limits import Limits, Reason, Refused

Request = dict[str, Any]
Say = Callable[[dict[str, Any]], None]


def echo(request: Request, limits: Limits, say: Say) -> Request:
    return request


def count(request: Request, limits: Limits, say: Say) -> Request:
    for number in range(request["to"]):
        say({"number": number})
    return {}


def chatter(request: Request, limits: Limits, say: Say) -> Request:
    print("a library that prints")
    os.write(1, b'{"result": {"forged": true}}\n')
    return {"honest": True}


def refuse(request: Request, limits: Limits, say: Say) -> Request:
    if request.get("bad"):
        raise Refused(Reason.BROKEN, page=7, detail="as asked")
    return {"pid": os.getpid()}


def bug(request: Request, limits: Limits, say: Say) -> Request:
    return {"half": 1 / int(request.get("zero", 0))}


def spin(request: Request, limits: Limits, say: Say) -> Request:
    while True:
        pass


def sleep(request: Request, limits: Limits, say: Say) -> Request:
    time.sleep(600)
    return {}


def work_in_steps(request: Request, limits: Limits, say: Say) -> Request:
    for _ in range(request["steps"]):
        end = time.process_time() + request["seconds"]
        while time.process_time() < end:
            pass
        say({})
    return {"worked": time.process_time()}


def hoard(request: Request, limits: Limits, say: Say) -> Request:
    return {"held": len([bytearray(1 << 20) for _ in range(1 << 14)])}


def hoard_and_abort(request: Request, limits: Limits, say: Say) -> Request:
    """As pdfium does when it gets no more memory."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    while libc.malloc(1 << 20):
        time.sleep(0.001)
    os.abort()


def crash(request: Request, limits: Limits, say: Say) -> Request:
    ctypes.string_at(0)
    return {}


def leave(request: Request, limits: Limits, say: Say) -> Request:
    print("goodbye", file=sys.stderr)
    os._exit(3)


def write(request: Request, limits: Limits, say: Say) -> Request:
    for number in range(request["files"]):
        Path(request["folder"], str(number)).write_bytes(bytes(request["size"]))
    time.sleep(request.get("stay", 0))
    return {}


def talk(request: Request, limits: Limits, say: Say) -> Request:
    say({"words": "x" * request["size"]})
    return {}


def see(request: Request, limits: Limits, say: Say) -> Request:
    return {
        "environment": dict(os.environ),
        "priority": os.nice(0),
        "descriptors": [number for number in range(3, 256) if _is_open(number)],
        "threads": _thread_ran(),
    }


def attempt(request: Request, limits: Limits, say: Say) -> Request:
    """Try something forbidden, and tell the name of the error or what came of it."""
    try:
        return {"did": ATTEMPTS[request["what"]](request.get("with"))}
    except OSError as error:
        return {"denied": type(error).__name__}


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _thread_ran() -> bool:
    done = threading.Event()
    threading.Thread(target=done.set).start()
    return done.wait(10)


def _fork(_: Any) -> str:
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    return "forked"


def _connect(port: int) -> str:
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        return "connected"


def _connect_locally(path: str) -> str:
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(path)
        return "connected"


ATTEMPTS: dict[str, Callable[[Any], str]] = {
    "connect": _connect,
    "connect locally": _connect_locally,
    "fork": _fork,
    "run a program": lambda program: str(os.execv(program, [program])),
    "read": lambda path: Path(path).read_text(),
    "list": lambda path: str(list(Path(path).iterdir())),
    "write": lambda path: str(Path(path).write_text("mine")),
    "link": lambda paths: str(Path(paths[1]).symlink_to(paths[0])),
}
