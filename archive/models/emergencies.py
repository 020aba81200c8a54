"""紧急调阅: somebody opened the records of a patient in an emergency, and somebody else judges it afterwards."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from archive.db import Base, BigInt


class Emergency(Base):
    """紧急调阅: who opened whose records, for what, until when; and the 事后审查. Its grants carry its number."""

    __tablename__ = "emergency"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    uuid: Mapped[UUID] = mapped_column(Uuid, unique=True, default=uuid4)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    """紧急调阅号 JJ2026-0001."""
    principal_id: Mapped[int] = mapped_column(ForeignKey("principal.id"), index=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    mrn: Mapped[str] = mapped_column(String(20))
    """Of the patient, for the journal: whoever asks who has seen a patient's records finds it by that."""
    cause: Mapped[str] = mapped_column(String(40))
    reason: Mapped[str] = mapped_column(String(500))
    policy_version: Mapped[int]
    records: Mapped[int]
    """How many it opened."""
    at: Mapped[datetime]
    until: Mapped[datetime]
    """When it ends; when it was ended, if somebody ended it."""
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    judge_by: Mapped[datetime]
    """By when it is to be judged."""
    judged_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    judged_at: Mapped[datetime | None]
    verdict: Mapped[str | None] = mapped_column(String(12))
    note: Mapped[str | None] = mapped_column(String(500))
    __table_args__ = (Index("ix_emergency_at", "at"), Index("ix_emergency_judged", "judged_at", "judge_by"))
