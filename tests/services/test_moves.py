"""Moving: where to, what it would mean, and each thing on its own; a large branch by a job."""

import io
from typing import Any

import pytest
from sqlalchemy import select

from archive import worker
from archive.actor import Actor
from archive.errors import Conflict, Forbidden, NotFound
from archive.models import AuditEvent, Blob, ClosedBranch, Job, Node
from archive.policy.permissions import P
from archive.policy.types import TYPES
from archive.services import branches, intake, moves, relocation, sharing, tree
from archive.sight import href
from archive.site import Site
from archive.worker import take_one
from tests.archives import begins
from tests.conftest import RECORD, Hospital
from tests.services import lending

TRUSTED: Any = {"scope": "test"}


@begins
def elsewhere(hospital: Hospital) -> int:
    """The series of another year, with one record in it."""
    with hospital.uow("archivist") as uow:
        fields = RECORD | {"mrn": "00300001", "admitted_on": "2025-03-01", "discharged_on": "2025-03-08"}
        made = tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record",
                        fields=fields | {"dept": str(hospital.wards["EK"])})  # fmt: skip
        return made.parent_id


def branch(hospital: Hospital, top: int, count: int) -> list[int]:
    """So many components of a record."""
    with hospital.uow("senior") as uow:
        file = uow.node(top)
        fields = {"title": "记录", "component": "SSJL", "date_from": "2026-11-10"}
        return [tree.add(uow, file, kind="component", fields=fields).id for _one in range(count)]


def test_only_places_that_take_it_are_offered_and_the_way_to_them(
    hospital: Hospital, record: int, elsewhere: int
) -> None:
    with hospital.uow("archivist", readonly=True) as uow:
        node = uow.node(record)
        offered = moves.places(uow, [node], moves.start(uow, [node]))
        assert {(row.view.id, row.fits) for row in offered.rows} == {
            (elsewhere, True),
            (node.parent_id, False),
        }
        fonds = moves.places(uow, [node], tree.root(uow)).rows[0]
        assert not fonds.fits
        categories = moves.places(uow, [node], uow.node(fonds.view.id)).rows
        assert all(not row.fits and row.leads for row in categories)


def test_what_is_archived_is_offered_as_no_place_for_an_item(
    hospital: Hospital, record: int, elsewhere: int
) -> None:
    item = branch(hospital, record, 1)[0]
    archived = lending.another(hospital, mrn="00400001")
    with hospital.uow("senior", readonly=True) as uow:
        node = uow.node(item)
        offered = moves.places(uow, [node], moves.start(uow, [node])).rows
        assert archived not in {row.view.id for row in offered}
        assert [(row.view.id, row.fits, row.is_home) for row in offered] == [(record, False, True)]
        there = moves.places(uow, [node], uow.node(elsewhere)).rows
        assert [row.fits for row in there] == [True]


def test_a_series_stays_among_its_own_kind(hospital: Hospital, record: int) -> None:
    with hospital.uow("senior") as uow:
        home = uow.node(uow.node(record).parent_id)
        result = moves.move(uow, [home], hospital.category(uow, "WS"))[0]
        assert result.refusal == "该处存放的是另一类档案。"


@pytest.mark.parametrize("how", ["href", "path", "address", "number"])
def test_a_place_is_found_by_what_is_typed(hospital: Hospital, record: int, elsewhere: int, how: str) -> None:
    with hospital.uow("archivist", readonly=True) as uow:
        where = href(uow, uow.node(elsewhere))
        typed = {"href": where, "path": where.removeprefix("/a/"), "address": f"http://archive.test{where}?sort=number",
                 "number": "00218647-2"}[how]  # fmt: skip
        found = moves.find(uow, typed)
        assert found is not None
        assert found.id == (record if how == "number" else elsewhere)
        assert moves.find(uow, "H001-nothing") is None


