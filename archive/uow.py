"""The only door to the data: a unit of work for one actor. Return to commit, raise to roll back."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, insert, literal, select, update
from sqlalchemy.orm import Session

from archive import addresses, journal
from archive.access import Access
from archive.actor import Actor
from archive.errors import Forbidden, NotFound
from archive.journal import Event, Origin
from archive.models import Holding, Job, Node, Outbox
from archive.policy.permissions import P

if TYPE_CHECKING:
    from archive.site import Site

R = TypeVar("R")
A = ParamSpec("A")
IDS = 500
"""So many ids stand in one statement."""
BESIDE: Any = {"key_share": True}
"""How rows are locked: whoever only writes a row that points to one, as a slip points to its record, does not wait for it."""


class UnauditedChange(RuntimeError):
    """A person's unit of work changed something and no action told the journal."""


class SignedIn:
    """The need of an act that anybody who is signed in may do, on what is their own."""


class Program:
    """The need of an act that only the program itself does, at a named task."""


SIGNED_IN, PROGRAM = SignedIn(), Program()
Needs = P | tuple[P, ...] | SignedIn | Program
"""A permission, any one of several, or being somebody at all."""


def could(actor: Actor, needs: Needs) -> bool:
    """Whether the actor may do somewhere what `needs` says; where exactly, `UnitOfWork.require` decides."""
    if isinstance(needs, SignedIn):
        return actor.is_authenticated
    if isinstance(needs, Program):
        return actor.is_system
    return not actor.anywhere.isdisjoint(needs if isinstance(needs, tuple) else (needs,))


@dataclass(frozen=True)
class Mark:
    """How far a unit of work had come with what it will tell the journal."""

    wrote: bool
    events: int
    words: tuple[dict[str, Any], ...]


