"""数字化加工: batches of volumes on their way through the scanner, and the pages of their piles until they are linked."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from archive.db import Base, BigInt


class ScanBatch(Base):
    """数字化批次: volumes that are scanned together, from the store and back to it (domain §4.5)."""

    __tablename__ = "scan_batch"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    uuid: Mapped[UUID] = mapped_column(Uuid, unique=True, default=uuid4)
    """Also the folder in which the bytes of its piles lie."""
    number: Mapped[str] = mapped_column(String(20), unique=True)
    """批次号 SZ2026-0001."""
    state: Mapped[str] = mapped_column(String(20))
    note: Mapped[str | None] = mapped_column(String(200))
    vendor: Mapped[str | None] = mapped_column(String(120))
    contract: Mapped[str | None] = mapped_column(String(120))
    device: Mapped[str | None] = mapped_column(String(60))
    """The scanner that is used."""
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    rounds: Mapped[int] = mapped_column(default=0)
    """How often a sample has been drawn."""
    seed: Mapped[int | None] = mapped_column(BigInt)
    """Of the last one: whoever draws again with it gets the same pages."""
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (Index("ix_scan_batch_state", "state", "id"),)


class BatchVolume(Base):
    """批次卷册: one volume of a batch. A volume is in one batch at a time."""

    __tablename__ = "batch_volume"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("scan_batch.id"))
    holding_id: Mapped[int] = mapped_column(ForeignKey("holding.id"))
    node_id: Mapped[int] = mapped_column(ForeignKey("node.id"), index=True)
    sides: Mapped[int | None]
    """Pages counted by hand when it was taken apart: the sides of its sheets that have something on them."""
    difference: Mapped[str | None] = mapped_column(String(200))
    """Why there are more or fewer pages than were counted."""
    confirmed: Mapped[bool] = mapped_column(default=False)
    """A person has seen its pages and the components found in them."""
    open: Mapped[bool] = mapped_column(default=True)
    kinds: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    """What it holds that asks for care, as codes of the policy: thermal paper, pasted slips; nothing where nobody said so."""
    __table_args__ = (
        UniqueConstraint("batch_id", "holding_id"),
        Index("uq_batch_volume_open", "holding_id", unique=True, sqlite_where=text("open = 1"),
              postgresql_where=text("open")),
    )  # fmt: skip


class BatchStep(Base):
    """工序: one step of a batch, by whom and when."""

    __tablename__ = "batch_step"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("scan_batch.id"), index=True)
    name: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(20))
    """In which it left the batch."""
    at: Mapped[datetime]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    """Nobody: the program."""
    reason: Mapped[str | None] = mapped_column(String(500))


class BatchFile(Base):
    """批次扫描文件: one file of a pile, as the scanner made it."""

    __tablename__ = "batch_file"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("scan_batch.id"))
    blob_id: Mapped[int | None] = mapped_column(ForeignKey("blob.id"), index=True)
    """None once the pile has been let go."""
    seq: Mapped[int]
    filename: Mapped[str] = mapped_column(String(255))
    """Its ending alone once the pile has been let go."""
    size: Mapped[int] = mapped_column(BigInt)
    state: Mapped[str] = mapped_column(String(20))
    """pending, ready, failed, withdrawn."""
    failure: Mapped[str | None] = mapped_column(String(300))
    repair: Mapped[str | None] = mapped_column(String(10))
    """Of a damaged file: how it was put in order to be read, as of a representation."""
    device: Mapped[str | None] = mapped_column(String(60))
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    __table_args__ = (UniqueConstraint("batch_id", "seq"),)


class BatchPage(Base):
    """批次页: one side that the scanner saw, until it is linked to its record, and as a witness afterwards."""

    __tablename__ = "batch_page"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("scan_batch.id"))
    file_id: Mapped[int] = mapped_column(ForeignKey("batch_file.id"))
    source_page: Mapped[int]
    ordinal: Mapped[int]
    """Its place in the pile, from 1."""
    width: Mapped[int]
    height: Mapped[int]
    dpi: Mapped[int | None]
    image: Mapped[str] = mapped_column(String(80))
    thumbnail: Mapped[str] = mapped_column(String(80))
    quality: Mapped[dict[str, Any]] = mapped_column(JSON)
    """What becomes the page check."""
    codes: Mapped[list[str]] = mapped_column(JSON)
    rotation: Mapped[int] = mapped_column(default=0)
    """Clockwise degrees by which it is turned to be read."""
    fingerprint: Mapped[str] = mapped_column(String(256))
    text_kind: Mapped[str | None] = mapped_column(String(12))
    confidence: Mapped[float | None]
    title: Mapped[str | None] = mapped_column(String(20))
    """The component whose printed title stands on it."""
    is_sheet: Mapped[bool] = mapped_column(default=False)
    records: Mapped[list[str]] = mapped_column(JSON, default=list)
    """病案号 that it says."""
    twin: Mapped[int | None]
    """The ordinal of an earlier page that it looks like; 0: of none; None while it was not compared with the others."""

    volume_id: Mapped[int | None] = mapped_column(ForeignKey("batch_volume.id"), index=True)
    component: Mapped[str | None] = mapped_column(String(20))
    aside: Mapped[str | None] = mapped_column(String(20))
    """Why it belongs to no record: cover, separator, blank, duplicate, foreign, spoilt."""
    doubts: Mapped[list[str]] = mapped_column(JSON, default=list)
    """What a person must look at before it is linked."""
    doubtful: Mapped[bool] = mapped_column(default=False)
    said: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """What a person has said of it, which stands above what the program found."""
    page_id: Mapped[int | None] = mapped_column(ForeignKey("page.id"), index=True)
    """The page that it has become; none once that was deleted with its draft."""
    linked_at: Mapped[datetime | None]
    round: Mapped[int] = mapped_column(default=0)
    """In which sample it was looked at last; 0: in none."""
    looked_at: Mapped[datetime | None]
    looked_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    # Last, since SQLite reads a row up to the columns that are asked for: thousands of rows are read for what is above.
    text: Mapped[str | None]
    """None while nobody has read it."""
    boxes: Mapped[list[Any]] = mapped_column(JSON, default=list)
    __table_args__ = (
        UniqueConstraint("file_id", "source_page"),
        UniqueConstraint("batch_id", "ordinal"),
        Index("ix_batch_page_doubtful", "batch_id", "doubtful"),
    )


class BatchDefect(Base):
    """质检缺陷: something wrong with a page, or with what is missing behind it (domain §13)."""

    __tablename__ = "batch_defect"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("scan_batch.id"))
    batch_page_id: Mapped[int] = mapped_column(ForeignKey("batch_page.id"), index=True)
    code: Mapped[str] = mapped_column(String(20))
    note: Mapped[str | None] = mapped_column(String(200))
    round: Mapped[int]
    at: Mapped[datetime]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    mended_at: Mapped[datetime | None]
    mended_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    __table_args__ = (Index("ix_batch_defect_batch", "batch_id", "round", "id"),)
