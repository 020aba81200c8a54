"""Whose number it is: what was written wrong of a patient is put right, and nobody gets the identity of another."""

import pytest
from sqlalchemy import func, select

from archive.errors import Invalid
from archive.models import Encounter, Node, Patient, PatientAlias
from archive.services import tree, typed
from tests.conftest import RECORD, Hospital

TEST = {"scope": "test"}


def entered(hospital: Hospital, **fields: str) -> int:
    """A record of the patient of all tests (00218647, second stay, 刘婷婷), but for what is said."""
    with hospital.uow("archivist") as uow:
        values = RECORD | {"dept": str(hospital.wards["CK"])} | fields
        return tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record", fields=values).id


def edited(hospital: Hospital, record: int, **fields: str) -> str:
    """Changes fields of a record; gives what the journal says of it."""
    with hospital.uow("archivist") as uow:
        node = uow.node(record)
        tree.edit(uow, node, fields=typed.form_values(uow, node) | fields, version=node.version)
        return str([event.words for event in uow.events])


def name_of(hospital: Hospital, mrn: str) -> str | None:
    with hospital.site.session(readonly=True) as session:
        return session.scalar(select(Patient.name).where(Patient.mrn == mrn), execution_options=TEST)


@pytest.mark.parametrize("known", ["identity", "phone", "mother", "old number", "merged"])
def test_a_record_does_not_rename_somebody_of_whom_more_is_known(
    hospital: Hospital, record: int, known: str
) -> None:
    keys = hospital.site.keys
    with hospital.site.session() as session:
        patient = session.scalars(
            select(Patient).where(Patient.mrn == RECORD["mrn"]), execution_options=TEST
        ).one()
        if known == "identity":
            patient.id_hash = keys.identity_hash("110101199403020028")
        elif known == "phone":
            patient.phone_enc = keys.encrypt("identity-enc", "13800000000")
        elif known == "mother":
            patient.mother = "刘母"
        elif known == "old number":
            session.add(PatientAlias(patient_id=patient.id, kind="mrn", value="A1234"))
        else:
            session.add(Patient(mrn="00900000", name="刘婷", name_key="liu ting", merged_into=patient.id))
    with pytest.raises(Invalid):
        edited(hospital, record, patient_name="王五")
    assert name_of(hospital, RECORD["mrn"]) == RECORD["patient_name"]


def test_number_of_the_stay_and_then_the_name_are_put_right(hospital: Hospital, record: int) -> None:
    edited(hospital, record, times="1")
    told = edited(hospital, record, patient_name="刘亭亭")
    assert "patient_renamed" in told, "the journal says that it was the patient who was changed"
    assert name_of(hospital, RECORD["mrn"]) == "刘亭亭"
    with hospital.site.session(readonly=True) as session:
        assert session.scalar(select(func.count(Encounter.id)), execution_options=TEST) == 1, (
            "none is left behind"
        )


def test_a_number_that_was_typed_wrong_is_free_for_whose_it_is(hospital: Hospital) -> None:
    wrong = entered(hospital, mrn="00400001")
    edited(hospital, wrong, mrn="00400002")
    right = entered(hospital, mrn="00400001", patient_name="陈红")
    assert (name_of(hospital, "00400001"), name_of(hospital, "00400002")) == ("陈红", RECORD["patient_name"])
    with hospital.uow("archivist", readonly=True) as uow:
        assert uow.session.get_one(Node, right, execution_options=TEST).data["mrn"] == "00400001"


def test_two_stays_of_one_name_are_not_one_records_to_rename(hospital: Hospital, record: int) -> None:
    entered(hospital, times="3")
    with pytest.raises(Invalid):
        edited(hospital, record, patient_name="刘亭亭")
