"""按登记项检索: what the index does not hold, found in the database: archival numbers by their beginning, patients, stays."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select

from archive.index_fields import TIER
from archive.models import Encounter, Node, Patient, Record
from archive.numbering import normalised
from archive.policy.permissions import P
from archive.policy.types import CONTAINERS, INHERITING
from archive.schema import Tier
from archive.services import patient_names
from archive.uow import UnitOfWork
from index import Among, FieldSpec, Kind, Or, Query, range_of

TRUSTED: Any = {"scope": "by_register"}
AT = {Tier.DISCOVER: P.DISCOVER, Tier.IDENTIFY: P.IDENTIFY}
MOST = 200_000
"""So many files are gathered for one condition; whoever means more leaves the condition out."""
TOO_MANY = "This fits too many records. Write more of it."
SHORTEST = 2


def by_number(uow: UnitOfWork, text: str, *, whole: bool) -> Query:
    """档号: what has this archival number, or one that begins so. Raises ValueError."""
    number = normalised(text).rstrip("*")
    if len(number) < SHORTEST:
        raise ValueError(TOO_MANY)
    begins = and_(Node.archival_no >= number, Node.archival_no < number + patient_names.LAST)
    numbered = uow.nodes(P.DISCOVER, Node.id).where(Node.archival_no == number if whole else begins)
    within = _in_files(uow, "archival_no", Tier.DISCOVER, numbered)
    return Or((within, replace(within, by=None)))  # items have numbers of their own


def by_mother(uow: UnitOfWork, text: str, *, whole: bool) -> Among:
    """母亲姓名: records of patients whose mother is called so, or whose name begins so. Raises ValueError."""
    return _of_people(uow, "mother", patient_names.mothers(text, exact=whole))


def by_former_name(uow: UnitOfWork, text: str, *, whole: bool) -> Among:
    """曾用名: records of patients who were called so once. Raises ValueError."""
    return _of_people(uow, "former_name", patient_names.formerly(text, exact=whole))


def _of_people(uow: UnitOfWork, name: str, condition: ColumnElement[bool]) -> Among:
    return _of_stays(uow, name, Tier.IDENTIFY, patient_names.whole(condition))


def _dated(name: str, tier: Tier, column: Any) -> Callable[..., Among]:
    """A day, a month, a year or a range of them, of the patient or of the stay. Raises ValueError."""

    def found(uow: UnitOfWork, text: str, *, whole: bool) -> Among:  # noqa: ARG001 - a day is always the whole day
        days = range_of(FieldSpec(name, Kind.DATE), text)
        bounds = [column >= days.low] if days.low else []
        bounds += [column <= days.high] if days.high else []
        return _of_stays(uow, name, tier, and_(column.is_not(None), *bounds))

    return found


READINGS: dict[str, Callable[..., Query]] = {
    "archival_no": by_number, "mother": by_mother, "former_name": by_former_name,
    "birth": _dated("birth", Tier.IDENTIFY, Patient.birth),
    "admitted_on": _dated("admitted_on", Tier.DISCOVER, Encounter.admitted_at),
    "discharged_on": _dated("discharged_on", Tier.DISCOVER, Encounter.discharged_at),
}  # fmt: skip
DATES = frozenset({"birth", "admitted_on", "discharged_on"})


def branch(uow: UnitOfWork, top: Node) -> Among:
    """What lies below `top`, and itself. Which of it may be known of, the index asks its own mask."""
    if top.type not in ("root", *CONTAINERS):
        by = None if top.type in INHERITING else "file"
        return Among("under", frozenset({top.id}), TIER[Tier.DISCOVER], by)
    # The few containers are read by their type; by its path a database would read all that lies in the branch.
    begins = func.substr(Node.path, 1, len(top.path)) == top.path
    inside = select(Node.id).where(Node.type.in_(CONTAINERS), begins)
    folders = frozenset(uow.session.scalars(inside, execution_options=TRUSTED))
    return Among("under", folders, TIER[Tier.DISCOVER], by="folder")


def paths_of_folders(uow: UnitOfWork) -> dict[int, str]:
    """The path of each container: what is counted by its folder is so counted by branch. For counting, never to be shown."""
    every = select(Node.id, Node.path).where(Node.type.in_(CONTAINERS))
    return dict(uow.session.execute(every, execution_options=TRUSTED).all())


def _of_stays(uow: UnitOfWork, name: str, tier: Tier, condition: ColumnElement[bool]) -> Among:
    """The records whose patient or stay meets the condition, where they are held at the tier of what is asked."""
    files = uow.nodes(AT[tier], Node.id).join(Record, Record.node_id == Node.id)
    files = files.join(Encounter, Encounter.id == Record.encounter_id).join(
        Patient, Patient.id == Encounter.patient_id
    )
    return _in_files(uow, name, tier, files.where(condition))


def _in_files(uow: UnitOfWork, name: str, tier: Tier, files: Select[Any]) -> Among:
    """Files and their items: who a file is about is said of all that lies in it."""
    numbers = frozenset(uow.session.scalars(files.limit(MOST + 1)))
    if len(numbers) > MOST:
        raise ValueError(TOO_MANY)
    return Among(name, numbers, TIER[tier], by="file")
