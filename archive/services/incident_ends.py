"""异常了结: what is found again or mended closes what was written down of it, wherever that is noticed."""

from typing import Any

from sqlalchemy import update

from archive.models import Holding, HoldingAct, Incident
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "incident_ends", "synchronize_session": False}
ENDS = {HoldingAct.FOUND: ("lost", "found"), HoldingAct.MENDED: ("damaged", "closed")}
"""What an act with a volume says of an incident: which kind it ends, and how."""


def follow(uow: UnitOfWork, holding: Holding, act: HoldingAct, because: str | None) -> None:
    """Part of an act with a volume."""
    if act not in ENDS:
        return
    kind, state = ENDS[act]
    ends = update(Incident).where(
        Incident.holding_id == holding.id,
        Incident.kind == kind,
        Incident.state.in_(("open", "reconstructed")),
    )
    told = {"state": state, "ended_at": uow.now, "ended_by": uow.actor.principal_id, "outcome": because}
    uow.session.execute(ends.values(**told, version=Incident.version + 1), execution_options=TRUSTED)
