"""启封: a package is opened, by whom and on what ground, and whether what lies there is still what was sealed (domain §6)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

from sqlalchemy import select

from archive.errors import Conflict, Invalid
from archive.i18n import _
from archive.models import Blob, Hold, HoldPage, Node, Page, Representation, SealedObject
from archive.policy.permissions import P
from archive.schema import clean
from archive.services import calendar, found_pages, frozen, holds, parties, policies, reservations
from archive.uow import UnitOfWork, action
from storage import BlobStatus

TRUSTED: Any = {"scope": "unsealing"}
TOGETHER, SETTLED, NO_CLAIM = "together", "settled", "no_claim"
File = tuple[str, str]
"""A record and the SHA-256 of one of its files."""
UNREAD: Mapping[File, bool] = MappingProxyType({})


@action("hold.released", needs=P.HOLD_RELEASE)
def release(uow: UnitOfWork, hold: Hold, *, ground: str, people: Iterable[Mapping[str, str]], paper: str = "",
            reason: str, found: Mapping[str, str] | None = None, known: Mapping[File, bool] = UNREAD) -> None:  # fmt: skip
    """Takes a seal or a legal hold off. Never by whoever laid it. `known`: what `read_again` found; what the list has besides
    is read now.

    Raises Conflict for one's own seal or one that is off already, Invalid for a ground that does not hold (yet), for a side
    that sealed and is not there, and for a document that is missing.
    """
    node = holds.node_of(uow, hold)
    uow.require(P.HOLD_RELEASE, node)
    uow.lock(node)
    uow.session.refresh(hold)
    uow.about(node)
    if refusal := objection(uow, hold):
        raise Conflict(refusal)
    there, texts = parties.given(people), {"paper": clean(paper), "reason": clean(reason)}
    wrong = _wrong(uow, hold, ground, there, texts)
    counts = found_pages.counted(hold, found or {}, wrong)
    if wrong:
        raise Invalid(fields=wrong)
    differ = differences(uow, hold, known)
    hold.released_at, hold.released_by = uow.now, uow.actor.principal_id
    hold.release_ground, hold.release_parties = ground, there
    hold.release_paper, hold.release_reason = texts["paper"], texts["reason"]
    hold.found = counts
    uow.session.flush()
    uow.note(number=hold.number, kind=hold.kind, counts=counts, ground=ground, present=[one["name"] for one in there],
             paper=texts["paper"], reason=texts["reason"], differs=[str(one.ordinal) for one in differ])  # fmt: skip
    holds.cover(uow, node)
    reservations.settle(uow, node)  # whoever waits for the paper meanwhile


def _wrong(
    uow: UnitOfWork, hold: Hold, ground: str, there: parties.People, texts: Mapping[str, str]
) -> dict[str, str]:
    needs_paper = hold.kind == holds.LEGAL or ground == SETTLED
    found = holds.missing(texts, but=() if needs_paper else ("paper",))
    if ground not in grounds(uow, hold):
        return found | {"ground": _("Choose one of the list.")}
    refusal = parties.wrong(there)
    if refusal is None and hold.kind != holds.LEGAL:
        refusal = parties.opening(there, hold.parties, together=ground == TOGETHER)
    return found | ({"people": refusal} if refusal else {})


def objection(uow: UnitOfWork, hold: Hold) -> str | None:
    """Why the actor cannot take this seal off, though their role may: two persons, one to seal and one to release."""
    if hold.released_at is not None:
        return _("This seal has been taken off already.")
    if hold.sealed_by == uow.actor.principal_id:
        return _("You sealed this yourself. Ask another senior archivist to take the seal off.")
    return None


def grounds(uow: UnitOfWork, hold: Hold | SealedObject) -> dict[str, str]:
    """Code → words of the grounds on which it may be opened now (条例 art. 24: alone only after some years)."""
    found = policies.vocabulary(uow, "hold_ground")
    if hold.kind == holds.LEGAL:
        return {SETTLED: found[SETTLED]}
    if uow.today < alone_from(uow, hold):
        found = {code: words for code, words in found.items() if code != NO_CLAIM}
    return found


def alone_from(uow: UnitOfWork, hold: Hold | SealedObject) -> date:
    """The first day on which the hospital may open it alone if the patient's side has claimed nothing further."""
    day, years = calendar.day_of(uow, hold.sealed_at), holds.limits(uow)["alone_after_years"]
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # sealed on 29 February
        return date(day.year + years, 3, 1)


