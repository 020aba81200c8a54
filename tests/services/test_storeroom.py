"""The storeroom: places and how full they are, boxes, putting away, loss and damage, labels."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

import pypdfium2
import pytest
import zxingcpp
from sqlalchemy import event, select

from archive.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from archive.models import AuditEvent, Holding, HoldingStatus
from archive.services import boxes, holdings, labels, places, shelving, storeroom, tree, volumes
from archive.services.shelving import Memo
from archive.site import Site
from archive.uow import UnitOfWork
from tests.archives import begins
from tests.conftest import CAST, RECORD, Hospital
from tests.services import lending

ROOM, SHELF, OTHER = "R01", "R01-S01", "R01-S02"
HANDLES = {"archivist", "senior", "clerk"}


@begins
def shelves(hospital: Hospital) -> None:
    """A room with two shelves of 900 mm."""
    with hospital.uow("clerk") as uow:
        places.add(uow, code=ROOM, title="一号库房", kind="room")
        for code in (SHELF, OTHER):
            places.add(uow, code=code, title=code[-2:], kind="shelf", within=ROOM, capacity_mm=900)


@begins
def volume(hospital: Hospital, record: int, shelves: None) -> str:
    """The barcode of a volume of 64 sheets that lies on the table."""
    with hospital.uow("archivist") as uow:
        return holdings.register(uow, uow.node(record), sheets=64).barcode


def where(hospital: Hospital, barcode: str) -> tuple[str, str | None, str | None]:
    """State, place and box of a volume."""
    with hospital.uow("senior", readonly=True) as uow:
        seen = storeroom.volume(uow, barcode)
        return seen.status.name, seen.place, seen.container


def way(hospital: Hospital, barcode: str) -> list[str]:
    with hospital.uow("senior", readonly=True) as uow:
        holding, _node = uow.holding(barcode)
        return [trace.act.name for trace in volumes.way(uow, holding)]


def acts(hospital: Hospital) -> list[str]:
    """The names of what has been written into the journal of changes, the newest first."""
    with hospital.site.session(readonly=True) as session:
        return list(session.scalars(select(AuditEvent.action).order_by(AuditEvent.id.desc())))


@contextmanager
def statements(site: Site) -> Iterator[list[str]]:
    told: list[str] = []

    def note(*call: object) -> None:
        told.append(str(call[2]))

    event.listen(site.engine, "before_cursor_execute", note)
    yield told
    event.remove(site.engine, "before_cursor_execute", note)


# Places


def test_a_room_says_how_full_its_shelves_are(hospital: Hospital, record: int, shelves: None) -> None:
    with hospital.uow("archivist") as uow:
        holdings.register(uow, uow.node(record), sheets=5000, location=SHELF)
    with hospital.uow("clerk", readonly=True) as uow:
        (room,) = storeroom.within(uow)
        assert (room.volumes, room.used_mm, room.percent) == (1, 500, None)
        first, second = storeroom.within(uow, storeroom.place(uow, ROOM))
        assert (first.code, first.percent, first.is_tight) == (SHELF, 56, False)
        assert (second.volumes, second.percent) == (0, 0)


def test_a_box_takes_its_room_however_little_lies_in_it(hospital: Hospital, volume: str) -> None:
    with hospital.uow("clerk") as uow:
        box = places.add_container(uow, kind="box", location=SHELF, thickness_mm=50)
        holding, _node = uow.holding(volume)
        holdings.pack(uow, holding, container=box.barcode)
        assert box.barcode == "H000001"
    with hospital.uow("clerk", readonly=True) as uow:
        assert storeroom.shown(uow, storeroom.place(uow, SHELF)).used_mm == 50


def test_the_gap_of_a_volume_that_is_out_is_kept(hospital: Hospital, record: int) -> None:
    shelf = lending.shelf(hospital)
    number = lending.approved(hospital, "clinician", lending.archive_it(hospital, record, location=shelf))
    with hospital.uow("clerk") as uow:
        shelving_ = storeroom.shown(uow, storeroom.place(uow, shelf))
        assert (shelving_.volumes, shelving_.used_mm) == (1, 6)
    lending.issue(hospital, number)
    with hospital.uow("clerk", readonly=True) as uow:
        after = storeroom.shown(uow, storeroom.place(uow, shelf))
        assert (after.volumes, after.used_mm) == (0, 6)


@pytest.mark.parametrize(
    ("code", "kind", "within"), [("R 02", "room", None), ("库房", "room", None), ("A/B", "room", None),
                                 ("R01-C01", "room", ROOM), ("R01-C01", "layer", SHELF + "9"), ("X", "heap", None)],
)  # fmt: skip
def test_a_place_that_cannot_be_is_refused(
    hospital: Hospital, shelves: None, code: str, kind: str, within: str | None
) -> None:
    with pytest.raises(Invalid), hospital.uow("clerk") as uow:
        places.add(uow, code=code, title="一架", kind=kind, within=within)


def test_no_two_things_have_the_same_code(hospital: Hospital, volume: str) -> None:
    for code in (volume, SHELF):
        with pytest.raises(Conflict), hospital.uow("clerk") as uow:
            places.add_container(uow, kind="box", barcode=code)
        with pytest.raises(Conflict), hospital.uow("clerk") as uow:
            places.add(uow, code=code, title="一架", kind="shelf")
    with pytest.raises(Conflict), hospital.uow("archivist") as uow:
        _holding, node = uow.holding(volume)
        holdings.register(uow, node, barcode=SHELF)


def test_a_place_is_renamed_and_a_late_form_is_not_taken(hospital: Hospital, shelves: None) -> None:
    with hospital.uow("clerk") as uow:
        shelf = storeroom.place(uow, SHELF)
        places.edit(uow, shelf, title="甲架", capacity_mm=1200, version=shelf.version)
    with pytest.raises(Stale), hospital.uow("clerk") as uow:
        places.edit(uow, storeroom.place(uow, SHELF), title="乙架", capacity_mm=None, version=1)
    with hospital.uow("clerk", readonly=True) as uow:
        assert storeroom.shown(uow, storeroom.place(uow, SHELF)).title == "甲架"


def test_a_place_is_closed_when_nothing_stands_there(hospital: Hospital, volume: str) -> None:
    with hospital.uow("clerk") as uow:
        holding, _node = uow.holding(volume)
        holdings.move(uow, holding, to=HoldingStatus.SHELVED, location=SHELF)
    with pytest.raises(Conflict), hospital.uow("clerk") as uow:
        places.close(uow, storeroom.place(uow, ROOM))
    with hospital.uow("clerk") as uow:
        places.close(uow, storeroom.place(uow, OTHER))
    with pytest.raises(Invalid) as refused, hospital.uow("clerk") as uow:
        holding, _node = uow.holding(volume)
        holdings.move(uow, holding, to=HoldingStatus.SHELVED, location=OTHER)
    assert OTHER in refused.value.fields["location"]
    with hospital.uow("clerk") as uow:
        places.reopen(uow, storeroom.place(uow, OTHER))
        places.add_container(uow, kind="box", location=OTHER)


def test_what_stands_in_a_closed_room_is_opened_from_above(hospital: Hospital, shelves: None) -> None:
    with hospital.uow("clerk") as uow:
        places.close(uow, storeroom.place(uow, ROOM))
    with pytest.raises(Conflict), hospital.uow("clerk") as uow:
        places.reopen(uow, storeroom.place(uow, SHELF))


# Putting away


def scan(hospital: Hospital, account: str, *codes: str, memo: Memo | None = None) -> Memo:
    """Shots of the gun, one after the other."""
    memo = memo or Memo()
    for code in codes:
        with hospital.uow(account) as uow:
            memo = shelving.hear(uow, code, memo)
    return memo


def test_a_volume_and_then_a_shelf(hospital: Hospital, volume: str) -> None:
    assert scan(hospital, "clerk", volume).act == "waiting"
    done = scan(hospital, "clerk", volume, SHELF.lower())
    assert (done.act, done.done, done.volumes) == ("shelved", (volume,), ())
    assert where(hospital, volume) == ("shelved", SHELF, None)
    assert acts(hospital)[0] == "holding.moved"
    assert way(hospital, volume) == ["moved", "registered"]


def test_the_echo_of_the_gun_does_nothing(hospital: Hospital, volume: str) -> None:
    assert scan(hospital, "clerk", volume, volume).volumes == (volume,)


def test_volumes_and_then_a_box_and_the_box_to_another_shelf(hospital: Hospital, volume: str) -> None:
    with hospital.uow("clerk") as uow:
        box = places.add_container(uow, kind="box", location=SHELF).barcode
    assert scan(hospital, "clerk", volume, box).act == "packed"
    assert where(hospital, volume) == ("shelved", SHELF, box)
    assert scan(hospital, "clerk", box, OTHER).act == "shelved"
    assert where(hospital, volume) == ("shelved", OTHER, box)
    assert acts(hospital)[0] == "container.moved"
    assert way(hospital, volume) == ["moved", "packed", "registered"]


def test_a_box_that_is_put_away_comes_last_in_the_row(hospital: Hospital, shelves: None) -> None:
    with hospital.uow("clerk") as uow:
        first = places.add_container(uow, kind="box", location=SHELF).barcode
        second = places.add_container(uow, kind="box", location=OTHER).barcode
    scan(hospital, "clerk", first, OTHER)
    with hospital.uow("clerk", readonly=True) as uow:
        row = storeroom.boxes(uow, storeroom.place(uow, OTHER)).rows
        assert [(box.barcode, box.seq) for box in row] == [(second, 1), (first, 2)]


def test_what_is_not_in_the_box_now_is_not_said_to_have_moved(hospital: Hospital, volume: str) -> None:
    with hospital.uow("clerk") as uow:
        box = places.add_container(uow, kind="box", location=SHELF).barcode
        holding, _node = uow.holding(volume)
        holdings.pack(uow, holding, container=box)
        volumes.lose(uow, holding, because="清点时不在盒内")
        assert boxes.move(uow, storeroom.box(uow, box), location=OTHER) == 0
    assert where(hospital, volume) == ("missing", OTHER, box)
    assert way(hospital, volume)[0] == "lost"


@pytest.mark.parametrize("code", ["X-404", "R99", "B00218647-2-V9"])
def test_an_unknown_code_is_a_sentence_and_the_trolley_stays(
    hospital: Hospital, volume: str, code: str
) -> None:
    memo = scan(hospital, "clerk", volume, code)
    assert (memo.act, memo.volumes) == ("refused", (volume,))
    assert code in memo.words


def test_a_closed_shelf_is_a_sentence_too(hospital: Hospital, volume: str) -> None:
    with hospital.uow("clerk") as uow:
        places.close(uow, storeroom.place(uow, OTHER))
    memo = scan(hospital, "clerk", volume, OTHER)
    assert (memo.act, memo.volumes) == ("refused", (volume,))
    assert OTHER in memo.words
    assert where(hospital, volume)[0] == "processing"


def test_a_shelf_alone_asks_for_what_goes_there(hospital: Hospital, shelves: None) -> None:
    assert scan(hospital, "clerk", SHELF).act == "empty"


def test_a_volume_that_was_missing_is_found_by_putting_it_away(hospital: Hospital, volume: str) -> None:
    with hospital.uow("clerk") as uow:
        volumes.lose(uow, uow.holding(volume)[0], because="季度清点")
    scan(hospital, "clerk", volume, SHELF)
    assert way(hospital, volume)[:2] == ["found", "lost"]


def test_a_lent_volume_comes_back_at_the_desk(hospital: Hospital, record: int) -> None:
    shelf = lending.shelf(hospital)
    number = lending.approved(hospital, "clinician", lending.archive_it(hospital, record, location=shelf))
    lending.issue(hospital, number)
    assert scan(hospital, "clerk", lending.BARCODE).act == "refused"
    with pytest.raises(Conflict), hospital.uow("clerk") as uow:
        volumes.find(uow, uow.holding(lending.BARCODE)[0], because="误操作")


def test_of_several_volumes_the_one_that_was_lent_meanwhile_is_named(
    hospital: Hospital, record: int, shelves: None
) -> None:
    shelf = lending.shelf(hospital)
    number = lending.approved(hospital, "clinician", lending.archive_it(hospital, record, location=shelf))
    with hospital.uow("senior") as uow:
        second = holdings.register(uow, uow.node(record), location=shelf).barcode
    memo = scan(hospital, "clerk", second, lending.BARCODE)
    lending.issue(hospital, number)
    refused = scan(hospital, "clerk", SHELF, memo=memo)
    assert (refused.act, refused.words.split(":")[0]) == ("refused", lending.BARCODE)
    assert where(hospital, second) == ("shelved", shelf, None), "nothing of the act stays"


def test_nobody_puts_away_what_they_may_not_handle(hospital: Hospital, volume: str) -> None:
    with hospital.uow("senior") as uow:
        tree.set_level(uow, uow.holding(volume)[1], level=3, reason="锁定")
    assert scan(hospital, "archivist", volume).act == "refused"
    assert scan(hospital, "clerk", volume).act == "waiting"


def test_a_full_trolley_is_put_away_first(hospital: Hospital, volume: str) -> None:
    memo = Memo(boxes=tuple(f"H{number:06d}" for number in range(shelving.MOST)))
    assert scan(hospital, "clerk", volume, memo=memo).act == "refused"


# Caring for volumes


def test_damage_and_loss_stand_on_the_card_and_in_the_journal(hospital: Hospital, volume: str) -> None:
    for act in (volumes.damage, volumes.mend, volumes.lose, volumes.find):
        with hospital.uow("clerk") as uow:
            act(uow, uow.holding(volume)[0], because="封面脱落")
    assert way(hospital, volume) == ["found", "lost", "mended", "damaged", "registered"]
    assert acts(hospital)[:4] == ["holding.found", "holding.lost", "holding.mended", "holding.damaged"]


def test_what_cannot_be_said_of_a_volume_is_refused(hospital: Hospital, volume: str) -> None:
    for act in (volumes.mend, volumes.find):
        with pytest.raises(Conflict), hospital.uow("clerk") as uow:
            act(uow, uow.holding(volume)[0], because="无")
    with pytest.raises(Invalid), hospital.uow("clerk") as uow:
        volumes.damage(uow, uow.holding(volume)[0], because=" ")
    with pytest.raises(Invalid), hospital.uow("clerk") as uow:
        volumes.damage(uow, uow.holding(volume)[0], because="破" * 201)


def test_a_wrong_barcode_is_put_right(hospital: Hospital, volume: str, record: int) -> None:
    with hospital.uow("clerk") as uow:
        holding, _node = uow.holding(volume)
        volumes.correct(uow, holding, barcode="wl-0001", sheets=66, condition="完好", version=holding.version)
    with hospital.uow("clerk", readonly=True) as uow:
        seen = storeroom.volume(uow, "WL-0001")
        assert (seen.sheets, seen.condition) == (66, "完好")
        assert volumes.way(uow, uow.holding("WL-0001")[0])[0].because == f"{volume} → WL-0001"
        with pytest.raises(NotFound):
            storeroom.volume(uow, volume)


def test_a_used_barcode_and_a_late_form_are_refused(hospital: Hospital, volume: str, record: int) -> None:
    with hospital.uow("archivist") as uow:
        second = holdings.register(uow, uow.node(record)).barcode
    with pytest.raises(Conflict, match=second), hospital.uow("clerk") as uow:
        volumes.correct(uow, uow.holding(volume)[0], barcode=second, sheets=None, condition=None)
    with pytest.raises(Stale), hospital.uow("clerk") as uow:
        volumes.correct(uow, uow.holding(volume)[0], barcode=volume, sheets=1, condition=None, version=99)


def _held(uow: UnitOfWork) -> Holding:
    """The volume, come by otherwise than through what the actor may see."""
    return uow.session.scalars(select(Holding), execution_options={"scope": "test"}).one()


TRIED = (
    lambda uow: volumes.damage(uow, _held(uow), because="破损"),
    lambda uow: volumes.correct(uow, _held(uow), barcode="WL-1", sheets=1, condition=None),
    lambda uow: volumes.lose(uow, _held(uow), because="不见"),
    lambda uow: places.add(uow, code="R09", title="九", kind="room"),
    lambda uow: places.add_container(uow, kind="box"),
)


@pytest.mark.parametrize("account", sorted(CAST))
def test_only_who_handles_paper_cares_for_it(hospital: Hospital, volume: str, account: str) -> None:
    for act in TRIED:
        try:
            with hospital.uow(account) as uow:
                act(uow)
        except (Forbidden, NotFound):
            assert account not in HANDLES
        else:
            assert account in HANDLES


# Lists


def test_a_shelf_does_not_show_what_one_may_not_see(hospital: Hospital, record: int, shelves: None) -> None:
    with hospital.uow("senior") as uow:
        holdings.register(uow, uow.node(record), location=SHELF)
        tree.set_level(uow, uow.node(record), level=3, reason="锁定")
    with hospital.uow("archivist", readonly=True) as uow:
        page = storeroom.volumes_at(uow, storeroom.place(uow, SHELF))
        assert (page.rows, page.total) == ([], 0)
        with pytest.raises(NotFound):
            storeroom.volume(uow, "B00218647-2")
    with hospital.uow("clerk", readonly=True) as uow:
        (line,) = storeroom.volumes_at(uow, storeroom.place(uow, SHELF)).rows
        assert (line.barcode, line.node.label, line.node.title, line.href) == (
            "B00218647-2",
            "00218647-2",
            None,
            None,
        )


def test_more_volumes_cost_no_more_statements(hospital: Hospital, shelves: None) -> None:
    counts = []
    with hospital.uow("clerk") as uow:
        box = places.add_container(uow, kind="box", location=SHELF).barcode
    for times in range(2):
        with hospital.uow("archivist") as uow:
            for number in range(1 + 6 * times):
                fields = RECORD | {"mrn": f"9{times}{number:06d}", "dept": str(hospital.wards["CK"])}
                node = tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record", fields=fields)
                holdings.register(uow, node, container=box)
                places.add_container(uow, kind="box", location=SHELF)
        actor = hospital.actor("clerk")
        with statements(hospital.site) as told, hospital.site.uow(actor, readonly=True) as uow:
            shelf = storeroom.place(uow, SHELF)
            for row in storeroom.volumes_at(uow, shelf).rows:
                assert row.node.label
            storeroom.boxes(uow, shelf)
            storeroom.within(uow)
            codes = tuple(row.barcode for row in storeroom.volumes_at(uow, storeroom.box(uow, box)).rows)
            shelving.trolley(uow, Memo("waiting", volumes=codes))
        counts.append(len(told))
    assert len(codes) == 8
    assert counts[0] == counts[1]


def test_a_long_shelf_has_pages(
    hospital: Hospital, record: int, shelves: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storeroom, "PAGE", 2)
    with hospital.uow("archivist") as uow:
        node = uow.node(record)
        barcodes = sorted(holdings.register(uow, node, location=SHELF).barcode for _ in range(5))
        numbers = [places.add_container(uow, kind="bag", location=SHELF).barcode for _ in range(3)]
    with hospital.uow("clerk", readonly=True) as uow:
        shelf, found, cursor = storeroom.place(uow, SHELF), [], None
        while True:
            page = storeroom.volumes_at(uow, shelf, cursor)
            found += [row.barcode for row in page.rows]
            if (cursor := page.next) is None:
                break
        assert (found, page.total) == (barcodes, 5)
        first = storeroom.boxes(uow, shelf)
        rest = storeroom.boxes(uow, shelf, first.next)
        assert [box.barcode for box in (*first.rows, *rest.rows)] == numbers


# Labels


def test_a_sheet_of_labels_can_be_read_by_a_gun(hospital: Hospital, volume: str) -> None:
    with hospital.uow("clerk", readonly=True) as uow:
        sheet = labels.pdf(uow, [volume, SHELF, "X-404"])
    (page,) = pypdfium2.PdfDocument(BytesIO(sheet))
    read = {code.text for code in zxingcpp.read_barcodes(page.render(scale=3).to_pil())}
    assert read == {volume, SHELF}
    assert "00218647-2" in page.get_textpage().get_text_range()


def test_a_label_carries_no_name_whoever_prints_it(hospital: Hospital, volume: str) -> None:
    with hospital.uow("senior", readonly=True) as uow:
        (label,) = labels.labels(uow, [volume])
    assert (label.code, label.words) == (volume, "00218647-2")


def test_nobody_prints_the_label_of_what_they_may_not_handle(hospital: Hospital, volume: str) -> None:
    with hospital.uow("senior") as uow:
        tree.set_level(uow, uow.holding(volume)[1], level=3, reason="锁定")
    with pytest.raises(Invalid), hospital.uow("archivist", readonly=True) as uow:
        labels.labels(uow, [volume])
