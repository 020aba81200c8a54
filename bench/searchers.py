"""People at browsers who search: what they type, and what they wait."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from random import Random
from urllib.parse import urljoin

import requests

from archive.names import name_key
from bench import corpus, stays
from bench.forest import PASSWORD
from bench.names import NAMES, mrn_of
from bench.served import URL

TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')
COUNTS = re.compile(r'hx-get="(/search/facets[^"]*)"')


@dataclass
class Person:
    """Somebody at a browser; the milliseconds of each of their pages, with and without the way to its address, and of the
    counts beside the hits, which a browser fetches when it has the page."""

    account: str
    session: requests.Session = field(default_factory=requests.Session)
    csrf: str = ""
    pages: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    counts: list[float] = field(default_factory=list)

    def enter(self) -> None:
        form = {"csrf_token": self._token("/sign-in"), "account": self.account, "password": PASSWORD}
        assert self.session.post(URL + "/sign-in", data=form, allow_redirects=False).status_code == 302
        self.csrf = self._token("/sessions")

    def _token(self, page: str) -> str:
        found = TOKEN.search(self.session.get(URL + page).text)
        assert found is not None
        return found[1]

    def ask(self, words: str) -> str:
        """Types words into the search box and waits for the whole page."""
        begin = time.perf_counter()
        sealed = self.session.post(
            URL + "/search", data={"csrf_token": self.csrf, "q": words}, allow_redirects=False
        )
        middle = time.perf_counter()
        page = self.session.get(urljoin(URL, sealed.headers["Location"]))
        now = time.perf_counter()
        if page.status_code != 200:
            raise LookupError(f"{words} answers {page.status_code}")
        self.pages.append((now - middle) * 1000)
        self.whole.append((now - begin) * 1000)
        if counts := COUNTS.search(page.text):
            self.session.get(URL + unescape(counts[1])).raise_for_status()
            self.counts.append((time.perf_counter() - now) * 1000)
        return page.text

    def search(self, texts: list[str], *, seconds: float, think: float, seed: int) -> None:
        """Searches for so long, and each time reads for about `think` seconds; nobody begins when the others do."""
        chance, end = Random(seed), time.perf_counter() + seconds
        asked = queries(chance, texts)
        time.sleep(chance.uniform(0, 1.5) * think)
        while time.perf_counter() < end:
            self.ask(next(asked))
            time.sleep(chance.uniform(0.5, 1.5) * think)

    def forget(self) -> None:
        """Begins to count anew."""
        self.pages, self.whole, self.counts = [], [], []


def queries(chance: Random, texts: list[str]) -> Iterator[str]:
    """What people type: names and numbers first, then words of the text, then phrases and what combines them."""
    while True:
        node = chance.randrange(5_000)
        two, other, four = (corpus.phrases(chance.choices(texts, k=9), length, 1)[0] for length in (2, 2, 4))
        name = NAMES[node % len(NAMES)]
        yield chance.choice((
            name, mrn_of(1_000 + node), two, four, chance.choice(stays.DIAGNOSES), f"{two} {other}", f"{four} -{two}",
            f"“{four}”", f"年度:2020 {four}", name_key(name).split()[-1],
        ))  # fmt: skip
