"""批次申请: many records asked for at once, from the selection or from a list of numbers that was pasted in."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from archive.errors import Conflict, Forbidden, Invalid
from archive.i18n import _
from archive.models import Node, Request, RequestBundle
from archive.policy.lending import PAPER, Rule
from archive.policy.permissions import P
from archive.schema import clean
from archive.services import (
    availability,
    basket,
    borrowing,
    numbers,
    parts,
    pinpoint,
    policies,
    requests,
    slips,
    study_data,
)
from archive.services.attempts import Outcome, attempt, refusal
from archive.services.availability import Availability
from archive.services.borrowing import LONGEST_REASON
from archive.services.parts import InBundle, Plan
from archive.sight import views
from archive.uow import UnitOfWork, action

SEPARATORS = re.compile(r"[\s,，;；、]+")
MOST_SAID = 8
"""So many lines are named in one sentence: the others are found when these are put right."""


@dataclass(frozen=True)
class Line:
    """One record that is asked for: as it was written, and what it means; nothing where the asker may not know of one."""

    text: str
    node: Node | None


@dataclass(frozen=True)
class Sent:
    """What became of a bundle: of each line why it was not asked for, or nothing. No bundle where none was."""

    bundle: RequestBundle | None
    refused: Mapping[str, str]
    outcomes: Sequence[Outcome]
    """Of the lines whose records the asker knows."""


def limits(uow: UnitOfWork) -> Mapping[str, int]:
    """How many records a bundle may have, and how many bundles somebody may have open."""
    found: Mapping[str, int] = policies.in_force(uow, "loans").body["bundles"]
    return found


def read(uow: UnitOfWork, text: str) -> list[Line]:
    """The records that a list of numbers means, each once. Raises Invalid naming the lines that mean none, or several.

    A number with its stay of which the asker may not know stays as it is: whether it exists is asked when it is sent.
    """
    typed = list(dict.fromkeys(part for part in SEPARATORS.split(text) if part))
    most = limits(uow)["records"]
    if not typed or len(typed) > most:
        raise Invalid(fields={"records": _("Write one number a line, up to %(most)d.", most=most)})
    found, several, unknown = list[Line](), list[str](), list[str]()
    for number in typed:
        nodes = [node for node in pinpoint.by_number(uow, number) if uow.can(P.REQUEST_CREATE, node)]
        if len(nodes) > 1:
            several.append(number)
        elif not nodes and not requests.STAY.fullmatch(number):
            unknown.append(number)
        else:
            found.append(Line(number, nodes[0] if nodes else None))
    if several:
        raise _wrong(_("Several records have this number; add the stay, as in 00218647-2: %(numbers)s.",
                       numbers=_some(several)))  # fmt: skip
    if unknown:
        raise _wrong(_("Write record number and stay, as in 00218647-2, where you cannot find the record: %(numbers)s.",
                       numbers=_some(unknown)))  # fmt: skip
    return _each_once(found)


def _wrong(sentence: str) -> Invalid:
    return Invalid(fields={"records": sentence})


def _some(lines: list[str]) -> str:
    return _(", ").join(line[:40] for line in lines[:MOST_SAID])


def _each_once(found: Iterable[Line]) -> list[Line]:
    kept: dict[object, Line] = {}
    for line in found:
        kept.setdefault(line.node.id if line.node else line.text, line)
    return list(kept.values())


def chosen(uow: UnitOfWork, refs: Iterable[UUID]) -> list[Line]:
    """The same of records of the selection; what one may not know of any more is not among them."""
    nodes = uow.list(uow.nodes(P.DISCOVER).where(Node.uuid.in_(list(refs))).order_by(Node.id))
    if len(nodes) > (most := min(limits(uow)["records"], basket.MOST)):
        raise Invalid(_("At most %(num)d at once. Choose fewer, then the rest.", num=most))
    return [Line(str(node.uuid), node) for node in nodes]


def ask(uow: UnitOfWork, lines: Sequence[Line], terms: Mapping[str, str]) -> Sent:
    """Asks for each, on the same terms, under one number; one that is refused does not hold up the others.

    What the asker may not know of is asked for in silence: the answer is the same whether it exists (model §3).
    A single record is asked for without a bundle. Raises Invalid for wrong terms, Conflict for too many.
    """
    borrowing.checked(uow, borrowing.offered_unseen(uow), **_plain(terms))
    if wrong := study_objections(uow, len(lines), terms):
        raise Invalid(fields=wrong)
    blind = sum(line.node is None for line in lines)
    if not lines:
        raise Invalid(_("Tick something first."))
    if len(lines) > 1 and not terms.get("reason", "").strip():
        raise Invalid(fields={"reason": _("Say why, in a sentence.")})
    if blind and (objection := borrowing.too_many_by_number(uow, blind)):
        raise Conflict(objection)
    if len(lines) == 1:
        return _sent(lines, None, {lines[0].text: _try(uow, lines[0], None, terms)})
    return _ask_all(uow, lines, terms)


def study_objections(uow: UnitOfWork, many: int, terms: Mapping[str, str]) -> dict[str, str]:
    """Field → why so many records cannot be asked for so: as data of too few, or as originals without a reason."""
    kind = terms.get("kind", "")
    if wrong := study_data.objection(uow, kind, many):
        return {"kind": wrong}
    rule = borrowing.offered_unseen(uow).get(terms.get("purpose", ""), {}).get(kind)
    if study_data.would_do(uow, rule, kind, many) and not clean(terms.get("originals", "")):
        return {"originals": _("Say why data without names would not do.")}
    return {}


class _NothingAsked(Exception):
    """Every line was refused: no bundle is made."""


def _ask_all(uow: UnitOfWork, lines: Sequence[Line], terms: Mapping[str, str]) -> Sent:
    told: dict[str, str | None] = {}
    try:
        with attempt(uow):
            planned = parts.plan(uow, terms["purpose"], len(lines))
            if planned.parts == 1 and borrowing.may_be_at_once(uow, terms["kind"], terms["purpose"]):
                uow.lock_all(line.node for line in lines if line.node)  # before the counters, as at the desk
            bundle = _begin(uow, terms, planned)
            # Always in one order: two who ask for the same at once never wait for each other.
            in_order = sorted(lines, key=lambda one: one.node.id if one.node else 0)
            for place, line in enumerate(in_order):
                told[line.text] = _try(uow, line, planned.at(bundle, place), terms)
            _close(uow, bundle, told)
    except _NothingAsked:
        return _sent(lines, None, told)
    return _sent(lines, bundle, told)


def _close(uow: UnitOfWork, bundle: RequestBundle, told: Mapping[str, str | None]) -> None:
    bundle.asked = sum(why is None for why in told.values())
    uow.session.flush()
    if not bundle.asked:
        raise _NothingAsked


def _plain(terms: Mapping[str, str]) -> dict[str, Any]:
    return {
        name: terms.get(name, "")
        for name in ("kind", "purpose", "days", "reason", "declared", "declared_words")
    }


def _sent(lines: Sequence[Line], bundle: RequestBundle | None, told: Mapping[str, str | None]) -> Sent:
    refused = {line.text: why for line in lines if (why := told[line.text])}
    outcomes = [Outcome(line.node.uuid, told[line.text]) for line in lines if line.node]
    return Sent(bundle, refused, outcomes)


def _try(uow: UnitOfWork, line: Line, bundle: InBundle | None, terms: Mapping[str, str]) -> str | None:
    of = _plain(terms) | {"bundle": bundle}
    if line.node is not None:
        return refusal(uow, partial(requests.ask, uow, line.node, **of))
    return refusal(uow, partial(requests.ask_by_number, uow, number=line.text, **of))


@action("request.bundled", needs=P.REQUEST_CREATE)
def _begin(uow: UnitOfWork, terms: Mapping[str, str], planned: Plan) -> RequestBundle:
    number = numbers.slip(
        uow, "PS", 4
    )  # the counter's row is locked: of two clicks at once, one comes after the other
    most = limits(uow)["open_bundles"]
    mine = slips.visible(uow, func.count(Request.bundle_id.distinct())).where(
        Request.requester_id == uow.actor.principal_id, slips.is_open(uow), Request.bundle_id.is_not(None)
    )
    if (uow.session.scalar(mine) or 0) >= most:
        raise Conflict(_("You have %(most)d open bundles. Wait until some are done.", most=most))
    made = RequestBundle(
        number=number, requester_id=uow.actor.principal_id, kind=terms["kind"], purpose=terms["purpose"],
        reason=terms["reason"].strip(), asked=0, created_at=uow.now,
        originals=clean(terms.get("originals", ""))[:LONGEST_REASON] or None,
        parts=planned.parts, ethics_due=planned.ethics,
    )  # fmt: skip
    uow.session.add(made)
    uow.session.flush()
    uow.about(made)
    uow.note(
        number=number,
        kind=made.kind,
        purpose=made.purpose,
        reason=made.reason,
        originals=made.originals,
        parts=made.parts,
    )
    return made


@dataclass(frozen=True)
class Foretold:
    """申请预告 of a list: of a record that the asker knows why it cannot be had, by which rule, and where its paper is.

    Of others nothing is said but that they are asked for unseen.
    """

    text: str
    node: Node | None
    hindrance: str | None = None
    rule: Rule | None = None
    paper: Availability | None = None


def foretell(uow: UnitOfWork, lines: Sequence[Line], kind: str, purpose: str = "") -> list[Foretold]:
    """What asking for each would meet, before it is sent; without a purpose no rule is looked for."""
    known = views(uow, [line.node for line in lines if line.node])
    papers = availability.of(uow, known, needs=P.REQUEST_CREATE) if kind == PAPER else {}
    mine = _open_of_mine(uow, [view.id for view in known], kind)

    def told(line: Line) -> Foretold:
        if (node := line.node) is None:
            return Foretold(line.text, None)
        rule = borrowing.offered(uow, node).get(purpose, {}).get(kind) if purpose else None
        why = str(requests.AskedAlready()) if node.id in mine else _hindrance(uow, node, kind, rule)
        if why is None and purpose and rule is None:  # of the list some can be had so, this one cannot
            why = _("For this purpose the lending rules do not provide for that. Choose another.")
        return Foretold(line.text, node, why, None if why else rule, papers.get(node.id))

    return [told(line) for line in lines]


def _open_of_mine(uow: UnitOfWork, nodes: Sequence[int], kind: str) -> set[int]:
    """Of these the records for which the actor has an open request of this kind."""
    own = Request.requester_id == uow.actor.principal_id
    rows = select(Request.node_id).where(
        own, Request.kind == kind, Request.node_id.in_(nodes), slips.is_open(uow)
    )
    return set(uow.session.scalars(rows)) if nodes else set()


def _hindrance(uow: UnitOfWork, node: Node, kind: str, rule: Rule | None) -> str | None:
    if not uow.can(P.REQUEST_CREATE, node):
        return str(Forbidden())
    own = borrowing.own_hindrance(uow, [rule], many=True) if rule else None
    return borrowing.hindrance(uow, node, kind) or own
