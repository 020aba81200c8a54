"""工序: a batch goes from the store through the scanner and back; each step by whom and when (domain §4.5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from archive.errors import Conflict, Invalid
from archive.i18n import _, ngettext
from archive.models import BatchPage, BatchStep, BatchVolume, Holding, HoldingStatus, Job, Node, ScanBatch
from archive.policy.permissions import P
from archive.policy.workflows import BATCH, PROGRAM
from archive.schema import clean
from archive.services import frozen, holdings, records
from archive.services.handlers import LIVE
from archive.services.scanning import batches, files, pages, volumes
from archive.services.scanning.batches import TRUSTED, WAITING
from archive.services.scanning.quality import GUARDS as OF_QUALITY
from archive.services.scanning.sampling import sample
from archive.uow import UnitOfWork
from archive.workflow import Guard, State, Transition, objections


@dataclass(frozen=True)
class Offer:
    """A step that this person may take, with what still stands in its way."""

    step: Transition
    reasons: list[str]


def has_volumes(uow: UnitOfWork, batch: ScanBatch) -> str | None:
    """A batch without volumes has nothing to be scanned."""
    return None if volumes.count(uow, batch) else _("Put volumes into the batch first.")


def every_side_counted(uow: UnitOfWork, batch: ScanBatch) -> str | None:
    """What was not counted before the scanner cannot be missed behind it."""
    return _volumes_where(
        uow, batch, BatchVolume.sides.is_(None),
        lambda n: ngettext("%(num)d volume is not counted yet.", "%(num)d volumes are not counted yet.", n),
    )  # fmt: skip


def _volumes_where(uow: UnitOfWork, batch: ScanBatch, condition: Any, words: Any) -> str | None:
    many = select(func.count(BatchVolume.id)).where(BatchVolume.batch_id == batch.id, condition)
    number = uow.session.scalar(many, execution_options=TRUSTED) or 0
    return str(words(number)) if number else None


def has_pages(uow: UnitOfWork, batch: ScanBatch) -> str | None:
    """Nothing was scanned."""
    some = select(BatchPage.id).where(BatchPage.batch_id == batch.id).limit(1)
    found = uow.session.scalar(some, execution_options=TRUSTED)
    return None if found is not None else _("Nothing has been scanned yet.")


def every_file_read(uow: UnitOfWork, batch: ScanBatch) -> str | None:
    """No page can be missed in a file that is not read to its end."""
    if files.pending(uow, batch):
        return _("Wait until all files are read; set aside those that cannot be.")
    return None


def nothing_doubtful(uow: UnitOfWork, batch: ScanBatch) -> str | None:
    """A page in the wrong record is worse than a day's delay."""
    number = batches.doubtful(uow, batch)
    if not number:
        return None
    return ngettext(
        "%(num)d page is doubtful. Look at it.", "%(num)d pages are doubtful. Look at them.", number
    )


def every_volume_confirmed(uow: UnitOfWork, batch: ScanBatch) -> str | None:
    """自检 100 %: somebody has looked at each volume (domain §13)."""
    return _volumes_where(
        uow, batch, BatchVolume.confirmed.is_(False),
        lambda n: ngettext("%(num)d volume is not confirmed yet.", "%(num)d volumes are not confirmed yet.", n),
    )  # fmt: skip


def nothing_is_linking(uow: UnitOfWork, batch: ScanBatch) -> str | None:
    """Nobody changes what a job is working on."""
    live = select(Job.args).where(Job.kind == "batch.link", Job.state.in_(LIVE))
    if any(args.get("batch") == batch.id for args in uow.session.scalars(live)):
        return _("The pages are being linked. Wait until that is done.")
    return None


def sides_agree(uow: UnitOfWork, batch: ScanBatch) -> str | None:
    """As many pages as were counted, or a sentence why not (domain §22.16)."""
    apart = [volume for volume in volumes.listed(uow, batch) if not volume.agrees and not volume.difference]
    if not apart:
        return None
    first = apart[0]
    return _(
        "%(barcode)s: %(sides)s pages were counted, %(pages)s came. Find the others, or say why.",
        barcode=first.barcode, sides=first.sides, pages=first.pages,
    )  # fmt: skip


GUARDS: Mapping[str, Guard] = {
    guard.__name__: guard
    for guard in (
        has_volumes, every_side_counted, has_pages, every_file_read, nothing_doubtful, every_volume_confirmed,
        nothing_is_linking, sides_agree, *OF_QUALITY,
    )
}  # fmt: skip


def state_of(batch: ScanBatch) -> State:
    """The state of a batch in words."""
    return BATCH.state(batch.state)


def offers(uow: UnitOfWork, batch: ScanBatch) -> list[Offer]:
    """The steps that lead on and that the actor may take, with what still stands in their way."""
    found = [
        step
        for step in BATCH.steps(batch.state)
        if step.needs != PROGRAM and batches.may(uow, batch, P(step.needs))
    ]
    return [Offer(step, objections(step, GUARDS, uow, batch)) for step in found]


