"""异常登记: a volume was lost or damaged; who noticed it, on which loan, and what became of it."""

from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from archive.db import Base, BigInt


class Incident(Base):
    """遗失、损坏登记: open, found, reconstructed or closed; its number SG2026-0001."""

    __tablename__ = "incident"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    uuid: Mapped[UUID] = mapped_column(Uuid, unique=True, default=uuid4)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    kind: Mapped[str] = mapped_column(String(10))
    """lost, damaged."""
    state: Mapped[str] = mapped_column(String(14), default="open")
    holding_id: Mapped[int] = mapped_column(ForeignKey("holding.id"), index=True)
    line_id: Mapped[int | None] = mapped_column(ForeignKey("request_line.id"))
    """The loan in which it was lost, or in which it was when it was found to be damaged."""
    words: Mapped[str] = mapped_column(String(200))
    noticed_by: Mapped[str | None] = mapped_column(String(80))
    """Whoever noticed it, where that is not whoever wrote it down."""
    noticed_on: Mapped[date]
    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    outcome: Mapped[str | None] = mapped_column(String(200))
    rebuilt_id: Mapped[int | None] = mapped_column(ForeignKey("holding.id"))
    """依电子副本重建: the volume that was printed from the electronic copy in its stead."""
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (Index("ix_incident_state", "state", "id"),)
