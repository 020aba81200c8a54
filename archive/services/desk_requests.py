"""现场申请: somebody stands at the desk with a volume for which they have not asked, and asks for it there.

They get what they could ask for on the page of the record, by the same rules, clearance and limits. What a rule opens at once
goes out with one press; what others decide is filed in their name and waits for those. 取回科室: the record's own ward may have
it for completion also before it is archived, and whenever the patient was there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from archive.access import Access, vetoed_by
from archive.actor import Actor
from archive.errors import Conflict
from archive.i18n import _
from archive.models import Node, Request, User
from archive.policy.lending import PAPER, Rule
from archive.policy.permissions import P
from archive.services import (
    actors,
    borrowing,
    deciders,
    in_hand,
    notices,
    numbers,
    policies,
    requests,
    reservations,
    slips,
)
from archive.services.borrowing import Offered
from archive.services.in_hand import InHand
from archive.services.notice_words import AT_DESK
from archive.services.slips import Slip
from archive.uow import UnitOfWork, action, could

OF_ITS_WARD = "completion"


@dataclass(frozen=True)
class Choice:
    """申请项: one purpose for which somebody may have the volume, and who decides that."""

    purpose: str
    words: str
    rule: Rule
    name: str
    """Of the rule, for whoever may know of the record: a rule for sensitive records tells that this is one."""
    decided_by: str


@dataclass(frozen=True)
class Offer:
    """What whoever stands at the desk may do about a volume for which they have not asked."""

    at_once: Sequence[Choice] = ()
    """What goes out with one press."""
    others: Sequence[Choice] = ()
    """What others decide first."""
    allowed: Offered = field(default_factory=dict)
    why_not: str = ""
    """What stands in the way of all of it."""
    asked: Slip | None = None
    """What they have asked for already."""
    waiting: int = 0
    """So many are promised it before them."""


def offered(uow: UnitOfWork, held: InHand, staff_no: str) -> Offer | None:
    """What somebody may ask for here; nothing where they could not ask themselves: that is not told apart from anything else."""
    person = _person(uow, staff_no)
    if held.is_out or person is None:
        return None
    allowed = _allowed(uow, held.node, person)
    if not allowed:
        return None
    if (asked := of(uow, held.node, staff_no)) is not None:
        return Offer(asked=asked)
    if objection := borrowing.hindrance(uow, held.node, PAPER):
        return Offer(why_not=objection)
    if borrowing.has_too_many(uow, person):
        return Offer(
            why_not=_("They have as many open requests as the rules allow. They ask when some are done.")
        )
    if not (allowed := _unblocked(uow, allowed, person)):
        return Offer(why_not=_("The borrower has a volume that is overdue. It comes back first."))
    choices = _choices(uow, held.node, allowed)
    return Offer(
        [one for one in choices if one.rule.is_at_once], [one for one in choices if not one.rule.is_at_once], allowed,
        waiting=len([turn for turn in reservations.waiting(uow, held.node) if not turn.is_over(uow.now)]),
    )  # fmt: skip


def _person(uow: UnitOfWork, staff_no: str) -> Actor | None:
    known = select(User.id).where(User.staff_no == staff_no, User.disabled_at.is_(None))
    found = uow.session.scalar(known) if staff_no else None
    return actors.load(uow.session, found, uow.now) if found is not None else None


def _allowed(uow: UnitOfWork, node: Node, person: Actor) -> Offered:
    """Purpose → paper → rule, of what they could ask for themselves."""
    found: Offered = {}
    if {P.DISCOVER, P.REQUEST_CREATE} <= Access(uow.session, person, uow.now).permissions(node):
        found = dict(borrowing.offered(uow, node, person))
    if _is_of_its_ward(node, person):
        found |= borrowing.offered_as(uow, node, person, treats=True, purpose=OF_ITS_WARD)
    return {purpose: {PAPER: media[PAPER]} for purpose, media in found.items() if PAPER in media}


def _is_of_its_ward(node: Node, person: Actor) -> bool:
    """Many records that a ward wants back are not archived yet, so that nobody could ask for them on their page."""
    away = P.REQUEST_CREATE in vetoed_by(node.overlay)
    return not away and node.dept_id in person.departments and could(person, P.REQUEST_CREATE)


def _unblocked(uow: UnitOfWork, allowed: Offered, person: Actor) -> Offered:
    if not borrowing.is_blocked(uow, person.principal_id):
        return allowed
    return {purpose: media for purpose, media in allowed.items() if media[PAPER].while_overdue}


def _choices(uow: UnitOfWork, node: Node, allowed: Offered) -> list[Choice]:
    words, knows = policies.vocabulary(uow, "purpose"), uow.can(P.DISCOVER, node)
    return [
        Choice(purpose, words.get(purpose, purpose), rule, policies.said(rule.label) if knows else "",
               deciders.said(rule.approvers))
        for purpose, rule in ((purpose, media[PAPER]) for purpose, media in allowed.items())
    ]  # fmt: skip


def of(uow: UnitOfWork, node: Node, staff_no: str) -> Slip | None:
    """What somebody has asked for of the paper of a record, as far as the actor handles it."""
    theirs = select(User.id).where(User.staff_no == staff_no)
    found = slips.listed(
        uow, Request.requester_id.in_(theirs), Request.node_id == node.id, Request.kind == PAPER, slips.is_open(uow),
        newest_first=True, most=1,
    )  # fmt: skip
    return found[0] if found else None


@action("request.asked_at_desk", needs=P.REQUEST_HANDLE)
def ask(
    uow: UnitOfWork, *, barcode: str, staff_no: str, purpose: str, days: str = "", reason: str = "",
    declared: str = "", declared_words: str = "",
) -> Request:  # fmt: skip
    """Files what somebody who stands at the desk asks for, in their name; what its rule opens at once is approved.

    Raises Invalid, field by field, and Conflict for what they could not ask for themselves.
    """
    held, person = in_hand.lay(uow, barcode), _person(uow, staff_no)
    uow.about(held.node)
    offer = offered(uow, held, staff_no)
    if person is None or offer is None:
        raise Conflict(_("The lending rules do not let them have it."))
    if offer.asked is not None:
        raise Conflict(
            _("They have asked for it already: %(number)s, %(state)s.", number=offer.asked.number, state=offer.asked.state.title)
        )  # fmt: skip
    if offer.why_not:
        raise Conflict(offer.why_not)
    terms = borrowing.checked(
        uow, offer.allowed, kind=PAPER, purpose=purpose, days=days, reason=reason, declared=declared,
        declared_words=declared_words,
    )  # fmt: skip
    drawn = numbers.slip(uow, "JY")  # the counter after the record, as everywhere
    request = requests.file_for(uow, held.node, terms, drawn, asker=person.principal_id or 0)
    uow.note(asker=person.principal_id, barcode=held.holding.barcode)
    notices.in_line(uow, request, AT_DESK)
    return request


def why_it_waits(rule: Rule) -> str:
    """Who decides what was filed here, in a sentence."""
    if rule.is_at_once:
        return _("Something was declared, so whoever decides on the record looks at it first.")
    return _("It is decided by: %(offices)s.", offices=deciders.said(rule.approvers))
