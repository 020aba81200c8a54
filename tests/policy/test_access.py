"""One rule, three uses: what a person may is the same when asked of an object, of the database and of the search."""

import numpy as np
import pytest

from archive.models import Node
from archive.policy.permissions import TIERS, P
from archive.services import sharing
from index import Tier
from sqlalchemy import select
from tests.conftest import Clock, Hospital
from tests.policy import facts, naive
from tests.policy.life import SCOPE, Life

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
        with hospital.uow(name, readonly=True) as uow:
            nodes = list(uow.session.scalars(select(Node).where(Node.id != 1), execution_options=SCOPE))
            assert {node.id for node in nodes} == set(truth)
            uow.access.prepare(nodes)
            by_object = {node.id: uow.access.permissions(node) for node in nodes}
            allowed = hospital.site.access_map.allowed(uow)
            for permission in (*TIERS, *life.random.sample(OTHERS, 5)):
                expected = {number for number, held in truth.items() if permission in held}
                answers = {
                    "objects": {number for number, held in by_object.items() if permission in held},
                    "SQL": set(uow.session.scalars(uow.nodes(permission, Node.id))),
                }
                if permission in TIERS:
                    mask = allowed.mask(Tier(TIERS.index(permission)))
                    answers["search"] = set(np.flatnonzero(mask).tolist())
                for way, answer in answers.items():
                    assert answer == expected, _story(life, way, name, permission, answer, expected)
                    count += 1
        for held in truth.values():
            assert [tier in held for tier in naive.TIERS] == sorted((tier in held for tier in naive.TIERS), reverse=True)
    return count


def _story(life: Life, way: str, name: str, permission: P, answer: set[int], expected: set[int]) -> str:
    return (
        f"{way} and the naive walk differ for {name}, {permission}: {answer - expected} too many, "
        f"{expected - answer} too few, after\n" + "\n".join(life.told)
    )


def lived(hospital: Hospital, clock: Clock, monkeypatch: pytest.MonkeyPatch, *, seed: int, looks: int) -> int:
    """A life with so many looks at it."""
    life = Life(hospital, clock, seed)
    count = 0
    for look in range(looks):
        # Now and then a branch of four nodes counts as large: it is closed until its job has run.
        monkeypatch.setattr(sharing, "INLINE", 3 if look % 3 == 2 else 20_000)
        life.go_on(8)
        count += lists_compared(hospital, life)
    return count


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_object_sql_and_search_agree_with_a_naive_walk(
    hospital: Hospital, clock: Clock, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    assert lived(hospital, clock, monkeypatch, seed=seed, looks=8) > 1_000
