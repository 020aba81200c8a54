"""The audit journals: events are inserted without a lock; one sealer numbers and chains them (model §4)."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from archive.actor import Actor
from archive.db import canonical
from archive.keys import Keys
from archive.models import AuditDetail, AuditEvent, AuditSeal, ReadDetail, ReadEvent, ReadSeal, SearchTime

GENESIS = "0" * 64


@dataclass(frozen=True)
class Origin:
    """Where an act comes from: filled by the web, the API, the command line or the worker."""

    address: str | None = None
    request_id: UUID | None = None
    channel: str = "cli"


@dataclass(frozen=True)
class Cost:
    """用时: milliseconds that an answer took, and the shape of what was asked, which has no word of it."""

    took: int
    shape: Mapping[str, object]


@dataclass(frozen=True)
class Event:
    """事件: what one line of the journal will say. `words` are encrypted apart and can be erased."""

    action: str
    result: str = "ok"
    object_kind: str | None = None
    object_id: int | None = None
    object_ref: str | None = None
    patient_hash: str | None = None
    shown: tuple[int, ...] = ()
    words: dict[str, object] = field(default_factory=dict)
    cost: Cost | None = None
    """Kept apart, and not with the event: see SearchTime."""


@dataclass(frozen=True)
class Journal:
    """One of the two journals: its tables and its name in checkpoints."""

    name: str
    event: type[Any]
    detail: type[Any]
    seal: type[Any]


CHANGES = Journal("changes", AuditEvent, AuditDetail, AuditSeal)
READS = Journal("reads", ReadEvent, ReadDetail, ReadSeal)
JOURNALS = (CHANGES, READS)
LAST_LINES = 4_096
"""Bytes that hold the last checkpoint of a file, and a torn line behind it."""

CHAINED = (
    "id", "at", "actor_id", "actor", "roles", "action", "result", "object_kind", "object_id", "object_ref",
    "patient_hash", "shown", "session_id", "address", "request_id", "detail_hash",
)  # fmt: skip


def write(
    session: Session,
    journal: Journal,
    event: Event,
    *,
    actor: Actor,
    origin: Origin,
    at: datetime,
    keys: Keys,
) -> Any:
    """Adds `event` to the journal in the caller's transaction."""
    words = canonical(event.words) if event.words else None
    row = journal.event(
        at=at, actor_id=actor.principal_id, actor=actor.account or actor.name, roles=" ".join(sorted(actor.roles)),
        action=event.action, result=event.result, object_kind=event.object_kind, object_id=event.object_id,
        object_ref=event.object_ref, patient_hash=event.patient_hash, shown=list(event.shown) or None,
        session_id=actor.session_id, address=origin.address, request_id=origin.request_id,
    )  # fmt: skip
    sealed = keys.encrypt("detail-enc", words) if words else None
    row.detail_hash = hashlib.sha256(sealed).hexdigest() if sealed else None
    session.add(row)
    if sealed:
        session.flush()
        session.add(journal.detail(event_id=row.id, sealed=sealed))
    return row


def keep_cost(session: Session, event: Event, at: datetime) -> None:
    """Adds what an answer took, without whom and without words, in the caller's transaction on the journal of reads."""
    if event.cost is not None:
        minute = at.replace(second=0, microsecond=0)
        session.add(
            SearchTime(at=minute, kind=event.action, took=event.cost.took, shape=dict(event.cost.shape))
        )


def words_of(session: Session, journal: Journal, event_id: int, keys: Keys) -> dict[str, Any]:
    """The words of an event, or nothing when it has none or they were erased."""
    detail = session.get(journal.detail, event_id)
    if detail is None:
        return {}
    words: dict[str, Any] = json.loads(keys.decrypt("detail-enc", detail.sealed))
    return words


def line_hash(previous: str, seq: int, event: Any) -> str:
    """The link of the chain: what stood before, the number, and every column of the event."""
    columns = {name: plain(getattr(event, name)) for name in CHAINED}
    return hashlib.sha256(f"{previous}|{seq}|{canonical(columns)}".encode()).hexdigest()


def plain(value: object) -> object:
    """A column as it is hashed: times to the microsecond."""
    return value.isoformat(timespec="microseconds") if isinstance(value, datetime) else value


def head(session: Session, journal: Journal) -> tuple[int, str]:
    """Number and hash of the last sealed event; (0, zeros) before the first."""
    last = session.execute(
        select(journal.seal.seq, journal.seal.hash).order_by(journal.seal.seq.desc()).limit(1)
    ).first()
    return (last[0], last[1]) if last else (0, GENESIS)


def seal(session: Session, journal: Journal, *, most: int = 2_000) -> int:
    """Numbers and chains committed events that are not sealed yet; gives how many. One sealer at a time."""
    seq, previous = head(session, journal)
    unsealed = session.scalars(
        select(journal.event)
        .outerjoin(journal.seal, journal.seal.event_id == journal.event.id)
        .where(journal.seal.seq.is_(None), journal.event.id > _settled(session, journal))
        .order_by(journal.event.id)
        .limit(most)
    ).all()
    for event in unsealed:
        seq += 1
        previous = line_hash(previous, seq, event)
        session.add(journal.seal(seq=seq, event_id=event.id, hash=previous))
    return len(unsealed)


LAG = 10_000
"""Ids are given before commit: an event may become visible after later ones. Nobody commits this many ids late."""


def _settled(session: Session, journal: Journal) -> int:
    highest = session.scalar(select(func.max(journal.seal.event_id))) or 0
    return max(0, highest - LAG)


