"""The array of classes is brought up to date before each search, whatever order transactions end in."""

from time import sleep

import numpy as np
import pytest
from sqlalchemy import delete, insert, select, text, update

from archive import access_map
from archive.access_map import AccessMap, KeptMasks
from archive.actor import Actor
from archive.models import Node, SecurityEpoch
from archive.services import tree
from archive.site import Site
from index import Sealed, Tier
from tests.conftest import Hospital

TEST = {"scope": "test", "synchronize_session": False}


def class_of(site: Site, number: int) -> int:
    with site.session(readonly=True) as session:
        classes = site.access_map.current(session)
        return int(classes[number]) if number < len(classes) else 0


def true_class(site: Site, number: int) -> int:
    with site.session(readonly=True) as session:
        return session.scalars(
            select(Node.access_class).where(Node.id == number), execution_options=TEST
        ).one()


def test_a_node_that_is_added_is_known_to_the_next_search(hospital: Hospital, record: int) -> None:
    site = hospital.site
    assert class_of(site, record) == true_class(site, record) != 0
    with hospital.uow("archivist") as uow:
        item = uow.node(record)
        made = tree.add(uow, item, kind="component", fields={"title": "手术记录", "component": "SSJL"}).id
    assert class_of(site, made) == true_class(site, made) != 0


def test_another_process_catches_up_from_the_database(hospital: Hospital, record: int) -> None:
    other = AccessMap()
    with hospital.site.session(readonly=True) as session:
        before = int(other.current(session)[record])
    with hospital.uow("senior") as uow:
        tree.set_level(uow, uow.node(record), level=3, reason="锁定")
    with hospital.site.session(readonly=True) as session:
        assert int(other.current(session)[record]) == true_class(hospital.site, record) != before


def test_an_epoch_that_is_committed_late_is_not_passed_over(hospital: Hospital, record: int) -> None:
    """A transaction draws its number, another one draws a higher number and ends first."""
    site = hospital.site
    if site.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time: epochs are committed in their order")
    class_of(site, record)
    with site.engine.connect() as slow, site.engine.connect() as quick:
        path = slow.execute(text("SELECT path FROM node WHERE id = :id"), {"id": record}).scalar_one()
        slow.execute(insert(SecurityEpoch.__table__).values(path_from=path, path_end=path[:-1] + "0"))
        slow.execute(text("UPDATE node SET access_class = 7777 WHERE id = :id"), {"id": record})
        quick.execute(insert(SecurityEpoch.__table__).values(path_from="", path_end=""))
        quick.commit()
        assert class_of(site, record) != 7777
        slow.commit()
    assert class_of(site, record) == 7777


def test_a_number_that_was_rolled_back_is_not_waited_for_for_ever(
    hospital: Hospital, record: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = hospital.site
    if site.engine.dialect.name == "sqlite":
        pytest.skip("SQLite gives the number of a transaction that was rolled back to the next one")
    class_of(site, record)
    monkeypatch.setattr(access_map, "PATIENCE", -1.0)
    with site.engine.connect() as database:
        database.execute(insert(SecurityEpoch.__table__).values(path_from="", path_end=""))
        database.rollback()
        database.execute(insert(SecurityEpoch.__table__).values(path_from="", path_end=""))
        database.commit()
    class_of(site, record)
    assert site.access_map._late.ids
    # Transactions of other archives on the same server count as running, too: those of tests beside this one.
    for _again in range(200):
        class_of(site, record)
        if not site.access_map._late.ids:
            return
        sleep(0.05)
    pytest.fail("the number is still waited for")


def test_after_a_restore_the_array_is_read_anew(hospital: Hospital, record: int) -> None:
    """The epochs have gone back."""
    site = hospital.site
    class_of(site, record)
    with site.session() as session:
        session.execute(delete(SecurityEpoch).where(SecurityEpoch.id > 1))
        session.execute(update(Node).where(Node.id == record).values(access_class=0), execution_options=TEST)
    assert class_of(site, record) == 0


def test_whoever_is_behind_what_was_forgotten_reads_the_array_anew(
    hospital: Hospital, record: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, behind = hospital.site, AccessMap()
    with site.session(readonly=True) as session:
        behind.current(session)
    class_of(site, record)
    monkeypatch.setattr(access_map, "WINDOW", 3)
    with hospital.uow("senior") as uow:
        tree.set_level(uow, uow.node(record), level=3, reason="锁定")
    with site.session() as session:
        session.execute(
            update(Node).where(Node.id == record).values(access_class=7777), execution_options=TEST
        )
        session.add_all(SecurityEpoch(path_from="", path_end="") for _n in range(5))
    with site.session() as session:
        newest = session.scalars(select(SecurityEpoch.id).order_by(SecurityEpoch.id.desc())).first()
        access_map.forget(session)
        kept = session.scalars(select(SecurityEpoch.id).order_by(SecurityEpoch.id)).all()
    assert kept == [newest - 2, newest - 1, newest]
    with site.session(readonly=True) as session:
        assert int(behind.current(session)[record]) == 7777
    assert not behind._late.ids
    with site.session() as session:
        access_map.forget(session)
        session.add(SecurityEpoch(path_from="", path_end=""))
    with site.session(readonly=True) as session:
        assert max(session.scalars(select(SecurityEpoch.id))) > newest, "no number is given twice"


def test_nobody_holds_nothing(hospital: Hospital, record: int) -> None:
    with hospital.site.uow(Actor.nobody(), readonly=True) as uow:
        allowed = hospital.site.access_map.allowed(uow)
        assert not any(allowed.mask(tier).mask.any() for tier in Tier)


def test_a_mask_is_made_once_and_anew_when_a_class_changes(hospital: Hospital, record: int) -> None:
    def masks(account: str) -> list[Sealed]:
        with hospital.uow(account, readonly=True) as uow:
            allowed = hospital.site.access_map.allowed(uow)
            return [allowed.mask(tier) for tier in Tier]

    before = masks("archivist")
    assert all(one is same for one, same in zip(masks("archivist"), before, strict=True))
    assert all(mask.mask[record] for mask in before)
    assert not masks("stranger")[Tier.READ].mask[record]
    with hospital.uow("senior") as uow:
        tree.set_level(uow, uow.node(record), level=3, reason="锁定")
    assert not masks("archivist")[Tier.READ].mask[record]
    assert before[Tier.READ].mask[record], "what somebody holds does not change under them"


def test_masks_take_no_more_room_than_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, made = KeptMasks(), list[int]()

    def get(number: int) -> None:
        def make() -> Sealed:
            made.append(number)
            return Sealed(np.ones(1000, np.bool_))

        kept.get((frozenset({number}), b"", b""), make)

    monkeypatch.setattr(access_map, "ROOM", 2500)  # for two masks of a thousand nodes, and not for three
    for number in (1, 2, 1, 3, 1, 2):
        get(number)
    assert made == [1, 2, 3, 2]
