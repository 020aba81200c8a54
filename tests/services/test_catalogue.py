"""The index follows the database: at least once, in any order, after a crash, and it can be compared and made anew."""

from datetime import date

import pytest
from sqlalchemy import func, select

from archive.actor import Actor
from archive.index_fields import FIELDS
from archive.index_fields import indexed as indexed_fields
from archive.models import Job, Node, Outbox
from archive.policy.types import TYPES
from archive.services import branches, catalogue, search
from archive.services.queue import claim, perform
from archive.site import Site
from index import Damaged, Drop, Put, Tier
from tests.conftest import RECORD, Hospital
from tests.services.searching import TEST, archived, component, indexed, patient, written

DIAGNOSIS = RECORD["diagnosis"]


def document(site: Site, number: int) -> Put | Drop:
    with site.uow(Actor.system("test"), readonly=True) as uow, uow.unscoped("test"):
        (change,) = catalogue.documents(uow, [number])
        assert isinstance(change, Put | Drop)
        return change


def waiting(site: Site) -> int:
    with site.session(readonly=True) as session:
        return session.scalar(select(func.count(Outbox.id)).where(Outbox.topic == "index")) or 0


def found(hospital: Hospital, text: str) -> set[int]:
    with hospital.uow("archivist", readonly=True) as uow:
        results = search.find(uow, text)
        assert not results.degraded
        return {group.view.id for group in results.groups}


def test_a_document_has_each_field_of_its_type_and_the_text_of_its_pages(
    hospital: Hospital, site: Site, record: int
) -> None:
    written(hospital, record, "入院记录", "体温单")
    made = document(site, record)
    assert isinstance(made, Put)
    assert made.values["text"] == "入院记录；体温单"
    assert made.values["numbers"] == ("00218647-002", "00218647-2")
    assert made.values["pinyin"] == ("liutingting", "ltt")
    assert made.values["outcome"] == "医嘱离院；discharged by order"
    assert (made.values["type"], made.values["year"], made.values["date"]) == (
        "medical_record",
        2026,
        date(2026, 11, 12),
    )
    assert {field.name for field in TYPES["medical_record"].fields if field.indexed} - set(made.values) == {
        "operations", "operation_codes", "note"
    }  # fmt: skip


def test_every_field_of_the_index_has_the_tier_of_its_type() -> None:
    tiers = {spec.name: spec.tier for spec in FIELDS}
    assert all(tiers[field.name] == Tier[field.tier.name] for field in indexed_fields())
    assert {tiers[name] for name in ("text", "diagnosis", "note", "persons")} == {Tier.READ}
    assert {tiers[name] for name in ("patient_name", "title", "pinyin", "person")} == {Tier.IDENTIFY}


def test_places_in_the_tree_have_no_document(hospital: Hospital, site: Site) -> None:
    assert isinstance(document(site, hospital.categories["WS"]), Drop)
    assert isinstance(document(site, 999_999), Drop)


def test_what_changes_is_in_the_index_after_a_round(hospital: Hospital, site: Site, record: int) -> None:
    indexed(hospital)
    assert found(hospital, DIAGNOSIS) == {record}
    assert waiting(site) == 0
    written(hospital, record, "胎盘早剥")
    assert waiting(site) == 1
    indexed(hospital)
    assert found(hospital, "胎盘早剥") == {record}


def test_items_follow_the_state_and_the_department_of_their_file(
    hospital: Hospital, site: Site, record: int
) -> None:
    item = component(hospital, record, "手术记录")
    written(hospital, item, "胎盘早剥")
    archived(hospital, record)
    made = document(site, item)
    assert isinstance(made, Put)
    assert (made.values["state"], made.values["dept"]) == ("archived", str(hospital.wards["CK"]))
    indexed(hospital)
    with hospital.uow("archivist", readonly=True) as uow:
        results = search.find(uow, "胎盘早剥", search.Filters(state="archived"))
        assert [group.view.id for group in results.groups] == [record]


