"""审计: two journals of the same shape. Changes lie in the main database, reads in one of their own (model §4)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Index, LargeBinary, String, Uuid
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from archive.db import Base, BigInt, ReadsBase


class EventColumns:
    """事件: who did what, to what, when, from where, with which outcome. Words lie encrypted in the detail."""

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    at: Mapped[datetime]
    actor_id: Mapped[int | None] = mapped_column(BigInt)
    actor: Mapped[str] = mapped_column(String(60))
    roles: Mapped[str] = mapped_column(String(200))
    action: Mapped[str] = mapped_column(String(60))
    result: Mapped[str] = mapped_column(String(12))
    object_kind: Mapped[str | None] = mapped_column(String(30))
    object_id: Mapped[int | None] = mapped_column(BigInt)
    object_ref: Mapped[str | None] = mapped_column(String(120))
    patient_hash: Mapped[str | None] = mapped_column(String(64))
    shown: Mapped[list[Any] | None] = mapped_column(JSON)
    session_id: Mapped[int | None] = mapped_column(BigInt)
    address: Mapped[str | None] = mapped_column(String(60))
    request_id: Mapped[UUID | None] = mapped_column(Uuid)
    detail_hash: Mapped[str | None] = mapped_column(String(64))

    @declared_attr.directive
    def __table_args__(cls) -> Any:
        name = cls.__tablename__  # type: ignore[attr-defined]
        return (
            Index(f"ix_{name}_at", "at"),
            Index(f"ix_{name}_actor", "actor_id", "at"),
            Index(f"ix_{name}_object", "object_kind", "object_id", "at"),
            Index(f"ix_{name}_patient", "patient_hash", "at"),
            Index(f"ix_{name}_request", "request_id"),
        )


class DetailColumns:
    """事件细节: the words of an event, encrypted; they can be erased, their hash stays in the chain."""

    event_id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class SealColumns:
    """封链: the sealer numbers committed events and chains each to the one before."""

    seq: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    event_id: Mapped[int] = mapped_column(BigInt, unique=True)
    hash: Mapped[str] = mapped_column(String(64))


class AuditEvent(EventColumns, Base):
    """变更事件."""

    __tablename__ = "audit_event"


class AuditDetail(DetailColumns, Base):
    __tablename__ = "audit_detail"


class AuditSeal(SealColumns, Base):
    __tablename__ = "audit_seal"


class ReadEvent(EventColumns, ReadsBase):
    """查阅事件: reads, searches and denials."""

    __tablename__ = "read_event"


class ReadDetail(DetailColumns, ReadsBase):
    __tablename__ = "read_detail"


class ReadSeal(SealColumns, ReadsBase):
    __tablename__ = "read_seal"


class SearchTime(ReadsBase):
    """检索用时: how long a search took and what it was like. It has neither words nor a person, and its time is but the
    minute, so that whoever operates the system cannot tell by it who looked for what.
    """

    __tablename__ = "search_time"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(60))
    """The act of the journal whose time it is."""
    took: Mapped[int]
    """Milliseconds."""
    shape: Mapped[dict[str, Any]] = mapped_column(JSON)
    __table_args__ = (Index("ix_search_time_at", "at", "kind", "took"),)
