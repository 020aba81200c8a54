"""纠纷档案: which records a dispute is about (domain §3.2)."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from archive.db import Base


class DisputeRecord(Base):
    """涉案病历: a record that a dispute is about. Its seals and the copies of it that went out belong to the case by that."""

    __tablename__ = "dispute_record"

    dispute_id: Mapped[int] = mapped_column(ForeignKey("node.id"), primary_key=True)
    record_id: Mapped[int] = mapped_column(ForeignKey("node.id"), primary_key=True, index=True)
    linked_at: Mapped[datetime]
    linked_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
