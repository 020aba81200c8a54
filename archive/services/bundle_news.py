"""批次通知: whoever asked for a bundle is told of what they may see of it: what was refused unseen stays unseen."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select

from archive.models import Notice, Request, RequestBundle
from archive.services import slips
from archive.uow import UnitOfWork

GRANTED, REFUSED = "bundle.granted", "bundle.refused"
STATES = {GRANTED: slips.GRANTED, REFUSED: ("refused",)}


def of_notice(uow: UnitOfWork) -> ColumnElement[bool]:
    """Of notices: those of a bundle of which the reader may see a record in the state that it tells of."""
    return or_(*(and_(Notice.kind == kind, _seen(uow, states)) for kind, states in STATES.items()))


def _seen(uow: UnitOfWork, states: Iterable[str]) -> ColumnElement[bool]:
    rows = slips.visible(uow, Request.id).where(
        Request.bundle_id == Notice.bundle_id, Request.state.in_(list(states))
    )
    return rows.correlate(Notice).exists()


def told_of(uow: UnitOfWork, numbers: Iterable[int | None]) -> dict[int, tuple[UUID, str]]:
    """Bundle → its uuid and number. For notices and slips that the reader may see."""
    wanted = {number for number in numbers if number}
    rows = select(RequestBundle.id, RequestBundle.uuid, RequestBundle.number).where(
        RequestBundle.id.in_(wanted)
    )
    return {number: (uuid, code) for number, uuid, code in uow.session.execute(rows)} if wanted else {}
