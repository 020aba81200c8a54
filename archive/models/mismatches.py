"""纸电不符: what does not agree between the paper and the pages of a record, until somebody has seen to it (domain §9)."""

from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, String, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from archive.db import Base, BigInt


class DualMismatch(Base):
    """纸电不符: one thing that does not agree, whose task it is and until when."""

    __tablename__ = "dual_mismatch"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    uuid: Mapped[UUID] = mapped_column(Uuid, unique=True, default=uuid4)
    node_id: Mapped[int] = mapped_column(ForeignKey("node.id"), index=True)
    """The file: its items have none of their own."""
    kind: Mapped[str] = mapped_column(String(20))
    cause: Mapped[str] = mapped_column(String(40))
    """What it is about: "count", a component, a page; there is one open row of a kind and a cause."""
    expected: Mapped[int | None]
    found: Mapped[int | None]
    """Two counts that differ."""
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    due_on: Mapped[date]
    note: Mapped[str | None] = mapped_column(String(500))
    opened_at: Mapped[datetime]
    opened_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    """Nobody: the program."""
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    """Nobody: the program, because the cause was gone."""
    reason: Mapped[str | None] = mapped_column(String(500))
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        Index("uq_dual_mismatch_open", "node_id", "kind", "cause", unique=True,
              sqlite_where=text("closed_at IS NULL"), postgresql_where=text("closed_at IS NULL")),
        Index("ix_dual_mismatch_due", "due_on", "id",
              sqlite_where=text("closed_at IS NULL"), postgresql_where=text("closed_at IS NULL")),
    )  # fmt: skip
