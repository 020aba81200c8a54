"""How a record is sealed and released in a story."""

from typing import Any

from archive.models import Hold
from archive.services import holds
from tests.conftest import Hospital

PACKAGE = {
    "kind": holds.ORIGINAL, "asked_by": "patient", "hospital": "医务科 何志远", "patient": "患者丈夫 刘建国",
    "kept_at": "封存柜 F-02", "review_due": "2027-05-20", "reason": "患方申请封存病历",
}  # fmt: skip
OPENED = {"ground": "together", "present": "何志远、刘建国", "reason": "双方共同启封"}


def seal(hospital_: Hospital, record: int, /, *, by: str = "archivist", **other: Any) -> int:
    """Seals a record; gives the id of the seal."""
    with hospital_.uow(by) as uow:
        made: Hold = holds.apply(uow, uow.node(record), **PACKAGE | other)
        return made.id


def release(hospital: Hospital, seal_id: int, *, by: str = "senior", **other: Any) -> None:
    with hospital.uow(by) as uow:
        holds.release(
            uow, uow.session.get_one(Hold, seal_id, execution_options={"scope": "test"}), **OPENED | other
        )
