"""How a record is sealed and released in a story."""

from typing import Any

from archive.models import Hold
from archive.services import holds, unsealing
from tests.conftest import Hospital

HOSPITAL = {"side": "hospital", "name": "何志远", "office": "医务科", "proof": "工号 0031"}
HUSBAND = {"side": "patient", "name": "刘建国", "office": "患者丈夫", "proof": "结婚证"}
NOTARY = {"side": "notary", "name": "冯立", "office": "云川县公证处", "proof": ""}
BOTH = [HOSPITAL, HUSBAND]
PACKAGE: dict[str, Any] = {
    "kind": holds.ORIGINAL, "asked_by": "patient", "people": BOTH, "kept_at": "封存柜 F-02", "key_no": "F02-17",
    "review_due": "2027-05-20", "reason": "患方申请封存病历",
}  # fmt: skip
OPENED: dict[str, Any] = {"ground": "together", "people": BOTH, "reason": "双方共同启封"}


def typed(package: dict[str, Any]) -> dict[str, Any]:
    """A package as a form sends it: the people in rows, column by column."""
    people = {f"people_{name}": [one[name] for one in package["people"]] for name in HOSPITAL}
    return {name: value for name, value in package.items() if name != "people"} | people


def seal(hospital_: Hospital, record: int, /, *, by: str = "archivist", **other: Any) -> int:
    """Seals a record; gives the id of the seal."""
    with hospital_.uow(by) as uow:
        made: Hold = holds.apply(uow, uow.node(record), **PACKAGE | other)
        return made.id


def release(hospital: Hospital, seal_id: int, *, by: str = "senior", **other: Any) -> None:
    with hospital.uow(by) as uow:
        unsealing.release(
            uow, uow.session.get_one(Hold, seal_id, execution_options={"scope": "test"}), **OPENED | other
        )