def test_again_is_as_good_as_once(hospital: Hospital, site: Site, record: int) -> None:
    """After a crash between the index and the outbox the same rows come again; older ones change nothing."""
    indexed(hospital)
    with hospital.site.uow(Actor.system("test")) as uow:
        old = document(site, record)
        node = uow.session.get_one(Node, record, execution_options=TEST)
        node.data = node.data | {"diagnosis": "足月妊娠"}
        uow.enqueue("index", node, node)
    indexed(hospital)
    site.index.apply([old])
    assert found(hospital, "足月妊娠") == {record}
    assert not catalogue.check(site)


def test_an_index_is_made_anew_with_its_progress(hospital: Hospital, site: Site) -> None:
    numbers = {patient(hospital, f"0070000{n}", "柳青") for n in range(3)}
    steps: list[tuple[int, int]] = []
    assert catalogue.rebuild(site, lambda done, total: steps.append((done, total))) == 3
    assert steps == [(3, 3)]
    assert found(hospital, DIAGNOSIS) == numbers


def test_a_missing_index_is_noticed_and_a_job_makes_it(hospital: Hospital, site: Site, record: int) -> None:
    assert catalogue.drain(site) == 0
    assert catalogue.drain(site) == 0
    with site.session(readonly=True) as session:
        assert session.scalars(select(Job.kind).where(Job.kind == catalogue.REBUILD)).all() == [
            catalogue.REBUILD
        ]
    job = claim(site, "worker")
    assert job is not None
    perform(site, job)
    assert found(hospital, DIAGNOSIS) == {record}
    assert catalogue.drain(site) > 0  # what had waited meanwhile
    assert waiting(site) == 0


def test_a_check_finds_what_is_missing_stale_and_stray_and_mends_it(hospital: Hospital, site: Site) -> None:
    missing, stale, whole = (patient(hospital, f"0070000{n}", "柳青") for n in range(3))
    indexed(hospital)
    assert not catalogue.check(site)
    newer = document(site, stale)
    assert isinstance(newer, Put)
    # As after a restore from a backup: the index has what the database does not know yet.
    ahead = Put(stale, newer.stamp + 5, newer.values | {"diagnosis": "前置血管"})
    site.index.apply([Drop(missing), ahead, Put(999, 1, {"title": "无此件"})])
    differences = catalogue.check(site)
    assert (differences.missing, differences.stale, differences.stray) == ((missing,), (stale,), (999,))
    catalogue.check(site, mend=True)
    assert not catalogue.check(site)
    assert found(hospital, DIAGNOSIS) == {missing, stale, whole}
    assert found(hospital, "前置血管") == set()


def test_a_batch_is_bounded_and_the_rest_waits(
    hospital: Hospital, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    indexed(hospital)
    monkeypatch.setattr(catalogue, "BATCH", 2)
    for n in range(2):
        patient(hospital, f"0070000{n}", "柳青")
    before = waiting(site)
    assert catalogue.drain(site) == 2
    assert waiting(site) == before - 2


def test_what_was_destroyed_leaves_the_index(hospital: Hospital, site: Site, record: int) -> None:
    indexed(hospital)
    with site.uow(Actor.system("test")) as uow:
        node = uow.session.get_one(Node, record, execution_options=TEST)
        node.state = "destroyed"
        branches.reclassify(uow, node)
        uow.enqueue("index", node)
    indexed(hospital)
    assert isinstance(document(site, record), Drop)
    assert found(hospital, DIAGNOSIS) == set()


def test_a_folder_that_cannot_be_read_counts_as_damaged(hospital: Hospital, site: Site, record: int) -> None:
    indexed(hospital)
    (site.settings.var / "index" / "index.json").write_text("{")
    with pytest.raises(Damaged):
        site.index.generation()
    assert catalogue.drain(site) == 0
    with hospital.uow("archivist", readonly=True) as uow:
        assert search.find(uow, "刘婷婷").degraded
