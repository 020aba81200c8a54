"""质检: what somebody else than the scanner finds in a sample, and whether a batch can be accepted (domain §13)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from archive.errors import Conflict, Invalid
from archive.i18n import _, ngettext
from archive.models import (
    BatchDefect,
    BatchFile,
    BatchPage,
    BatchStep,
    Page,
    Principal,
    Representation,
    ScanBatch,
)
from archive.policy.permissions import P
from archive.schema import clean
from archive.services import policies
from archive.services.scanning import batches, leaves
from archive.services.scanning.batches import TRUSTED
from archive.services.scanning.pages import BEFORE_LINKING
from archive.services.scanning.sampling import STANDS, linked
from archive.uow import UnitOfWork, action

MENDING = ("rework", *BEFORE_LINKING)
"""States in which what was found wrong is put right."""


@dataclass(frozen=True)
class Defect:
    """质检缺陷 as a page shows it."""

    id: int
    ordinal: int
    page: int
    label: str
    fails: bool
    note: str | None
    by: str | None
    at: datetime
    mended_at: datetime | None


@dataclass(frozen=True)
class Tally:
    """抽检结果: of how many pages how many were drawn, looked at and found wanting in the last sample."""

    pages: int
    drawn: int
    looked_at: int
    wanting: int
    fails: tuple[str, ...]
    """The defects among those found that send a batch back by themselves."""


@dataclass(frozen=True)
class Share:
    """Of one operator at one device: pages in samples, and those with a defect."""

    operator: str
    device: str
    looked_at: int
    wanting: int


def drawn(uow: UnitOfWork, batch: ScanBatch) -> list[BatchPage]:
    """The pages of the last sample in their order."""
    return linked(uow, batch, batches.in_sample(batch))


def next_one(uow: UnitOfWork, batch: ScanBatch) -> int | None:
    """The ordinal of the first page of the sample that nobody has looked at; nothing when it is done."""
    found: int | None = uow.session.scalar(
        _left(batch, BatchPage.ordinal).order_by(BatchPage.ordinal).limit(1), execution_options=TRUSTED
    )
    return found


def _left(batch: ScanBatch, what: Any) -> Select[Any]:
    mine = BatchPage.batch_id == batch.id, batches.in_sample(batch), STANDS
    return select(what).where(*mine, BatchPage.looked_at.is_(None))


@action("batch.page_looked_at", needs=P.SCAN_QC)
def look(
    uow: UnitOfWork, batch: ScanBatch, *, page: int, defects: Sequence[str] = (), note: str = ""
) -> None:
    """Says of a page of the sample what is wrong with it, or nothing. Raises Conflict of one that was not drawn."""
    batches.lock(uow, batch)
    batches.require(uow, batch, P.SCAN_QC)
    batches.require_state(batch, "sampling")
    if objection := not_the_scanner(uow, batch):
        raise Conflict(objection)
    found = next(iter(linked(uow, batch, batches.in_sample(batch), BatchPage.id == page)), None)
    if found is None:
        raise Conflict(_("This page is not in the sample. Reload the page."))
    kinds = policies.in_force(uow, "digitisation").body["defects"]
    if unknown := set(defects) - set(kinds):
        raise Invalid(_("There is no such defect: %(code)s.", code=min(unknown)))
    _mark(uow, batch, found, set(defects), clean(note)[:200] or None)
    found.looked_at, found.looked_by = uow.now, uow.actor.principal_id
    uow.note(batch=batch.number, page=found.ordinal, defects=list(defects))
    uow.session.flush()


def _mark(uow: UnitOfWork, batch: ScanBatch, page: BatchPage, codes: set[str], note: str | None) -> None:
    """Keeps what was marked; what says the same as before stays whose it was."""
    for one in _marked(uow, batch, page.id):
        if one.code in codes and one.note == note:
            codes = codes - {one.code}
        else:
            uow.session.delete(one)
    for code in sorted(codes):
        uow.session.add(
            BatchDefect(batch_id=batch.id, batch_page_id=page.id, code=code, note=note, round=batch.rounds, at=uow.now,
                        by_id=uow.actor.principal_id)
        )  # fmt: skip


def _marked(uow: UnitOfWork, batch: ScanBatch, page: int) -> Sequence[BatchDefect]:
    mine = select(BatchDefect).where(BatchDefect.batch_page_id == page, BatchDefect.round == batch.rounds)
    return uow.session.scalars(mine.order_by(BatchDefect.id), execution_options=TRUSTED).all()


@action("batch.defect_mended", needs=P.SCAN_UPLOAD)
def mend(uow: UnitOfWork, batch: ScanBatch, *, defect: int) -> None:
    """Says that a defect is put right: before the next sample, also while what was missing is scanned."""
    batches.lock(uow, batch)
    batches.require(uow, batch, P.SCAN_UPLOAD)
    batches.require_state(batch, *MENDING)
    statement = select(BatchDefect).where(BatchDefect.id == defect, BatchDefect.batch_id == batch.id)
    found = uow.session.scalar(statement, execution_options=TRUSTED)
    if found is None or found.mended_at is not None:
        raise Conflict(_("This has been done already. Reload the page."))
    found.mended_at, found.mended_by = uow.now, uow.actor.principal_id
    uow.note(batch=batch.number, defect=found.code)


def kinds(uow: UnitOfWork) -> dict[str, str]:
    """Code → label of the defects that the policy names."""
    return {code: policies.said(label) for code, label in _kinds(uow).items()}


def noted(uow: UnitOfWork, batch: ScanBatch, page: int) -> dict[str, str]:
    """Code → note of what was found wrong with a page in this sample."""
    return {one.code: one.note or "" for one in _marked(uow, batch, page)}


def defects(uow: UnitOfWork, batch: ScanBatch) -> list[Defect]:
    """What was ever found wrong on pages that the actor may see, in the order of the pages."""
    kinds = _kinds(uow)
    rows = uow.session.execute(
        select(BatchDefect, BatchPage.ordinal, Principal.name)
        .join(BatchPage, BatchPage.id == BatchDefect.batch_page_id)
        .outerjoin(Principal, Principal.id == BatchDefect.by_id)
        .where(BatchDefect.batch_id == batch.id, leaves.told(uow))
        .order_by(BatchPage.ordinal, BatchDefect.id),
        execution_options=TRUSTED,
    )
    return [
        Defect(one.id, ordinal, one.batch_page_id, policies.said(kinds.get(one.code, {"zh": one.code})),
               bool(kinds.get(one.code, {}).get("fails")), one.note, by, one.at, one.mended_at)
        for one, ordinal, by in rows
    ]  # fmt: skip


def tally(uow: UnitOfWork, batch: ScanBatch) -> Tally:
    """The figures of the last sample."""
    drawn = batches.in_sample(batch)
    counts = (
        func.count(),
        func.count().filter(drawn),
        func.count().filter(drawn, BatchPage.looked_at.is_not(None)),
    )
    standing = select(*counts).select_from(BatchPage).where(BatchPage.batch_id == batch.id, STANDS)
    pages, chosen, looked_at = uow.session.execute(standing, execution_options=TRUSTED).one()
    of = BatchDefect.batch_id == batch.id, BatchDefect.round == batch.rounds
    found = uow.session.execute(
        select(BatchDefect.code, BatchDefect.batch_page_id).where(*of), execution_options=TRUSTED
    ).all()
    codes = {one.code for one in found}
    return Tally(
        pages, chosen, looked_at, wanting=len({one.batch_page_id for one in found}),
        fails=tuple(policies.said(kind) for code, kind in _kinds(uow).items() if code in codes and kind.get("fails")),
    )  # fmt: skip


def _kinds(uow: UnitOfWork) -> dict[str, Any]:
    listed: dict[str, Any] = policies.in_force(uow, "digitisation").body["defects"]
    return listed


def shares(uow: UnitOfWork) -> list[Share]:
    """Results of all samples by operator and device, over the batches whose pages the actor may see."""
    wanting = (
        select(BatchDefect.id).where(BatchDefect.batch_page_id == BatchPage.id).correlate(BatchPage).exists()
    )
    rows = uow.session.execute(
        select(
            Principal.name, func.coalesce(BatchFile.device, ""), func.count(BatchPage.id),
            func.count(BatchPage.id).filter(wanting),
        )
        .join(BatchFile, BatchFile.id == BatchPage.file_id)
        .join(ScanBatch, ScanBatch.id == BatchPage.batch_id)
        .join(Principal, Principal.id == BatchFile.created_by)
        .where(BatchPage.looked_at.is_not(None), batches.readable(uow))
        .group_by(Principal.id, Principal.name, BatchFile.device)
        .order_by(Principal.name, BatchFile.device),
        execution_options=TRUSTED,
    )  # fmt: skip
    return [Share(*row) for row in rows]


# Guards


SCANNING = ("scan", "scan_more", "finish", "link", "mended")
"""Steps of whoever makes what is judged."""


def not_the_scanner(uow: UnitOfWork, batch: ScanBatch) -> str | None:
    """Whoever scanned or linked does not judge it: separation of duties, also where a watched folder handed the pile in, and
    where a page was scanned anew in its record.
    """
    me = uow.actor.principal_id
    scanned = select(BatchFile.id).where(BatchFile.batch_id == batch.id, BatchFile.created_by == me)
    stepped = select(BatchStep.id).where(
        BatchStep.batch_id == batch.id, BatchStep.by_id == me, BatchStep.name.in_(SCANNING)
    )
    if any(
        uow.session.scalar(own.limit(1), execution_options=TRUSTED) is not None
        for own in (scanned, stepped, _made(batch, me))
    ):
        return _("Ask somebody else to check this: nobody checks what they have scanned.")
    return None


def _made(batch: ScanBatch, by: int | None) -> Select[Any]:
    """Files that a person has handed in of which pages stand, or stood, for pages of a batch."""
    mine = BatchPage.batch_id == batch.id
    first = (
        select(BatchPage.page_id.label("id")).where(mine, BatchPage.page_id.is_not(None)).cte(recursive=True)
    )
    later = select(Page.superseded_by_id).join(first, first.c.id == Page.id)
    pages = first.union(later.where(Page.superseded_by_id.is_not(None)))
    files = select(Representation.id).join(Page, Page.representation_id == Representation.id)
    return files.join(pages, pages.c.id == Page.id).where(Representation.created_by == by)


def sample_looked_at(uow: UnitOfWork, batch: ScanBatch) -> str | None:
    """Every page that was drawn has been seen."""
    left = uow.session.scalar(_left(batch, func.count()), execution_options=TRUSTED)
    if not left:
        return None
    return ngettext(
        "%(num)d page of the sample is left to look at.",
        "%(num)d pages of the sample are left to look at.",
        left,
    )


def within_limits(uow: UnitOfWork, batch: ScanBatch) -> str | None:
    """No wrong patient, no page missing or in the wrong place, and no more defects than the policy allows."""
    found, limits = tally(uow, batch), policies.in_force(uow, "digitisation").body["limits"]
    if found.fails:
        return _("%(defects)s was found: the batch goes back.", defects=_(", ").join(found.fails))
    if found.looked_at and found.wanting * 1000 > limits["defect_per_1000"] * found.looked_at:
        return _("Too many defects: %(found)s of %(all)s pages.", found=found.wanting, all=found.looked_at)
    return None


def has_defects(uow: UnitOfWork, batch: ScanBatch) -> str | None:
    """Nobody can mend what nobody has named."""
    of = select(BatchDefect.id).where(BatchDefect.batch_id == batch.id, BatchDefect.round == batch.rounds)
    named = uow.session.scalar(of.limit(1), execution_options=TRUSTED) is not None
    return None if named else _("Mark on the pages what is wrong with them.")


def every_defect_mended(uow: UnitOfWork, batch: ScanBatch) -> str | None:
    """What was marked is put right before it is looked at again."""
    left: Any = select(func.count(BatchDefect.id)).where(
        BatchDefect.batch_id == batch.id, BatchDefect.mended_at.is_(None)
    )
    number = uow.session.scalar(left, execution_options=TRUSTED) or 0
    if not number:
        return None
    return ngettext("%(num)d defect is not mended yet.", "%(num)d defects are not mended yet.", number)


GUARDS = (not_the_scanner, sample_looked_at, within_limits, has_defects, every_defect_mended)
