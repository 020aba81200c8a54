"""Finding a patient by exact number and a second factor: enough to ask for the record, nothing for the curious."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import select

from archive.errors import Forbidden, Invalid, NotFound, Throttled
from archive.journal import READS, words_of
from archive.models import ReadEvent
from archive.services import find_exact, listing, pinpoint, tree, whereabouts
from archive.services.find_exact import Hit
from tests.archives import begins
from tests.conftest import RECORD, Clock, Hospital
from tests.services.lending import archive_it, merged

MRN = "00218647"
NAMED = {"mrn": MRN, "patient_name": "刘婷婷", "purpose": "treatment"}


pytestmark = pytest.mark.usefixtures("in_english")


@begins
def archived(hospital: Hospital, record: int) -> int:
    """An archived second stay of 刘婷婷 in obstetrics, discharged on 12 November."""
    return archive_it(hospital, record)


def first_stay(hospital: Hospital, *, mrn: str = MRN, level: int = 1) -> int:
    """Her archived first stay, discharged on 5 February 2024."""
    fields = RECORD | {"mrn": mrn, "times": "1", "admitted_on": "2024-02-01", "discharged_on": "2024-02-05",
                       "dept": str(hospital.wards["CK"])}  # fmt: skip
    with hospital.uow("archivist") as uow:
        number = tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record", fields=fields).id
    return archive_it(hospital, number, level=level)


def find(hospital: Hospital, account: str, typed: Mapping[str, object]) -> list[Hit]:
    with hospital.uow(account) as uow:
        return find_exact.find(uow, typed)


def events(hospital: Hospital, action: str = "person.found") -> list[tuple[ReadEvent, dict[str, Any]]]:
    with hospital.site.journal() as session:
        rows = session.scalars(
            select(ReadEvent).where(ReadEvent.action == action).order_by(ReadEvent.id)
        ).all()
        return [(row, words_of(session, READS, row.id, hospital.site.keys)) for row in rows]


@pytest.mark.parametrize("account", ["clinician", "clinician2", "head", "archivist", "senior"])
def test_number_and_name_lead_to_the_records_to_ask_for(
    hospital: Hospital, archived: int, account: str
) -> None:
    first_stay(hospital)
    hits = find(hospital, account, NAMED)
    assert [(hit.node.stay, hit.name, hit.admitted_on, hit.discharged_on, hit.dept) for hit in hits] == [
        ("00218647-2", "刘婷婷", "2026-11-08", "2026-11-12", "产科"),
        ("00218647-1", "刘婷婷", "2024-02-01", "2024-02-05", "产科"),
    ]
    assert all(hit.may_ask and hit.node.page_count for hit in hits)


@pytest.mark.parametrize("factor", [
    {"birth": "1994-03-02"}, {"birth": "1994.3.2"}, {"discharged_on": "2026-11-12"}, {"discharged_on": "20261112"},
    {"birth": "1994-03-02", "discharged_on": "2026-11-12"},
])  # fmt: skip
def test_a_date_does_as_well_and_leaves_the_name_masked(
    hospital: Hospital, archived: int, factor: dict[str, str]
) -> None:
    (hit,) = find(hospital, "clinician2", {"mrn": MRN, "purpose": "request"} | factor)
    assert (hit.node.stay, hit.name) == ("00218647-2", "刘**")


@pytest.mark.parametrize("typed", [
    {"patient_name": "刘婷"}, {"patient_name": "刘婷婷婷"}, {"patient_name": "刘%"}, {"birth": "1994-03-03"},
    {"discharged_on": "2026-11-13"}, {"patient_name": "刘婷婷", "birth": "1990-01-01"},
    {"mrn": "00218648", "patient_name": "刘婷婷"}, {"mrn": "218647", "patient_name": "刘婷婷"},
])  # fmt: skip
def test_what_does_not_fit_exactly_finds_nothing(
    hospital: Hospital, archived: int, typed: dict[str, str]
) -> None:
    assert find(hospital, "clinician2", {"mrn": MRN, "purpose": "treatment"} | typed) == []


def test_a_draft_and_a_sensitive_record_are_nobodys_to_find(hospital: Hospital, record: int) -> None:
    assert find(hospital, "clinician", NAMED) == []
    assert find(hospital, "archivist", NAMED) == []
    archive_it(hospital, record, level=2)
    assert find(hospital, "clinician", NAMED) == find(hospital, "clinician2", NAMED) == []
    assert [hit.node.stay for hit in find(hospital, "head", NAMED)] == ["00218647-2"]


def test_a_hidden_stay_is_not_betrayed_by_its_date(hospital: Hospital, archived: int) -> None:
    first_stay(hospital, level=2)
    hidden = {"mrn": MRN, "discharged_on": "2024-02-05", "purpose": "treatment"}
    assert find(hospital, "clinician2", hidden) == []
    assert [hit.node.stay for hit in find(hospital, "clinician2", NAMED)] == ["00218647-2"]
    assert len(find(hospital, "head", hidden)) == 2


def test_the_service_desk_finds_by_number_and_name_and_in_no_other_way(
    hospital: Hospital, archived: int
) -> None:
    (hit,) = find(hospital, "desk", NAMED)
    assert (hit.node.stay, hit.name, hit.discharged_on, hit.dept) == (
        "00218647-2",
        "刘婷婷",
        "2026-11-12",
        "产科",
    )
    assert (hit.href, hit.may_ask) == (None, True)
    assert (hit.node.title, hit.node.fields) == (None, [])
    assert find(hospital, "desk", NAMED | {"patient_name": "刘婷某"}) == []
    with hospital.uow("desk", readonly=True) as uow:
        assert whereabouts.find(uow, MRN).people == []
        assert pinpoint.by_number(uow, MRN) == pinpoint.by_name(uow, "刘婷婷") == []
        assert archived not in {view.id for view in listing.newest(uow)}
        with pytest.raises(NotFound):
            uow.node(archived)


@pytest.mark.parametrize("level", [2, 3])
def test_the_service_desk_finds_nothing_that_is_sensitive(
    hospital: Hospital, record: int, level: int
) -> None:
    archive_it(hospital, record, level=level)
    assert find(hospital, "desk", NAMED) == []


def test_a_number_that_was_merged_finds_the_person_under_either(hospital: Hospital, archived: int) -> None:
    first_stay(hospital, mrn="00111111")
    merged(hospital, "00111111", MRN)
    both = ["00218647-2", "00111111-1"]
    for mrn in (MRN, "00111111"):
        assert [hit.node.stay for hit in find(hospital, "clinician2", NAMED | {"mrn": mrn})] == both


@pytest.mark.parametrize(
    "account", ["stranger", "auditor", "security", "sysadmin", "inspector", "clerk", "scanner"]
)
def test_it_is_not_for_everybody(hospital: Hospital, archived: int, account: str) -> None:
    with pytest.raises(Forbidden):
        find(hospital, account, NAMED)
    assert events(hospital) == []


@pytest.mark.parametrize(("typed", "wrong"), [
    ({"mrn": MRN, "purpose": "treatment"}, {"patient_name"}),
    ({"mrn": MRN, "patient_name": "刘婷婷"}, {"purpose"}),
    ({"mrn": MRN, "patient_name": "刘婷婷", "purpose": "curiosity"}, {"purpose"}),
    ({"patient_name": "刘婷婷", "purpose": "treatment"}, {"mrn"}),
    ({"mrn": "2186", "birth": "someday", "purpose": "treatment"}, {"mrn", "birth"}),
    ({}, {"mrn", "patient_name", "purpose"}),
])  # fmt: skip
def test_an_incomplete_question_says_what_is_missing_and_is_no_use(
    hospital: Hospital, archived: int, typed: dict[str, str], wrong: set[str]
) -> None:
    with pytest.raises(Invalid) as refused:
        find(hospital, "clinician", typed)
    assert set(refused.value.fields) == wrong
    assert events(hospital) == []


def test_each_use_is_written_with_its_purpose_and_the_patient(hospital: Hospital, archived: int) -> None:
    find(hospital, "clinician2", NAMED)
    find(hospital, "clinician2", NAMED | {"patient_name": "张三"})
    (found, words), (missed, guess) = events(hospital)
    code = hospital.site.keys.identity_hash(MRN)
    assert (found.actor, found.result, found.shown, found.patient_hash) == (
        "clinician2",
        "ok",
        [archived],
        code,
    )
    assert (missed.result, missed.shown, missed.patient_hash) == ("denied", None, code)
    assert words == guess == {"purpose": "treatment", "by": ["patient_name"]}


def test_who_guesses_twenty_times_in_an_hour_is_stopped(
    hospital: Hospital, archived: int, clock: Clock
) -> None:
    for number in range(20):
        assert find(hospital, "clinician2", NAMED | {"patient_name": f"刘{number}"}) == []
    for _again in range(3):
        with pytest.raises(Throttled, match="20 times"):
            find(hospital, "clinician2", NAMED)
    assert len(find(hospital, "clinician", NAMED)) == 1, "somebody else is not hindered"
    assert len(events(hospital, "person.find_throttled")) == 3
    clock.forward(minutes=61)
    assert len(find(hospital, "clinician2", NAMED)) == 1


def test_finding_what_one_knows_uses_nothing_up(hospital: Hospital, archived: int) -> None:
    for _patient in range(25):
        assert find(hospital, "clinician2", NAMED)
