"""科研数据: a study takes a table without names; the records stay closed to it, and each knows that it was among them."""

from io import BytesIO
from uuid import UUID

import pytest
from openpyxl import load_workbook

from archive.errors import Conflict, Invalid, NotFound
from archive.policy.permissions import P
from archive.services import bundles, bundling, explain, request_counts, requests, study_data, tree
from tests.archives import begins, once
from tests.conftest import Clock, Hospital
from tests.services.lending import another, archive_it, ask, cover, rules

TERMS = {"kind": "data", "purpose": "research", "days": "10", "reason": "剖宫产术后恢复", "declared": "none"}
NUMBERS = tuple(f"0030000{number}-1" for number in range(1, 6))
NAMES = ("陈朵朵", "毛晓燕", "林小满", "赵一禾", "孙可可")

pytestmark = pytest.mark.usefixtures("in_english")


@begins
def records(hospital: Hospital, record: int) -> list[int]:
    """Six records of obstetrics that are archived; one decides on studies alone, so that each test is short."""
    rules(hospital, research={"approvers": ["record"]})
    named = zip(NUMBERS, NAMES, strict=True)
    return [archive_it(hospital, record), *(another(hospital, mrn=one[:8], name=name) for one, name in named)]


def asked(hospital: Hospital, *numbers: str, **terms: str) -> UUID:
    with hospital.uow("clinician") as uow:
        sent = bundling.ask(uow, bundling.read(uow, "\n".join(numbers or NUMBERS)), TERMS | terms)
        assert sent.bundle is not None
        assert not sent.refused
        return sent.bundle.uuid


def decided(hospital: Hospital, uuid: UUID, act: str, *, by: str = "senior") -> None:
    with hospital.uow(by) as uow:
        refs = [slip.uuid for slip in _slips(bundles.shown(uow, bundles.one(uow, uuid)))]
        assert {one.refusal for one in requests.decide(uow, refs, act, reason="课题需要")} == {None}


def _slips(shown: bundles.Shown) -> list[bundles.Slip]:
    return [*(one.slip for one in shown.waiting), *shown.others]


def taken(hospital: Hospital, uuid: UUID, account: str = "clinician") -> list[list[list[object]]]:
    """The sheets of the workbook."""
    with hospital.uow(account) as uow:
        made = study_data.take(uow, bundles.one(uow, uuid))
    book = load_workbook(BytesIO(made))
    return [[list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book]


def many(hospital: Hospital, uuid: UUID) -> int:
    """Of how many records the table would be; nothing where it is refused."""
    with hospital.uow("clinician", readonly=True) as uow:
        found = study_data.open_now(uow, bundles.one(uow, uuid))
        return 0 if found.why_not else found.records


@once
def test_what_is_granted_is_a_table_that_names_nobody_and_opens_no_record(
    hospital: Hospital, records: list[int]
) -> None:
    uuid = asked(hospital)
    with pytest.raises(Conflict):
        taken(hospital, uuid)
    decided(hospital, uuid, "approve")
    table, remarks = taken(hospital, uuid)
    assert table[0] == ["Patient, by a code of this study", "Sex", "Age", "Admitted", "Days of stay", "Department",
                        "Way of leaving", "Diagnosis code", "Operation codes"]  # fmt: skip
    assert len(table) == 1 + len(NUMBERS)
    assert len({row[0] for row in table[1:]}) == len(NUMBERS)
    said = repr((table, remarks))
    with hospital.uow("senior", readonly=True) as uow:
        for number in records[1:]:
            node = uow.node(number)
            told = [node.data["patient_name"], node.data["mrn"], str(node.uuid), str(node.archival_no), node.data["birth"],
                    node.date_from.isoformat(), node.date_to.isoformat(), node.data["diagnosis"]]  # fmt: skip
            assert not [word for word in told if word in said]
    with hospital.uow("clinician", readonly=True) as uow:
        assert not any(uow.can(P.READ, uow.node(number)) for number in records)
        study_data.take(uow, bundles.one(uow, uuid))
        told = [(event.action, event.object_id) for event in uow.readings]
        assert told == [
            ("request.data_exported", None),
            *(("request.data_given", number) for number in sorted(records[1:])),
        ]
    with hospital.uow("senior", readonly=True) as uow:
        way = next(path for path in explain.paths(uow, uow.node(records[1])) if path.kind == "grant")
        assert (way.right, way.people) == ("Data without names", {hospital.people["clinician"]})
    with hospital.uow("clinician", readonly=True) as uow:
        assert request_counts.counts(uow).reading == 0, "nothing is open for reading"
    assert [row[0] for row in taken(hospital, uuid)[0]] == [row[0] for row in table], "the codes stay"
    for stranger in ("clinician2", "head", "senior", "archivist", "auditor", "sysadmin"):
        with pytest.raises(NotFound):
            taken(hospital, uuid, stranger)


@once
def test_what_is_taken_back_closed_or_over_is_in_no_table_any_more(
    hospital: Hospital, records: list[int], clock: Clock
) -> None:
    more = [another(hospital, mrn=f"0040000{number}") for number in range(1, 4)]
    uuid = asked(hospital, *NUMBERS, *(f"0040000{number}-1" for number in range(1, 4)))
    decided(hospital, uuid, "approve")
    cover(hospital, records[1])
    assert many(hospital, uuid) == 7
    with hospital.uow("senior") as uow:
        tree.set_level(uow, uow.node(records[2]), level=3, reason="医务科通知")
    assert many(hospital, uuid) == 6, "more sensitive than when it was granted"
    with hospital.uow("senior") as uow:
        ref = next(
            slip.uuid
            for slip in _slips(bundles.shown(uow, bundles.one(uow, uuid)))
            if slip.node.id == records[3]
        )
        requests.decide(uow, [ref], "revoke", reason="课题变更")
    assert many(hospital, uuid) == len(taken(hospital, uuid)[0]) - 1 == 5
    cover(hospital, more[0])
    assert many(hospital, uuid) == 0, "of four patients anybody could be told"
    with pytest.raises(Conflict, match="5 records or more"):
        taken(hospital, uuid)
    clock.forward(days=11)
    assert many(hospital, uuid) == 0
    with pytest.raises(Conflict):
        taken(hospital, uuid)


@once
def test_too_few_records_are_given_to_nobody_as_data(hospital: Hospital, records: list[int]) -> None:
    with pytest.raises(Invalid) as few:
        asked(hospital, *NUMBERS[:4])
    assert "5 records or more" in few.value.fields["kind"]
    with pytest.raises(Invalid) as one:
        ask(hospital, "clinician", records[0], kind="data", purpose="research")
    assert "kind" in one.value.fields
    with hospital.uow("clinician") as uow, pytest.raises(Invalid):
        requests.ask_by_number(
            uow, number=NUMBERS[0], kind="data", purpose="research", days="", declared="none"
        )


@once
def test_a_study_that_wants_the_records_says_why_data_without_names_would_not_do(
    hospital: Hospital, records: list[int]
) -> None:
    with pytest.raises(Invalid) as wrong:
        asked(hospital, kind="eread")
    assert "originals" in wrong.value.fields
    uuid = asked(hospital, kind="eread", originals="要看胎心监护图")
    with hospital.uow("senior", readonly=True) as uow:
        assert bundles.shown(uow, bundles.one(uow, uuid)).bundle.originals == "要看胎心监护图"
    asked(hospital, kind="paper", purpose="discussion", days="")
