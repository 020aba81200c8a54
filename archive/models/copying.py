"""复制: what was asked for at the copying window, for whom, on which papers, and what was handed over (domain §4.3, §11)."""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from archive.db import Base, BigInt


class CopyRequest(Base):
    """复制单: one applicant, one patient, one copy."""

    __tablename__ = "copy_request"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    uuid: Mapped[UUID] = mapped_column(Uuid, unique=True, default=uuid4)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    """复制单号 FY2026-000001."""
    kind: Mapped[str] = mapped_column(String(8), default="copy")
    """copy: pages of records; trail: who has seen them."""
    day: Mapped[date]
    queue: Mapped[int]
    """排队号: the number that is called out, from 1 each day."""
    state: Mapped[str] = mapped_column(String(12))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    mrn: Mapped[str] = mapped_column(String(20))
    applicant: Mapped[str] = mapped_column(String(40))
    applicant_name: Mapped[str] = mapped_column(String(60))
    identity_enc: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The number of the paper that the applicant showed, encrypted."""
    relation: Mapped[str | None] = mapped_column(String(60))
    purpose: Mapped[str] = mapped_column(String(40))
    package: Mapped[str] = mapped_column(String(40))
    note: Mapped[str | None] = mapped_column(String(500))
    withheld: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """不予复制: the parts that a doctor withholds, who that is, and why (Mental Health Law art. 47)."""
    is_dead: Mapped[bool]
    """Whether the patient had died when the papers were asked for: other papers are needed then."""
    deceased_on: Mapped[date | None]
    """The day of death by the certificate that was shown with this slip; it was written to the patient, too."""
    rules: Mapped[int]
    """The version of the policy of copying by which fee and deadline were set."""
    proofs_version: Mapped[int]
    by_mail: Mapped[bool] = mapped_column(default=False)
    mail_enc: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Address and telephone, encrypted."""
    tracking: Mapped[str | None] = mapped_column(String(60))
    pages: Mapped[int | None]
    """Pages and sheets of the finished copy, without its cover."""
    fee_fen: Mapped[int | None]
    is_paid: Mapped[bool] = mapped_column(default=False)
    ready_by: Mapped[date | None]
    code_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    """Of the verification code on each page: the code itself is kept nowhere else."""
    digest: Mapped[str | None] = mapped_column(String(64))
    """SHA-256 of the finished file, whose bytes lie under it in the store until their days are over."""
    continues_id: Mapped[int | None] = mapped_column(ForeignKey("copy_request.id"))
    """The slip whose later part this is."""
    owes: Mapped[bool] = mapped_column(default=False)
    """Something is to follow when the record is finished (2013 rule art. 21), and has not yet."""
    ended_because: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    accepted_at: Mapped[datetime | None]
    made_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    ended_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        UniqueConstraint("day", "queue"),
        Index("ix_copy_request_state", "state", "created_at"),
        Index("ix_copy_request_ended", "ended_at"),
    )


class CopyItem(Base):
    """复制内容: a component of a record, sheets of its paper, or what is still to come of it."""

    __tablename__ = "copy_item"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    copy_id: Mapped[int] = mapped_column(ForeignKey("copy_request.id"), index=True)
    record_id: Mapped[int] = mapped_column(ForeignKey("node.id"))
    node_id: Mapped[int] = mapped_column(ForeignKey("node.id"), index=True)
    """The component; the record itself for its paper, its pages that stand in none, and what is to come."""
    source: Mapped[str] = mapped_column(String(8))
    """scan, paper, or later."""
    code: Mapped[str] = mapped_column(String(40), default="")
    sheets: Mapped[int | None]
    pages: Mapped[list[Any] | None] = mapped_column(JSON)
    """Which pages were asked for and, once it is made, were copied: their numbers in the archive, in their order."""


class CopyProof(Base):
    """证明材料: a paper that was shown at the window, and who has looked at it."""

    __tablename__ = "copy_proof"

    copy_id: Mapped[int] = mapped_column(ForeignKey("copy_request.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(40), primary_key=True)
    seen_at: Mapped[datetime]
    seen_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))


class CopyBooking(Base):
    """预约: somebody will come to the copying window on a day, at an hour; it becomes a slip when they are there."""

    __tablename__ = "copy_booking"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    uuid: Mapped[UUID] = mapped_column(Uuid, unique=True, default=uuid4)
    day: Mapped[date]
    slot: Mapped[str] = mapped_column(String(5))
    state: Mapped[str] = mapped_column(String(12), default="booked")
    """booked, came or cancelled."""
    applicant: Mapped[str] = mapped_column(String(40))
    said_enc: Mapped[bytes] = mapped_column(LargeBinary)
    """What was said on the telephone: record number, names, telephone, note; encrypted."""
    copy_id: Mapped[int | None] = mapped_column(ForeignKey("copy_request.id"))
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    __table_args__ = (Index("ix_copy_booking_day", "day", "slot"),)
