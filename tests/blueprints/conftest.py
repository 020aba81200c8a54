"""A browser for each person: signed in, with the token that a page gives and no other way to post."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from archive import create_app
from archive.journal import Origin
from archive.services import sessions
from archive.sight import href
from archive.site import Site
from tests.archives import once
from tests.conftest import PASSWORD, Hospital
from tests.servers import run_folder

Form = dict[str, Any]
MAIN = re.compile(r"<main.*</main>", re.DOTALL)
TAG = re.compile(r"<[^>]*>")
ANY = "/sessions"
"""A page that everybody has who is signed in."""
TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')


ON_BOTH = frozenset(
    {
        "test_two_worlds",
        "test_search_fuzz",
        "test_fuzz",
        "test_errors",
        "test_api",
        "test_search",
        "test_totals",
    }
)
"""Modules that ask both databases: what attacks, what must leak nothing, and what goes through all of it from outside."""


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A page parses, calls one service and shows: the services have asked both databases, and pages are tried on one."""
    chosen = any("site" in mark.args[0] for mark in metafunc.definition.iter_markers("parametrize"))
    on_both = metafunc.module.__name__.rpartition(".")[2] in ON_BOTH
    if "site" in metafunc.fixturenames and not chosen and not on_both:
        metafunc.definition.add_marker(once)


def words_of(page: TestResponse) -> str:
    """What stands on a page for its reader. Tokens and addresses beside it hold any two characters by chance."""
    found = MAIN.search(page.text)
    assert found, page.text[:200]
    return TAG.sub(" ", found.group())


@dataclass
class Browser:
    """Somebody at a computer. `page` is where a form stands; any page of theirs carries the same token."""

    client: FlaskClient
    known: str | None = None
    """The token of this session: each page of it would give another mask of the same."""

    def get(self, address: str, **more: Any) -> TestResponse:
        return self.client.get(address, **more)

    def post(self, address: str, form: Form | None = None, *, page: str = ANY, **more: Any) -> TestResponse:
        return self.client.post(address, data={"csrf_token": self.token(page), **(form or {})}, **more)

    def ask(self, address: str, **typed: str) -> TestResponse:
        """Types words into a page that finds something, and goes where its answer leads, one step."""
        sealed = self.post(address, typed)
        assert sealed.status_code == 302, sealed.status_code
        return self.get(sealed.location)

    def token(self, page: str) -> str:
        if self.known is not None and page == ANY:
            return self.known
        found = TOKEN.search(self.client.get(page).text)
        assert found, page
        if page == ANY:
            self.known = found[1]
        return found[1]

    def sign_in(self, account: str, password: str = PASSWORD) -> TestResponse:
        self.known = None
        return self.post("/sign-in", {"account": account, "password": password}, page="/sign-in")


class RememberedRule(Rule):
    """A rule of addresses. What writes its addresses is a function that Werkzeug compiles, a tenth of a second for all
    rules of one application: once is enough for rules that read alike.
    """

    # The arguments are Werkzeug's, not ours.
    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:  # noqa: FBT001, FBT002
        told = (self.rule, self.subdomain, self.host, repr(self.defaults), append_unknown)
        if told not in BUILDERS:
            BUILDERS[told] = super()._compile_builder(append_unknown)
        return BUILDERS[told]


BUILDERS: dict[tuple[object, ...], Callable[..., tuple[str, str]]] = {}
"""What writes the addresses of rules, by all that it depends on."""
Flask.url_rule_class = RememberedRule


@pytest.fixture
def app(site: Site) -> Flask:
    """The application; templates that a test of this run has compiled are not compiled again."""
    made = create_app(site)
    made.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(run_folder()))
    return made


Browse = Callable[..., Browser]


@pytest.fixture
def browser(app: Flask, hospital: Hospital) -> Browse:
    """`browser("archivist")`: their own browser, signed in. `browser()`: one in which nobody is."""

    def enter(account: str | None = None) -> Browser:
        made = Browser(app.test_client())
        if account is not None:
            opened = sessions.sign_in(
                hospital.site, account=account, password=PASSWORD, device="", origin=Origin(), label=""
            )
            # What the page of signing in leaves; it has tests of its own.
            with made.client.session_transaction() as cookie:
                cookie |= {"_user_id": opened.token, "_fresh": True}
            made.client.set_cookie("device", opened.device)
        return made

    return enter


@pytest.fixture
def address(hospital: Hospital, record: int) -> str:
    """Where the draft record is."""
    with hospital.uow("senior", readonly=True) as uow:
        return href(uow, uow.node(record))
