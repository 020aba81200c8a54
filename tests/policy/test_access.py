"""One rule, three uses: what a person may is the same when asked of an object, of the database and of the search."""

from collections.abc import Callable

import numpy as np
import pytest
from sqlalchemy import select

from archive.models import Node
from archive.policy.permissions import TIERS, P
from archive.services import branches
from archive.uow import UnitOfWork
from index import Tier
from tests.conftest import Clock, Hospital
from tests.policy import facts, naive
from tests.policy.life import SCOPE, Life
from tests.soaking import how_many

OTHERS = [P(name) for name in naive.ABOUT_CONTENT if name not in naive.TIERS]


def lists_compared(hospital: Hospital, life: Life) -> int:
    """Compares what everybody holds now, four ways; gives how many lists that were."""
    now = hospital.site.clock()
    with hospital.site.engine.connect() as database:
        world = facts.world(database, now)
        people = {name: facts.someone(database, number, now) for name, number in hospital.people.items()}
    count = 0
    for name, person in people.items():
        truth = {thing.id: world.held(person, thing) for thing in world.things.values()}
        for held in truth.values():
            assert [tier in held for tier in naive.TIERS] in NESTED, f"the tiers are not nested for {name}"
        wanted = (*TIERS, *life.random.sample(OTHERS, 5))
        with hospital.uow(name, readonly=True) as uow:
            for (way, permission), answer in _answers(uow, set(truth), wanted).items():
                expected = {number for number, held in truth.items() if permission in held}
                differences = f"{answer - expected} too many, {expected - answer} too few"
                assert answer == expected, f"{way}, {name}, {permission}: {differences}\n" + "\n".join(
                    life.told
                )
                count += 1
    return count


NESTED = ([True, True, True], [True, True, False], [True, False, False], [False, False, False])


def _answers(uow: UnitOfWork, everything: set[int], wanted: tuple[P, ...]) -> dict[tuple[str, P], set[int]]:
    """The nodes on which the actor holds each permission: object by object, by SQL, and by the mask of the search."""
    nodes = list(uow.session.scalars(select(Node).where(Node.id != 1), execution_options=SCOPE))
    assert {node.id for node in nodes} == everything
    uow.access.prepare(nodes)
    objects = {node.id: uow.access.permissions(node) for node in nodes}
    for node in nodes:
        assert all(uow.actor.might(p, frozenset({node.type})) for p in objects[node.id]), (
            "nobody looks for what they hold"
        )
    answers = {("objects", p): {number for number, held in objects.items() if p in held} for p in wanted}
    answers |= {("SQL", p): set(uow.session.scalars(uow.nodes(p, Node.id))) for p in wanted}
    allowed = uow.site.access_map.allowed(uow)
    return answers | {
        ("search", TIERS[tier]): set(np.flatnonzero(allowed.mask(tier).mask).tolist()) for tier in Tier
    }


def lived(hospital: Hospital, clock: Clock, monkeypatch: pytest.MonkeyPatch, *, seed: int, looks: int) -> int:
    """A life with so many looks at it; gives how many lists were compared."""
    life = Life(hospital, clock, seed)
    count = 0
    for look in range(looks):
        # Now and then a branch of four nodes counts as large: it is closed until its job has run.
        monkeypatch.setattr(branches, "INLINE", 3 if look % 3 == 2 else 20_000)
        life.go_on(8)
        count += lists_compared(hospital, life)
    return count


@pytest.mark.each_on_both
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_object_sql_and_search_agree_with_a_naive_walk(
    hospital: Hospital, clock: Clock, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    assert lived(hospital, clock, monkeypatch, seed=seed, looks=8) > 1_500


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 100 + how_many("lives", usual=40)))
def test_they_agree_in_many_long_lives(
    hospital: Hospital,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    record_property: Callable[[str, object], None],
) -> None:
    compared = lived(hospital, clock, monkeypatch, seed=seed, looks=60)
    database = hospital.site.engine.dialect.name
    record_property(
        "soak", f"{compared:,} lists of what people may see, four ways, in one long life ({database})"
    )
    assert compared > 12_000
