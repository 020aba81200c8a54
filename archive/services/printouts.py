"""打印件: a copy of what somebody reads by a grant, where that was asked for and granted: stamped, numbered, logged.

Every page bears the reader's name, staff number and the time, as on the screen, and a strip with the number of the copy.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import select

from archive.actor import Actor
from archive.errors import Conflict, Forbidden, Invalid
from archive.i18n import _
from archive.models import Blob, Node, Page, Representation, Request, RequestCopy
from archive.policy.lending import EREAD
from archive.policy.permissions import P
from archive.services import (
    actors,
    approvals,
    drawing,
    numbers,
    pages,
    policies,
    printing,
    request_parts,
    slips,
)
from archive.site import Site
from archive.uow import SIGNED_IN, UnitOfWork, action
from storage.searchable import Sheet, searchable_pdf
from storage.stamps import Stamp, stamped

TRUSTED: Any = {"scope": "printouts"}


@dataclass(frozen=True)
class Taken:
    """A copy that is on its way: its number, and the pages that it has, as the journal tells of them."""

    number: str
    request: int
    pages: list[tuple[int, int]]
    """Page and the node on which it stands."""


def purposes(uow: UnitOfWork) -> list[str]:
    """The purposes for which a stamped copy may be asked for."""
    return list(_rule(uow)["purposes"])


def _rule(uow: UnitOfWork) -> dict[str, Any]:
    found: dict[str, Any] = policies.in_force(uow, "loans").body["printouts"]
    return found


def checked(uow: UnitOfWork, kind: str, purpose: str, *, wanted: bool) -> bool:
    """Whether a copy is asked for. Raises Invalid where the policy has none for such a request."""
    if wanted and (kind != EREAD or purpose not in purposes(uow)):
        raise Invalid(
            fields={
                "with_copy": _("For this purpose, or on paper, there is no stamped copy. Take the tick away.")
            }
        )
    return wanted


def objection(uow: UnitOfWork, request: Request) -> str | None:
    """Why the actor takes no copy by this request now, or nothing. Nobody but whoever asked ever does."""
    if not request.with_copy or request.requester_id != uow.actor.principal_id:
        return _("No stamped copy was granted with this request.")
    if slips.effective_state(uow, request) != "active":
        return _("The reading is not open: no copy is made any more.")
    if len(taken(uow, request)) >= (most := int(_rule(uow)["times"])):
        return _("%(most)d copies were granted, and they have been taken.", most=most)
    return None


def taken(uow: UnitOfWork, request: Request) -> list[tuple[str, int, datetime]]:
    """Number, pages and time of each copy that was taken by a request that the actor may see."""
    rows = select(RequestCopy.number, RequestCopy.pages, RequestCopy.at).where(
        RequestCopy.request_id == request.id
    )
    return [(number, many, at) for number, many, at in uow.session.execute(rows.order_by(RequestCopy.id))]


@action("request.copy_taken", needs=SIGNED_IN)
def take(uow: UnitOfWork, request: Request) -> Taken:
    """Gives a copy its number. Raises Forbidden for anybody but the asker, Conflict where none was granted or none is left."""
    if request.requester_id != uow.actor.principal_id:
        raise Forbidden
    uow.session.refresh(request, with_for_update=True)  # of two clicks at once, the second sees the first
    if sentence := objection(uow, request):
        raise Conflict(sentence)
    node = uow.session.get_one(Node, request.node_id, execution_options=TRUSTED)
    uow.about(node)
    found = _pages(uow, request, node)
    if not found:
        raise Conflict(_("There are no pages to be copied."))
    made = RequestCopy(request_id=request.id, number=numbers.slip(uow, "DY"), pages=len(found), at=uow.now)
    uow.session.add(made)
    uow.note(number=request.number, copy=made.number, pages=len(found))
    return Taken(made.number, request.id, found)


def _pages(uow: UnitOfWork, request: Request, node: Node) -> list[tuple[int, int]]:
    """The pages that the request opens and the actor reads now, in the order of the file."""
    found: list[tuple[int, int]] = []
    for part in request_parts.nodes_of(uow, request, node):
        branch = (
            uow.nodes(P.READ, Page.id, Page.node_id).select_from(Node).join(Page, Page.node_id == Node.id)
        )
        within = branch.where(Node.path >= part.path, Node.path < part.path_end)
        found += [
            (page, at)
            for page, at in uow.session.execute(
                within.order_by(Node.depth, Node.position, Node.id, Page.ordinal)
            )
        ]
    return found


def file(site: Site, actor: Actor, copy: Taken) -> Iterator[bytes]:
    """The copy, page by page as it is sent, each with the rights of that moment. Raises Forbidden where they have ended."""
    said = _("Copy for reading, not to be passed on")
    stamp = partial(Stamp, said, squares=printing.squares(copy.number), font=site.static / drawing.FONT)

    def sheets() -> Iterator[Sheet]:
        for place, (page, node) in enumerate(copy.pages, start=1):
            picture, dpi, who = _drawn(site, actor, copy, page, node)
            made = stamped(picture, stamp(f"{copy.number} · {place}/{len(copy.pages)} · {who}"))
            yield Sheet(made.jpeg, dpi, made.lines)

    return searchable_pdf(sheets(), title=copy.number, subject=said)


def _drawn(site: Site, actor: Actor, copy: Taken, number: int, at: int) -> tuple[bytes, int | None, str]:
    with site.session(readonly=True) as session:
        uow = site.work(session, actors.renewed(session, actor, site.clock()))
        request, node = uow.session.get_one(Request, copy.request), uow.node(at, P.READ)
        if not request.with_copy or slips.effective_state(uow, request) != "active":
            raise Forbidden
        found = uow.session.execute(
            select(Page, Blob)
            .join(Representation, Representation.id == Page.representation_id)
            .join(Blob, Blob.id == Representation.blob_id)
            .where(Page.id == number, Page.node_id == node.id),
            execution_options=TRUSTED,
        ).first()
        if found is None:
            raise Forbidden
        page, blob = found
        picture = pages.branded(uow, pages.picture(site, page, blob, page.image))
        return picture, page.dpi, f"{uow.actor.name} {uow.actor.staff_no} {uow.local(uow.now):%Y-%m-%d %H:%M}"


def may_refuse(uow: UnitOfWork, request: Request) -> bool:
    """Whether the actor decides on it and can leave the copy out."""
    node = uow.session.get_one(Node, request.node_id, execution_options=TRUSTED)
    return (
        request.with_copy and request.state == "requested" and approvals.decides(uow, request, node)
    )  # fmt: skip


@action("request.copy_refused", needs=P.REQUEST_DECIDE)
def refuse(uow: UnitOfWork, request: Request) -> None:
    """Whoever decides grants the reading without a copy. Raises Forbidden for anybody else."""
    uow.session.refresh(request, with_for_update=True)
    if not may_refuse(uow, request):
        raise Forbidden
    uow.about(uow.session.get_one(Node, request.node_id, execution_options=TRUSTED))
    request.with_copy = False
    uow.note(number=request.number)
