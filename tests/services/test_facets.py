"""What hits are counted by: the index says of level, carrier and period what the database says, whatever has changed."""

from collections import Counter

import pytest
from sqlalchemy import select

from archive.actor import Actor
from archive.models import Node, Representation
from archive.policy.permissions import P
from archive.services import (
    branches,
    catalogue,
    entries,
    holdings,
    levels,
    pages,
    purge,
    retention,
    search,
    trash,
    tree,
)
from archive.services.findings import Filters, Results
from archive.worker import take_one
from index import Everything, Masks, Put
from tests.archives import begins
from tests.conftest import CAST, Hospital
from tests.services.searching import TEST, archived, component, indexed, patient, written

COUNTED = ("retention", "carrier", "level", "file", "folder")


def counted(hospital: Hospital) -> dict[str, dict[str, int]]:
    """What the index would count for somebody who may see everything, once the outbox is empty."""
    indexed(hospital)
    found = hospital.site.index.facets(Everything(), _everything(), COUNTED, texts_of=lambda *_: {})
    return {name: {str(value): count for value, count in found.counts[name]} for name in COUNTED}


def _everything() -> Masks:
    import numpy as np

    every = np.ones(10_000, np.bool_)
    return Masks(every, every, every)


def true(hospital: Hospital) -> dict[str, dict[str, int]]:
    """The same from the rows, without any index."""
    found: dict[str, Counter[str]] = {name: Counter() for name in COUNTED}
    with hospital.site.uow(Actor.system("test"), readonly=True) as uow, uow.unscoped("index"):
        ids = list(uow.session.scalars(select(Node.id).order_by(Node.id), execution_options=TEST))
        for change in entries.documents(uow, ids):
            if isinstance(change, Put):
                for name in COUNTED:
                    if name in change.values:
                        found[name][str(change.values[name])] += 1
    return {name: dict(counts) for name, counts in found.items()}


@begins
def file(hospital: Hospital) -> int:
    """A service file of ten years with one paper in it, and a record without pages beside it."""
    patient(hospital, "00300001", "陈朵朵")
    with hospital.uow("senior") as uow:
        home = hospital.category(uow, "ZY·TS")
        fields = {"title": "投诉 张女士", "date_from": "2026-03-02", "retention": "D10", "service_kind": "complaint",
                  "summary": "反映候诊时间过长", "dept": str(hospital.wards["CK"])}  # fmt: skip
        made = tree.add(uow, home, kind="service_file", fields=fields)
        tree.add(uow, made, kind="service_paper", fields={"title": "来信", "date_from": "2026-03-02"})
        return made.id


def paper_of(hospital: Hospital, file: int) -> int:
    with hospital.site.uow(Actor.system("test"), readonly=True) as uow:
        found = uow.session.scalar(select(Node.id).where(Node.parent_id == file), execution_options=TEST)
        assert found is not None
        return found


def test_an_item_counts_with_the_period_and_the_paper_of_its_file(hospital: Hospital, file: int) -> None:
    assert counted(hospital)["retention"] == {"D10": 2, "inpatient": 1}
    with hospital.uow("senior") as uow:
        holdings.register(uow, uow.node(file), sheets=3)
    assert counted(hospital)["carrier"] == {"paper": 2}
    assert counted(hospital) == true(hospital)


def test_another_period_before_and_after_the_number_is_given_is_in_the_index(
    hospital: Hospital, file: int
) -> None:
    counted(hospital)
    with hospital.uow("senior") as uow:
        node = uow.node(file)
        tree.edit(uow, node, fields={**_typed(node), "retention": "D30"}, version=node.version)
    assert counted(hospital)["retention"] == {"D30": 2, "inpatient": 1}
    written(hospital, paper_of(hospital, file), "来信全文")
    archived(hospital, file)
    with hospital.uow("senior") as uow:
        retention.change(uow, uow.node(file), rule="Y", reason="上级来函")
    assert counted(hospital)["retention"] == {"Y": 2, "inpatient": 1}
    assert counted(hospital) == true(hospital)


def _typed(node: Node) -> dict[str, object]:
    return {**node.data, "title": node.title, "date_from": str(node.date_from), "dept": str(node.dept_id)}


