"""The class of every node in one array of the process: one look-up in it filters a search (architecture §3.2)."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
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
from index import Sealed, Tier

Classes = NDArray[np.int32]
Mask = NDArray[np.bool_]
Numbers = NDArray[np.int64]

TRUSTED: Any = {"scope": "access map"}
ROOM = 16 << 20
"""Bytes of masks that are kept, about: those of five people who all differ, where there are a million nodes."""
BATCH = 50_000
"""Rows read at once."""
NODE, EPOCH = inspect(Node).local_table, inspect(SecurityEpoch).local_table
WINDOW = 10_000
"""So many of the newest epochs are kept, and looked through for late ones when the map is first loaded."""
PATIENCE = 60.0
"""Seconds that a late epoch is waited for at least."""


Asked = tuple[frozenset[int], bytes, bytes]
"""The classes that admit somebody, the nodes granted to them, the nodes closed to everybody: read anew for each search."""


class KeptMasks:
    """What is asked for is made into a mask once, as long as no class of a node changes; for whoever asks for the same.

    What is asked for, a grant for each of many nodes, can be as large as the mask, so that both count.
    """

    def __init__(self) -> None:
        self._masks: OrderedDict[Asked, Sealed] = OrderedDict()
        self._lock = Lock()

    def get(self, asked: Asked, make: Callable[[], Sealed]) -> Sealed:
        """The mask, made if it is not there. Threads that come at once may each make it."""
        with self._lock:
            if asked in self._masks:
                self._masks.move_to_end(asked)
                return self._masks[asked]
        mask = make()
        with self._lock:
            self._masks[asked] = mask
            while sum(map(self._size, self._masks)) > ROOM:
                self._masks.popitem(last=False)
        return mask

    def _size(self, asked: Asked) -> int:
        return self._masks[asked].size + sum(map(len, asked))


class AccessMap:
    """安全类数组: one a process, brought up to date by the security epoch before each search."""

    def __init__(self) -> None:
        self._classes: Classes = np.zeros(0, np.int32)
        self._masks = KeptMasks()
        self._newest = -1
        self._late = _Late()
        self._lock = Lock()

    def allowed(self, uow: UnitOfWork) -> "AllowedNodes":
        """What the actor of `uow` holds now, for the index. Reads what is committed, nothing of `uow` itself."""
        with uow.site.session(readonly=True) as session:
            return AllowedNodes(uow, *self._now(session))

    def current(self, session: Session) -> Classes:
        """The classes by node id, as of now. Another search may bring the same array further up to date."""
        return self._now(session)[0]

    def _now(self, session: Session) -> "tuple[Classes, KeptMasks]":
        """The classes, and the masks made of these or of later ones."""
        with self._lock:
            newest, forgotten = (int(told or 0) for told in session.execute(_NEWEST).one())
            if not max(0, forgotten) <= self._newest <= newest:
                self._load(session, newest, forgotten)
            elif newest > self._newest or self._late.ids:
                self._follow(session, newest)
            return self._classes, self._masks

    def _load(self, session: Session, newest: int, forgotten: int) -> None:
        self._late = _Late()
        self._notice(session, max(newest - WINDOW, forgotten), newest)
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
        # Whoever goes on with those of before has no newer ones, and nobody who comes now has those.
        self._masks = KeptMasks()


FORGOTTEN = "security_epoch.forgotten"
"""The setting that tells up to which epoch they have been deleted."""
_NEWEST = select(
    select(func.max(SecurityEpoch.id)).scalar_subquery(),
    select(Setting.value).where(Setting.name == FORGOTTEN).scalar_subquery(),
)
"""The newest epoch, and up to which they have been deleted; before every search, so it is made once."""


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
    kept: KeptMasks
    _masks: dict[Tier, Sealed] = field(default_factory=dict)

    def mask(self, tier: Tier) -> Sealed:
        """What the index asks for: classes that admit, and grants, without closed branches."""
        if tier not in self._masks:
            permission = TIERS[tier]
            admitted = self.uow.access.classes(permission)
            granted = np.fromiter(self.uow.access.granted(permission), np.int64)
            shut = np.fromiter(self._shut(), np.int64)
            asked = admitted, granted.tobytes(), shut.tobytes()
            self._masks[tier] = self.kept.get(asked, lambda: self._mask(admitted, granted, shut))
        return self._masks[tier]

    def _mask(self, admitted: Collection[int], granted: Numbers, shut: Numbers) -> Sealed:
        table = np.zeros(max(admitted, default=0) + 2, np.bool_)
        table[list(admitted)] = True
        mask: Mask = np.take(table, self.classes, mode="clip")
        self._set(mask, granted, held=True)
        self._set(mask, shut, held=False)
        return Sealed(mask)

    def _shut(self) -> Iterable[int]:
        """The nodes of branches whose classes are being worked out."""
        for start, end in self.uow.access.closed():
            inside = select(Node.id).where(Node.path >= start, Node.path < end)
            yield from self.uow.session.scalars(inside, execution_options=TRUSTED)

    @staticmethod
    def _set(mask: Mask, numbers: Numbers, *, held: bool) -> None:
        mask[numbers[numbers < len(mask)]] = held
