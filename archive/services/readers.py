"""近期查阅: who has opened a record within the last month, from the journal of reads."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from archive.models import Node, Principal, ReadEvent
from archive.policy.permissions import P
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "readers"}
SPAN = timedelta(days=30)
MOST = 8
OPENED = ("tree_view.viewed", "page.viewed", "page.text_viewed")


@dataclass(frozen=True)
class Reader:
    """One person: how often they opened the record or a page of it, and when last."""

    name: str
    times: int
    last: datetime


def recent(uow: UnitOfWork, node: Node) -> list[Reader]:
    """Who opened a record or what lies in it, the latest first. Needs content.history."""
    uow.require(P.HISTORY, node)
    inside = select(Node.id).where(Node.path >= node.path, Node.path < node.path_end)
    ids = list(uow.session.scalars(inside, execution_options=TRUSTED))
    opened = (
        select(ReadEvent.actor_id, ReadEvent.actor, func.count(), func.max(ReadEvent.at).label("last"))
        .where(ReadEvent.object_kind == "node", ReadEvent.object_id.in_(ids), ReadEvent.at > uow.now - SPAN)
        .where(ReadEvent.result == "ok", ReadEvent.action.in_(OPENED))
        .group_by(ReadEvent.actor_id, ReadEvent.actor)
        .order_by(func.max(ReadEvent.at).desc())
        .limit(MOST)
    )
    with uow.site.journal() as journal:
        rows = journal.execute(opened).all()
    who = [number for number, _account, _times, _last in rows]
    names = dict(uow.session.execute(select(Principal.id, Principal.name).where(Principal.id.in_(who))).all())
    return [Reader(names.get(number or 0, account), times, last) for number, account, times, last in rows]
