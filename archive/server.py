"""`juanzong serve`: the web process and one worker beside it, in one command."""

import gc
import os
import signal
import subprocess
import sys
from contextlib import suppress
from itertools import count
from time import sleep
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.http.errors import LimitRequestLine
from gunicorn.util import write_nonblock
from gunicorn.workers.gthread import ThreadWorker
from sqlalchemy.orm import configure_mappers

from archive import create_app, settings
from archive.settings import Settings
from archive.site import Site
from index import Spotter

BETWEEN = (100_000, 10, 10)
"""Python looks for what is left behind after so much of it only: a request alone leaves some thousands."""
WHOLLY = 500
"""After so many requests everything is looked through that has been made since the start."""
_answered = count(1)
RESTART = 2.0
"""Seconds before a worker that has died is started again: one that dies at once must not eat the machine."""
TOO_LONG = (
    "<!doctype html><meta charset=utf-8><title>414</title><p>地址太长。请返回，缩短检索的文字后重试。"
    "<p lang=en>The address is too long. Go back and search for fewer words."
).encode()
"""Both languages: what nobody has read to its end does not say which is wanted."""


class Worker(ThreadWorker):
    """Gunicorn's threads, with a sentence of ours where it refuses a request before the application sees it."""

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        if not isinstance(exc, LimitRequestLine):
            super().handle_error(req, client, addr, exc)
            return
        head = f"HTTP/1.1 414 URI Too Long\r\nConnection: close\r\nContent-Type: text/html\r\nContent-Length: {len(TOO_LONG)}"
        with suppress(OSError):  # whoever asked may be gone
            write_nonblock(client, head.encode() + b"\r\n\r\n" + TOO_LONG)


class WebServer(BaseApplication):
    """Gunicorn with our settings: one process, many threads, so that caches are shared."""

    def __init__(self, chosen: Settings) -> None:
        self._chosen = chosen
        super().__init__()

    def load_config(self) -> None:
        options: dict[str, Any] = {
            "bind": f"0.0.0.0:{self._chosen.port}", "worker_class": Worker, "workers": self._chosen.processes,
            "threads": self._chosen.threads, "timeout": 120, "graceful_timeout": 10, "proc_name": "juanzong",
            "loglevel": "warning", "keepalive": 5, "limit_request_line": 8190, "control_socket_disable": True,
            # No log of addresses: who opened what stands in the journal of reads, which nobody can change.
            "accesslog": None, "post_request": sweep,
        }  # fmt: skip
        for name, value in options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        application = create_app(Site(settings.load()))
        settle()
        return application


def settle() -> None:
    """Tells Python that what is loaded stays: to look through it again held up single requests for 0.2 seconds.

    What is made once for all texts is made before: the first who looks for words in a record need not wait for it.
    """
    Spotter.prepare()
    configure_mappers()  # else several of the first requests would come upon it at once
    gc.collect()
    gc.freeze()
    gc.set_threshold(*BETWEEN)


def sweep(_worker: object, _request: object, _environ: object, _answer: object) -> None:
    """Takes what a request has left behind, now that its answer is on its way: in the midst of one it cost up to 30 ms."""
    gc.collect(2 if next(_answered) % WHOLLY == 0 else 1)


def serve(chosen: Settings, *, with_worker: bool) -> None:
    """Serves until SIGINT or SIGTERM; the worker ends with it, and is started again when it dies."""
    if with_worker:
        _watch_worker()
    WebServer(chosen).run()


def _watch_worker() -> None:
    """A small process that keeps one worker running and ends with its parent."""
    parent = os.getpid()
    if os.fork():
        return
    os.setpgrp()
    stopping = False
    child: subprocess.Popen[bytes] | None = None

    def stop(_number: int, _frame: Any) -> None:
        nonlocal stopping
        stopping = True
        if child is not None:
            child.terminate()

    signal.signal(signal.SIGTERM, stop)
    while not stopping and os.getppid() == parent:
        child = subprocess.Popen([sys.executable, "-m", "archive.cli", "work"])
        while child.poll() is None and os.getppid() == parent and not stopping:
            try:
                child.wait(timeout=1)
            except subprocess.TimeoutExpired:
                continue
        if child.poll() is None:
            _end(child)
        elif not stopping:
            sleep(RESTART)
    os._exit(0)


def _end(child: subprocess.Popen[bytes]) -> None:
    """Its jobs resume wherever they are cut off, so that a worker which does not end is killed."""
    child.terminate()
    try:
        child.wait(timeout=15)
    except subprocess.TimeoutExpired:
        child.kill()
