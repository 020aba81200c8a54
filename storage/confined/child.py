"""The child's side of ``storage.sandbox``: give up rights, then answer requests until stdin ends."""

import json
import os
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from storage.limits import Limits, Reason, Refused

from . import walls

Say = Callable[[dict[str, Any]], None]
Task = Callable[[dict[str, Any], Limits, Say], dict[str, Any]]


def main() -> None:
    """Read the setup, take on the task, and serve."""
    replies = _own_stdout()
    setup = json.loads(sys.stdin.buffer.readline())
    limits = Limits(**setup["limits"])
    output = Path(setup["output"]) if setup["output"] else None
    # Before the task's libraries are loaded: some start threads, which would escape the walls.
    held = walls.confine(reads=map(Path, setup["reads"]), output=output)
    module, _, name = setup["task"].partition(":")
    task: Task = getattr(import_module(module), name)
    _send(replies, {"ready": {**held, "address_space": walls.limit(limits)}})
    for line in sys.stdin.buffer:
        _send(replies, _answer(task, json.loads(line), limits, replies))


def nothing(request: dict[str, Any], limits: Limits, say: Say) -> dict[str, Any]:  # noqa: ARG001 - the form of a task
    """The task of a child that is only asked how it stands."""
    return {}


def _answer(task: Task, request: dict[str, Any], limits: Limits, replies: BinaryIO) -> dict[str, Any]:
    def say(progress: dict[str, Any]) -> None:
        _send(replies, {"progress": progress})
        walls.begin_step(limits)

    walls.begin_step(limits)
    try:
        return {"result": task(request, limits, say)}
    except Refused as refused:
        return {"refused": refused.reason, "page": refused.page, "detail": refused.detail}
    except MemoryError:
        return {"refused": Reason.TOO_MUCH_MEMORY, "page": None, "detail": ""}
    except BrokenPipeError:
        sys.exit("nobody waits for an answer")
    except Exception:  # noqa: BLE001 - it is told to the parent, which raises it there
        return {"failed": traceback.format_exc()}


def _own_stdout() -> BinaryIO:
    """The pipe to the parent, under a number of its own: a library that prints must not speak to the parent."""
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return pipe


def _send(replies: BinaryIO, message: dict[str, Any]) -> None:
    replies.write(json.dumps(message).encode() + b"\n")
    replies.flush()
