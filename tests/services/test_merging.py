"""One person under two numbers becomes one, and two again: who may, what follows, what is written."""

from datetime import date

import pytest
from sqlalchemy import select

from archive.actor import Actor
from archive.errors import Conflict, Forbidden, Invalid
from archive.journal import CHANGES, words_of
from archive.models import AuditEvent, Node
from archive.services import merging, patients, tree, whereabouts
from tests.archives import begins
from tests.conftest import RECORD, Hospital
from tests.services.lending import another, archive_it

MRN, OLD, WHY = "00218647", "00111111", "身份证复印件核对一致"
TEST = {"scope": "test"}


pytestmark = pytest.mark.usefixtures("in_english")


@begins
def two(hospital: Hospital, record: int) -> tuple[int, int]:
    """An archived record under each of the two numbers."""
    return archive_it(hospital, record), another(hospital, mrn=OLD, name="刘婷婷")


def merge(hospital: Hospital, account: str = "archivist", given_up: str = OLD, kept: str = MRN) -> None:
    with hospital.uow(account) as uow:
        merging.merge(uow, given_up=given_up, kept=kept, reason=WHY)


def found(hospital: Hospital, typed: str) -> list[tuple[str | None, int]]:
    with hospital.uow("archivist", readonly=True) as uow:
        return [(person.mrn, len(person.files)) for person in whereabouts.find(uow, typed).people]


def test_after_a_merge_both_numbers_lead_to_everything_and_after_its_undoing_they_do_not(
    hospital: Hospital, two: tuple[int, int]
) -> None:
    merge(hospital)
    assert found(hospital, OLD) == found(hospital, MRN) == [(MRN, 2)]
    with hospital.uow("senior") as uow:
        assert [(one.mrn, one.kept) for one in merging.merged(uow)] == [(OLD, MRN)]
        merging.unmerge(uow, mrn=OLD, reason="同名不同人")
    assert (found(hospital, OLD), found(hospital, MRN)) == ([(OLD, 1)], [(MRN, 1)])


def test_the_two_are_seen_side_by_side(hospital: Hospital, two: tuple[int, int]) -> None:
    with hospital.uow("archivist", readonly=True) as uow:
        pair = merging.compare(uow, given_up=OLD, kept=MRN)
        assert (pair.given_up.mrn, pair.kept.mrn, pair.kept.name, pair.differs) == (OLD, MRN, "刘婷婷", False)
        assert [file.stay for file in pair.kept.files] == [f"{MRN}-2"]
        assert uow.seen == set(two)
    another(hospital, mrn="00333333", name="王芳")
    with hospital.uow("archivist", readonly=True) as uow:
        assert merging.compare(uow, given_up="00333333", kept=MRN).differs


@pytest.mark.parametrize(
    "account",
    ["clinician", "head", "clerk", "desk", "scanner", "auditor", "security", "sysadmin", "stranger"],
)
def test_only_whoever_keeps_the_records_merges(
    hospital: Hospital, two: tuple[int, int], account: str
) -> None:
    with pytest.raises(Forbidden):
        merge(hospital, account)
    with hospital.uow(account) as uow:
        for act in (
            lambda: merging.compare(uow, given_up=OLD, kept=MRN),
            lambda: merging.merged(uow),
            lambda: merging.unmerge(uow, mrn=OLD, reason=WHY),
        ):
            with pytest.raises(Forbidden):
                act()


def test_what_is_hidden_and_what_never_was_are_refused_alike(
    hospital: Hospital, two: tuple[int, int]
) -> None:
    with hospital.uow("senior") as uow:
        tree.set_level(uow, uow.node(two[1]), level=3, reason="特殊病案")
    refused = []
    for number in (OLD, "00999999", "", "刘婷婷"):
        with hospital.uow("archivist") as uow, pytest.raises(Invalid) as error:
            merging.merge(uow, given_up=number, kept=MRN, reason=WHY)
        refused.append(error.value.fields)
    assert all(fields == refused[0] for fields in refused)
    assert set(refused[0]) == {"given_up"}


def test_a_merge_needs_a_reason_two_numbers_and_no_chain(hospital: Hospital, two: tuple[int, int]) -> None:
    with hospital.uow("archivist") as uow, pytest.raises(Invalid) as error:
        merging.merge(uow, given_up=OLD, kept=MRN, reason="  ")
    assert set(error.value.fields) == {"reason"}
    for given_up, kept, field in ((MRN, MRN, "kept"), (OLD, MRN, "")):
        if field:
            with pytest.raises(Invalid) as error:
                merge(hospital, given_up=given_up, kept=kept)
            assert set(error.value.fields) == {field}
    merge(hospital)
    for given_up, kept in ((OLD, MRN), (MRN, OLD)):
        with pytest.raises(Invalid):
            merge(hospital, given_up=given_up, kept=kept)
    with hospital.uow("archivist") as uow, pytest.raises(Conflict):
        merging.unmerge(uow, mrn=MRN, reason=WHY)


def test_what_was_merged_before_goes_along_and_comes_back_alone(
    hospital: Hospital, two: tuple[int, int]
) -> None:
    another(hospital, mrn="00333333", name="刘婷婷")
    merge(hospital)
    merge(hospital, given_up=MRN, kept="00333333")
    assert found(hospital, OLD) == [("00333333", 3)]
    with hospital.uow("archivist") as uow:
        merging.unmerge(uow, mrn=MRN, reason=WHY)
    assert (found(hospital, OLD), found(hospital, MRN)) == ([("00333333", 2)], [(MRN, 1)])


def test_nothing_new_is_filed_under_a_number_that_was_given_up(
    hospital: Hospital, two: tuple[int, int]
) -> None:
    merge(hospital)
    with hospital.site.uow(Actor.system("test")) as uow, pytest.raises(Invalid):
        patients.enrol(uow, patients.Person(OLD, "刘婷婷"))


def test_records_are_kept_from_the_last_discharge_of_the_whole_person(
    hospital: Hospital, record: int
) -> None:
    early = RECORD | {"mrn": OLD, "times": "1", "admitted_on": "1996-03-01", "discharged_on": "1996-03-09",
                      "dept": str(hospital.wards["CK"])}  # fmt: skip
    with hospital.uow("archivist") as uow:
        first = tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record", fields=early).id
    for number in (first, record):
        archive_it(hospital, number)

    def until() -> date | None:
        with hospital.site.session(readonly=True) as session:
            return session.get_one(Node, first, execution_options=TEST).retain_until

    before = until()
    assert before == date(2026, 3, 9)
    merge(hospital)
    assert until() == date(2056, 11, 12)
    with hospital.uow("archivist") as uow:
        merging.unmerge(uow, mrn=OLD, reason=WHY)
    assert until() == before


def test_a_merge_is_one_event_about_the_patient(hospital: Hospital, two: tuple[int, int]) -> None:
    merge(hospital)
    with hospital.site.session(readonly=True) as session:
        (line,) = session.scalars(select(AuditEvent).where(AuditEvent.action == "patient.merged")).all()
        assert (line.actor, line.object_kind) == ("archivist", "patient")
        assert line.patient_hash == hospital.site.keys.identity_hash(OLD)
        words = words_of(session, CHANGES, line.id, hospital.site.keys)
        assert words == {"reason": WHY, "given_up": OLD, "kept": MRN, "along": []}
