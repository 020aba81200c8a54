"""逐级审批: the offices that a rule names are asked in their order; the last one decides (domain §10)."""

from functools import partial
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.exc import IntegrityError

from archive.actor import Actor
from archive.errors import Conflict, Forbidden, Invalid
from archive.i18n import _
from archive.models import Node, Principal, Request, RequestApproval, RequestConflict
from archive.policy.lending import Rule
from archive.policy.offices import OFFICES
from archive.policy.permissions import P
from archive.schema import clean
from archive.services import conflicts, deciders, parts, turns
from archive.site import Site
from archive.uow import SIGNED_IN, UnitOfWork, action

TRUSTED: Any = {"scope": "approvals"}
OF_THE_CHAIN = frozenset({"endorse", "object", "approve", "refuse"})


def begin(uow: UnitOfWork, request: Request, node: Node, rule: Rule, also: tuple[str, ...] = ()) -> None:
    """Writes down who is asked, as the rule has it today: a later version of the rules changes nothing of it.

    `also`: who is asked besides, for a large bundle.
    """
    for place, office in enumerate(parts.chain(rule.approvers, also)):
        uow.session.add(RequestApproval(request_id=request.id, place=place, office=office))
    uow.session.flush()
    _pass_vacant(uow, request, node)


def _pass_vacant(uow: UnitOfWork, request: Request, node: Node) -> None:
    """An office in which nobody sits who may know of the record holds nothing up: to ask it would tell that there is such a
    record. Whoever decides reads that it was not asked, and whether because it is empty or because it may not know.
    """
    for row in turns.chain(uow, request)[request.stage :]:
        if row.office in turns.LAST or _sit_in(uow, request, node, row.office):
            return
        _pass(uow, request, row)
        request.stage = row.place + 1


def _pass(uow: UnitOfWork, request: Request, row: RequestApproval) -> None:
    declared = conflicts.have_declared(uow, request)
    anybody = deciders.sitting(uow, row.office, request.requester_id, but=declared)
    row.verdict, row.at = "unaware" if anybody else "vacant", uow.now


def _sit_in(uow: UnitOfWork, request: Request, node: Node, office: str) -> set[int]:
    declared = conflicts.have_declared(uow, request)
    return deciders.endorsers(uow, node, office, request.requester_id, but=declared)


@action("request.recused", needs=SIGNED_IN)
def recuse(uow: UnitOfWork, request: Request, node: Node, *, words: str) -> None:
    """Somebody who would decide says that they are related to the patient, or why else not they: from now on they do not.

    Raises Forbidden for whoever has asked, Invalid without words, Conflict when it is decided or declared
    already, or where nobody else could decide.
    """
    text = clean(words)
    decides = uow.can(P.REQUEST_DECIDE, node) or turns.is_mine(uow, request)
    if request.requester_id == uow.actor.principal_id or not decides:
        raise Forbidden
    if not text or len(text) > conflicts.LONGEST:
        raise Invalid(fields={"words": _("Say what it is, in a few words.")})
    done = Conflict(_("This has been done already, or the request is in another state. Reload the page."))
    if request.state != "requested" or conflicts.objection(uow, request):
        raise done
    uow.about(node)
    _somebody_else_decides(uow, request, node)
    said = RequestConflict(request_id=request.id, principal_id=uow.actor.principal_id, words=text, at=uow.now)
    try:
        with uow.session.begin_nested():
            uow.session.add(said)
    except IntegrityError as error:  # of two clicks at once, the first has said it
        raise done from error
    uow.note(number=request.number, words=text)
    _pass_vacant(uow, request, node)


def _somebody_else_decides(uow: UnitOfWork, request: Request, node: Node) -> None:
    """Raises Conflict where the actor alone could decide in the end: the slip would wait for ever, and nobody would know."""
    rows = turns.chain(uow, request)
    if not rows:
        return
    deciding = deciders.last(uow, node, request.kind, rows[-1].office, request.requester_id)
    if deciding - conflicts.have_declared(uow, request) == {uow.actor.principal_id}:
        raise Conflict(
            _(
                "Nobody else could decide this. Tell the system administrator, so that somebody else is given the office; "
                "then declare it here."
            )
        )


