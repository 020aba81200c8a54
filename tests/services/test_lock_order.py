"""Two people at one moment, on PostgreSQL: everybody locks in one order, so that neither waits for the other for ever.

Each transaction is tried once here, and not again as the site would: where two wait for each other, one of them fails.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

import pytest

from archive.actor import Actor
from archive.errors import Conflict, Invalid
from archive.models import Hold
from archive.services import (
    desk_buttons,
    disputes,
    frozen,
    holdings,
    holds,
    in_hand,
    night_seals,
    requests,
    setup,
    slips,
    trash,
    tree,
    unsealing,
)
from archive.services.desk import Memo
from tests.archives import begins
from tests.conftest import RECORD, Hospital
from tests.services.lending import BARCODE, another, archive_it, ask, rules, state_of
from tests.services.sealing import BOTH, OPENED, PACKAGE
from tests.services.searching import component

pytestmark = pytest.mark.parametrize("site", ["postgres"], indirect=True)
AWHILE = 0.3
"""Seconds within which somebody comes as far as they can: to the end, or to where they wait."""
CASE = {"title": "产后纠纷", "date_from": "2026-11-18", "retention": "D30", "claimant": "刘建国",
        "dispute_way": "litigation", "complaint": "产后出血处理不及时"}  # fmt: skip
TEST = {"scope": "test"}


@begins
def archived(hospital: Hospital, record: int) -> int:
    """An archived record with its volume, a duty officer, and somebody of medical affairs."""
    with hospital.site.uow(Actor.system("test")) as uow:
        for number, (account, role) in enumerate((("duty", "duty"), ("affairs", "medical_affairs"))):
            setup.enlist(uow, account=account, name=account, staff_no=f"009{number}", password=None, roles=(role,),
                         clearance=1)  # fmt: skip
    return archive_it(hospital, record)


@begins
def draft(hospital: Hospital, archived: int) -> int:
    """A draft record with an operation note, and no volume yet."""
    with hospital.uow("archivist") as uow:
        fields = RECORD | {"mrn": "00300009", "times": "1", "dept": str(hospital.wards["CK"])}
        number = tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record", fields=fields).id
    component(hospital, number, "手术记录")
    return number


def begun(act: Callable[[], object]) -> Future[object]:
    """Somebody else does it at the same moment, as far as they get."""
    other = ThreadPoolExecutor(1).submit(act)
    wait([other], AWHILE)
    return other


def sealed_at_night(hospital: Hospital, mrn: str = "00218647-2") -> int:
    said = {"mrn": mrn, "name": "李秀英", "ward": "产科", "bed": "12", "sheets": "86"}
    with hospital.uow("duty") as uow:
        made = night_seals.seal(
            uow, said=said, kind="original", asked_by="patient", people=BOTH, kept_at="总值班室"
        )
        return made.id


def test_what_opens_at_once_and_what_waits_get_their_numbers_beside_the_desk(
    hospital: Hospital, archived: int
) -> None:
    rules(hospital, discussion={"approvers": []})
    with hospital.uow("clerk") as uow:
        in_hand.lay(uow, BARCODE)
        reading = begun(lambda: ask(hospital, "clinician2", archived, purpose="research", days=1))
        assert reading.done(), "a slip that only points to the record does not wait for the desk"
        at_once = begun(lambda: ask(hospital, "head", archived, kind="paper"))
        said = {"purpose": "completion", "declared": "none"}
        assert desk_buttons.asked(uow, Memo("unasked", BARCODE, "0004"), said).memo.act == "issued"
    assert state_of(hospital, str(at_once.result(20))) == "approved"
    assert state_of(hospital, str(reading.result(20))) == "requested"


def test_two_who_tick_the_same_in_another_order_decide_one_after_the_other(
    hospital: Hospital, archived: int
) -> None:
    records = (archived, another(hospital, mrn="00300001"))
    numbers = [ask(hospital, "clinician", record, kind="paper") for record in records]
    with hospital.uow("senior", readonly=True) as uow:
        first, second = (slips.one(uow, number).uuid for number in numbers)

    def the_other_way_round() -> list[str | None]:
        with hospital.uow("archivist") as uow:
            return [one.refusal for one in requests.decide(uow, [second, first], "refuse", reason="重复")]

    with hospital.uow("senior") as uow:
        assert requests.decide(uow, [first], "approve")[0].refusal is None
        other = begun(the_other_way_round)
        assert requests.decide(uow, [second], "approve")[0].refusal is None
    refusals = other.result(20)
    assert isinstance(refusals, list)
    assert None not in refusals
    assert {state_of(hospital, number) for number in numbers} == {"approved"}


def test_a_seal_of_the_night_is_laid_taken_over_and_taken_off_beside_others(
    hospital: Hospital, archived: int
) -> None:
    another(hospital, mrn="00300001")
    with hospital.uow("senior") as uow:
        node = uow.node(archived)
        uow.lock(node)
        other = begun(lambda: sealed_at_night(hospital))
        holds.apply(uow, node, **PACKAGE)
    number = other.result(20)
    assert isinstance(number, int)

    def taken_over() -> None:
        with hospital.uow("archivist") as uow:
            hold = uow.session.get_one(Hold, number, execution_options=TEST)
            night_seals.take_over(uow, hold, mrn="00300001-1", kept_at="封存柜", key_no="")

    with hospital.uow("senior") as uow:
        hold = uow.session.get_one(Hold, number, execution_options=TEST)
        uow.lock(holds.node_of(uow, hold))
        other = begun(taken_over)
        unsealing.release(uow, hold, **OPENED)
    with pytest.raises(Conflict):
        other.result(20)


def test_a_volume_that_is_registered_while_its_record_is_sealed_lies_in_the_package(
    hospital: Hospital, draft: int
) -> None:
    def registered() -> str:
        with hospital.uow("archivist") as uow:
            return holdings.register(uow, uow.node(draft)).barcode

    with hospital.uow("senior") as uow:
        holds.apply(uow, uow.node(draft), **PACKAGE)
        other = begun(registered)
    with hospital.uow("clerk", readonly=True) as uow:
        assert frozen.volume(uow, uow.holding(str(other.result(20)))[0]) is not None


def test_a_record_that_goes_into_the_trash_at_this_moment_is_linked_to_no_dispute(
    hospital: Hospital, draft: int
) -> None:
    def opened() -> None:
        with hospital.uow("affairs") as uow:
            disputes.open_case(uow, records="00300009-1", fields=CASE)

    with hospital.uow("archivist") as uow:
        trash.trash(uow, uow.node(draft))
        other = begun(opened)
    with pytest.raises(Invalid):
        other.result(20)
