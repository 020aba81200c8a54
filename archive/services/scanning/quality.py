"""质检: a random sample by somebody else than the scanner, defects, and whether a batch can be accepted (domain §13)."""

import random
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select

from archive.errors import Conflict, Invalid
from archive.i18n import _, ngettext
from archive.models import (
    BatchDefect,
    BatchFile,
    BatchPage,
    BatchStep,
    BatchVolume,
    Node,
    Page,
    PageCheck,
    Principal,
    ScanBatch,
)
from archive.policy.permissions import P
from archive.schema import clean
from archive.services import page_checks, policies
from archive.services.scanning import batches
from archive.services.scanning.batches import TRUSTED
from archive.services.scanning.pages import LIGHT
from archive.uow import UnitOfWork, action


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
    defects: int
    wanting: int
    fails: int


@dataclass(frozen=True)
class Share:
    """Of one operator at one device: pages in samples, and those with a defect."""

    operator: str
    device: str
    looked_at: int
    wanting: int


def sample(uow: UnitOfWork, batch: ScanBatch) -> None:
    """Part of a step: draws the pages to be looked at, by a seed that is kept; all of records from the level of the policy on."""
    limits = policies.in_force(uow, "digitisation").body["limits"]
    batch.rounds += 1
    batch.seed = secrets.randbits(31)
    pages, whole = _linked(uow, batch), _whole(uow, batch)
    chosen = drawn_from([page.id for page in pages if page.id not in whole], limits["percent"], batch.seed)
    chosen |= whole | _pages_with_defects(uow, batch) | {page.id for page in pages if _is_doubtful(uow, page)}
    for page in pages:
        if page.id in chosen:
            page.round, page.looked_at, page.looked_by = batch.rounds, None, None
    uow.note(seed=batch.seed, round=batch.rounds, policies=policies.used(uow, "digitisation"))
    uow.session.flush()


def _is_doubtful(uow: UnitOfWork, page: BatchPage) -> bool:
    """自动检测: whether something was measured of it that the policy takes for a defect; a person looks at all of these."""
    check = PageCheck(**page.quality)
    return any(page_checks.findings(page, check, page.confidence, page_checks.limits(uow)))


def _whole(uow: UnitOfWork, batch: ScanBatch) -> set[int]:
    """Pages that are looked at in any case: of sensitive records, and what the hospital names."""
    body = policies.in_force(uow, "digitisation").body
    named = (
        Node.level >= body["limits"]["whole_from_level"],
        BatchPage.component.in_(body["whole"]["components"]),
        Principal.code.in_(body["whole"]["departments"]),
    )
    statement = (
        select(BatchPage.id)
        .join(BatchVolume, BatchVolume.id == BatchPage.volume_id)
        .join(Node, Node.id == BatchVolume.node_id)
        .outerjoin(Principal, Principal.id == Node.dept_id)
        .where(BatchPage.batch_id == batch.id, BatchPage.linked_at.is_not(None), or_(*named))
    )
    return set(uow.session.scalars(statement, execution_options=TRUSTED))


def drawn_from(pages: Sequence[int], percent: int, seed: int) -> set[int]:
    """So many of a hundred, one at least; the same seed draws the same ones."""
    wanted = min(len(pages), ceil(len(pages) * percent / 100))
    return set(random.Random(seed).sample(list(pages), wanted))  # noqa: S311 - repeatable on purpose, nothing secret


def _linked(uow: UnitOfWork, batch: ScanBatch, *which: ColumnElement[bool]) -> list[BatchPage]:
    """The pages of a batch that stand in a record: what was taken out there is nobody's to judge."""
    stands = (
        select(Page.id).where(Page.id == BatchPage.page_id, Page.node_id.is_not(None)).correlate(BatchPage)
    )
    mine = select(BatchPage).where(BatchPage.batch_id == batch.id, stands.exists(), *which)
    found = mine.options(*LIGHT).order_by(BatchPage.ordinal)
    return list(uow.session.scalars(found, execution_options=TRUSTED))


def _pages_with_defects(uow: UnitOfWork, batch: ScanBatch) -> set[int]:
    """Whatever was sent back is looked at again."""
    found = select(BatchDefect.batch_page_id).where(BatchDefect.batch_id == batch.id)
    return set(uow.session.scalars(found, execution_options=TRUSTED))


def drawn(uow: UnitOfWork, batch: ScanBatch) -> list[BatchPage]:
    """The pages of the last sample in their order."""
    return _linked(uow, batch, *_in_sample(batch))