def test_the_preview_says_what_changes_and_whose_shares_end_and_begin(
    hospital: Hospital, record: int, elsewhere: int
) -> None:
    lending.archive_it(hospital, record)
    with hospital.uow("senior") as uow:
        home, scanner = uow.node(record).parent_id, hospital.people["scanner"]
        sharing.share(uow, uow.node(home), principal_id=scanner, role="reader", cause="科研")
        sharing.share(uow, uow.node(elsewhere), principal_id=hospital.people["head"], role="steward")
        tree.set_level(uow, uow.node(elsewhere), level=2, reason="试")
    with hospital.uow("senior", readonly=True) as uow:
        seen = moves.preview(uow, [uow.node(record)], uow.node(elsewhere))
        assert seen.movable == [], "what is archived is not moved until it is opened for correction"
        assert seen.rows[0].changes == [("敏感级别", "S1 普通", "S2 特殊")]
        assert seen.ends is not None
        assert seen.begins is not None
        assert [share.who for share in seen.ends] == ["scanner甲"]
        assert [share.who for share in seen.begins] == ["head甲"]


def test_an_item_takes_the_ward_and_state_of_its_new_file_and_the_preview_says_so(
    hospital: Hospital, record: int, elsewhere: int
) -> None:
    item = branch(hospital, record, 1)[0]
    with hospital.uow("archivist") as uow:
        other = uow.list(uow.nodes(P.DISCOVER).where(Node.parent_id == elsewhere))[0]
        changes = moves.preview(uow, [uow.node(item)], other).rows[0].changes
        assert {label: after for label, _before, after in changes} == {"科室": "儿科", "年度": "2025"}
        assert moves.move(uow, [uow.node(item)], other)[0].refusal is None
    with hospital.uow("archivist", readonly=True) as uow:
        assert uow.node(item).dept_id == hospital.wards["EK"]


def test_of_several_each_is_moved_or_says_why_not(hospital: Hospital, record: int, elsewhere: int) -> None:
    with hospital.uow("archivist") as uow:
        fields = RECORD | {"mrn": "00400001", "dept": str(hospital.wards["CK"])}
        archived = tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record", fields=fields).id
    lending.archive_it(hospital, archived)
    with hospital.uow("archivist") as uow:
        home = uow.node(record).parent_id
        slugs = moves.slugs(uow, uow.node(home), [str(uow.node(one).uuid) for one in (record, archived)])
        old = href(uow, uow.node(record))
        results = moves.move(uow, moves.chosen(uow, uow.node(home), slugs), uow.node(elsewhere))
        assert {(one.view.id, bool(one.refusal)) for one in results} == {(record, False), (archived, True)}
    with hospital.uow("archivist", readonly=True) as uow:
        assert uow.node(record).parent_id == elsewhere
        assert uow.node(old.removeprefix("/a/")).id == record, "the old link goes on working"
        assert uow.node(archived).parent_id == home
        moved = select(AuditEvent.object_id).where(AuditEvent.action == "node.moved")
        assert list(uow.session.scalars(moved)) == [record]


def test_a_folder_moved_with_archived_things_keeps_every_number(hospital: Hospital, record: int) -> None:
    lending.archive_it(hospital, record)
    with hospital.uow("senior") as uow:
        fonds = uow.node(hospital.category(uow, "ZY·BL").parent_id)
        other = tree.add(uow, fonds, kind="category", fields={"code": "ZY·XX", "title": "新类"}).id
        number, home = uow.node(record).archival_no, uow.node(record).parent_id
        assert moves.preview(uow, [uow.node(home)], uow.node(other)).numbered == 1
        assert relocation.move(uow, uow.node(home), to=uow.node(other))
    with hospital.uow("senior", readonly=True) as uow:
        assert uow.node(record).archival_no == number


@pytest.mark.parametrize(
    "account", ["clinician", "head", "scanner", "desk", "clerk", "auditor", "sysadmin", "stranger"]
)
def test_whoever_does_not_catalogue_moves_nothing(
    hospital: Hospital, record: int, elsewhere: int, account: str
) -> None:
    with pytest.raises((Forbidden, NotFound)), hospital.uow(account) as uow, uow.unscoped("test"):
        node, to = uow.session.get_one(Node, record), uow.session.get_one(Node, elsewhere)
        relocation.move(uow, node, to=to)


