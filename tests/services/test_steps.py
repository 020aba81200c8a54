"""A record through its workflow: gates, numbers, and who may take which step."""

from datetime import date

import pytest

from archive import journal
from archive.errors import Conflict, Forbidden, Invalid, NotFound
from archive.models import AuditEvent, Node
from archive.services import numbers, records, steps, tree
from tests.conftest import CAST, RECORD, Hospital


def to_review(hospital: Hospital, record: int) -> None:
    with hospital.uow("archivist") as uow:
        node = uow.node(record)
        node.page_count = 3
        steps.take(uow, node, "catalogue")
        steps.take(uow, node, "submit")


def fulfil(hospital: Hospital, record: int) -> None:
    """What the gates ask for."""
    with hospital.uow("archivist") as uow, uow.act("test.prepared", None):
        for track, step in (("paper", "collected"), ("paper", "arranged"), ("scan", "linked")):
            records.reach(uow, uow.node(record), track, step)


def test_a_record_without_pages_or_paper_is_not_submitted(hospital: Hospital, record: int) -> None:
    with pytest.raises(Conflict, match="上传图像"), hospital.uow("archivist") as uow:
        node = uow.node(record)
        steps.take(uow, node, "catalogue")
        steps.take(uow, node, "submit")


def test_archiving_waits_for_the_gates_of_the_policy(hospital: Hospital, record: int) -> None:
    to_review(hospital, record)
    with pytest.raises(Conflict, match="签收、整理、已挂接"), hospital.uow("archivist") as uow:
        steps.take(uow, uow.node(record), "archive")


def test_archiving_gives_number_slug_and_retention_for_ever(hospital: Hospital, record: int) -> None:
    to_review(hospital, record)
    fulfil(hospital, record)
    with hospital.uow("archivist") as uow:
        item = tree.plant(
            uow, uow.node(record), tree.TYPES["component"], {"title": "入院记录", "component": "RY"}
        )
        steps.take(uow, uow.node(record), "archive")
        item_id = item.id
    with hospital.uow("archivist", readonly=True) as uow:
        node, item = uow.node(record), uow.node(item_id)
        assert (node.archival_no, node.slug) == ("H001-ZY·BL·2026·D30-000001", "000001")
        assert (item.archival_no, item.state) == ("H001-ZY·BL·2026·D30-000001-001", "archived")
        assert node.retain_until == date(2056, 11, 12)
    with pytest.raises(Forbidden), hospital.uow("archivist") as uow:
        tree.edit(uow, uow.node(record), fields=RECORD, version=1)


def test_a_readmission_moves_the_retention_of_every_earlier_record(hospital: Hospital, record: int) -> None:
    to_review(hospital, record)
    fulfil(hospital, record)
    with hospital.uow("archivist") as uow:
        steps.take(uow, uow.node(record), "archive")
    later = RECORD | {
        "times": "3",
        "admitted_on": "2027-01-02",
        "discharged_on": "2027-01-09",
        "dept": str(hospital.wards["CK"]),
    }
    with hospital.uow("archivist") as uow:
        again = tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record", fields=later).id
    to_review(hospital, again)
    fulfil(hospital, again)
    with hospital.uow("archivist") as uow:
        steps.take(uow, uow.node(again), "archive")
        assert uow.node(record).retain_until == date(2057, 1, 9)


def test_a_correction_needs_a_reason_and_keeps_the_number(hospital: Hospital, record: int) -> None:
    to_review(hospital, record)
    fulfil(hospital, record)
    with hospital.uow("archivist") as uow:
        steps.take(uow, uow.node(record), "archive")
    with pytest.raises(Invalid), hospital.uow("archivist") as uow:
        steps.take(uow, uow.node(record), "correct")
    with hospital.uow("archivist") as uow:
        number = uow.node(record).archival_no
        steps.take(uow, uow.node(record), "correct", reason="出院日期写错")
        steps.take(uow, uow.node(record), "finish")
        assert uow.node(record).archival_no == number


@pytest.mark.parametrize("account", [name for name in CAST if name not in {"archivist", "senior"}])
def test_only_archivists_move_a_record_on(hospital: Hospital, record: int, account: str) -> None:
    with pytest.raises((Forbidden, NotFound)), hospital.uow(account) as uow:
        steps.take(uow, uow.node(record), "catalogue")


def test_a_link_with_the_slug_of_before_still_leads_to_the_record(hospital: Hospital, record: int) -> None:
    with hospital.uow("archivist", readonly=True) as uow:
        from archive.sight import href

        before = href(uow, uow.node(record)).removeprefix("/a/")
    to_review(hospital, record)
    fulfil(hospital, record)
    with hospital.uow("archivist") as uow:
        steps.take(uow, uow.node(record), "archive")
    with hospital.uow("archivist", readonly=True) as uow:
        assert uow.node(before).id == record


def test_a_counter_leaves_no_gap_when_a_transaction_fails(hospital: Hospital) -> None:
    with pytest.raises(ZeroDivisionError), hospital.uow("archivist") as uow:
        numbers.draw(uow, "test")
        raise ZeroDivisionError
    with hospital.uow("archivist") as uow, uow.act("test.drawn", None):
        assert [numbers.draw(uow, "test") for _ in range(3)] == [1, 2, 3]


def test_an_item_moves_with_its_file_through_every_state(hospital: Hospital, record: int) -> None:
    with hospital.uow("archivist") as uow:
        item = tree.add(
            uow, uow.node(record), kind="component", fields={"title": "入院记录", "component": "RY"}
        ).id
    to_review(hospital, record)
    with hospital.uow("archivist", readonly=True) as uow:
        node = uow.session.get_one(Node, item, execution_options={"scope": "test"})
        assert node.state == "review"


def test_the_number_of_an_item_that_went_to_another_file_is_not_given_again(
    hospital: Hospital, record: int
) -> None:
    def items(file: Node, *titles: str) -> list[int]:
        fields = [{"title": title, "component": "RY"} for title in titles]
        return [tree.add(uow, file, kind="component", fields=each).id for each in fields]

    with hospital.uow("senior") as uow:
        _first, second = items(uow.node(record), "入院记录", "病程记录")
        other = tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record",
                         fields=RECORD | {"mrn": "00218999", "dept": str(hospital.wards["CK"])}).id  # fmt: skip
    to_review(hospital, record)
    fulfil(hospital, record)
    with hospital.uow("senior") as uow:
        steps.take(uow, uow.node(record), "archive")
        steps.take(uow, uow.node(record), "correct", reason="误入他人病程记录")
        tree.move(uow, uow.node(second), to=uow.node(other))
        (late,) = items(uow.node(record), "手术记录")
        steps.take(uow, uow.node(record), "finish")
        assert uow.node(second).archival_no == "H001-ZY·BL·2026·D30-000001-002"
        assert uow.node(late).archival_no == "H001-ZY·BL·2026·D30-000001-003"


def test_archiving_keeps_the_versions_of_the_rules_by_which_it_was_done(
    hospital: Hospital, record: int
) -> None:
    to_review(hospital, record)
    fulfil(hospital, record)
    with hospital.uow("archivist") as uow:
        steps.take(uow, uow.node(record), "archive")
    with hospital.site.session(readonly=True) as session:
        event = session.query(AuditEvent).filter_by(action="node.archive").one()
        words = journal.words_of(session, journal.CHANGES, event.id, hospital.site.keys)
        assert words["policies"] == {"checklist": 1, "gates": 1, "numbering": 1, "retention": 1}