@dataclass(frozen=True)
class Difference:
    """A page of the list that is no longer what or where it was: its paper, its number there, and how it differs."""

    title: str | None
    ordinal: int
    words: str


def differences(uow: UnitOfWork, hold: Hold, known: Mapping[File, bool] = UNREAD) -> list[Difference]:
    """Compares the pages of the list with those that the record has now, and their files with their bytes, in the order
    of the list. Of a seal that is off nothing is compared: its pages are free to change. `known`: as of `release`.
    """
    if hold.released_at is not None:
        return []
    titles = {one["item"]: one["title"] for one in hold.manifest["items"]}
    whole = read_again(uow, hold, known)
    now, spoilt = _now(uow, hold), {sha256 for (_record, sha256), is_whole in whole.items() if not is_whole}
    compared = ((page, _differs(page, now.get(page["page"]), spoilt)) for page in hold.manifest["pages"])
    return [Difference(titles.get(page["item"]), page["ordinal"], words) for page, words in compared if words]


def _differs(page: dict[str, Any], now: tuple[str, str, bool] | None, spoilt: set[str]) -> str | None:
    listed = frozen.digest_of(page["sha256"], page["source_page"])
    if now is None or now[0] != listed:
        return _("The program no longer has it as it was listed.")
    if now[1] != listed:
        return _("It is another picture.")
    if page["sha256"] in spoilt:
        return _("The bytes of its file are not those that were sealed.")
    return None if now[2] else _("It does not stand in the record any more.")


def read_again(uow: UnitOfWork, hold: Hold, known: Mapping[File, bool] = UNREAD) -> Mapping[File, bool]:
    """The files of a list, and whether their bytes are there as they were sealed. Each is read once, which may take minutes:
    before the transaction, so that nobody waits for it. Those that are `known` are not read again.
    """
    rows = uow.session.execute(
        select(Blob.record, Blob.sha256)
        .join(Representation, Representation.blob_id == Blob.id)
        .join(Page, Page.representation_id == Representation.id)
        .join(HoldPage, HoldPage.page_id == Page.id)
        .where(HoldPage.hold_id == hold.id)
        .distinct(),
        execution_options=TRUSTED,
    )
    files: list[File] = [(record, sha256) for record, sha256 in rows]
    return {file: known[file] if file in known else _is_whole(uow, file) for file in files}


def _is_whole(uow: UnitOfWork, file: File) -> bool:
    return uow.site.store.verify(*file) is BlobStatus.OK


def _now(uow: UnitOfWork, hold: Hold) -> dict[int, tuple[str, str, bool]]:
    """Page → the digest at sealing, the digest now, and whether it stands in the record."""
    home = holds.node_of(uow, hold)
    rows = uow.session.execute(
        select(HoldPage.page_id, HoldPage.digest, Blob.sha256, Page.source_page, Node.path)
        .join(Page, Page.id == HoldPage.page_id)
        .join(Representation, Representation.id == Page.representation_id)
        .join(Blob, Blob.id == Representation.blob_id)
        .outerjoin(Node, Node.id == Page.node_id)
        .where(HoldPage.hold_id == hold.id),
        execution_options=TRUSTED,
    )
    return {
        page: (was, frozen.digest_of(sha256, number), path is not None and path.startswith(home.path))
        for page, was, sha256, number, path in rows
    }
