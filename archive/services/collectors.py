"""代领人: whoever collects a volume for the borrower, who stays responsible for it."""

import re
from datetime import timedelta

from sqlalchemy import select

from archive.errors import Conflict, Invalid
from archive.i18n import _
from archive.models import User
from archive.policy.permissions import P
from archive.schema import clean
from archive.services import in_hand
from archive.uow import UnitOfWork, action

WITHIN = timedelta(minutes=10)
"""Who came for it is written down while they stand at the desk."""
LONGEST = 80
PHONE = re.compile(r"\+?[0-9][0-9 -]{5,19}")


def account(uow: UnitOfWork, staff_no: str) -> int | None:
    """The account of a badge that may be used."""
    badge = select(User.id).where(User.staff_no == clean(staff_no).upper(), User.disabled_at.is_(None))
    return uow.session.scalar(badge)


@action("loan.collected", needs=P.REQUEST_HANDLE)
def name(uow: UnitOfWork, barcode: str, *, who: str, phone: str) -> None:
    """Writes down who has just collected a volume: somebody of the house by the staff number, others by name and telephone.

    Raises Conflict for what the actor has not handed out a moment ago and for the borrower, Invalid for what is missing.
    """
    held = in_hand.lay(uow, barcode)
    line, request = held.line, held.request
    uow.about(held.node)
    if line is None or request is None or not held.is_out or line.out_by != uow.actor.principal_id:
        raise Conflict(_("Whoever handed it out says within ten minutes who has collected it."))
    if uow.now - line.out_at > WITHIN:
        raise Conflict(_("Whoever handed it out says within ten minutes who has collected it."))
    of_the_house = account(uow, who)
    if of_the_house == request.requester_id:
        raise Conflict(_("This is the borrower."))
    person, typed = _checked(who, phone) if of_the_house is None else (None, None)
    line.collector_id, line.collector_name = of_the_house, person
    line.collector_phone_enc = uow.site.keys.encrypt("identity-enc", typed) if typed else None
    uow.note(
        number=request.number, barcode=held.holding.barcode, collector=of_the_house, name=person, phone=typed
    )


def _checked(who: str, phone: str) -> tuple[str, str]:
    person, number, wrong = clean(who), clean(phone), {}
    if not 1 < len(person) <= LONGEST or not any(letter.isalpha() for letter in person):
        wrong["who"] = _("A staff number that is known here, or a name.")
    if not PHONE.fullmatch(number):
        wrong["phone"] = _("A telephone number, please.")
    if wrong:
        raise Invalid(fields=wrong)
    return person, number
