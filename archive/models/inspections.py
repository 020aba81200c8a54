"""检查: records opened to somebody from outside, on site, for some days."""

from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from archive.db import Base, BigInt


class Inspection(Base):
    """检查批次: whom a batch of records is opened to, from when until when, and why. Its grants carry its number."""

    __tablename__ = "inspection"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    uuid: Mapped[UUID] = mapped_column(Uuid, unique=True, default=uuid4)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    """检查批次号 JC2026-0001."""
    principal_id: Mapped[int] = mapped_column(ForeignKey("principal.id"))
    reason: Mapped[str] = mapped_column(String(500))
    room: Mapped[str | None] = mapped_column(String(80))
    """Where it is read: the volumes are brought there."""
    drawn: Mapped[str | None] = mapped_column(String(200))
    """How the records were chosen: of a sample, of how many with which seed."""
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime]
    granted_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    granted_at: Mapped[datetime]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (Index("ix_inspection_principal", "principal_id", "valid_until"),)


class InspectionFinding(Base):
    """检查问题: what was found in one record of a batch, what it costs, until when it may be contested, and what was answered."""

    __tablename__ = "inspection_finding"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    uuid: Mapped[UUID] = mapped_column(Uuid, unique=True, default=uuid4)
    inspection_id: Mapped[int] = mapped_column(ForeignKey("inspection.id"), index=True)
    node_id: Mapped[int] = mapped_column(ForeignKey("node.id"), index=True)
    part_id: Mapped[int | None] = mapped_column(ForeignKey("node.id"), index=True)
    """The component that it is about, where it is about one."""
    page: Mapped[int | None]
    """Its page there, as they were numbered when it was written down."""
    kind: Mapped[str | None] = mapped_column(String(40))
    """A term of the vocabulary `problem`."""
    words: Mapped[str] = mapped_column(String(500))
    points: Mapped[int | None]
    """扣分, in tenths."""
    fen: Mapped[int | None]
    """扣款."""
    appeal_until: Mapped[date | None]
    answer: Mapped[str | None] = mapped_column(String(500))
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}