def take(uow: UnitOfWork, batch: ScanBatch, name: str, *, reason: str = "") -> None:
    """Takes the step `name`. Raises Conflict in the wrong state or against a guard, Forbidden, Invalid without a reason."""
    step = BATCH.transition(name)
    if step is None or step.needs == PROGRAM:
        raise Conflict(_("There is no such step."))
    batches.lock(uow, batch)
    batches.require(uow, batch, P(step.needs))
    batches.require_state(batch, *step.sources)
    if step.asks_reason and not clean(reason):
        raise Invalid(fields={"reason": _("Say why, in a sentence.")})
    if refusals := objections(step, GUARDS, uow, batch):
        raise Conflict(" ".join(refusals))
    _arrive(uow, batch, step, clean(reason)[:500] or None)
    go_on(uow, batch)


def _arrive(uow: UnitOfWork, batch: ScanBatch, step: Transition, reason: str | None = None) -> None:
    with uow.act(f"batch.{step.name}", batch):
        uow.note(step=step.name, state=[batch.state, step.target], reason=reason)
        batch.state = step.target
        by = None if step.needs == PROGRAM else uow.actor.principal_id
        made = BatchStep(
            batch_id=batch.id, name=step.name, state=step.target, at=uow.now, by_id=by, reason=reason
        )
        uow.session.add(made)
        uow.session.flush()
        if step.name in _FOLLOWING:
            _FOLLOWING[step.name](uow, batch)


def go_on(uow: UnitOfWork, batch: ScanBatch) -> None:
    """Takes the steps that are the program's own, as far as what they wait for is done."""
    batches.lock(uow, batch)
    while (step := _next(batch)) and _READY[step.name](uow, batch):
        _arrive(uow, batch, step)


def _next(batch: ScanBatch) -> Transition | None:
    return next((step for step in BATCH.steps(batch.state) if step.needs == PROGRAM), None)


def _is_linked(uow: UnitOfWork, batch: ScanBatch) -> bool:
    waiting = select(BatchPage.id).where(BatchPage.batch_id == batch.id, *WAITING)
    return uow.session.scalar(waiting.limit(1), execution_options=TRUSTED) is None


def _at_once(_uow: UnitOfWork, _batch: ScanBatch) -> bool:
    """Every page was examined when it was made: the findings are there."""
    return True


def interrupt(uow: UnitOfWork, batch: ScanBatch, reason: str) -> None:
    """Part of a job that failed: pages that are linked stay so, and a person looks at the others."""
    batches.lock(uow, batch)
    step = BATCH.transition("stop_linking")
    if step is not None and batch.state in step.sources:
        _arrive(uow, batch, step, reason)


_READY = {"process": pages.all_read, "examine": _is_linked, "draw": _at_once}
"""What each of the program's steps waits for."""


# What follows from a step


def _check_out(uow: UnitOfWork, batch: ScanBatch) -> None:
    uow.lock_all(batches.nodes(uow, batch))  # else one might be sealed, or handed out, at this very moment
    for volume in _rows(uow, batch):
        holding = uow.session.get_one(
            Holding, volume.holding_id, populate_existing=True, execution_options=TRUSTED
        )
        if holding.status in {HoldingStatus.LENT, HoldingStatus.MISSING}:
            raise Conflict(_("%(barcode)s is not in the house.", barcode=holding.barcode))
        node = uow.session.get_one(Node, volume.node_id, execution_options=TRUSTED)
        if refusal := frozen.volume(uow, holding):
            raise Conflict(f"{holding.barcode}: {refusal}")
        holdings.move(uow, holding, to=HoldingStatus.PROCESSING, because=batch.number)
        if node.type == "medical_record":
            records.reach(uow, node, "scan", "waiting")


def _begin_scanning(uow: UnitOfWork, batch: ScanBatch) -> None:
    for node in batches.nodes(uow, batch):
        if node.type == "medical_record":
            records.reach(uow, node, "scan", "scanning")


def _link(uow: UnitOfWork, batch: ScanBatch) -> None:
    uow.job("batch.link", batch=batch.id)


def _accept(uow: UnitOfWork, batch: ScanBatch) -> None:
    for node in batches.nodes(uow, batch):
        if node.type == "medical_record":
            records.reach(uow, node, "scan", "accepted")


def _check_in(uow: UnitOfWork, batch: ScanBatch) -> None:
    for volume in _rows(uow, batch):
        holding = uow.session.get_one(Holding, volume.holding_id, execution_options=TRUSTED)
        holdings.back(uow, holding, because=batch.number)
        volume.open = False


def _cancel(uow: UnitOfWork, batch: ScanBatch) -> None:
    """What had gone out goes back; what had not stays where it is."""
    gone = select(BatchStep.id).where(BatchStep.batch_id == batch.id, BatchStep.name == "check_out").limit(1)
    if uow.session.scalar(gone, execution_options=TRUSTED) is not None:
        _check_in(uow, batch)
    for volume in _rows(uow, batch):
        volume.open = False


def _rows(uow: UnitOfWork, batch: ScanBatch) -> list[BatchVolume]:
    mine = select(BatchVolume).where(BatchVolume.batch_id == batch.id).order_by(BatchVolume.id)
    return list(uow.session.scalars(mine, execution_options=TRUSTED))


_FOLLOWING = {
    "check_out": _check_out, "scan": _begin_scanning, "link": _link, "mended": _link,
    "draw": sample, "accept": _accept, "check_in": _check_in, "cancel": _cancel,
}  # fmt: skip
