"""特殊纸张: what volumes hold that asks for care, and which of them are scanned first because it fades."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from archive.i18n import _
from archive.models import BatchPage, BatchVolume, ScanBatch
from archive.services import policies
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "care"}
UNSCANNED = ("created", "checked_out", "prepared", "scanning")
"""States of a batch in which there is still an order to be scanned in."""


@dataclass(frozen=True)
class Paper:
    """特殊纸张 as a page names it. `first`: it is scanned before the others."""

    code: str
    label: str
    first: bool


@dataclass(frozen=True)
class Urgent:
    """先扫: how many volumes of a batch wait that are to be scanned first, and because of which papers."""

    volumes: int
    papers: str


def papers(uow: UnitOfWork) -> dict[str, Paper]:
    """The papers that one may tick, by their codes, in the hospital's order."""
    listed: dict[str, Any] = policies.in_force(uow, "digitisation").body.get("kinds", {})
    return {code: Paper(code, policies.said(kind), bool(kind.get("first"))) for code, kind in listed.items()}


def of(known: dict[str, Paper], codes: Iterable[str] | None) -> list[Paper]:
    """What a volume holds, in words. A code that the policy does not know any more says nothing."""
    said = set(codes or ())
    return [paper for paper in known.values() if paper.code in said]


def waiting(uow: UnitOfWork, batches: Sequence[int]) -> dict[int, Urgent]:
    """Of batches those in which volumes wait that are to be scanned first: none of their pages has come yet."""
    known = papers(uow)
    if not any(paper.first for paper in known.values()):
        return {}
    rows = (
        select(BatchVolume.batch_id, BatchVolume.id, BatchVolume.kinds)
        .join(ScanBatch, ScanBatch.id == BatchVolume.batch_id)
        .where(ScanBatch.id.in_(batches), ScanBatch.state.in_(UNSCANNED), BatchVolume.kinds.is_not(None))
    )
    hurried = {
        volume: (batch, [paper for paper in of(known, codes) if paper.first])
        for batch, volume, codes in uow.session.execute(rows, execution_options=TRUSTED)
    }
    came = _come(uow, [volume for volume, (_batch, first) in hurried.items() if first])
    held: dict[int, list[list[Paper]]] = {}
    for volume, (batch, first) in hurried.items():
        if first and volume not in came:
            held.setdefault(batch, []).append(first)
    return {batch: Urgent(len(volumes), _named(known, volumes)) for batch, volumes in held.items()}


def _come(uow: UnitOfWork, volumes: Sequence[int]) -> set[int]:
    if not volumes:
        return set()
    came = select(BatchPage.volume_id).where(BatchPage.volume_id.in_(volumes), BatchPage.aside.is_(None))
    return {volume for volume in uow.session.scalars(came.distinct(), execution_options=TRUSTED) if volume}


def _named(known: dict[str, Paper], volumes: Iterable[Iterable[Paper]]) -> str:
    there = {paper.code for volume in volumes for paper in volume}
    return _(", ").join(paper.label for code, paper in known.items() if code in there)
