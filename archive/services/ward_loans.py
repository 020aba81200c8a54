"""取回科室: a volume that is in the store goes back to its own ward for completion, as a short loan by the lending rules.

Whoever stands at the desk belongs to the ward of the record. They need not find it in the system: many such records are not
archived yet. The days, the renewals and who approves it stand in the rule for this purpose.
"""

from collections.abc import Mapping

from sqlalchemy import select

from archive.actor import Actor
from archive.errors import Conflict
from archive.i18n import _
from archive.models import Node, Principal, User
from archive.policy import lending
from archive.policy.lending import PAPER, Rule
from archive.policy.permissions import P
from archive.services import actors, in_hand, loans, numbers, policies, requests, reservations
from archive.services.borrowing import Terms
from archive.services.in_hand import InHand
from archive.uow import UnitOfWork, action, could

PURPOSE = "completion"


def offered(uow: UnitOfWork, held: InHand, staff_no: str) -> str:
    """The ward to which the volume may go back with this person, or nothing."""
    if held.is_out or not staff_no:
        return ""
    person = _person(uow, staff_no)
    if person is None or _rule(uow, held.node, person) is None or held.node.dept_id is None:
        return ""
    return uow.session.get_one(Principal, held.node.dept_id).name


def _person(uow: UnitOfWork, staff_no: str) -> Actor | None:
    known = select(User.id).where(User.staff_no == staff_no, User.disabled_at.is_(None))
    found = uow.session.scalar(known)
    return actors.load(uow.session, found, uow.now) if found is not None else None


def _rule(uow: UnitOfWork, node: Node, person: Actor) -> Rule | None:
    """The first rule for this purpose that fits somebody of the record's own ward, whenever it was treated there."""
    if node.dept_id not in person.departments or not could(person, P.REQUEST_CREATE):
        return None
    body: Mapping[str, object] = policies.in_force(uow, "loans").body
    asker = lending.Asker(person.roles, person.clearance, treats=True)
    return lending.offered(lending.rules(body), asker, node.level).get(PURPOSE, {}).get(PAPER)


@action("loan.taken_to_ward", needs=P.REQUEST_HANDLE)
def take_to_ward(uow: UnitOfWork, *, barcode: str, staff_no: str) -> str:
    """Hands a volume to somebody of its ward, for as long as the rule says; gives its barcode.

    Raises Conflict for anybody else, where the rule wants others to approve it first, and as `loans.issue` does.
    """
    held, person = in_hand.lay(uow, barcode, f"B{barcode}"), _person(uow, staff_no)
    node, barcode = held.node, held.holding.barcode
    uow.about(node)
    rule = _rule(uow, node, person) if person else None
    if person is None or rule is None:
        raise Conflict(
            _(
                "Only somebody of the record's own ward takes it back for completion, as the lending rules say."
            )
        )
    days = rule.most(PAPER)
    version = policies.in_force(uow, "loans").version
    try:
        request = requests.file_for(
            uow, node, Terms(PAPER, PURPOSE, days, None, rule, version), numbers.slip(uow, "JY"),
            asker=person.principal_id or 0,
        )  # fmt: skip
    except requests.AskedAlready as known:
        raise Conflict(_("They have asked for it already, and it is not approved yet.")) from known
    if any(step.name == "approve" for step in requests.offers(uow, request)):
        requests.advance(uow, request, "approve")
    if request.state != "approved":
        raise Conflict(_("By the lending rules others approve this first: let them ask for it."))
    uow.session.flush()
    loans.issue(
        uow, request, barcode=barcode, held=in_hand.lay(uow, barcode), line=reservations.turns(uow, node)
    )
    uow.note(number=request.number, barcode=barcode, to=person.principal_id)
    return barcode
