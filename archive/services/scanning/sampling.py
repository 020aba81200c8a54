"""抽样: which pages of a batch are looked at by somebody else than whoever scanned them (domain §13)."""

import random
import secrets
from collections.abc import Sequence
from math import ceil

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import aliased

from archive.models import BatchDefect, BatchPage, BatchVolume, Node, Page, PageCheck, Principal, ScanBatch
from archive.services import page_checks, policies
from archive.services.scanning.batches import TRUSTED
from archive.services.scanning.pages import LIGHT
from archive.uow import UnitOfWork


def sample(uow: UnitOfWork, batch: ScanBatch) -> None:
    """Part of a step: draws the pages to be looked at, by a seed that is kept; all of records from the level of the policy on."""
    limits = policies.in_force(uow, "digitisation").body["limits"]
    batch.rounds += 1
    batch.seed = secrets.randbits(31)
    pages, whole = linked(uow, batch), _whole(uow, batch)
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
    """Pages that are looked at in any case: of sensitive records and components, and what the hospital names."""
    body = policies.in_force(uow, "digitisation").body
    item, level = aliased(Node), body["limits"]["whole_from_level"]
    named = (
        Node.level >= level,
        item.level >= level,
        BatchPage.component.in_(body["whole"]["components"]),
        Principal.code.in_(body["whole"]["departments"]),
    )
    statement = (
        select(BatchPage.id)
        .join(BatchVolume, BatchVolume.id == BatchPage.volume_id)
        .join(Node, Node.id == BatchVolume.node_id)
        .outerjoin(Principal, Principal.id == Node.dept_id)
        .outerjoin(Page, Page.id == BatchPage.page_id)
        .outerjoin(item, item.id == Page.node_id)
        .where(BatchPage.batch_id == batch.id, BatchPage.linked_at.is_not(None), or_(*named))
    )
    return set(uow.session.scalars(statement, execution_options=TRUSTED))


def drawn_from(pages: Sequence[int], percent: int, seed: int) -> set[int]:
    """So many of a hundred, one at least; the same seed draws the same ones."""
    wanted = min(len(pages), ceil(len(pages) * percent / 100))
    return set(random.Random(seed).sample(list(pages), wanted))  # noqa: S311 - repeatable on purpose, nothing secret


STANDS = (
    select(Page.id)
    .where(Page.id == BatchPage.page_id, Page.node_id.is_not(None))
    .correlate(BatchPage)
    .exists()
)
"""That a page of a batch stands in a record: what was taken out there is nobody's to judge."""


def linked(uow: UnitOfWork, batch: ScanBatch, *which: ColumnElement[bool]) -> list[BatchPage]:
    """The pages of a batch that stand in a record."""
    mine = select(BatchPage).where(BatchPage.batch_id == batch.id, STANDS, *which)
    found = mine.options(*LIGHT).order_by(BatchPage.ordinal)
    return list(uow.session.scalars(found, execution_options=TRUSTED))


def _pages_with_defects(uow: UnitOfWork, batch: ScanBatch) -> set[int]:
    """Whatever was sent back is looked at again."""
    found = select(BatchDefect.batch_page_id).where(BatchDefect.batch_id == batch.id)
    return set(uow.session.scalars(found, execution_options=TRUSTED))
