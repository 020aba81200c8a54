"""封存: what was put under seal, in whose presence, and how it came off (domain §6, 医疗纠纷预防和处理条例 art. 24)."""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import JSON, ForeignKey, Index, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from archive.db import Base, BigInt


class Hold(Base):
    """封存: one sealed package, with its list of contents as it was on that day."""

    __tablename__ = "hold"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    uuid: Mapped[UUID] = mapped_column(Uuid, unique=True, default=uuid4)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    """封存编号 FC2026-0001 (domain §3.6)."""
    kind: Mapped[str] = mapped_column(String(12))
    """copy 复制件 or original 原件: what lies in the package."""
    asked_by: Mapped[str] = mapped_column(String(20))
    parties: Mapped[dict[str, str]] = mapped_column(JSON)
    """Who was present: hospital, patient, witness."""
    kept_at: Mapped[str] = mapped_column(String(120))
    reason: Mapped[str] = mapped_column(String(500))
    manifest: Mapped[dict[str, Any]] = mapped_column(JSON)
    """封存清单: ids and hashes of the pages, barcodes and sheets of the volumes. Never changed."""
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the manifest; it stands on the paper that both sides sign, and in the journal."""
    supplement_of_id: Mapped[int | None] = mapped_column(ForeignKey("hold.id"))
    review_due: Mapped[date]
    sealed_at: Mapped[datetime]
    sealed_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    released_at: Mapped[datetime | None]
    released_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    release_ground: Mapped[str | None] = mapped_column(String(20))
    release_parties: Mapped[str | None] = mapped_column(String(200))
    release_reason: Mapped[str | None] = mapped_column(String(500))
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (Index("ix_hold_review", "released_at", "review_due"),)


class HoldNode(Base):
    """封存对象: a record over which a seal lies."""

    __tablename__ = "hold_node"

    hold_id: Mapped[int] = mapped_column(ForeignKey("hold.id"), primary_key=True)
    node_id: Mapped[int] = mapped_column(ForeignKey("node.id"), primary_key=True, index=True)
