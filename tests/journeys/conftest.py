"""A whole archive that runs, as a hospital runs it: web process, worker, a real browser."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from archive.settings import Settings
from archive.site import Site
from tests.conftest import PASSWORD

ROOT = Path(__file__).parents[2]
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
FORGIVEN = ("openseadragon",)
"""OpenSeadragon sets one focus style of its own, which the policy refuses without harm."""


@dataclass
class Archive:
    """A served archive, its folder and its settings."""

    url: str
    var: Path
    server: subprocess.Popen[bytes]
    settings: dict[str, str] = field(default_factory=dict)

    def site(self) -> Site:
        """The same archive, from within the test."""
        return Site(Settings.model_validate({"var": self.var, **self.settings}))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(var: Path, log: Path, port: int = 0, **settings: str) -> Archive:
    """Serves the archive in `var` and waits until it answers."""
    port = port or free_port()
    environment = os.environ | {"JUANZONG_VAR": str(var), "JUANZONG_PORT": str(port), "PYTHONPATH": str(ROOT)}
    environment |= {f"JUANZONG_{name.upper()}": value for name, value in settings.items()}
    with log.open("ab") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "archive.cli", "serve"], cwd=ROOT, env=environment, stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    wait_for(lambda: answers(url), f"the server on {url}; see {log}")
    return Archive(url, var, server, settings)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def wait_for(holds: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Waits until something holds; fails with `what` otherwise."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return
        time.sleep(0.2)
    pytest.fail(f"waited {seconds:.0f} s in vain for {what}")


@pytest.fixture(scope="module")
def archive(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """The furnished archive, served for the stories of one module."""
    folder = tmp_path_factory.mktemp("served")
    shutil.copytree(sqlite_template, folder / "var")
    served = start(folder / "var", folder / "serve.log")
    yield served
    served.server.terminate()
    served.server.wait(timeout=20)


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        yield launched
        launched.close()


@dataclass
class Reader:
    """A person before their browser. Whatever the page's security policy had to stop is kept."""

    page: Page
    url: str
    account: str
    violations: list[str] = field(default_factory=list)

    def go(self, path: str) -> int:
        response = self.page.goto(f"{self.url}{path}")
        return response.status if response else 0

    def sign_in(self) -> None:
        self.go("/sign-in")
        self.page.fill("input[name=account]", self.account)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.click("main button.btn-primary")
        self.page.wait_for_url(lambda address: "/sign-in" not in address)

    def hear(self, message: ConsoleMessage) -> None:
        text = message.text
        if "Content Security Policy" in text and not any(
            word in message.location["url"] for word in FORGIVEN
        ):
            self.violations.append(text)


@contextmanager
def windows(archive: Archive, browser: Browser) -> Iterator[Callable[[str], Reader]]:
    """Opens a browser window for an account, signed in; fails at the end on any breach of the page's security policy."""
    open_windows: list[tuple[BrowserContext, Reader]] = []

    def enter(account: str) -> Reader:
        context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
        page = context.new_page()
        page.set_default_timeout(15_000)
        reader = Reader(page, archive.url, account)
        page.on("console", reader.hear)
        open_windows.append((context, reader))
        reader.sign_in()
        return reader

    yield enter
    for context, reader in open_windows:
        context.close()
        assert not reader.violations, reader.violations


@pytest.fixture
def people(archive: Archive, browser: Browser) -> Iterator[Callable[[str], Reader]]:
    """Gives each account a browser window of its own, a new one each time."""
    with windows(archive, browser) as enter:
        yield enter


@pytest.fixture(scope="module")
def staff(archive: Archive, browser: Browser) -> Iterator[Callable[[str], Reader]]:
    """The same with one window an account for all stories of a module: opening one takes a second."""
    with windows(archive, browser) as enter:
        yield cache(enter)


def to(page: Page, selector: str, *, key: str = "Tab") -> None:
    """Goes on with Tab, back with Shift+Tab, or down a list with j, until it has come there."""
    for _step in range(80):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press(key)
    raise AssertionError(f"nothing leads to {selector}")


def sound(page: Page) -> None:
    """No serious fault of access, nothing wider than the screen."""
    found = Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in {"serious", "critical"}] == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
