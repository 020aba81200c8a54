"""Stays and the records that belong to them: known ones, and many new ones at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select, tuple_

from archive.models import Encounter, Milestone, Node, Record
from archive.services.imports import bulk
from archive.services.imports.rows import Keep, Made, Row
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "imports"}
Key = tuple[int, int]
"""Patient and number of the stay."""


@dataclass
class Stays:
    """The inpatient stays of the patients of a batch, and the record of each."""

    encounters: dict[Key, Encounter] = field(default_factory=dict)
    records: dict[Key, Node] = field(default_factory=dict)

    @classmethod
    def of(cls, uow: UnitOfWork, wanted: Sequence[Key]) -> "Stays":
        """What is known of these stays, in one statement."""
        if not wanted:
            return cls()
        rows = uow.session.execute(
            select(Encounter, Node)
            .outerjoin(Record, Record.encounter_id == Encounter.id)
            .outerjoin(Node, Node.id == Record.node_id)
            .where(tuple_(Encounter.patient_id, Encounter.times).in_(wanted), Encounter.kind == "inpatient"),
            execution_options=TRUSTED,
        ).all()
        encounters = {(stay.patient_id, stay.times): stay for stay, _node in rows}
        return cls(
            encounters, {(stay.patient_id, stay.times): node for stay, node in rows if node is not None}
        )

    def admit(
        self, uow: UnitOfWork, wanted: Mapping[Key, tuple[Row, dict[str, Any]]], keep: Keep
    ) -> dict[Key, int]:
        """The ids of these stays, made where they are new. Values: the row, and what is said of its record."""
        new = [key for key in wanted if key not in self.encounters]
        for key in wanted.keys() - set(new):
            self._bring_up_to_date(self.encounters[key], wanted[key][1])
        ids = {key: stay.id for key, stay in self.encounters.items() if key in wanted}
        fixed = {"kind": "inpatient", "created_at": uow.now}
        told = [_columns(wanted[key][1]) | {"patient_id": key[0], "times": key[1], **fixed} for key in new]
        made = bulk.write_numbered(uow, Encounter, told)
        for key, number in zip(new, made, strict=True):
            keep(Made(wanted[key][0].number, "encounter", number))
        return ids | dict(zip(new, made, strict=True))

    def _bring_up_to_date(self, stay: Encounter, values: Mapping[str, Any]) -> None:
        for name, value in _columns(values).items():
            setattr(stay, name, value)


def _columns(values: Mapping[str, Any]) -> dict[str, Any]:
    left = values.get("discharged_on")
    return {
        "admitted_at": date.fromisoformat(values["admitted_on"]),
        "discharged_at": date.fromisoformat(left) if left else None,
        "dept_id": values.get("dept"),
        "outcome": values.get("outcome"),
        "attending": values.get("attending"),
    }


def join(uow: UnitOfWork, encounters: Mapping[int, int], milestones: Sequence[tuple[int, str]]) -> None:
    """Joins nodes to their stays (node id → encounter id) and writes their steps on the paper track."""
    bulk.write(uow, Record, [{"node_id": node, "encounter_id": stay} for node, stay in encounters.items()])
    reached = [
        {"node_id": node, "track": "paper", "step": step, "at": uow.now, "by_id": uow.actor.principal_id}
        for node, step in milestones
    ]
    bulk.write(uow, Milestone, reached)
