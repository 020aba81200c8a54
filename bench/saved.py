"""Saved searches over a hundred thousand texts: `make bench-saved`. JUANZONG_BENCH_TEXTS: over so many.

One person with a hundred saved searches, a tenth of them shared by others, and six on the workbench; ten people with
twenty subscriptions each. Aim: 100 ms of CPU for the page of a hundred, and pins that are not the slowest part of the
workbench; a day's digest of two hundred in less than a minute.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from archive import create_app
from archive.actor import Actor
from archive.server import settle
from archive.services import digest, following, saved_searches, setup
from archive.services.findings import Filters, Order
from archive.services.questions import Question
from archive.settings import Settings
from archive.site import Site
from bench import corpus, forest, people, stays
from bench.gauge import Gauge, head
from bench.pages import Asked, sign_in

READER = "archivist"
SAVED, SHARED, PINNED, SUBSCRIBERS, SUBSCRIPTIONS = 100, 10, 6, 10, 20


def main() -> int:
    corpus.required()
    with TemporaryDirectory(prefix="juanzong-bench-") as name:
        var = Path(name) / "var"
        people.plant(var, people.TEXTS)
        clock = Clock()
        site = Site(Settings(var=var), clock)
        fill(site)
        measure(Gauge(site), clock)
        site.close()
    return 0


@dataclass
class Clock:
    """A Monday morning, after the hour of the digest; working days follow."""

    day: datetime = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.day


def questions() -> Iterator[Question]:
    """What people keep: words of a diagnosis, of a text, of both, in a ward or a year, and codes."""
    texts = [document.text for document in corpus.documents(400)]
    words = [*corpus.phrases(texts, 2, 60), *corpus.phrases(texts, 4, 60)]
    for turn in range(SAVED + SUBSCRIPTIONS):
        diagnosis, word = stays.DIAGNOSES[turn % len(stays.DIAGNOSES)], words[turn % len(words)]
        yield (
            Question(diagnosis), Question(word), Question(f"{diagnosis} {word}"),
            Question(f"主要诊断:{diagnosis}", order=Order.DATE),
            Question(word, Filters(year=2020)), Question(f"{word} -{diagnosis}", Filters(type="medical_record")), Question("O34"),
        )[turn % 7]  # fmt: skip


def fill(site: Site) -> None:
    """The saved searches, and who follows which."""
    kept = list(questions())
    gauge = Gauge(site)
    with site.uow(gauge.actor("senior")) as uow:
        for number, question in enumerate(kept[:SHARED]):
            saved_searches.save(uow, question, name=f"共享 {number}", audience=saved_searches.EVERYBODY)
    with site.uow(gauge.actor(READER)) as uow:
        for number, question in enumerate(kept[SHARED:SAVED]):
            saved_searches.save(uow, question, name=f"常用 {number}", audience=saved_searches.PRIVATE)
        for saved in [one for one in saved_searches.listing(uow) if one.own][:PINNED]:
            following.pin(uow, saved, on=True)
    for number in range(SUBSCRIBERS):
        _subscriber(site, number, kept)


def _subscriber(site: Site, number: int, kept: list[Question]) -> None:
    account, role = f"subscriber{number}", people.PEOPLE[number % len(people.PEOPLE)]
    with site.uow(Actor.system("bench")) as uow:
        ward = setup.department(uow, code="CK", name="产科")
        forest.enlist(uow, account, role, number=950 + number, ward=ward)
    with site.uow(Gauge(site).actor(account)) as uow:
        for place in range(SUBSCRIPTIONS):
            row = saved_searches.save(
                uow, kept[place * 5 + number % 5], name=f"订阅 {place}", audience=saved_searches.PRIVATE
            )
            saved = saved_searches.one(uow, row.uuid)
            following.subscribe(uow, saved, following.known_now(uow, saved.question))


def measure(gauge: Gauge, clock: Clock) -> None:
    """Pages as a browser asks for them, the pins alone, and the digest of the next two mornings."""
    head(f"Saved searches over {people.TEXTS:,} texts")
    app = create_app(gauge.site)
    clients = {account: sign_in(app.test_client(), account) for account in (READER, "searcher6")}
    settle()
    gauge.median(
        f"the page of {SAVED} saved searches", Asked(clients[READER], "/searches"), aim="≤ 100 ms CPU"
    )
    gauge.median(f"the workbench with {PINNED} pinned", Asked(clients[READER], "/"))
    gauge.median("… and its figures, which it fetches then", Asked(clients[READER], "/searches/figures"))
    gauge.median("the workbench of the same role without", Asked(clients["searcher6"], "/"))
    gauge.read(f"the {PINNED} pins alone, in the service", READER, saved_searches.tallied)
    for morning in ("next", "second"):
        clock.day += timedelta(days=1)
        with gauge.timing() as watch:
            looked = digest.daily(gauge.site)
        watch.row(
            f"digest of {SUBSCRIBERS * SUBSCRIPTIONS} subscriptions, {looked} people, {morning} morning",
            aim="≤ 60,000 ms",
        )


if __name__ == "__main__":
    sys.exit(main())