@dataclass(frozen=True)
class Checkpoint:
    """签名检查点: the head of a journal at a time, signed, kept outside the database."""

    journal: str
    seq: int
    hash: str
    at: str
    signature: str = ""

    def text(self) -> bytes:
        return canonical([self.journal, self.seq, self.hash, self.at]).encode()


def write_checkpoint(
    session: Session, journal: Journal, folder: Path, keys: Keys, now: datetime
) -> Checkpoint | None:
    """Signs the head into `folder`, unless nothing was sealed since the last one. Durable when it returns."""
    seq, link = head(session, journal)
    known = last_checkpoint(folder, journal)
    if seq == 0 or (known is not None and known.seq == seq):
        return None
    bare = Checkpoint(journal.name, seq, link, now.isoformat(timespec="seconds"))
    signed = Checkpoint(bare.journal, bare.seq, bare.hash, bare.at, keys.signer.sign(bare.text()).hex())
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{journal.name}.jsonl").open("a+b") as file:
        # A line torn by a power cut stays as it is; the next one must not continue it.
        file.write(b"\n" if _tail(file, 1) not in (b"", b"\n") else b"")
        file.write(canonical(signed.__dict__).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return signed


def checkpoints(folder: Path, journal: Journal) -> Iterator[Checkpoint]:
    """The checkpoints of a journal, oldest first. A line torn by a power cut is passed over: it was never acknowledged."""
    path = folder / f"{journal.name}.jsonl"
    if path.exists():
        with path.open("rb") as file:
            yield from _read_checkpoints(file)


def last_checkpoint(folder: Path, journal: Journal) -> Checkpoint | None:
    """The newest checkpoint of a journal; the file of years is not read for it."""
    path = folder / f"{journal.name}.jsonl"
    if not path.exists():
        return None
    with path.open("rb") as file:
        found = list(_read_checkpoints(_tail(file, LAST_LINES).splitlines()))
    return found[-1] if found else None


def _read_checkpoints(lines: Iterable[bytes]) -> Iterator[Checkpoint]:
    for line in lines:
        try:
            yield Checkpoint(**json.loads(line))
        except (ValueError, TypeError):
            continue


def _tail(file: BinaryIO, most: int) -> bytes:
    """The last bytes of a file; it is left at its end."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - most))
    return file.read()


@dataclass(frozen=True)
class Verdict:
    """核验结论: whole, or the first event that is not as it was."""

    journal: str
    sealed: int
    waiting: int
    checkpoints: int
    bad_seq: int | None = None
    bad_event: int | None = None
    reason: str | None = None

    @property
    def whole(self) -> bool:
        return self.reason is None


def verify(session: Session, journal: Journal, folder: Path, keys: Keys, progress: Any = None) -> Verdict:
    """Walks the chain from its beginning and holds it against the checkpoints; names the first bad event."""
    marks = list(checkpoints(folder, journal))
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(keys.verify_key))
    total, _head = head(session, journal)
    judged = [(mark, mark.journal == journal.name and _is_signed(mark, public)) for mark in marks]
    genuine = [mark for mark, signed in judged if signed]
    links = {mark.seq: mark for mark in genuine}
    previous, expected, done = GENESIS, 0, 0
    finding: tuple[int, int | None, str] | None = None
    rows = session.execute(
        select(journal.seal, journal.event)
        .outerjoin(journal.event, journal.event.id == journal.seal.event_id)
        .order_by(journal.seal.seq)
        .execution_options(yield_per=1_000)
    )
    with rows:
        for link, event in rows:
            expected += 1
            finding = _fault(session, journal, link, event, expected, previous, links)
            if finding:
                break
            previous, done = link.hash, done + 1
            if progress and done % 1_000 == 0:
                progress(done, total)
    forged = [(mark.seq, None, "checkpoint_forged") for mark, signed in judged if not signed]
    finding = finding or _missing_tail(genuine, done) or (forged[0] if forged else None)
    waiting = session.scalar(_unsealed(journal)) or 0
    base = Verdict(journal.name, done, waiting, len(marks))
    if finding is None:
        return base
    return Verdict(journal.name, done, waiting, len(marks), *finding)


def _unsealed(journal: Journal) -> Any:
    return (
        select(func.count())
        .select_from(journal.event)
        .outerjoin(journal.seal, journal.seal.event_id == journal.event.id)
        .where(journal.seal.seq.is_(None))
    )


def _fault(
    session: Session,
    journal: Journal,
    link: Any,
    event: Any,
    expected: int,
    previous: str,
    marks: dict[int, Checkpoint],
) -> tuple[int, int | None, str] | None:
    if link.seq != expected:
        return expected, None, "missing"
    if event is None:
        return link.seq, link.event_id, "deleted"
    if line_hash(previous, link.seq, event) != link.hash:
        return link.seq, event.id, "changed"
    if event.detail_hash:
        detail = session.get(journal.detail, event.id)
        if detail is not None and hashlib.sha256(detail.sealed).hexdigest() != event.detail_hash:
            return link.seq, event.id, "detail_changed"
    mark = marks.get(link.seq)
    if mark is not None and mark.hash != link.hash:
        return link.seq, event.id, "rewritten"
    return None


def _missing_tail(marks: list[Checkpoint], done: int) -> tuple[int, int | None, str] | None:
    beyond = [mark.seq for mark in marks if mark.seq > done]
    return (done + 1, None, "truncated") if beyond else None


def _is_signed(mark: Checkpoint, public: Ed25519PublicKey) -> bool:
    """A forged checkpoint says nothing of the chain: it is told apart, and nothing is held against it."""
    try:
        public.verify(bytes.fromhex(mark.signature), mark.text())
    except (InvalidSignature, ValueError):
        return False
    return True
