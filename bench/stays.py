"""Patients, stays and volumes of the first 200,000 records: what 病案去向 looks through."""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select

from archive.models import Encounter, Holding, Location, Patient, Record
from archive.names import name_key
from archive.services.imports import bulk
from archive.uow import UnitOfWork
from bench.names import mrn_of, name_of

MOST = 200_000
DIAGNOSES = (
    "妊娠合并子宫瘢痕", "前置胎盘伴出血", "子宫平滑肌瘤", "新生儿黄疸", "支气管肺炎", "胎膜早破", "乳腺恶性肿瘤", "急性心肌梗死",
    "异位妊娠", "妊娠期糖尿病", "高血压病3级", "急性阑尾炎",
)  # fmt: skip


YEARS = range(1985, 2025)
"""In which the stays ended."""
DAYS = (date(YEARS.stop, 1, 1) - date(YEARS.start, 1, 1)).days
STAYED = timedelta(days=4)


def left_on(node: int) -> date:
    """The day on which a stay ended: scattered over all years, whatever department or diagnosis comes in turns."""
    return date(YEARS.start, 1, 1) + timedelta(days=(node * 2_654_435_761 % 2**32 >> 8) % DAYS)


def write(uow: UnitOfWork, nodes: list[dict[str, Any]]) -> None:
    """A patient with one stay and one volume on a shelf for each of these rows, until there are enough."""
    there = uow.session.scalar(select(func.count(Record.node_id)), execution_options={"scope": "bench"})
    if (there or 0) >= MOST:
        return
    patients = bulk.write_numbered(uow, Patient, [_patient(row["id"]) for row in nodes])
    pairs = zip(nodes, patients, strict=True)
    encounters = bulk.write_numbered(
        uow, Encounter, [_encounter(uow, row, patient) for row, patient in pairs]
    )
    stays = zip(nodes, encounters, strict=True)
    bulk.write(uow, Record, [{"node_id": row["id"], "encounter_id": encounter} for row, encounter in stays])
    shelf = _shelf(uow)
    bulk.write(uow, Holding, [_holding(row["id"], shelf) for row in nodes])


def diagnosis_of(node: int) -> str:
    return DIAGNOSES[node * 31 % 997 % len(DIAGNOSES)]


def _patient(node: int) -> dict[str, Any]:
    name, mother = name_of(node), name_of(node + 1)
    return {
        "mrn": mrn_of(node), "name": name, "name_key": name_key(name), "sex": "2", "birth": date(1990, 5, 5),
        "mother": mother, "mother_key": name_key(mother), "version": 1,
    }  # fmt: skip


def _encounter(uow: UnitOfWork, row: dict[str, Any], patient: int) -> dict[str, Any]:
    return {
        "patient_id": patient, "kind": "inpatient", "times": 1, "admitted_at": left_on(row["id"]) - STAYED,
        "discharged_at": left_on(row["id"]), "dept_id": row["dept_id"], "outcome": "1", "attending": "范可欣",
        "created_at": uow.now,
    }  # fmt: skip


def _holding(node: int, shelf: int) -> dict[str, Any]:
    return {
        "node_id": node, "barcode": f"B{mrn_of(node)}", "location_id": shelf, "status": "shelved", "sheets": 40,
        "version": 1,
    }  # fmt: skip


def _shelf(uow: UnitOfWork) -> int:
    known = uow.session.scalar(select(Location.id).where(Location.code == "A-01"))
    if known is not None:
        return known
    made = Location(kind="shelf", code="A-01", path="A-01/", title="A 架 01")
    uow.session.add(made)
    uow.session.flush()
    return made.id
