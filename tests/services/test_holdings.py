"""Volumes, their places and their way through the house."""

import pytest
from sqlalchemy import event

from archive.errors import Conflict, Forbidden, Invalid, NotFound
from archive.models import HoldingStatus, Node
from archive.policy.permissions import P
from archive.services import holdings, places, records, storeroom, tree, volumes
from tests.archives import begins
from tests.conftest import CAST, RECORD, Hospital

SHELF = "R01-C03-S47-L05"


@begins
def shelf(hospital: Hospital) -> str:
    """A room with one shelf."""
    with hospital.uow("clerk") as uow:
        places.add(uow, code="R01", title="一号库房", kind="room")
        places.add(uow, code=SHELF, title="三列四十七架五层", kind="layer", within="R01")
    return SHELF


def test_a_volume_carries_the_record_number_and_the_stay(hospital: Hospital, record: int) -> None:
    with hospital.uow("archivist") as uow:
        assert holdings.register(uow, uow.node(record)).barcode == "B00218647-2"
        assert holdings.register(uow, uow.node(record)).barcode == "B00218647-2-V2"


def test_the_condition_of_a_new_volume_is_unknown(hospital: Hospital, record: int) -> None:
    with hospital.uow("archivist") as uow:
        holdings.register(uow, uow.node(record))
        (volume,) = holdings.volumes(uow, uow.node(record))
    assert (volume.condition, volume.sheets, volume.status.name) == (None, None, "processing")


def test_a_barcode_is_one_volumes(hospital: Hospital, record: int) -> None:
    with hospital.uow("archivist") as uow:
        holdings.register(uow, uow.node(record), barcode="wl-0001")
    with pytest.raises(Conflict, match="WL-0001"), hospital.uow("archivist") as uow:
        holdings.register(uow, uow.node(record), barcode="WL-0001")


@pytest.mark.parametrize("barcode", ["ab", "条码0001", "A" * 33, "A B"])
def test_a_barcode_can_be_printed_and_typed_by_a_gun(hospital: Hospital, record: int, barcode: str) -> None:
    with pytest.raises(Invalid), hospital.uow("archivist") as uow:
        holdings.register(uow, uow.node(record), barcode=barcode)


@pytest.mark.parametrize("account", sorted(CAST))
def test_only_who_handles_paper_registers_and_moves_it(
    hospital: Hospital, record: int, account: str, shelf: str
) -> None:
    with hospital.uow("archivist") as uow:
        holdings.register(uow, uow.node(record))
    try:
        with hospital.uow(account) as uow:
            node = uow.session.get_one(Node, record, execution_options={"scope": "test"})
            holdings.register(uow, node, barcode=f"X-{account.upper()}")
        with hospital.uow(account) as uow:
            holding, _node = uow.holding("B00218647-2")
            holdings.move(uow, holding, to=HoldingStatus.SHELVED, location=shelf)
    except (Forbidden, NotFound):
        assert account not in {"archivist", "senior", "clerk"}
    else:
        assert account in {"archivist", "senior", "clerk"}


def test_a_component_has_no_volume_of_its_own(hospital: Hospital, record: int) -> None:
    with hospital.uow("archivist") as uow:
        fields = {"title": "手术记录", "component": "SSJL"}
        item = tree.add(uow, uow.node(record), kind="component", fields=fields)
    with pytest.raises(Conflict), hospital.uow("archivist") as uow:
        holdings.register(uow, uow.node(item.id))


def test_a_volume_that_comes_from_the_ward_to_its_shelf_has_been_signed_in(
    hospital: Hospital, record: int, shelf: str
) -> None:
    with hospital.uow("clerk") as uow:
        node = uow.session.get_one(Node, record, execution_options={"scope": "test"})
        holding = holdings.register(uow, node, status=HoldingStatus.WARD)
        holdings.move(uow, holding, to=HoldingStatus.PROCESSING)
        holdings.move(uow, holding, to=HoldingStatus.SHELVED, location=shelf.lower())
    with hospital.uow("archivist", readonly=True) as uow:
        paper = records.tracks(uow, uow.node(record))[0]
        assert {step.name for step in paper.steps if step.at} == {
            "in_hospital",
            "pending",
            "collected",
            "shelved",
        }
        way = volumes.trail(uow, uow.node(record))
        assert [(trace.after.name, trace.place) for trace in way] == [
            ("shelved", shelf), ("processing", None), ("ward", None),
        ]  # fmt: skip


def test_a_volume_cannot_stand_on_a_shelf_that_nobody_knows(hospital: Hospital, record: int) -> None:
    with pytest.raises(Invalid), hospital.uow("archivist") as uow:
        holdings.register(uow, uow.node(record), location="R99")
    with pytest.raises(Invalid), hospital.uow("archivist") as uow:
        holdings.move(uow, holdings.register(uow, uow.node(record)), to=HoldingStatus.SHELVED)


