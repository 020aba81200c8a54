"""What is found in an inspection is written down by the inspector: in their batch, while it is open, and nowhere else."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from archive.errors import Conflict, Forbidden, Invalid, NotFound
from archive.services import history, inspection_findings, inspection_noting, inspections, tree
from archive.services.inspection_noting import Typed
from tests.archives import begins, once
from tests.conftest import Clock, Hospital
from tests.services.lending import another, archive_it
from tests.services.searching import archived as archived_with_pages
from tests.services.searching import component, written
from tests.services.test_inspections import findings, found, give, note

pytestmark = pytest.mark.usefixtures("in_english")


@begins
def two(hospital: Hospital, record: int) -> tuple[int, int]:
    """An archived record, and another that is not in its batch."""
    return archive_it(hospital, record), another(hospital, mrn="00300001")


def mend(hospital: Hospital, account: str, ref: UUID, *, version: int = 1, **said: str) -> None:
    with hospital.uow(account) as uow:
        inspection_noting.mend(uow, ref, said=Typed(**said), version=version)


def withdraw(hospital: Hospital, account: str, ref: UUID, *, version: int = 1) -> None:
    with hospital.uow(account) as uow:
        inspection_noting.withdraw(uow, ref, version=version)


def test_the_inspector_writes_down_what_they_find_mends_it_and_takes_it_back_while_the_batch_is_open(
    hospital: Hospital, two: tuple[int, int], clock: Clock
) -> None:
    archived, beside = two
    batch, other = give(hospital), give(hospital, "00300001-1", start="2026-11-21")
    for of, record in ((batch, beside), (other, beside)):
        with pytest.raises(NotFound):
            note(hospital, of, record, by="inspector")
    for stranger in ("archivist", "clinician", "auditor", "stranger"):
        with pytest.raises(NotFound):
            note(hospital, batch, archived, by=stranger)
    first = note(hospital, batch, archived, by="inspector", kind="signature", appeal_until="2030-01-01")
    room = note(hospital, batch, archived)
    mine, theirs = findings(hospital, "inspector", batch).rows
    assert (mine.by, mine.kind, mine.may_change) == ("inspector甲", "not signed", True)
    assert (theirs.by, theirs.may_change) == ("senior甲", False)
    # Until when it may be contested follows the hospital's rule, whatever the inspector sends; the record room changes it.
    assert mine.appeal_until == date(2026, 11, 30)
    with hospital.uow("inspector") as uow, pytest.raises(Forbidden):
        inspection_findings.contestable(uow, first, until="", version=1)
    with hospital.uow("senior") as uow:
        inspection_findings.contestable(uow, first, until="2026-12-05", version=1)
    with pytest.raises(Conflict):
        mend(hospital, "inspector", first, words="缺助手签名")
    mend(hospital, "inspector", first, words="缺助手签名", yuan="0.5", version=2)
    mine = findings(hospital, "senior", batch).rows[0]
    assert (mine.words, mine.yuan, mine.kind, mine.appeal_until) == (
        "缺助手签名", Decimal("0.5"), "", date(2026, 12, 5),
    )  # fmt: skip
    for account, ref, refused in (("inspector", room, Forbidden), ("senior", first, Forbidden),
                                  ("clinician", first, NotFound), ("archivist", first, NotFound)):  # fmt: skip
        version = 3 if ref == first else 1
        with pytest.raises(refused):
            mend(hospital, account, ref, words="别人的话", version=version)
        with pytest.raises(refused):
            withdraw(hospital, account, ref, version=version)
    with hospital.uow("senior") as uow:
        inspection_findings.answer(uow, first, words="已补签", version=3)
    for act in (mend, withdraw):
        with pytest.raises(Conflict):
            act(hospital, "inspector", first, version=4)
    second = note(hospital, batch, archived, by="inspector")
    withdraw(hospital, "inspector", second)
    assert len(findings(hospital, "senior", batch).rows) == 2
    third = note(hospital, batch, archived, by="inspector")
    with hospital.uow("senior") as uow:
        inspections.end(uow, inspections.one(uow, batch.uuid))
    clock.forward(hours=1)
    with pytest.raises(NotFound):
        note(hospital, batch, archived, by="inspector")
    for act in (mend, withdraw):
        with pytest.raises(NotFound):
            act(hospital, "inspector", third)
    with hospital.uow("archivist", readonly=True) as uow:
        acts = {act.action for act in history.acts(uow, uow.node(archived))}
        assert {f"inspection.finding_{act}" for act in ("noted", "mended", "dated", "withdrawn")} <= acts


@once
def test_a_finding_names_a_component_and_a_page_of_its_record_as_far_as_its_reader_knows_of_them(
    hospital: Hospital, record: int
) -> None:
    orders = component(hospital, record, "医嘱单", "YZ")
    hidden = component(hospital, record, "会诊单", "HZ")
    written(hospital, orders, "一", "二")
    written(hospital, hidden, "三")
    archived_with_pages(hospital, record)
    with hospital.uow("senior") as uow:
        tree.set_level(uow, uow.node(hidden), level=2, reason="敏感")
        seen, unseen = str(uow.node(orders).uuid), str(uow.node(hidden).uuid)
    batch = give(hospital)
    assert found(hospital, "inspector", batch).pages == {record: 2}, "what is closed to them is not counted"
    assert found(hospital, "senior", batch).pages == {record: 3}
    for wrong, field in (({"part": unseen}, "part"), ({"part": seen, "page": "3"}, "page"), ({"kind": "x"}, "kind"),
                         ({"part": seen, "page": "²"}, "page")):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            note(hospital, batch, record, by="inspector", **wrong)
        assert list(refused.value.fields) == [field]
    note(hospital, batch, record, by="inspector", part=seen, page="2")
    note(hospital, batch, record, part=unseen, page="1")
    told = [one.place for one in findings(hospital, "inspector", batch).rows]
    assert told[0]
    assert (told[0].words, told[1]) == ("orders page 2", None)
    assert told[0].href
    assert told[0].href.endswith("/++page++2")
    places = [one.place for one in findings(hospital, "senior", batch).rows]
    assert [place and place.page for place in places] == [2, 1]
    with hospital.uow("senior") as uow:
        tree.set_level(uow, uow.node(orders), level=2, reason="敏感")
    first = findings(hospital, "inspector", batch).rows[0]
    mend(hospital, "inspector", first.uuid, words="缺签名")
    stands = findings(hospital, "senior", batch).rows[0]
    assert stands.words == "缺签名"
    assert stands.place
    assert stands.place.words == "orders page 2", (
        "what its writer may not read any more stays where it was found"
    )
