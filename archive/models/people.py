"""Patients and their visits. They have no access of their own: one sees them only through a node."""

from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from archive.db import Base, BigInt, Ordered

Called = String(60).with_variant(String(60, collation="C"), "postgresql")
"""A name: its beginning is a range of an index only where text is compared byte by byte."""


class Patient(Base):
    """患者: one person with one 病案号 for life. Identity number and telephone are kept encrypted."""

    __tablename__ = "patient"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    uuid: Mapped[UUID] = mapped_column(Uuid, unique=True, default=uuid4)
    mrn: Mapped[str] = mapped_column(String(20), unique=True)
    name: Mapped[str] = mapped_column(Called)
    name_key: Mapped[str] = mapped_column(Ordered)
    """Pinyin of the name without tones; and its initials follow after a space."""
    sex: Mapped[str] = mapped_column(String(1), default="0")
    birth: Mapped[date | None]
    id_enc: Mapped[bytes | None] = mapped_column(LargeBinary)
    id_hash: Mapped[str | None] = mapped_column(String(64), index=True)
    phone_enc: Mapped[bytes | None] = mapped_column(LargeBinary)
    mother: Mapped[str | None] = mapped_column(Called)
    mother_key: Mapped[str | None] = mapped_column(Ordered)
    deceased_on: Mapped[date | None]
    merged_into: Mapped[int | None] = mapped_column(ForeignKey("patient.id"), index=True)
    """合并: the same person under another number, which counts now. Never a chain: whoever is pointed at points nowhere."""
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (Index("ix_patient_name", "name"), Index("ix_patient_name_key", "name_key"),
                      Index("ix_patient_mother", "mother"), Index("ix_patient_mother_key", "mother_key"))  # fmt: skip


class PatientAlias(Base):
    """旧号、曾用名: an old number or a former name under which the patient is found."""

    __tablename__ = "patient_alias"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    kind: Mapped[str] = mapped_column(String(12))
    value: Mapped[str] = mapped_column(String(60), index=True)
    __table_args__ = (UniqueConstraint("patient_id", "kind", "value"),)


class Encounter(Base):
    """就诊: one visit or stay."""

    __tablename__ = "encounter"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    kind: Mapped[str] = mapped_column(String(20))
    times: Mapped[int]
    admitted_at: Mapped[date | None]
    discharged_at: Mapped[date | None]
    dept_id: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    outcome: Mapped[str | None] = mapped_column(String(4))
    attending: Mapped[str | None] = mapped_column(String(60))
    created_at: Mapped[datetime]
    __table_args__ = (
        UniqueConstraint("patient_id", "kind", "times"),
        Index("ix_encounter_discharged", "discharged_at", "dept_id"),
    )
