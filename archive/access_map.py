"""The class of every node in one array of the process: one look-up in it filters a search (architecture §3.2)."""

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain
from threading import Lock
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, delete, func, inspect, or_, select, text
from sqlalchemy.orm import Session

from archive.db import executed
from archive.models import Node, SecurityEpoch, Setting
from archive.policy.permissions import TIERS
from archive.uow import UnitOfWork
from index import Tier

Classes = NDArray[np.int32]
Mask = NDArray[np.bool_]

TRUSTED: Any = {"scope": "access map"}
BATCH = 50_000
"""Rows read at once."""
NODE, EPOCH = inspect(Node).local_table, inspect(SecurityEpoch).local_table
WINDOW = 10_000
"""So many of the newest epochs are kept, and looked through for late ones when the map is first loaded."""
PATIENCE = 60.0
"""Seconds that a late epoch is waited for at least."""


class AccessMap:
    """安全类数组: one a process, brought up to date by the security epoch before each search."""

    def __init__(self) -> None:
        self._classes: Classes = np.zeros(0, np.int32)
        self._newest = -1
        self._late = _Late()
        self._lock = Lock()

    def allowed(self, uow: UnitOfWork) -> "AllowedNodes":
        """What the actor of `uow` holds now, for the index. Reads what is committed, nothing of `uow` itself."""
        with uow.site.session(readonly=True) as session:
            return AllowedNodes(uow, self.current(session))

    def current(self, session: Session) -> Classes:
        """The classes by node id, as of now. Another search may bring the same array further up to date."""
        with self._lock:
            newest, forgotten = session.execute(_NEWEST).one()
            newest, forgotten = newest or 0, int(forgotten or 0)
            if self._newest < max(0, forgotten) or newest < self._newest:
                self._load(session, newest)
            elif newest > self._newest or self._late.ids:
                self._follow(session, newest)
            return self._classes

    def _load(self, session: Session, newest: int) -> None:
        self._late = _Late()
        self._notice(session, max(newest - WINDOW, _forgotten(session)), newest)
        size = (session.scalar(select(func.max(Node.id)), execution_options=TRUSTED) or 0) + 1
        self._classes = np.zeros(size, np.int32)
        self._put(session, select(NODE.c.id, NODE.c.access_class))
        self._newest = newest

    def _follow(self, session: Session, newest: int) -> None:
        """Reads the branches again whose classes have changed since; one statement for all of them."""
        late = sorted(self._late.ids)
        self._notice(session, self._newest, newest)
        changed = (
            select(NODE.c.id, NODE.c.access_class)
            .join_from(NODE, EPOCH, (NODE.c.path >= EPOCH.c.path_from) & (NODE.c.path < EPOCH.c.path_end))
            .where(or_(EPOCH.c.id > self._newest, EPOCH.c.id.in_(late)))
            .distinct()
        )
        self._put(session, changed)
        self._newest = newest

    def _notice(self, session: Session, after: int, newest: int) -> None:
        """On a server with many writers an epoch can be committed after one with a higher number."""
        if session.get_bind().dialect.name == "postgresql":
            self._late.look(session, after, newest)

    def _put(self, session: Session, wanted: Select[Any]) -> None:
        # As the driver gives them: an object for each row, and numpy asking each whether it is a sequence, are
        # ten times as slow.
        with closing(executed(session, wanted, TRUSTED)) as rows:
            while part := rows.cursor.fetchmany(BATCH):
                pairs = np.fromiter(chain.from_iterable(part), np.int64, count=2 * len(part)).reshape(-1, 2)
                if len(pairs) and (beyond := int(pairs[:, 0].max()) + 1 - len(self._classes)) > 0:
                    room = np.zeros(max(beyond, len(self._classes) // 8), np.int32)
                    self._classes = np.concatenate([self._classes, room])
                self._classes[pairs[:, 0]] = pairs[:, 1]


FORGOTTEN = "security_epoch.forgotten"
"""The setting that tells up to which epoch they have been deleted."""


_NEWEST = select(
    select(func.max(SecurityEpoch.id)).scalar_subquery(),
    select(Setting.value).where(Setting.name == FORGOTTEN).scalar_subquery(),
)
"""The newest epoch, and up to which they have been deleted; before every search, so it is made once."""


def _forgotten(session: Session) -> int:
    kept = session.get(Setting, FORGOTTEN)
    return int(kept.value) if kept else 0


def forget(session: Session) -> None:
    """Deletes all but the newest epochs. A process that is further behind reads the whole array again.

    The newest stay: their numbers must never be given again.
    """
    newest = session.scalar(select(func.max(SecurityEpoch.id))) or 0
    if (last := newest - WINDOW) > 0:
        session.execute(delete(SecurityEpoch).where(SecurityEpoch.id <= last))
        session.merge(Setting(name=FORGOTTEN, value=last))


@dataclass
class _Late:
    """Numbers of epochs that were drawn but not committed when higher ones were: they are asked for again."""

    ids: dict[int, tuple[int, float]] = field(default_factory=dict)
    """For each number the transactions begun until it was missed, and when that was."""

    def look(self, session: Session, after: int, newest: int) -> None:
        """Notes what is missing up to `newest`, and forgets what has come or will never come."""
        asked = or_(SecurityEpoch.id > after, SecurityEpoch.id.in_(list(self.ids)))
        known = set(session.scalars(select(SecurityEpoch.id).where(asked)))
        oldest, begun = session.connection().execute(RUNNING).one()
        missing = set(range(max(1, after + 1), newest + 1)) - known
        self.ids = {
            **{
                number: since
                for number, since in self.ids.items()
                if number not in known and not _over(since, oldest)
            },
            **dict.fromkeys(missing, (int(begun), monotonic())),
        }


RUNNING = text(
    "SELECT pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint FROM pg_current_snapshot() s"
)
"""The oldest transaction that still runs, and the next one to begin."""


def _over(since: tuple[int, float], oldest: int) -> bool:
    """Whether all transactions that ran when the number was missed have ended: it was rolled back."""
    return oldest >= since[0] and monotonic() - since[1] > PATIENCE


@dataclass(eq=False)
class AllowedNodes:
    """许可: the nodes that one person holds at each tier, as masks over node ids. Lives for one unit of work."""

    uow: UnitOfWork
    classes: Classes
    _masks: dict[Tier, Mask] = field(default_factory=dict)

    def mask(self, tier: Tier) -> Mask:
        """What the index asks for: classes that admit, and grants, without closed branches."""
        if tier not in self._masks:
            self._masks[tier] = self._mask(tier)
        return self._masks[tier]

    def _mask(self, tier: Tier) -> Mask:
        permission = TIERS[tier]
        admitted = sorted(self.uow.access.classes(permission))
        table = np.zeros((admitted[-1] if admitted else 0) + 2, np.bool_)
        table[admitted] = True
        mask: Mask = np.take(table, self.classes, mode="clip")
        self._set(mask, self.uow.access.granted(permission), held=True)
        self._set(mask, self._shut(), held=False)
        return mask

    def _shut(self) -> Iterable[int]:
        """The nodes of branches whose classes are being worked out."""
        for start, end in self.uow.access.closed():
            inside = select(Node.id).where(Node.path >= start, Node.path < end)
            yield from self.uow.session.scalars(inside, execution_options=TRUSTED)

    @staticmethod
    def _set(mask: Mask, numbers: Iterable[int], *, held: bool) -> None:
        known = np.fromiter(numbers, np.int64)
        mask[known[known < len(mask)]] = held