def test_nobody_lends_a_volume_by_moving_it(hospital: Hospital, record: int) -> None:
    with pytest.raises(Conflict), hospital.uow("archivist") as uow:
        holdings.move(uow, holdings.register(uow, uow.node(record)), to=HoldingStatus.LENT)


def test_what_lies_in_a_bag_is_where_the_bag_is(hospital: Hospital, record: int, shelf: str) -> None:
    with hospital.uow("archivist") as uow:
        places.add_container(uow, barcode="d-0001", kind="bag", location=shelf)
        holdings.pack(uow, holdings.register(uow, uow.node(record)), container="D-0001")
    with hospital.uow("clerk", readonly=True) as uow:
        (bag,) = storeroom.boxes(uow, storeroom.place(uow, shelf)).rows
        assert (bag.barcode, bag.volumes) == ("D-0001", 1)
        assert [(place.code, place.volumes) for place in storeroom.within(uow)] == [("R01", 1)]


def test_a_shelf_does_not_count_what_one_may_not_see(hospital: Hospital, record: int, shelf: str) -> None:
    with hospital.uow("senior") as uow:
        holdings.register(uow, uow.node(record), location=shelf)
        tree.set_level(uow, uow.node(record), level=3, reason="锁定")
    with hospital.uow("archivist", readonly=True) as uow:
        assert [place.volumes for place in storeroom.within(uow)] == [0]
    with hospital.uow("senior", readonly=True) as uow:
        assert [place.volumes for place in storeroom.within(uow)] == [1]


@pytest.mark.parametrize("account", ["auditor", "sysadmin", "security", "clinician", "stranger"])
def test_the_storeroom_is_not_listed_to_whoever_handles_no_paper(
    hospital: Hospital, account: str, shelf: str
) -> None:
    with hospital.uow(account, readonly=True) as uow:
        with pytest.raises(Forbidden):
            storeroom.within(uow)
        with pytest.raises(Forbidden):
            storeroom.place(uow, shelf)


def test_the_chip_says_paper_electronic_or_both(hospital: Hospital, record: int) -> None:
    with hospital.uow("archivist") as uow:
        node = uow.node(record)
        assert holdings.carrier_of(uow, node) is None
        holdings.register(uow, node)
        assert holdings.carrier_of(uow, node) == "paper"
        item = tree.add(uow, node, kind="component", fields={"title": "手术记录", "component": "SSJL"})
        item.page_count = 2
        uow.session.flush()
        assert holdings.carriers_of(uow, [node, item]) == {node.id: "dual", item.id: "dual"}


def test_a_list_of_chips_is_one_statement(hospital: Hospital, record: int) -> None:
    with hospital.uow("archivist") as uow:
        for times in range(3, 9):
            tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record",
                     fields=RECORD | {"times": str(times), "dept": str(hospital.wards["CK"])})  # fmt: skip
    asked: list[str] = []
    with hospital.uow("archivist", readonly=True) as uow:
        nodes = uow.list(uow.nodes(P.DISCOVER).where(Node.type == "medical_record"))
        event.listen(hospital.site.engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
        holdings.carriers_of(uow, nodes)
    assert len(nodes) == 7
    assert len(asked) == 1


def test_paper_and_pages_are_counted_against_each_other(hospital: Hospital, record: int) -> None:
    with hospital.uow("archivist") as uow:
        node = uow.node(record)
        node.page_count = 64
        holdings.register(uow, node, sheets=60)
        assert holdings.summary(uow, node).agrees is False
        second = holdings.register(uow, node)
        assert holdings.summary(uow, node).agrees is None
        second.sheets = 4
        uow.session.flush()
        both = holdings.summary(uow, node)
        assert (both.carrier, both.sheets, both.pages, both.agrees) == ("dual", 64, 64, True)


def test_a_reader_sees_the_carrier_and_no_volumes(hospital: Hospital, record: int) -> None:
    with hospital.uow("archivist") as uow:
        holdings.register(uow, uow.node(record))
        node = uow.node(record)
    with hospital.uow("clinician", readonly=True) as uow:
        assert holdings.summary(uow, node).carrier == "paper"
        assert holdings.summary(uow, node).volumes == []
        with pytest.raises((Forbidden, NotFound)):
            holdings.volumes(uow, node)
        with pytest.raises((Forbidden, NotFound)):
            volumes.trail(uow, node)


def test_the_shelves_are_ordered_by_the_last_digits() -> None:
    numbers = ["137620", "007620", "990019", "137520"]
    assert sorted(numbers, key=places.shelf_order) == ["990019", "137520", "007620", "137620"]
