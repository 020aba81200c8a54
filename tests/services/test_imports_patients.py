"""The patient index from a list."""

import pytest
from sqlalchemy import select

from archive.errors import Forbidden, NotFound
from archive.models import Patient, PatientAlias
from tests.conftest import Hospital
from tests.services.importing import Desk, sample, table

MINE = {"scope": "test"}


@pytest.fixture
def desk(hospital: Hospital) -> Desk:
    return Desk(hospital, "archivist")


def patient(hospital: Hospital, mrn: str) -> Patient | None:
    with hospital.site.session(readonly=True) as session:
        return session.scalar(select(Patient).where(Patient.mrn == mrn), execution_options=MINE)


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_the_sample_comes_in_is_known_the_second_time_and_goes_again(
    hospital: Hospital, desk: Desk, ending: str
) -> None:
    done = desk.run("patients", sample(f"patients.{ending}"))
    assert (done.counts, done.problems) == ({"new": 8}, [])
    assert desk.check("patients", sample(f"patients.{ending}")).counts == {"unchanged": 8}
    found = patient(hospital, "00300105")
    assert found is not None
    assert (found.name, found.sex, found.name_key) == ("仝春苗", "2", "tongchunmiao tcm")
    with hospital.site.session(readonly=True) as session:
        old = session.scalars(
            select(PatientAlias.value).where(PatientAlias.patient_id == found.id), execution_options=MINE
        )
        assert set(old) == {"B00871", "C5520"}
    assert desk.undo(done).counts == {"removed_alias": 3, "removed_patient": 8}
    assert patient(hospital, "00300105") is None


def test_identity_number_and_telephone_are_kept_encrypted(hospital: Hospital, desk: Desk) -> None:
    desk.run("patients", sample("patients.csv"))
    found = patient(hospital, "00300101")
    assert found is not None
    assert found.id_enc is not None
    assert found.phone_enc is not None
    number = hospital.site.keys.decrypt("identity-enc", found.id_enc)
    assert found.id_hash == hospital.site.keys.identity_hash(number)
    assert hospital.site.keys.decrypt("identity-enc", found.phone_enc) == "10000000001"


def test_zeros_that_the_spreadsheet_dropped_are_put_back(hospital: Hospital, desk: Desk) -> None:
    content = table(("病案号", "姓名"), ("17", "甲"), ("300200", "乙"))
    assert [(one.row, one.column) for one in desk.check("patients", content).problems] == [(2, "病案号")]
    assert desk.run("patients", content, digits=8).counts == {"new": 2}
    assert patient(hospital, "00000017") is not None


def test_a_number_of_somebody_else_is_refused_in_the_file_and_in_the_archive(desk: Desk) -> None:
    desk.run("patients", table(("病案号", "姓名", "身份证号"), ("00300200", "甲甲", sample_id())))
    seen = desk.check("patients", table(
        ("病案号", "姓名", "身份证号"), ("00300200", "乙乙", ""), ("00300201", "丙丙", sample_id()),
        ("00300202", "丁丁", "990101199304121239"),
    ))  # fmt: skip
    assert [(one.row, one.column) for one in seen.problems] == [
        (2, "病案号"),
        (3, "身份证号"),
        (4, "身份证号"),
    ]
    assert "00300200" in seen.problems[1].text


def sample_id() -> str:
    """An identity number of a district that does not exist."""
    return sample("patients.csv").decode("utf-8-sig").splitlines()[1].split(",")[4]


def test_what_is_learnt_of_a_known_patient_can_be_forgotten_again(hospital: Hospital, desk: Desk) -> None:
    desk.run("patients", table(("病案号", "姓名", "性别"), ("00300200", "甲甲", "女")))
    done = desk.run(
        "patients",
        table(("病案号", "姓名", "出生日期", "电话"), ("00300200", "甲甲", "1990-05-05", "10000000009")),
    )
    assert done.counts == {"changed": 1}
    assert desk.undo(done).counts == {"restored_patient": 1}
    found = patient(hospital, "00300200")
    assert found is not None
    assert (found.sex, found.birth, found.phone_enc) == ("2", None, None)


@pytest.mark.parametrize(
    "account",
    ["clinician", "head", "scanner", "clerk", "inspector", "auditor", "security", "sysadmin", "stranger"],
)
def test_whoever_does_not_catalogue_records_imports_no_patients(hospital: Hospital, account: str) -> None:
    with pytest.raises((Forbidden, NotFound)):
        Desk(hospital, account).run("patients", sample("patients.csv"))