def _in_sample(batch: ScanBatch) -> tuple[ColumnElement[bool], ...]:
    return BatchPage.round == batch.rounds, BatchPage.round > 0


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
    found = next(iter(_linked(uow, batch, *_in_sample(batch), BatchPage.id == page)), None)
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
    """Says that a defect is put right."""
    batches.lock(uow, batch)
    batches.require(uow, batch, P.SCAN_UPLOAD)
    batches.require_state(batch, "rework")
    statement = select(BatchDefect).where(BatchDefect.id == defect, BatchDefect.batch_id == batch.id)
    found = uow.session.scalar(statement, execution_options=TRUSTED)
    if found is None or found.mended_at is not None:
        raise Conflict(_("This has been done already. Reload the page."))
    found.mended_at, found.mended_by = uow.now, uow.actor.principal_id
    uow.note(batch=batch.number, defect=found.code)


def kinds(uow: UnitOfWork) -> dict[str, str]:
    """Code → label of the defects that the policy names."""
    listed: dict[str, Any] = policies.in_force(uow, "digitisation").body["defects"]
    return {code: policies.said(label) for code, label in listed.items()}


def noted(uow: UnitOfWork, batch: ScanBatch, page: int) -> dict[str, str]:
    """Code → note of what was found wrong with a page in this sample."""
    return {one.code: one.note or "" for one in _marked(uow, batch, page)}


def defects(uow: UnitOfWork, batch: ScanBatch) -> list[Defect]:
    """All defects that were ever found in a batch, in the order of its pages."""
    kinds = policies.in_force(uow, "digitisation").body["defects"]
    rows = uow.session.execute(
        select(BatchDefect, BatchPage.ordinal, Principal.name)
        .join(BatchPage, BatchPage.id == BatchDefect.batch_page_id)
        .outerjoin(Principal, Principal.id == BatchDefect.by_id)
        .where(BatchDefect.batch_id == batch.id)
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
    kinds = policies.in_force(uow, "digitisation").body["defects"]
    chosen = drawn(uow, batch)
    of = select(BatchDefect).where(BatchDefect.batch_id == batch.id, BatchDefect.round == batch.rounds)
    found = list(uow.session.scalars(of, execution_options=TRUSTED))
    linked = select(func.count(BatchPage.id)).where(
        BatchPage.batch_id == batch.id, BatchPage.linked_at.is_not(None)
    )
    return Tally(
        pages=uow.session.scalar(linked, execution_options=TRUSTED) or 0, drawn=len(chosen),
        looked_at=sum(page.looked_at is not None for page in chosen),
        defects=len(found), wanting=len({one.batch_page_id for one in found}),
        fails=sum(bool(kinds.get(one.code, {}).get("fails")) for one in found),
    )  # fmt: skip


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
    """Whoever scanned or linked does not judge it: separation of duties, also where a watched folder handed the pile in."""
    me = uow.actor.principal_id
    scanned = select(BatchFile.id).where(BatchFile.batch_id == batch.id, BatchFile.created_by == me)
    stepped = select(BatchStep.id).where(
        BatchStep.batch_id == batch.id, BatchStep.by_id == me, BatchStep.name.in_(SCANNING)
    )
    if any(
        uow.session.scalar(own.limit(1), execution_options=TRUSTED) is not None for own in (scanned, stepped)
    ):
        return _("Ask somebody else to check this: nobody checks what they have scanned.")
    return None


def sample_looked_at(uow: UnitOfWork, batch: ScanBatch) -> str | None:
    """Every page that was drawn has been seen."""
    found = tally(uow, batch)
    left = found.drawn - found.looked_at
    if not left:
        return None
    return ngettext(
        "%(num)d page of the sample is left to look at.",
        "%(num)d pages of the sample are left to look at.",
        left,
    )


def within_limits(uow: UnitOfWork, batch: ScanBatch) -> str | None:
    """No wrong patient, no page missing, and no more defects than the policy allows."""
    found, limits = tally(uow, batch), policies.in_force(uow, "digitisation").body["limits"]
    if found.fails:
        return _("A wrong patient or a missing page was found: the batch goes back.")
    if found.looked_at and found.wanting * 1000 > limits["defect_per_1000"] * found.looked_at:
        return _("Too many defects: %(found)s of %(all)s pages.", found=found.wanting, all=found.looked_at)
    return None


def has_defects(uow: UnitOfWork, batch: ScanBatch) -> str | None:
    """Nobody can mend what nobody has named."""
    return None if tally(uow, batch).defects else _("Mark on the pages what is wrong with them.")


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
