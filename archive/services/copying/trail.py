"""谁看过我的病历: what the journals know of a patient's records, in plain words, for the patient.

Staff are told by office and not by name. Lists in which a name stood among others are not told, and of work on the record
that opens nothing only that there was such work.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import date
from typing import Any

from sqlalchemy import and_, or_, select

from archive.i18n import _, _l
from archive.journal import CHANGES, READS
from archive.models import CopyRequest, Membership, Node, Patient, Principal
from archive.policy.roles import ROLES
from archive.services import audit, calendar, patient_names
from archive.services.copying import slips
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "copying trail"}
SAID = {
    "tree_view.viewed": _l("opened the record"), "page.viewed": _l("read pages"), "page.text_viewed": _l("read pages"),
    "page.thumbnail_viewed": _l("read pages"), "page.detail_viewed": _l("read pages"),
    "record.downloaded": _l("took pages away as a file"), "person.found": _l("looked the patient up by number"),
    "copy.patient_found": _l("looked the patient up by number"), "copy.file_taken": _l("printed a copy"),
    "loan.issued": _l("lent the paper volume"), "loan.returned": _l("took the paper volume back"),
    "request.approve": _l("allowed somebody to read or borrow it"), "inspection.opened": _l("opened it to an inspection"),
    "emergency.opened": _l("opened it in an emergency"),
    "request.data_given": _l("took data without your name for a study"),
    "request.copy_taken": _l("took pages away as a file"), "request.room_entered": _l("opened the record"),
    "copy.delivered": _l("handed a copy over"),
    "copy.shipped": _l("sent a copy by mail"),
}  # fmt: skip
"""What happened, as a patient understands it; all else is work on the record."""
WORK = _l("worked on the record: filing, scanning, description")
PERSON = ("person.found", "copy.patient_found")
"""Acts about the patient and no single record.

Break-glass is told of each record that it opened: of the person it would say that others were, which may be hidden.
"""
MOST = 3000
"""Rows: a list that nobody can read to its end is none."""
LEFT_OUT = _l("what was earlier is not listed")


def rows(
    uow: UnitOfWork, copy: CopyRequest, records: Collection[Node], most: int = MOST
) -> list[tuple[str, str, str, str]]:
    """Day, what, by which office, how often: the newest first, as many as `most`, and how much is left out after them.

    For the program, with records that were checked.

    Of records that are not among `records` nothing is told, not even that there are such.
    """
    ids = _inside(uow, records)
    hashes = [uow.site.keys.identity_hash(number) for number in _numbers(uow, copy)]
    mine = slips.visible(uow, CopyRequest.id).where(CopyRequest.patient_id == copy.patient_id)
    own = list(uow.session.scalars(mine))
    found = Counter[tuple[date, str, int, str]]()
    for book in (READS, CHANGES):
        event: Any = book.event
        known = event.patient_hash.in_(hashes)
        # One question each: together no index would serve them.
        asked = (
            and_(event.object_kind == "node", event.object_id.in_(ids)),
            and_(event.object_kind == "copy_request", event.object_id.in_(own), known),
            and_(event.action.in_(PERSON), event.object_kind != "node", known),
        )
        columns = (event.at, event.action, event.actor_id, event.roles)
        with audit.reading(uow.site, book) as session:
            for about in asked:
                for at, action, actor, roles in session.execute(
                    select(*columns).where(about, event.result == "ok")
                ):
                    found[calendar.day_of(uow, at), str(SAID.get(action, WORK)), actor or 0, roles] += 1
    return list(_told(uow, found, most))


def _told(
    uow: UnitOfWork, found: Counter[tuple[date, str, int, str]], most: int
) -> Iterator[tuple[str, str, str, str]]:
    """Two people of one office who did the same on one day are one row."""
    wards = _departments(uow, {actor for _day, _what, actor, _roles in found})
    by_office = Counter[tuple[date, str, str]]()
    for (day, what, actor, roles), times in found.items():
        by_office[day, what, _office(wards.get(actor, ""), roles)] += times
    ordered = sorted(by_office.items(), key=lambda row: (-row[0][0].toordinal(), row[0][1:]))
    for (day, what, office), times in ordered[:most]:
        yield str(day), what, office, str(times)
    if left := sum(times for _row, times in ordered[most:]):
        yield "", str(LEFT_OUT), "", str(left)


def _inside(uow: UnitOfWork, records: Collection[Node]) -> list[int]:
    branches = or_(*(and_(Node.path >= one.path, Node.path < one.path_end) for one in records))
    return list(uow.session.scalars(select(Node.id).where(branches), execution_options=TRUSTED))


def _numbers(uow: UnitOfWork, copy: CopyRequest) -> list[str]:
    """All record numbers of this person, those that were merged too."""
    same = select(Patient.mrn).where(patient_names.whole(Patient.id == copy.patient_id))
    return list(uow.session.scalars(same, execution_options=TRUSTED))


def _departments(uow: UnitOfWork, people: Collection[int]) -> dict[int, str]:
    member = (
        select(Membership.principal_id, Principal.name)
        .join(Principal, Principal.id == Membership.group_id)
        .where(Principal.kind == "dept", Membership.principal_id.in_(list(people)))
        .order_by(Principal.name_key)
    )
    found: dict[int, str] = {}
    for person, name in uow.session.execute(member):
        found[person] = f"{found[person]}{_(', ')}{name}" if person in found else name
    return found


def _office(ward: str, roles: str) -> str:
    titles = _(", ").join(str(ROLES[role].title) for role in roles.split() if role in ROLES)
    return f"{ward} {titles}".strip() or _("the program itself")