@pytest.mark.parametrize("large", [False, True])
def test_a_level_given_to_a_branch_is_in_the_index_for_all_that_took_it(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch, *, large: bool
) -> None:
    number = patient(hospital, "00218647", "刘婷婷")
    component(hospital, number, "手术记录")
    special = component(hospital, number, "专科记录")
    assert counted(hospital)["level"] == {"1": 3}
    if large:
        monkeypatch.setattr(branches, "INLINE", 1)
    with hospital.uow("senior") as uow:
        tree.set_level(uow, uow.node(special), level=3, reason="保密")
        tree.set_level(uow, uow.node(number), level=2, reason="保密")
    while take_one(hospital.site, "test"):
        pass
    assert counted(hospital)["level"] == {"2": 2, "3": 1}
    with hospital.uow("senior") as uow:
        levels.change(uow, uow.node(number), level=1, reason="期满")
    while take_one(hospital.site, "test"):
        pass
    assert counted(hospital)["level"] == {"1": 2, "3": 1}
    assert counted(hospital) == true(hospital)


def test_pages_that_come_and_go_make_item_and_file_electronic_and_no_longer(
    hospital: Hospital, file: int
) -> None:
    item = paper_of(hospital, file)
    written(hospital, item, "来信全文")
    with hospital.site.uow(Actor.system("test")) as uow:  # the count is the last thing that a scan brings
        node = uow.session.get_one(Node, item, execution_options=TEST)
        node.page_count = 0
        pages.recount(uow, node)
        uow.enqueue("index", node)
    assert counted(hospital)["carrier"] == {"electronic": 2}
    with hospital.site.uow(Actor.system("test")) as uow:
        node = uow.session.get_one(Node, item, execution_options=TEST)
        scan = uow.session.scalars(select(Representation), execution_options=TEST).one()
        pages.drop(uow, scan)
        pages.recount(uow, node)
        uow.enqueue("index", node)
    assert counted(hospital)["carrier"] == {}
    assert counted(hospital) == true(hospital)


def test_an_item_that_moves_takes_its_pages_and_leaves_its_paper(hospital: Hospital) -> None:
    first, second = patient(hospital, "00218647", "刘婷婷"), patient(hospital, "00300001", "陈朵朵")
    item = component(hospital, first, "手术记录")
    written(hospital, item, "术中诊断")
    with hospital.uow("senior") as uow:
        holdings.register(uow, uow.node(first), sheets=3)
    assert counted(hospital)["carrier"] == {"dual": 2}
    with hospital.uow("senior") as uow:
        tree.move(uow, uow.node(item), to=uow.node(second))
    assert counted(hospital)["carrier"] == {"paper": 1, "electronic": 2}
    assert counted(hospital) == true(hospital)


def test_a_file_is_no_longer_electronic_when_its_only_scanned_item_is_deleted(hospital: Hospital) -> None:
    number = patient(hospital, "00218647", "刘婷婷")
    item = component(hospital, number, "手术记录")
    written(hospital, item, "术中诊断")
    assert counted(hospital)["carrier"] == {"electronic": 2}
    with hospital.uow("senior") as uow:
        trash.trash(uow, uow.node(item))
    hospital.clock.forward(days=400)
    with hospital.site.uow(Actor.system(purge.KIND)) as uow:
        assert purge.purge(uow, item)
    assert counted(hospital)["carrier"] == {}
    assert counted(hospital) == true(hospital)


def find(hospital: Hospital, account: str, text: str, filters: Filters = search.NOTHING) -> Results:
    with hospital.uow(account, readonly=True) as uow:
        return search.find(uow, text, filters)


