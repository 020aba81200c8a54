"""What is still to be done: jobs with progress, the outbox, notices."""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from archive.db import Base, BigInt


class Job(Base):
    """任务: long work with progress, resumable and cancellable; written in the transaction of the change."""

    __tablename__ = "job"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    uuid: Mapped[UUID] = mapped_column(Uuid, unique=True, default=uuid4)
    kind: Mapped[str] = mapped_column(String(40))
    args: Mapped[dict[str, Any]] = mapped_column(JSON)
    node_id: Mapped[int | None] = mapped_column(ForeignKey("node.id"), index=True)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("principal.id"), index=True)
    state: Mapped[str] = mapped_column(String(12))
    """waiting, running, done, failed, cancelled."""
    progress: Mapped[int] = mapped_column(default=0)
    total: Mapped[int | None]
    message: Mapped[str | None] = mapped_column(String(500))
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    priority: Mapped[int] = mapped_column(default=5)
    run_after: Mapped[datetime]
    claimed_by: Mapped[str | None] = mapped_column(String(60))
    alive_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    cancel: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    started_with: Mapped[int] = mapped_column(default=0)
    """The progress at `started_at`: what a resumed job had done before says nothing of its pace."""
    done_at: Mapped[datetime | None]
    __table_args__ = (Index("ix_job_queue", "state", "priority", "run_after", "id"),)


class Outbox(Base):
    """发件箱: what must follow from a committed change, at least once."""

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    topic: Mapped[str] = mapped_column(String(20))
    node_id: Mapped[int] = mapped_column(BigInt)
    at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    __table_args__ = (Index("ix_outbox_topic", "topic", "id"),)


class Notice(Base):
    """通知: something that somebody should know. It says what it is about and never a name or a title: those are
    looked up when it is read, with the rights of that moment.
    """

    __tablename__ = "notice"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    principal_id: Mapped[int] = mapped_column(ForeignKey("principal.id"))
    kind: Mapped[str] = mapped_column(String(30))
    key: Mapped[str] = mapped_column(String(60))
    """What is told once: the same happening never makes two notices."""
    node_id: Mapped[int | None] = mapped_column(ForeignKey("node.id", ondelete="CASCADE"), index=True)
    request_id: Mapped[int | None] = mapped_column(ForeignKey("request.id", ondelete="CASCADE"), index=True)
    bundle_id: Mapped[int | None] = mapped_column(
        ForeignKey("request_bundle.id", ondelete="CASCADE"), index=True
    )
    job_id: Mapped[int | None] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"), index=True)
    emergency_id: Mapped[int | None] = mapped_column(
        ForeignKey("emergency.id", ondelete="CASCADE"), index=True
    )
    at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    __table_args__ = (
        UniqueConstraint("principal_id", "key"),
        Index("ix_notice_newest", "principal_id", "id"),
    )


class Mail(Base):
    """邮件: that somebody is to be told by e-mail, and what became of it. What it says is put together when it is sent."""

    __tablename__ = "mail"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    uuid: Mapped[UUID] = mapped_column(Uuid, unique=True, default=uuid4)
    """Stands in its Message-ID: whoever gets the same one twice can tell."""
    principal_id: Mapped[int] = mapped_column(ForeignKey("principal.id"))
    kind: Mapped[str] = mapped_column(String(30))
    """The kind of the one notice that does not wait, or `digest`."""
    key: Mapped[str] = mapped_column(String(60))
    """The key of that notice, or of the digest with its day: the same is never sent twice."""
    day: Mapped[date]
    at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    """waiting, sent, failed; or dropped, where there was nothing left to tell."""
    due_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(String(200))
    """What the server, or the way to it, said the last time."""
    __table_args__ = (UniqueConstraint("principal_id", "key"), Index("ix_mail_due", "state", "due_at"))


class Arrival(Base):
    """续传: a file that comes in pieces and is not whole yet. Nobody but its sender sees it; being taken in ends it."""

    __tablename__ = "arrival"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    uuid: Mapped[UUID] = mapped_column(Uuid, unique=True, default=uuid4)
    owner_id: Mapped[int] = mapped_column(ForeignKey("principal.id"))
    kind: Mapped[str] = mapped_column(String(20))
    """What it is for, a name of `services/targets.py`, and which one of these."""
    target: Mapped[str] = mapped_column(String(60))
    filename: Mapped[str] = mapped_column(String(400))
    size: Mapped[int] = mapped_column(BigInt)
    sha256: Mapped[str] = mapped_column(String(64))
    """As the sender has worked it out: by it the same file is known again, and what came is checked."""
    begun_at: Mapped[datetime]
    at: Mapped[datetime]
    """When its last piece came."""
    __table_args__ = (UniqueConstraint("owner_id", "kind", "target", "sha256"),)


class ImportRow(Base):
    """导入明细: what one row of an import made, so that the import can be undone."""

    __tablename__ = "import_row"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("job.id"), index=True)
    row: Mapped[int]
    kind: Mapped[str] = mapped_column(String(20))
    target_id: Mapped[int] = mapped_column(BigInt)
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON)
