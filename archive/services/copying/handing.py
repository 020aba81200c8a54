"""办理: what becomes of an application once its papers are complete: made, confirmed by both, handed over or sent."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from archive.errors import Conflict, Invalid
from archive.i18n import _
from archive.journal import Event
from archive.models import Blob, CopyItem, CopyRequest
from archive.policy.permissions import P
from archive.policy.workflows import COPY
from archive.schema import clean
from archive.services import policies
from archive.services.copying import applications, finding, slips
from archive.services.copying.finding import Found, Stay
from archive.uow import UnitOfWork, action
from archive.workflow import Transition

TRUSTED: Any = {"scope": "copying acts", "synchronize_session": False}
BY_HAND = ("make", "confirm", "deliver", "ship", "sign", "refuse", "revoke")
ANYWAY = ("sign", "refuse", "revoke")
"""What ends a slip is never held up by a right over its records that has gone meanwhile: in the trash, or more sensitive."""
KIND = "copy.make"
LONGEST_REASON, LONGEST_TRACKING = 500, 60


def offered(uow: UnitOfWork, copy: CopyRequest) -> list[Transition]:
    """The steps that the window may take now with a button."""
    may = all(uow.can(P.REQUEST_COPY, node) for node in slips.nodes_of(uow, copy))
    steps = [step for step in COPY.steps(copy.state) if step.name in BY_HAND and (may or step.name in ANYWAY)]
    without = {"ship"} if not copy.by_mail else set()
    return [step for step in steps if step.name not in without]


def _begun(uow: UnitOfWork, copy: CopyRequest, name: str, version: int | None) -> None:
    """Locks the slip and takes the step. Raises Conflict where it is in another state, or was changed meanwhile."""
    if name in ANYWAY:
        uow.session.flush()
        uow.session.refresh(copy, with_for_update=True)
    else:
        applications.held(uow, copy)
    step = COPY.transition(name)
    if step is None or copy.state not in step.sources or (version is not None and copy.version != version):
        raise Conflict(_("Somebody has gone on with this slip meanwhile. Reload the page."))
    uow.note(state=[copy.state, step.target])
    copy.state = step.target


@action("copy.making_ordered", needs=P.REQUEST_COPY)
def make(uow: UnitOfWork, copy: CopyRequest, *, version: int | None = None) -> None:
    """Has the copy made from what is scanned: each page stamped, with a new code. Raises Conflict."""
    _begun(uow, copy, "make", version)
    uow.job(KIND, priority=2, copy=copy.id)


@action("copy.confirmed", needs=P.REQUEST_COPY)
def confirm(
    uow: UnitOfWork, copy: CopyRequest, *, clerk: bool, applicant: bool, version: int | None = None
) -> None:
    """Hospital and applicant both confirm the copy (2013 rule art. 22). Raises Invalid while one of them has not."""
    _begun(uow, copy, "confirm", version)
    wrong = {}
    if not clerk:
        wrong["clerk"] = _("Compare the pages with the list, and tick this.")
    if not applicant:
        wrong["applicant"] = _(
            "The applicant confirms too, in presence or, for mail, once who they are is verified."
        )
    if wrong:
        raise Invalid(fields=wrong)
    copy.confirmed_at, copy.confirmed_by = uow.now, uow.actor.principal_id
    uow.note(digest=copy.digest, pages=copy.pages, by_mail=copy.by_mail)


@action("copy.delivered", needs=P.REQUEST_COPY)
def deliver(uow: UnitOfWork, copy: CopyRequest, *, paid: bool, version: int | None = None) -> None:
    """Hands the copy over. Raises Invalid while the fee is open."""
    _begun(uow, copy, "deliver", version)
    _pay(copy, paid=paid)
    _over(uow, copy)


@action("copy.shipped", needs=P.REQUEST_COPY)
def ship(
    uow: UnitOfWork, copy: CopyRequest, *, paid: bool, tracking: str, version: int | None = None
) -> None:
    """Sends the copy by mail. Raises Conflict where it is to be fetched, Invalid without a tracking number or the fee."""
    if not copy.by_mail:
        raise Conflict(_("This copy is fetched at the window: hand it over."))
    _begun(uow, copy, "ship", version)
    if not 0 < len(clean(tracking)) <= LONGEST_TRACKING:
        raise Invalid(fields={"tracking": _("Write the number of the parcel, up to 60 characters.")})
    _pay(copy, paid=paid)
    copy.tracking = clean(tracking)
    uow.note(tracking=copy.tracking)
    _over(uow, copy)


def _pay(copy: CopyRequest, *, paid: bool) -> None:
    if copy.fee_fen and not paid:
        raise Invalid(fields={"paid": _("Take the fee, and tick this.")})
    copy.is_paid = paid


@action("copy.received", needs=P.REQUEST_COPY)
def sign(uow: UnitOfWork, copy: CopyRequest, *, version: int | None = None) -> None:
    """What was sent has arrived. Raises Conflict."""
    _begun(uow, copy, "sign", version)


@action("copy.refused", needs=P.REQUEST_COPY)
def refuse(uow: UnitOfWork, copy: CopyRequest, *, reason: str, version: int | None = None) -> None:
    """Refuses the application. Raises Invalid without a reason."""
    _begun(uow, copy, "refuse", version)
    _because(uow, copy, reason)
    copy.owes = False
    _over(uow, copy)


@action("copy.revoked", needs=P.REQUEST_COPY)
def revoke(uow: UnitOfWork, copy: CopyRequest, *, reason: str, version: int | None = None) -> None:
    """Declares a copy invalid that was made: its code confirms nothing any more. Raises Invalid without a reason."""
    _begun(uow, copy, "revoke", version)
    _because(uow, copy, reason)
    copy.owes = False
    _over(uow, copy)


def _because(uow: UnitOfWork, copy: CopyRequest, reason: str) -> None:
    if not 0 < len(clean(reason)) <= LONGEST_REASON:
        raise Invalid(fields={"reason": _("Say why, in a sentence.")})
    copy.ended_because = clean(reason)
    uow.note(reason=copy.ended_because)


def _over(uow: UnitOfWork, copy: CopyRequest) -> None:
    """The slip is done with: its file is kept for as many days as the policy says, and goes then."""
    copy.ended_at = copy.ended_at or uow.now
    days = policies.in_force(uow, "copying").body["limits"]["file_days"]
    leaving = update(Blob).where(Blob.record == str(copy.uuid))
    uow.session.execute(leaving.values(leaves_at=uow.now + timedelta(days=days)), execution_options=TRUSTED)
    uow.session.flush()


@action("copy.followed", needs=P.REQUEST_COPY)
def follow(
    uow: UnitOfWork, copy: CopyRequest, *, sheets: Mapping[int, str], parts: Collection[str] = ()
) -> CopyRequest:
    """The rest of what was not finished, for the same applicant on the papers that were shown (2013 rule art. 21).

    Of a package that names nothing itself only `parts` are copied, as they are ticked now. What is still not finished is
    owed by the new slip. Raises Conflict where nothing is owed, Invalid.
    """
    applications.held(uow, copy)
    found = owed(uow, copy)
    if found is None:
        raise Conflict(_("Nothing more is owed for this slip."))
    unfinished = {stay.node.id for stay in found.stays if not stay.is_finished}
    return applications.apply(
        uow, found,
        applications.Application(
            applicant=copy.applicant, applicant_name=copy.applicant_name, purpose=copy.purpose,
            package=copy.package, died=copy.is_dead,
            identity=_shown(uow, copy.identity_enc), relation=copy.relation or "", note=copy.note or "",
            mail=_shown(uow, copy.mail_enc), by_mail=copy.by_mail, records=frozenset(stay.node.id for stay in found.stays),
            parts=frozenset(part.node.id for stay in found.stays for part in stay.parts if str(part.node.uuid) in parts),
            sheets=sheets, later=frozenset(unfinished),
        ),
        continues=copy,
    )  # fmt: skip


def owed(uow: UnitOfWork, copy: CopyRequest) -> Found | None:
    """The records of which the rest is to follow, as they are now; nothing where the slip owes nothing (any more)."""
    if not copy.owes or copy.state not in slips.HANDED:
        return None
    records = {item.record_id for item in slips.items(uow, copy) if item.source == "later"}
    return finding.rest(uow, copy.patient_id, records)


def to_tick(uow: UnitOfWork, copy: CopyRequest) -> list[Stay]:
    """The records whose parts must be ticked for the rest: those of a slip whose package names nothing itself."""
    package = policies.of_version(uow, "copying", copy.rules)["packages"].get(copy.package, {})
    if package.get("everything") or package.get("components"):
        return []
    found = owed(uow, copy)
    return found.stays if found else []


def _shown(uow: UnitOfWork, hidden: bytes | None) -> str:
    return uow.site.keys.decrypt("identity-enc", hidden) if hidden else ""


def copied_before(uow: UnitOfWork, copy: CopyRequest) -> set[int]:
    """Pages that the applicant has from the slips that this one continues."""
    have, number = set[int](), copy.continues_id
    while number is not None:
        mine = select(CopyItem.pages).where(CopyItem.copy_id == number)
        for pages in uow.session.scalars(mine, execution_options=TRUSTED):
            have.update(pages or ())
        earlier = select(CopyRequest.continues_id).where(CopyRequest.id == number)
        number = uow.session.scalar(earlier, execution_options=TRUSTED)
    return have


def file(uow: UnitOfWork, copy: CopyRequest) -> tuple[str, Any]:
    """The finished copy to be printed, its name and its bytes; leaves one event. Raises Conflict where it is not there."""
    may = all(uow.can(P.REQUEST_COPY, node) for node in slips.nodes_of(uow, copy))
    if not may or copy.state in ("revoked", "refused"):
        raise Conflict(_("This copy may not be taken out any more."))
    mine = select(Blob).where(Blob.record == str(copy.uuid), Blob.sha256 == copy.digest)
    blob = (
        uow.session.scalar(mine, execution_options=TRUSTED)
        if copy.digest and copy.state != "making"
        else None
    )
    if blob is None:
        raise Conflict(_("There is no file: it is not made yet, or its days are over. Make the copy again."))
    uow.read(
        Event("copy.file_taken", object_kind="copy_request", object_id=copy.id, object_ref=copy.number,
              patient_hash=uow.site.keys.identity_hash(copy.mrn), words={"digest": copy.digest})
    )  # fmt: skip
    return f"{copy.number}.pdf", uow.site.store.open(blob.record, blob.sha256)