def test_the_sidecars_of_both_files_know_where_an_item_with_bytes_is(
    site: Site, hospital: Hospital, record: int, elsewhere: int
) -> None:
    item = branch(hospital, record, 1)[0]
    with hospital.uow("archivist") as uow:
        intake.upload(uow, uow.node(item), intake.stage(site, io.BytesIO(b"%PDF-1.4")), filename="a.pdf")
        other = uow.list(uow.nodes(P.DISCOVER).where(Node.parent_id == elsewhere))[0]
        home, there = str(uow.node(record).uuid), str(other.uuid)
        moves.move(uow, [uow.node(item)], other)
    worker.describe(site, "test")
    assert site.store.read_sidecar(home)["files"] == []
    listed = site.store.read_sidecar(there)["files"]
    assert [file["record"] for file in listed] == [home], "the bytes stay where they were placed"
    with site.session(readonly=True) as session:
        assert session.scalars(select(Blob.record), execution_options=TRUSTED).all() == [home]


# Large branches


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(branches, "INLINE", 3)
    monkeypatch.setattr(relocation, "STEP", 2)


@pytest.mark.usefixtures("large")
def test_a_large_branch_is_closed_until_a_job_has_carried_all_of_it(
    site: Site, hospital: Hospital, record: int, elsewhere: int
) -> None:
    items = branch(hospital, record, 5)
    with hospital.uow("archivist") as uow:
        assert not relocation.move(uow, uow.node(record), to=uow.node(elsewhere))
    for number in (record, items[0], items[-1]):
        with hospital.uow("senior", readonly=True) as uow, pytest.raises(NotFound):
            uow.node(number)
    while take_one(site, "test"):
        pass
    with hospital.uow("archivist", readonly=True) as uow:
        top = uow.node(record)
        assert top.parent_id == elsewhere
        for number in items:
            item = uow.node(number)
            assert item.path.startswith(top.path)
            assert item.depth == top.depth + 1
        assert uow.session.scalar(select(ClosedBranch.id)) is None


@pytest.mark.usefixtures("large")
def test_a_killed_move_is_finished_by_the_next_worker_and_nobody_moves_around_it(
    site: Site, hospital: Hospital, record: int, elsewhere: int
) -> None:
    items = branch(hospital, record, 5)
    with hospital.uow("archivist") as uow:
        relocation.move(uow, uow.node(record), to=uow.node(elsewhere))
    with site.session() as session:
        job = session.scalars(select(Job)).one()
        old, deeper = job.args["from"], job.args["deeper"]
    with site.uow(Actor.system(branches.MOVING)) as uow:  # one step, and then it was killed
        top = uow.session.get_one(Node, record, execution_options=TRUSTED)
        assert relocation._step(uow, top, old, deeper) == 2
    with hospital.uow("senior") as uow, pytest.raises(Conflict):
        fonds = uow.node(hospital.category(uow, "ZY·BL").parent_id)
        other = tree.add(uow, fonds, kind="category", fields={"code": "ZY·XX", "title": "新类"})
        relocation.move(uow, uow.node(elsewhere), to=other)
    while take_one(site, "test"):
        pass
    with hospital.uow("archivist", readonly=True) as uow:
        assert {uow.node(number).parent_id for number in items} == {record}
        assert TYPES[uow.node(items[0]).type].rank == "item"


@pytest.mark.usefixtures("large")
def test_many_branches_are_as_long_as_a_large_one(
    site: Site, hospital: Hospital, record: int, elsewhere: int
) -> None:
    branch(hospital, record, 1)
    with hospital.uow("archivist") as uow:
        fields = RECORD | {"mrn": "00400001", "dept": str(hospital.wards["CK"])}
        other = tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record", fields=fields).id
    branch(hospital, other, 1)
    with hospital.uow("archivist") as uow:
        nodes = [uow.node(record), uow.node(other)]
        foreseen = [row.by_job for row in moves.preview(uow, nodes, uow.node(elsewhere)).rows]
        results = moves.move(uow, nodes, uow.node(elsewhere))
        assert foreseen == [result.by_job for result in results] == [False, True]
    while take_one(site, "test"):
        pass
    with hospital.uow("archivist", readonly=True) as uow:
        assert {uow.node(number).parent_id for number in (record, other)} == {elsewhere}