class UnitOfWork:
    """工作单元: a transaction, the one who acts, the clock, and what will be written to the journals."""

    def __init__(self, site: "Site", session: Session, actor: Actor, origin: Origin, now: datetime) -> None:
        self.site, self.session, self.actor, self.origin, self.now = site, session, actor, origin, now
        self.access = Access(session, actor, now)
        self.seen: set[int] = set()
        self.events: list[Event] = []
        self.lineage: dict[int, list[Node]] = {}
        """A node that was found by its path, and its ancestors, the nearest first: they have been read with it."""
        self.readings: list[Event] = []
        """Events of a reading that say more than the gate's own line: a page turned, a search run."""
        self._acts: list[dict[str, Any]] = []
        self._once: dict[Hashable, Any] = {}

    @property
    def today(self) -> date:
        """The date in the hospital."""
        return self.local(self.now).date()

    def local(self, moment: datetime) -> datetime:
        """A moment as the clock on the hospital's wall shows it."""
        return moment.astimezone(ZoneInfo(self.site.settings.timezone))

    def once(self, what: Hashable, make: Callable[[], R]) -> R:
        """What `make` gives, made once in this unit of work: for whatever one page asks again and again.

        Only for what the unit of work does not itself change.
        """
        if what not in self._once:
            self._once[what] = make()
        return cast(R, self._once[what])

    # What one may

    def can(self, permission: P, node: Node | None = None) -> bool:
        """Whether the actor holds `permission` on `node`; without a node, through any role at all."""
        if node is None:
            return could(self.actor, permission)
        return permission in self.access.permissions(node)

    def require(self, needs: Needs, node: Node | None = None) -> None:
        """Raises NotFound where the actor may not even know of `node`, Forbidden where they may but not this."""
        if node is None or isinstance(needs, SignedIn | Program):
            if not could(self.actor, needs):
                raise Forbidden
            return
        wanted = needs if isinstance(needs, tuple) else (needs,)
        if any(self.can(each, node) for each in wanted):
            return
        raise Forbidden if self.can(P.DISCOVER, node) else NotFound

    # Reading

    def nodes(
        self, needs: P, *entities: Any, state: str | None = None, everywhere: bool = False
    ) -> Select[Any]:
        """A select of Node (or of `entities`, which must join it) over what the actor holds at `needs`.

        With `state`, over the nodes in it: whoever may do something in a rare state and in a common one does not
        look through all that are in the common one. `everywhere`: no branch and no list of ids narrows it further.
        """
        allowed = self.access.clause(needs, state, everywhere=everywhere)
        statement = select(*(entities or (Node,))).where(allowed)
        return statement.execution_options(scope=needs.value)

    def list(self, statement: Select[Any]) -> list[Any]:
        """All rows; nodes among them have their classes read in one further statement."""
        rows = list(self.session.scalars(statement).all())
        self.access.prepare(row for row in rows if isinstance(row, Node))
        return rows

    def node(self, ref: int | UUID | str, needs: P = P.DISCOVER) -> Node:
        """The node of an id, a uuid or a path of slugs. Raises NotFound, or Forbidden if only `needs` is lacking."""
        row = self.session.execute(addresses.locate(ref).execution_options(scope="node")).first()
        found: Node | None = row[0] if row else None
        if found is None and isinstance(ref, str):
            found = addresses.renamed(self.session, ref)
        if found is None:
            raise NotFound
        if row:
            self.lineage[found.id] = list(row)
            self.access.prepare(row)
        try:
            self.require(needs, found)
        except (NotFound, Forbidden) as refused:
            refused.about = found  # for the journal alone: an attempt on a hidden record belongs to its trail
            raise
        return found

    def of(self, model: Any, node: Node, needs: P) -> Select[Any]:
        """A select of the rows of `model` that hang on `node`. Raises Forbidden without `needs`."""
        self.require(needs, node)
        return select(model).where(model.node_id == node.id).execution_options(scope=needs.value)

    def holding(self, barcode: str) -> tuple[Holding, Node]:
        """A volume by its barcode, and what it carries, for whoever may handle it. Raises NotFound."""
        row = self.session.execute(
            self.nodes(P.HOLDING_VIEW, Holding, Node)
            .join(Node, Node.id == Holding.node_id)
            .where(Holding.barcode == barcode.strip().upper())
        ).first()
        if row is None:
            raise NotFound
        return row[0], row[1]

    def lock(self, node: Node) -> None:
        """Before a decision that must hold until the commit: whoever else locks the node waits. It is read again."""
        self.session.flush()
        self.session.refresh(node, with_for_update=BESIDE)

    def lock_all(self, nodes: Iterable[Node]) -> None:
        """The same of several, in the one order of all locks: of two who want the same, the second waits from the start."""
        self.session.flush()
        wanted = select(Node).where(Node.id.in_({node.id for node in nodes})).order_by(Node.id)
        again = wanted.execution_options(scope="locks", populate_existing=True)
        self.session.scalars(again.with_for_update(**BESIDE)).all()

    def saw(self, node: Node) -> None:
        """Notes that the actor was shown who or what `node` is about."""
        self.seen.add(node.id)

    @contextmanager
    def unscoped(self, reason: str) -> Iterator[None]:
        """Lets the program itself ask across all content, for `reason`. Only named modules may (a test counts them)."""
        before = self.session.info.get("unscoped")
        self.session.info["unscoped"] = reason
        try:
            yield
        finally:
            self.session.info["unscoped"] = before

    # Writing

    def record(self, event: Event) -> None:
        """Puts an event into the journal of changes, in this transaction."""
        self.events.append(event)

    def note(self, **words: object) -> None:
        """Adds words to the event of the act under way."""
        if self._acts:
            self._acts[-1]["words"].update(words)

    def about(self, row: Any) -> None:
        """Says that the act under way is about `row`, a node or another row, for instance one that it has just made."""
        self._acts[-1]["subject"] = row

    def enqueue(self, topic: str, *nodes: Node) -> None:
        """Puts into the outbox what must follow from this change."""
        self.enqueue_ids(topic, [node.id for node in nodes])

    def enqueue_ids(self, topic: str, numbers: Sequence[int]) -> None:
        """`enqueue` for nodes that are known by their ids alone."""
        for start in range(0, len(numbers), IDS):
            part = numbers[start : start + IDS]
            rows = [{"topic": topic, "node_id": number, "at": self.now, "tries": 0} for number in part]
            self.session.execute(insert(Outbox), rows)
            if topic == "index":
                grown = update(Node).where(Node.id.in_(part)).values(revision=Node.revision + 1)
                self.session.execute(
                    grown, execution_options={"scope": "outbox", "synchronize_session": False}
                )
                self._follow_beside_the_bytes(part)

    def _follow_beside_the_bytes(self, numbers: Sequence[int]) -> None:
        """What is said of a node that has pages is said beside their bytes, too (services/sidecars.py)."""
        paged = select(literal("sidecar"), Node.id, literal(self.now), literal(0))
        self.session.execute(
            insert(Outbox).from_select(
                ["topic", "node_id", "at", "tries"], paged.where(Node.id.in_(numbers), Node.page_count > 0)
            ),
            execution_options={"scope": "outbox"},
        )

    def job(
        self, kind: str, *, node: Node | None = None, total: int | None = None, priority: int = 5, **args: Any
    ) -> Job:
        """Writes a job in this transaction; a worker takes it up after the commit."""
        made = Job(
            kind=kind, args=args, node_id=node.id if node else None, owner_id=self.actor.principal_id,
            state="waiting", total=total, priority=priority, run_after=self.now, created_at=self.now,
        )  # fmt: skip
        self.session.add(made)
        self.session.flush()
        return made

    def read(self, event: Event) -> None:
        """Puts an event into the journal of reads, written before the first byte leaves."""
        self.readings.append(event)

    def event_about(self, node: Node, event: Event) -> Event:
        """`event` with the node that it is about, and its patient as a keyed hash."""
        mrn = node.data.get("mrn") if node.data else None
        return replace(
            event, object_kind="node", object_id=node.id, object_ref=node.archival_no or str(node.uuid),
            patient_hash=self.site.keys.identity_hash(mrn) if mrn else None,
        )  # fmt: skip

    def mark(self) -> Mark:
        """How far the events have come, before something that may be taken back."""
        words = tuple(dict(act["words"]) for act in self._acts)
        return Mark(bool(self.session.info.get("wrote")), len(self.events), words)

    def forget_since(self, mark: Mark) -> None:
        """A savepoint has taken the rows back since `mark`: nothing of it is left for the journal to tell."""
        self.session.info["wrote"] = mark.wrote
        del self.events[mark.events :]
        for act, words in zip(self._acts, mark.words, strict=True):
            act["words"] = dict(words)

    def undo(self) -> None:
        """Takes back everything so far, so that a refused form can be shown again with what was typed."""
        self.session.rollback()
        self.session.info["wrote"] = False
        self.events.clear()

    def finish(self) -> None:
        """Writes the events; called once, just before the commit. A person's change without an event is refused."""
        self.session.flush()
        if self.session.info.get("wrote") and not self.events and not self.actor.is_system:
            raise UnauditedChange("something was changed outside an action")
        for event in self.events:
            journal.write(self.session, journal.CHANGES, event, actor=self.actor, origin=self.origin,
                          at=self.now, keys=self.site.keys)  # fmt: skip
        self.events.clear()

    @contextmanager
    def act(self, name: str, subject: object) -> Iterator[None]:
        """Runs an act: the outermost one becomes the event, inner ones its details."""
        self._acts.append({"words": {}, "subject": subject})
        try:
            yield
        except BaseException:
            self._acts.pop()
            raise
        done = self._acts.pop()
        if self._acts:
            self._acts[-1]["words"].setdefault("with", []).append({"act": name, **done["words"]})
        else:
            self.record(self._event(name, done["subject"], done["words"]))

    def _event(self, name: str, subject: Any, words: dict[str, object]) -> Event:
        event = Event(name, words=words)
        if subject is None:
            return event
        if isinstance(subject, Node):
            return self.event_about(subject, event)
        ref = (
            getattr(subject, "number", None)
            or getattr(subject, "barcode", None)
            or getattr(subject, "uuid", "")
        )
        mrn = getattr(subject, "mrn", None)
        return replace(
            event, object_kind=subject.__tablename__, object_id=subject.id, object_ref=str(ref) or None,
            patient_hash=self.site.keys.identity_hash(mrn) if mrn else None,
        )  # fmt: skip


def action(
    name: str, *, needs: Needs
) -> Callable[[Callable[Concatenate[UnitOfWork, A], R]], Callable[Concatenate[UnitOfWork, A], R]]:
    """Makes a service function an act: checks `needs` on its subject, runs it, and writes one event `name`.

    The subject is the first argument after the unit of work if it is a row; a row that is no node is checked
    by the permission alone, and the function itself asks for its node.
    """

    def decorate(
        function: Callable[Concatenate[UnitOfWork, A], R],
    ) -> Callable[Concatenate[UnitOfWork, A], R]:
        @wraps(function)
        def run(uow: UnitOfWork, *args: A.args, **kwargs: A.kwargs) -> R:
            subject = args[0] if args and hasattr(args[0], "__tablename__") else None
            uow.require(needs, subject if isinstance(subject, Node) else None)
            with uow.act(name, subject):
                return function(uow, *args, **kwargs)

        return cast(Callable[Concatenate[UnitOfWork, A], R], run)

    return decorate