def pass_on(site: Site) -> None:
    """What waits for an office that has emptied meanwhile goes on to the next; each request in a transaction of its own."""
    with site.uow(Actor.system("approvals"), readonly=True) as uow:
        here = (RequestApproval.request_id == Request.id, RequestApproval.place == Request.stage)
        others = exists().where(*here, RequestApproval.office.not_in(sorted(turns.LAST)))
        numbers = list(uow.session.scalars(select(Request.id).where(Request.state == "requested", others)))
    for number in numbers:
        site.run(Actor.system("approvals"), partial(_passed_on, number=number))


def _passed_on(uow: UnitOfWork, *, number: int) -> None:
    request = uow.session.get_one(Request, number)
    node = uow.session.get_one(Node, request.node_id, execution_options=TRUSTED)
    uow.lock(node)
    uow.session.refresh(request, with_for_update=True)
    if request.state == "requested":
        _pass_vacant(uow, request, node)


def follow(uow: UnitOfWork, request: Request, node: Node, step: str, reason: str | None) -> None:
    """What a step means for the chain: an opinion is written down, and it is the turn of the next office."""
    if step not in OF_THE_CHAIN:
        return
    rows = turns.chain(uow, request)
    if step == "endorse":
        _say(uow, request, rows[request.stage], "agreed", reason)
        request.stage += 1
        _pass_vacant(uow, request, node)
    elif step == "object":
        _say(uow, request, rows[request.stage], "refused", reason)
    elif rows:
        for row in rows[request.stage : -1]:
            if step == "approve":  # nobody sits there any more, or the guard would have objected
                _pass(uow, request, row)
        request.stage = rows[-1].place
        _say(uow, request, rows[-1], "agreed" if step == "approve" else "refused", reason)


def _say(uow: UnitOfWork, request: Request, row: RequestApproval, verdict: str, reason: str | None) -> None:
    if (absent := turns.in_place_of(uow, request)) is not None:
        row.on_behalf_of = absent
        uow.note(on_behalf_of=uow.session.get_one(Principal, absent).name)
    row.verdict, row.decided_by, row.at, row.note = verdict, uow.actor.principal_id, uow.now, reason


def not_my_turn(uow: UnitOfWork, request: Request) -> str | None:
    """Why the actor gives no opinion now, or nothing."""
    if turns.is_mine(uow, request):
        return None
    row = turns.current(uow, request)
    if row is None:
        return _("Nobody's opinion is asked for: the rule itself decides.")
    return _("It is the turn of: %(office)s.", office=str(OFFICES[row.office].title))


def not_heard(uow: UnitOfWork, request: Request, node: Node) -> str | None:
    """Whom the actor must wait for before they decide, or nothing."""
    rows = turns.chain(uow, request)
    for row in rows[request.stage : -1]:
        if _sit_in(uow, request, node, row.office):
            return _("First it is the turn of: %(office)s.", office=str(OFFICES[row.office].title))
    return not_by_rule(uow, request)


def decides(uow: UnitOfWork, request: Request, node: Node) -> bool:
    """Whether the actor is whom the rule lets decide, and nothing stands between: for what they may change before they do."""
    return (
        request.requester_id != uow.actor.principal_id and uow.can(P.REQUEST_DECIDE, node)
        and conflicts.objection(uow, request) is None and turns.decided_by_others(uow, request) is None
    )  # fmt: skip


def not_by_rule(uow: UnitOfWork, request: Request) -> str | None:
    """Why the actor does not decide this though they decide on the record: the rule names another for it; or nothing."""
    office = turns.decided_by_others(uow, request)
    return _("By the rule this is decided by: %(office)s.", office=str(office.title)) if office else None
