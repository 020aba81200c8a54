"""补录借出: a file that was never catalogued is registered while it is handed out (domain §23).

It has stood in the archive for years, so it is archived at once, as a line of an old index is: what the cover says of it is
all that is known, and is put right later.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from archive.access import Access
from archive.actor import Actor
from archive.errors import Conflict, Invalid
from archive.i18n import _
from archive.models import Holding, Node, Request, User
from archive.policy.permissions import P
from archive.policy.types import TYPES
from archive.schema import clean
from archive.services import (
    actors,
    borrowing,
    conflicts,
    holdings,
    in_hand,
    loans,
    numbers,
    policies,
    records,
    requests,
    sheet_counts,
    steps,
    tree,
)
from archive.services.requests import STAY
from archive.services.sheet_counts import Seen
from archive.uow import UnitOfWork, action

KIND = TYPES["medical_record"]
TYPED = {"mrn": "number", "times": "number", "patient_name": "name", "declared_words": "declared", "days": "purpose",
         "kind": "purpose"}  # fmt: skip
"""Under which field of the desk's form stands what other forms call so."""


@dataclass(frozen=True)
class Form:
    """What the form of the desk offers."""

    departments: dict[str, str]
    sexes: dict[str, str]
    purposes: dict[str, str]


def may(uow: UnitOfWork) -> bool:
    """Whether the actor describes records and handles them at the desk."""
    return uow.can(P.ADD) and uow.can(P.REQUEST_HANDLE) and _home(uow) is not None


def form(uow: UnitOfWork) -> Form:
    """The choices of the form."""
    words = policies.vocabulary
    return Form(tree.vocabulary(uow, "departments"), words(uow, "sex"), words(uow, "purpose"))


def _home(uow: UnitOfWork) -> Node | None:
    """The category of inpatient records into which the actor may put one."""
    found = uow.list(uow.nodes(P.ADD).where(Node.type == "category").order_by(Node.path))
    return next((node for node in found if tree.fits(KIND, node)), None)


@action("loan.taken_up", needs=P.REQUEST_HANDLE)
def take_up(uow: UnitOfWork, typed: Mapping[str, str]) -> tuple[Request, str]:
    """Registers what lies on the desk by what its cover says, and hands it out to whoever stands there; gives the slip and the
    barcode. Where the rules want others to approve it first, it is registered and asked for, and stays.

    Raises Invalid, field by field, for whatever is wrong or stands in the way, and then nothing is kept.
    """
    home = _home(uow)
    uow.require(P.ADD, home)
    if home is None:
        raise Conflict(_("There is no category for inpatient records."))
    borrower, values = _checked(uow, typed)
    # The counter's row is locked from here on: of two desks with the same number, the second finds what the first has registered.
    drawn = numbers.slip(uow, "JY")
    try:
        return _taken_up(uow, home, borrower, values, drawn, typed)
    except Invalid as wrong:
        raise Invalid(
            fields={TYPED.get(name, name): why for name, why in wrong.fields.items()}
            or {"number": str(wrong)}
        ) from wrong


def _taken_up(uow: UnitOfWork, home: Node, borrower: Actor, values: dict[str, Any], drawn: str,
              typed: Mapping[str, str]) -> tuple[Request, str]:  # fmt: skip
    node = _planted(uow, home, values)
    uow.about(node)
    sheets = _sheets(typed)
    held = _registered(uow, node, clean(typed.get("barcode", "")), sheets)
    if P.REQUEST_CREATE not in Access(uow.session, borrower, uow.now).permissions(node):
        raise Invalid(
            fields={"badge": _("%(name)s may not ask for records of this kind.", name=borrower.name)}
        )
    terms = borrowing.checked(
        uow, borrowing.offered(uow, node, borrower), kind="paper", purpose=typed.get("purpose", ""), days="", reason=None,
        declared=conflicts.NONE if typed.get("declared") else "",
    )  # fmt: skip
    request = requests.file_for(uow, node, terms, drawn, asker=borrower.principal_id or 0)
    if any(step.name == "approve" for step in requests.offers(uow, request)):
        requests.advance(uow, request, "approve")
    uow.note(number=request.number, barcode=held.barcode, record=f"{values['mrn']}-{values['times']}")
    if request.state == "approved":
        _issue(uow, request, held.barcode, Seen(sheets))
    return request, held.barcode