def test_facets_count_only_what_one_may_know_of(hospital: Hospital) -> None:
    """A record of level 2 adds to no count of anybody below that clearance, and narrowing by 2 finds them nothing."""
    for mrn, name, code in (("00218647", "刘婷婷", "O44.100"), ("00400001", "毛晓燕", "B20.900")):
        number = patient(hospital, mrn, name, diagnosis_code=code)
        written(hospital, number, "入院记录")
        archived(hospital, number)
    with hospital.uow("senior") as uow:
        holdings.register(uow, uow.node(number))
    indexed(hospital)
    for account in CAST:
        with hospital.uow(account, readonly=True) as uow:
            allowed = {node.id for node in uow.list(uow.nodes(P.DISCOVER).where(entries.searchable()))}
        with hospital.uow(account, readonly=True) as uow:
            drawn = search.counted(uow, "", Filters(year=2026))
        said = {facet.name: {c.value: c.count for c in facet.counts} for facet in drawn.facets}
        if number in allowed:
            assert said["level"] == {"1": 1, "2": 1}, account
            assert said["carrier"] == {"dual": 1, "electronic": 1}, account
        else:
            assert "level" not in said, account
            assert "carrier" not in said, account
            assert find(hospital, account, "", Filters(level="2")).is_empty, account


@pytest.mark.each_on_both
@pytest.mark.parametrize("filters", [Filters(level="2"), Filters(carrier="dual"), Filters(retention="D10")])
def test_the_database_narrows_as_the_index_does(hospital: Hospital, file: int, filters: Filters) -> None:
    written(hospital, paper_of(hospital, file), "来信全文")
    with hospital.uow("senior") as uow:
        holdings.register(uow, uow.node(file))
        tree.set_level(uow, uow.node(file), level=2, reason="保密")
    without = {group.view.id for group in find(hospital, "senior", "", filters).groups}
    indexed(hospital)
    with_index = find(hospital, "senior", "", filters)
    assert not with_index.degraded
    assert {group.view.id for group in with_index.groups} == without == {file}


def test_a_number_that_does_not_fit_the_filters_is_not_called_up(hospital: Hospital) -> None:
    patient(hospital, "00218647", "刘婷婷")
    indexed(hospital)
    assert len(find(hospital, "archivist", "00218647", Filters(level="1")).called) == 1
    assert find(hospital, "archivist", "00218647", Filters(level="3")).is_empty


def test_an_index_made_before_these_fields_is_rebuilt_by_the_worker(hospital: Hospital) -> None:
    """It is outdated, so searches fall back on the database and say so, until the job has made a new one."""
    patient(hospital, "00218647", "刘婷婷")
    indexed(hospital)
    pointer = hospital.site.settings.var / "index" / "index.json"
    pointer.write_text(
        pointer.read_text().replace('"fields":"', '"fields":"0').replace('"fields": "', '"fields": "0')
    )
    assert find(hospital, "archivist", "刘婷婷").degraded
    assert catalogue.drain(hospital.site) == 0
    while take_one(hospital.site, "test"):
        pass
    assert not find(hospital, "archivist", "刘婷婷").degraded


def test_what_hits_were_narrowed_by_is_no_place_where_words_stand(hospital: Hospital) -> None:
    patient(hospital, "00218647", "刘婷婷")
    indexed(hospital)
    found = find(hospital, "archivist", "胎", Filters(retention="inpatient", level="1", year=2026))
    assert found.is_empty
    (group,) = find(hospital, "archivist", "", Filters(retention="inpatient", level="1", year=2026)).groups
    assert group.places == []


def test_hits_are_counted_by_the_category_in_which_they_lie(hospital: Hospital, file: int) -> None:
    """As many as the search within it finds; for whoever may know of things in one category alone there is nothing to choose."""
    own = patient(hospital, "00218647", "刘婷婷")
    written(hospital, component(hospital, own, "手术记录"), "候诊")
    indexed(hospital)
    seen: dict[str, dict[str, int]] = {}
    for account in CAST:
        with hospital.uow(account, readonly=True) as uow:
            facets = {facet.name: facet for facet in search.counted(uow, "", Filters(year=2026)).facets}
            counts = facets["under"].counts if "under" in facets else []
            for one in counts:
                within = search.find(uow, "", Filters(year=2026, under=one.value))
                assert within.total.count == one.count, (account, one.label)
                again = search.counted(uow, "", Filters(year=2026, under=one.value))
                assert "under" not in {facet.name for facet in again.facets}, "all that is left lies in one"
            seen[account] = {one.label: one.count for one in counts}
    assert sorted(seen["senior"].values()) == [2, 3]
    assert seen["clinician"] == seen["stranger"] == seen["auditor"] == {}
