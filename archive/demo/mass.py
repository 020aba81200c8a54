"""What large invented holdings are written with: archival numbers by the range, and batches."""

from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any

from sqlalchemy import update

from archive.actor import Actor
from archive.demo.diary import Told
from archive.journal import Event
from archive.models import Counter, Node
from archive.numbering import ArchivalNumber
from archive.services import policies
from archive.site import Site
from archive.uow import UnitOfWork

BATCH = 500
TRUSTED: Any = {"scope": "demo", "synchronize_session": False}


def numbers(
    uow: UnitOfWork, *, fonds: str, category: str, year: int, retention: str, count: int
) -> list[tuple[str, str]]:
    """The next archival numbers of a series, each with its serial; the counter goes on after them."""
    rules = policies.in_force(uow, "numbering").body["categories"]
    rule = rules.get(category, rules["default"])
    code = policies.in_force(uow, "retention").body["rules"][retention]["code"]
    prefix = ArchivalNumber(fonds, category, str(year), code).prefix
    last = _raise(uow, f"no:{prefix}", count)
    serials = [f"{number:0{rule['digits']}d}" for number in range(last - count + 1, last + 1)]
    return [(f"{prefix}-{serial}", serial) for serial in serials]


def _raise(uow: UnitOfWork, name: str, count: int) -> int:
    raised = (
        update(Counter)
        .where(Counter.name == name)
        .values(value=Counter.value + count)
        .returning(Counter.value)
    )
    value = uow.session.scalar(raised)
    if value is None:
        uow.session.add(Counter(name=name, value=count))
        uow.session.flush()
        return count
    return int(value)


def category(uow: UnitOfWork, number: int) -> Node:
    return uow.session.get_one(Node, number, execution_options=TRUSTED)


Write = Callable[[UnitOfWork, int], object]


def in_batches(site: Site, name: str, sizes: Iterator[int], write: Write, told: Told) -> float:
    """Writes batch after batch, each a transaction with its line in the journal; gives the seconds that it took."""
    begin, done = perf_counter(), 0
    wanted = list(sizes)
    for size in wanted:
        with site.uow(Actor.system("demo")) as uow:
            write(uow, size)
            uow.record(Event("demo.planted", words={"kind": name, "count": size}))
        told(done := done + size, sum(wanted))
    return perf_counter() - begin


def sizes(count: int) -> Iterator[int]:
    """`count` divided into batches."""
    while count > 0:
        yield min(BATCH, count)
        count -= BATCH
