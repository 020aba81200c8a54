"""What changes or counts whole branches: sharing, levels, moves; and how other processes follow."""

from sqlalchemy import func, select

from archive import worker
from archive.access_map import AccessMap
from archive.actor import Actor
from archive.models import Node, Principal
from archive.policy.permissions import P
from archive.policy.types import TYPES
from archive.services import branches, listing, sharing, tree
from archive.uow import UnitOfWork
from bench.forest import TRUSTED, Forest
from bench.gauge import Gauge, row
from index import Tier

SHARES = 5
MEGABYTE = 2**20


def measure(gauge: Gauge, forest: Forest) -> None:
    """All of it, in an order in which each finds what it needs."""
    _counts(gauge, forest)
    _shares(gauge, forest)
    _moves(gauge, forest)
    _levels(gauge, forest)
    _map(gauge, forest)


def _counts(gauge: Gauge, forest: Forest) -> None:
    def exactly(uow: UnitOfWork) -> object:
        top = uow.node(forest.small)
        within = uow.nodes(P.DISCOVER, func.count(Node.id))
        return uow.session.scalar(within.where(Node.path >= top.path, Node.path < top.path_end))

    def as_on_a_page(uow: UnitOfWork) -> object:
        return listing.count(uow, uow.nodes(P.DISCOVER).where(Node.parent_id == forest.folder))

    gauge.read("count of a subtree of 5,000, senior archivist", "senior", exactly, aim="≤ 30 ms")
    gauge.read("count of a subtree of 5,000, clinician", "clinician", exactly, aim="≤ 30 ms")
    gauge.read("count of a folder of 20,000 as on a page, to 1,000", "senior", as_on_a_page)


def _shares(gauge: Gauge, forest: Forest) -> None:
    with gauge.site.session(readonly=True) as session:
        people = session.scalars(
            select(Principal.id).where(Principal.kind == "user").order_by(Principal.id.desc())
        )
        first, *others = people.fetchmany(SHARES + 2)

    def share(uow: UnitOfWork, who: int) -> None:
        sharing.share(uow, uow.node(forest.shared), principal_id=who, role="reader")

    def another() -> None:
        with gauge.site.uow(gauge.actor("senior")) as uow:
            share(uow, others.pop())

    gauge.write(f"first share over {_size(gauge, forest.shared):,}: the request", "senior",
                lambda uow: share(uow, first))  # fmt: skip
    _job(gauge, "… its job, until all are classified", aim="≤ 10 s")
    gauge.median("sharing at an existing scope", another, runs=SHARES, aim="≤ 20 ms")


def _size(gauge: Gauge, number: int) -> int:
    with gauge.site.session(readonly=True) as session:
        top = session.get_one(Node, number, execution_options=TRUSTED)
        within = select(func.count(Node.id)).where(Node.path >= top.path, Node.path < top.path_end)
        return session.scalar(within, execution_options=TRUSTED) or 0


def _job(gauge: Gauge, name: str, *, aim: str = "") -> None:
    """What a worker does until no job is left."""
    with gauge.timing() as watch:
        while worker.take_one(gauge.site, "bench"):
            pass
    watch.row(name, aim=aim)


def _moves(gauge: Gauge, forest: Forest) -> None:
    """Out of a category that is shared into one that is not: all rights change on the way."""

    def move(number: int, to: int) -> None:
        gauge.write(f"moving a series of {_size(gauge, number) - 1:,}: the request", "senior",
                    lambda uow: tree.move(uow, uow.node(number), to=uow.node(to)), aim="≤ 5 s")  # fmt: skip
        _job(gauge, "… its job, where there is one")

    move(forest.small, forest.other)
    move(forest.folder, forest.other)
    with gauge.site.uow(Actor.system("bench")) as uow:
        to = uow.session.get_one(Node, forest.other, execution_options=TRUSTED)
        blocked = tree.plant(uow, to, TYPES["category"], {"code": "ZY·XX", "title": "封闭"})
        blocked.inherits = False
        branches.reclassify(uow, blocked)
        place = blocked.id
    move(forest.shared, place)


def _levels(gauge: Gauge, forest: Forest) -> None:
    def raise_level(uow: UnitOfWork) -> None:
        tree.set_level(uow, uow.node(forest.small), level=2, reason="measured")

    gauge.write("another level for a series of 5,000", "senior", raise_level, aim="≤ 5 s")


def _map(gauge: Gauge, forest: Forest) -> None:
    """The array of classes, which each process of the web keeps for its searches."""
    site, kept = gauge.site, AccessMap()

    def follow() -> None:
        with site.session(readonly=True) as session:
            kept.current(session)

    with gauge.timing() as watch:
        follow()
    with site.session(readonly=True) as session:
        row("access map: memory", kept.current(session).nbytes / MEGABYTE, "MB")
    watch.row("access map: first loading")
    for name, level in (("a series of 5,000", 1), ("one record", 0)):
        with site.uow(gauge.actor("senior")) as uow:
            small = uow.node(forest.small)
            one = select(Node).where(Node.parent_id == small.id).limit(1)
            record = uow.session.scalars(one, execution_options=TRUSTED).one()
            tree.set_level(uow, small if level else record, level=2 + level, reason="measured")
        with gauge.timing() as watch:
            follow()
        watch.row(f"access map: following a change of {name}")

    def mask(uow: UnitOfWork) -> object:
        return site.access_map.allowed(uow).mask(Tier.IDENTIFY)

    gauge.read("access map: the mask of one search, clinician", "clinician", mask)
