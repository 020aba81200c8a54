"""封存 and 冻结: what was put under seal, in whose presence, and how it came off (domain §6, 条例 art. 24)."""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import JSON, ForeignKey, Index, String, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from archive.db import Base, BigInt


class Hold(Base):
    """封存: one sealed package, with its list of contents as it was on that day; or 冻结, which seals nothing and keeps all."""

    __tablename__ = "hold"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    uuid: Mapped[UUID] = mapped_column(Uuid, unique=True, default=uuid4)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    """封存编号 FC2026-0001 (domain §3.6); of a legal hold DJ2026-0001."""
    kind: Mapped[str] = mapped_column(String(12))
    """copy 复制件 or original 原件: what lies in the package; or legal 冻结."""
    asked_by: Mapped[str] = mapped_column(String(20))
    parties: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    """Who was present: side, name, relation or office, paper by which they proved it."""
    paper: Mapped[str] = mapped_column(String(120), default="")
    """文书号: the order of a court or authority, where there is one."""
    kept_at: Mapped[str] = mapped_column(String(120))
    key_no: Mapped[str] = mapped_column(String(40), default="")
    """Of the envelope or of the key to where it lies."""
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
    release_parties: Mapped[list[dict[str, str]] | None] = mapped_column(JSON)
    release_paper: Mapped[str | None] = mapped_column(String(120))
    """The document that settled the dispute, or the order that lifted a legal hold."""
    release_reason: Mapped[str | None] = mapped_column(String(500))
    found: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON)
    """What was counted in the package when it was opened, line by line beside its list."""
    corrected_mrn: Mapped[str] = mapped_column(String(32), default="")
    """更正病案号: the number by which it was taken over in the morning, if not the night's; that stays in the list."""
    night: Mapped[bool] = mapped_column(default=False)
    """夜间封存: sealed by the duty officer; the archive takes it over in the morning."""
    told_by: Mapped[str] = mapped_column(String(120), default="")
    """By telephone: who told it from the ward."""
    taken_over_at: Mapped[datetime | None]
    taken_over_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        Index("ix_hold_review", "released_at", "review_due"),
        Index("ix_hold_night", "id", sqlite_where=text("night = 1 AND taken_over_at IS NULL"),
              postgresql_where=text("night AND taken_over_at IS NULL")),
    )  # fmt: skip


class HoldNode(Base):
    """封存对象: a record over which a seal lies."""

    __tablename__ = "hold_node"

    hold_id: Mapped[int] = mapped_column(ForeignKey("hold.id"), primary_key=True)
    node_id: Mapped[int] = mapped_column(ForeignKey("node.id"), primary_key=True, index=True)


class HoldPage(Base):
    """封存页: a page of a sealed package as it was; while the seal is on, it is neither taken out nor replaced."""

    __tablename__ = "hold_page"

    hold_id: Mapped[int] = mapped_column(ForeignKey("hold.id"), primary_key=True)
    page_id: Mapped[int] = mapped_column(ForeignKey("page.id"), primary_key=True, index=True)
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the file's SHA-256 and the number of the page in it."""


class SealedObject(Base):
    """封存实物: an infusion, blood, a drug, sealed by both sides and kept by the hospital (2018 regulation art. 25)."""

    __tablename__ = "sealed_object"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    uuid: Mapped[UUID] = mapped_column(Uuid, unique=True, default=uuid4)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    """封存实物编号 FS2026-0001."""
    node_id: Mapped[int] = mapped_column(ForeignKey("node.id"), index=True)
    """The dispute file, or the record that was sealed with it."""
    hold_id: Mapped[int | None] = mapped_column(ForeignKey("hold.id"), index=True)
    """The seal of the papers that it was sealed with."""
    kind: Mapped[str] = mapped_column(String(40))
    what: Mapped[str] = mapped_column(String(200))
    batch: Mapped[str] = mapped_column(String(60))
    """批号 of a drug, or the number of a bag of blood."""
    kept_at: Mapped[str] = mapped_column(String(120))
    parties: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    reason: Mapped[str] = mapped_column(String(500))
    sealed_at: Mapped[datetime]
    sealed_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    released_at: Mapped[datetime | None]
    released_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    release_ground: Mapped[str | None] = mapped_column(String(20))
    release_parties: Mapped[list[dict[str, str]] | None] = mapped_column(JSON)
    release_paper: Mapped[str | None] = mapped_column(String(120))
    release_reason: Mapped[str | None] = mapped_column(String(500))
    """What became of it: tested by whom, destroyed, given back."""
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}


class HoldVolume(Base):
    """封存卷册: a volume that lies in a sealed package; while the seal is on, it goes out to nobody."""

    __tablename__ = "hold_volume"

    hold_id: Mapped[int] = mapped_column(ForeignKey("hold.id"), primary_key=True)
    holding_id: Mapped[int] = mapped_column(ForeignKey("holding.id"), primary_key=True, index=True)