def _registered(uow: UnitOfWork, node: Node, barcode: str, sheets: int | None) -> Holding:
    try:
        return holdings.register(uow, node, barcode=barcode or None, sheets=sheets)
    except Conflict as taken:
        raise Invalid(fields={"barcode": str(taken)}) from taken


def _issue(uow: UnitOfWork, request: Request, barcode: str, seen: Seen) -> None:
    uow.session.flush()
    try:
        loans.issue(uow, request, barcode=barcode, seen=seen, held=in_hand.lay(uow, barcode))
    except Conflict as refusal:
        counts = isinstance(refusal, sheet_counts.MustCount)
        raise Invalid(fields={"sheets" if counts else "badge": str(refusal)}) from refusal


def _checked(uow: UnitOfWork, typed: Mapping[str, str]) -> tuple[Actor, dict[str, Any]]:
    """Who takes it, and what the cover says, as values of a record. Raises Invalid."""
    wrong = {}
    number = STAY.fullmatch(clean(typed.get("number", "")))
    if number is None:
        wrong["number"] = _("Write the record number and the stay, for example 00218647-2.")
    if not clean(typed.get("discharged_on", "")):
        wrong["discharged_on"] = _("Write the discharge date: the year in which it is filed follows from it.")
    borrower = _borrower(uow, typed.get("badge", ""))
    if borrower is None:
        wrong["badge"] = _("Scan the badge of whoever takes it.")
    values = {}
    try:
        values = tree.checked(
            uow, KIND, _said(typed, number[1] if number else "000000", number[2] if number else "1")
        )
    except Invalid as refused:
        wrong = {TYPED.get(name, name): why for name, why in refused.fields.items()} | wrong
    if not clean(typed.get("admitted_on", "")):  # then it is the other day that is said
        wrong.pop("admitted_on", None)
    if values.get("discharged_on", "") > uow.today.isoformat():
        wrong["discharged_on"] = _("This day is still to come.")
    if wrong or borrower is None:
        raise Invalid(fields=wrong)
    return borrower, values


def _said(typed: Mapping[str, str], mrn: str, times: str) -> dict[str, str]:
    """What the cover says. One without the day of admission counts from the discharge, and its note says so."""
    said = {name: typed.get(name, "") for name in ("dept", "sex", "admitted_on", "discharged_on")}
    said |= {"mrn": mrn, "times": times, "patient_name": typed.get("name", ""), "sex": said["sex"] or "0"}
    if not clean(said["admitted_on"]):
        said |= {
            "admitted_on": said["discharged_on"],
            "note": _("The day of admission was not on the cover."),
        }
    return said


def _borrower(uow: UnitOfWork, badge: str) -> Actor | None:
    known = select(User.id).where(User.staff_no == clean(badge).upper(), User.disabled_at.is_(None))
    number = uow.session.scalar(known) if clean(badge) else None
    return actors.load(uow.session, number, uow.now) if number is not None else None


def _sheets(typed: Mapping[str, str]) -> int | None:
    text = clean(typed.get("sheets", ""))
    if text and not (text.isdecimal() and len(text) < 6):
        raise Invalid(fields={"sheets": _("Write the number of sheets.")})
    return int(text) if text else None


def _planted(uow: UnitOfWork, home: Node, values: dict[str, Any]) -> Node:
    """The record in the series of its year, archived. Raises Invalid for a stay that has a record already."""
    try:
        node = tree.plant(uow, tree.series_for(uow, home, KIND, values), KIND, values)
    except Conflict as known:
        raise Invalid(fields={"number": str(known)}) from known
    steps.take_in(uow, node)
    records.reach(uow, node, "paper", "collected")
    return node
