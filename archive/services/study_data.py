"""去标识化数据: what a study takes away instead of the records, of those that were granted to it and are open now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from archive.errors import Conflict, NotFound
from archive.i18n import Lazy, _, _l, ngettext
from archive.journal import Event
from archive.models import Encounter, Node, Patient, Principal, Record, Request, RequestBundle
from archive.policy import study_data
from archive.policy.lending import DATA, Rule
from archive.policy.permissions import P
from archive.policy.study_data import HIDDEN, Stay, StudyData
from archive.services import patient_names, policies
from archive.spreadsheet import as_xlsx
from archive.uow import UnitOfWork

COLUMNS: dict[str, Lazy] = {
    "patient": _l("Patient, by a code of this study"), "sex": _l("Sex"), "age": _l("Age"),
    "admitted": _l("Admitted"), "days": _l("Days of stay"), "dept": _l("Department"),
    "outcome": _l("Way of leaving"), "diagnosis": _l("Diagnosis code"), "operations": _l("Operation codes"),
}  # fmt: skip
HOW: dict[str | bool, Lazy] = {
    "years": _l("in years"), "fives": _l("in ranges of five years"), "tens": _l("in ranges of ten years"),
    "month": _l("the month"), "quarter": _l("the quarter"), "year": _l("the year"),
    "code": _l("in full"), "category": _l("the category alone"),
}  # fmt: skip


def _rule(uow: UnitOfWork) -> StudyData:
    return StudyData(**policies.in_force(uow, "study_data").body)


def least(uow: UnitOfWork) -> int:
    """Of how many records data are given at least: of fewer, none would be like the others."""
    return _rule(uow).limits.alike


def given(uow: UnitOfWork) -> list[str]:
    """What is given of each stay, in words."""
    return [
        f"{COLUMNS[column]} ({HOW[how]})" if how in HOW else str(COLUMNS[column])
        for column, how in study_data.given(_rule(uow)).items()
    ]


def comes_first(rule: Rule | None, kind: str) -> bool:
    """Whether by a rule data without names come before what is asked for (domain §10)."""
    return rule is not None and kind != DATA and rule.media[0] == DATA


def would_do(uow: UnitOfWork, rule: Rule | None, kind: str, many: int) -> bool:
    """Whether so many records could be had as data, so that somebody who asks for something else has to say why."""
    return comes_first(rule, kind) and many >= least(uow)


def objection(uow: UnitOfWork, kind: str, many: int) -> str | None:
    """Why so many records cannot be asked for as data, or nothing."""
    if kind != DATA or many >= (few := least(uow)):
        return None
    return _too_few(few)


def _too_few(least: int) -> str:
    return _(
        "Data without names are given of %(least)d records or more: of fewer, anybody could be told.",
        least=least,
    )


@dataclass(frozen=True)
class Open:
    """What of a bundle is granted to its asker and open now; why none of it is given, or nothing."""

    records: int
    why_not: str = ""


def open_now(uow: UnitOfWork, row: RequestBundle) -> Open:
    """Of how many records of a bundle the actor may take the data now. None are where too few patients are left."""
    if row.kind != DATA or row.requester_id != uow.actor.principal_id:
        return Open(0)
    people, few = _people(uow, row), least(uow)
    return Open(len(people), _too_few(few) if people and len(set(people.values())) < few else "")


def _granted(uow: UnitOfWork, row: RequestBundle, *entities: Any) -> Any:
    return (
        uow.nodes(P.DEIDENTIFIED, *entities)
        .select_from(Node)
        .join(Request, Request.node_id == Node.id)
        .where(
            Request.bundle_id == row.id, Request.kind == DATA, Request.requester_id == uow.actor.principal_id,
            Request.state == "active", Request.until > uow.now,
        )
        .order_by(Node.id)
    )  # fmt: skip


def take(uow: UnitOfWork, row: RequestBundle) -> bytes:
    """The data of a bundle as a workbook; of each record the journal keeps that it was among them.

    Raises NotFound for anybody but the asker, Conflict where nothing is open, or of too few.
    """
    if row.requester_id != uow.actor.principal_id:
        raise NotFound
    rule, found = _rule(uow), uow.session.execute(_granted(uow, row, Node)).scalars().all()
    if not found or (why_not := open_now(uow, row).why_not):
        raise Conflict(why_not if found else _("No data of this bundle are open now."))
    uow.read(Event("request.data_exported", words={"number": row.number, "records": len(found)}))
    for node in found:
        uow.read(uow.event_about(node, Event("request.data_given", words={"number": row.number})))
    rows = study_data.rows(rule, _stays(uow, row, found))
    return as_xlsx(_table(rule, rows), _remarks(uow, row, rule, rows))


def _stays(uow: UnitOfWork, row: RequestBundle, found: Sequence[Node]) -> Iterator[Stay]:
    wards = {node.dept_id for node in found}
    names: dict[int | None, str] = dict(
        uow.session.execute(select(Principal.id, Principal.name).where(Principal.id.in_(wards))).all()
    )
    words = {name: policies.vocabulary(uow, name) for name in ("sex", "outcome")}
    who = _people(uow, row)
    for node in found:
        said = node.data
        yield Stay(
            uow.site.keys.identity_hash(f"{row.uuid}:{who[node.id]}")[:10],
            words["sex"].get(said.get("sex", ""), ""), _day(said.get("birth")), node.date_from, node.date_to,
            names.get(node.dept_id, ""), words["outcome"].get(said.get("outcome", ""), ""),
            said.get("diagnosis_code") or "", (said.get("operation_codes") or "").split("；"),
        )  # fmt: skip


def _people(uow: UnitOfWork, row: RequestBundle) -> dict[int, int]:
    """Record → its patient, under whose number everything stands now."""
    joined = (
        _granted(uow, row, Node.id, patient_names.head())
        .join(Record, Record.node_id == Node.id)
        .join(Encounter, Encounter.id == Record.encounter_id)
        .join(Patient, Patient.id == Encounter.patient_id)
    )
    return dict(uow.session.execute(joined).all())


def _day(said: str | None) -> date | None:
    return date.fromisoformat(said) if said else None


def _table(rule: StudyData, rows: Sequence[study_data.Row]) -> Iterator[list[object]]:
    columns = list(study_data.given(rule))
    yield [str(COLUMNS[column]) for column in columns]
    for row in rows:
        yield [row[column] for column in columns]


def _remarks(
    uow: UnitOfWork, row: RequestBundle, rule: StudyData, rows: Sequence[study_data.Row]
) -> Iterator[list[object]]:
    policy = policies.in_force(uow, "study_data")
    yield [_("Bundle %(number)s", number=row.number), uow.actor.name, f"{uow.local(uow.now):%Y-%m-%d %H:%M}"]
    yield [ngettext("%(num)d record", "%(num)d records", len(rows))]
    yield [
        _(
            "For the study that was approved, and for nothing else. Nobody tries to find out who is who, and nobody passes it on."
        )
    ]
    yield [_("Where fewer than %(num)d patients would be alike in sex, age, admission and department, %(sign)s stands instead.",
             num=rule.limits.alike, sign=HIDDEN)]  # fmt: skip
    yield [_("By version %(n)d of the policy:", n=policy.version), policies.said(policy.source)]
