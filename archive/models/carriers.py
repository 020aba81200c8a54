"""The two tracks of a record: paper holdings and electronic representations."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint, and_
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from archive.db import Base, BigInt, Ordered


class Blob(Base):
    """电子原文字节: the bytes of one file of one record, named by their SHA-256; never changed."""

    __tablename__ = "blob"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    record: Mapped[str] = mapped_column(String(36))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInt)
    mime: Mapped[str] = mapped_column(String(80))
    filename: Mapped[str] = mapped_column(String(255))
    checked_at: Mapped[datetime | None]
    ok: Mapped[bool | None]
    examined_at: Mapped[datetime | None]
    """When a virus scanner last had its say; nothing where none has."""
    virus: Mapped[str | None] = mapped_column(String(120))
    """What it found."""
    leaves_at: Mapped[datetime | None]
    """When the bytes of a deleted draft may go; none while anything names them."""
    __table_args__ = (
        UniqueConstraint("record", "sha256"),
        Index("ix_blob_leaves_at", "leaves_at", "id"),
    )


class Representation(Base):
    """电子本: one electronic form of a node. Immutable; a re-scan supersedes, it never overwrites."""

    __tablename__ = "representation"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    node_id: Mapped[int] = mapped_column(ForeignKey("node.id"))
    role: Mapped[str] = mapped_column(String(20))
    seq: Mapped[int]
    blob_id: Mapped[int] = mapped_column(ForeignKey("blob.id"))
    state: Mapped[str] = mapped_column(String(20))
    """pending, ready, failed: whether its pages have been made."""
    failure: Mapped[str | None] = mapped_column(String(300))
    repair: Mapped[str | None] = mapped_column(String(10))
    """Of a damaged file: "found" where its table of contents was made anew in reading, "copy" where it is read from a copy
    that was put in order (storage.repair). Some of its pages may be lost."""
    supersedes_id: Mapped[int | None] = mapped_column(ForeignKey("representation.id"))
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    __table_args__ = (UniqueConstraint("node_id", "role", "seq"),)


class Page(Base):
    """页: stands in one item, or in the file while it is unsplit. Addressed `++page++12`.

    One that was taken out stands nowhere: `aside_of_id` says where it stood, `ordinal` at which place.
    """

    __tablename__ = "page"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    node_id: Mapped[int | None] = mapped_column(ForeignKey("node.id"))
    """Where it stands, which may be an item of the file that it was uploaded to."""
    ordinal: Mapped[int]
    representation_id: Mapped[int] = mapped_column(ForeignKey("representation.id"))
    source_page: Mapped[int]
    width: Mapped[int]
    height: Mapped[int]
    dpi: Mapped[int | None]
    image: Mapped[str] = mapped_column(String(80))
    thumbnail: Mapped[str] = mapped_column(String(80))
    rotation: Mapped[int] = mapped_column(default=0)
    """Clockwise degrees by which people turned the page; sizes, pictures and texts are those from before."""
    aside_of_id: Mapped[int | None] = mapped_column(ForeignKey("node.id"), index=True)
    superseded_by_id: Mapped[int | None] = mapped_column(ForeignKey("page.id"))
    """The page that was scanned in its stead."""
    lifted: Mapped[bool] = mapped_column(default=False)
    """粘贴单: one more picture, with slips lifted, of the sheet whose page stands before it. Both count as one."""
    __table_args__ = (
        UniqueConstraint("node_id", "ordinal"),
        UniqueConstraint("representation_id", "source_page"),
        # The few of a record; SQLite wants the very words of the query.
        Index("ix_page_lifted", "node_id", sqlite_where=sql("lifted IS 1"), postgresql_where=sql("lifted IS true")),
    )  # fmt: skip


class PageMap(Base):
    """页图: where the pages of a file stood after each change. The newest version is what the pages themselves say, but for
    pages that came, or that the program turned upright, since then.
    """

    __tablename__ = "page_map"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    node_id: Mapped[int] = mapped_column(ForeignKey("node.id"))
    version: Mapped[int]
    before: Mapped[int]
    """The version that was changed."""
    shows: Mapped[int]
    """The version whose order this is: its own, or after an undoing an older one."""
    entries: Mapped[list[Any]] = mapped_column(JSON)
    """A list for each page: page, node or nothing, place, rotation, of which it was taken out, by which superseded, and whether
    it is one more picture of the sheet before it.
    """
    act: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    __table_args__ = (UniqueConstraint("node_id", "version"),)


class PageCheck(Base):
    """页面检测: what was measured of a page as it came, when its picture was made; the policy says what is a defect."""

    __tablename__ = "page_check"

    page_id: Mapped[int] = mapped_column(ForeignKey("page.id"), primary_key=True)
    ink: Mapped[float]
    tilt: Mapped[float | None]
    sharpness: Mapped[float | None]
    border: Mapped[float]
    red: Mapped[float]
    cut: Mapped[int]
    bitonal: Mapped[bool]
    steps: Mapped[list[Any]] = mapped_column(JSON)
    """What was done to its picture, in this order, each with the numbers by which it is done again: storage.processing."""
    at: Mapped[datetime]


class PageText(Base):
    """识别文字: what stands on a page; `boxes` are lines as [x0, y0, x1, y1, text] in points of the image.

    What a person has corrected stands beside what the machine read, and is the one in force.
    """

    __tablename__ = "page_text"

    page_id: Mapped[int] = mapped_column(ForeignKey("page.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(12), primary_key=True)
    """layer (from the file), machine (recognised), human (corrected)."""
    text: Mapped[str]
    boxes: Mapped[list[Any]] = mapped_column(JSON, default=list)
    confidence: Mapped[float | None]
    at: Mapped[datetime]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    version: Mapped[int] = mapped_column(default=1)
    in_force: Mapped[bool] = mapped_column(default=True)
    """Which of them is searched, shown and quoted: one of each page."""
    __table_args__ = (
        Index(
            "uq_page_text_in_force", "page_id", unique=True,
            sqlite_where=sql("in_force = 1"), postgresql_where=sql("in_force"),
        ),
    )  # fmt: skip


TEXT_OF_PAGE = and_(PageText.page_id == Page.id, PageText.in_force)
"""Joins a page to its text, never to two of them."""


class HoldingStatus(StrEnum):
    """纸质本状态."""

    WARD = "ward"
    PROCESSING = "processing"
    SHELVED = "shelved"
    HELD = "held"
    LENT = "lent"
    MISSING = "missing"


class HoldingAct(StrEnum):
    """去向事由: what happened to a volume."""

    REGISTERED = "registered"
    MOVED = "moved"
    PACKED = "packed"
    ISSUED = "issued"
    HANDED_ON = "handed_on"
    RETURNED = "returned"
    CORRECTED = "corrected"
    DAMAGED = "damaged"
    MENDED = "mended"
    LOST = "lost"
    FOUND = "found"


class Location(Base):
    """库位: a room, a shelf, a place on it; `code` says the whole way. A closed one takes up nothing more."""

    __tablename__ = "location"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("location.id"))
    kind: Mapped[str] = mapped_column(String(20))
    code: Mapped[str] = mapped_column(String(60), unique=True)
    path: Mapped[str] = mapped_column(Ordered)
    title: Mapped[str] = mapped_column(String(120))
    capacity_mm: Mapped[int | None]
    closed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}


class Container(Base):
    """装具: the bag, box or nothing in which volumes lie. `seq` is its place in the row on its shelf."""

    __tablename__ = "container"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    barcode: Mapped[str] = mapped_column(String(32), unique=True)
    kind: Mapped[str] = mapped_column(String(10))
    location_id: Mapped[int | None] = mapped_column(ForeignKey("location.id"), index=True)
    seq: Mapped[int | None]
    thickness_mm: Mapped[int | None]
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}


class Holding(Base):
    """纸质本: one physical volume with one barcode. A record of two volumes has two holdings."""

    __tablename__ = "holding"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    node_id: Mapped[int] = mapped_column(ForeignKey("node.id"), index=True)
    barcode: Mapped[str] = mapped_column(String(32), unique=True)
    container_id: Mapped[int | None] = mapped_column(ForeignKey("container.id"), index=True)
    location_id: Mapped[int | None] = mapped_column(ForeignKey("location.id"), index=True)
    status: Mapped[str] = mapped_column(String(20))
    holder_id: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    sheets: Mapped[int | None]
    condition: Mapped[str | None] = mapped_column(String(200))
    damaged_at: Mapped[datetime | None]
    """Since when it waits to be mended."""
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (Index("ix_holding_status", "status", "id"),)


class HoldingEvent(Base):
    """去向: each move of a volume, from where to where, by whom, because of what (示踪卡, domain §3.5)."""

    __tablename__ = "holding_event"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    holding_id: Mapped[int] = mapped_column(ForeignKey("holding.id"), index=True)
    kind: Mapped[str] = mapped_column(String(12), default=HoldingAct.REGISTERED)
    from_status: Mapped[str | None] = mapped_column(String(20))
    to_status: Mapped[str] = mapped_column(String(20))
    place: Mapped[str | None] = mapped_column(String(120))
    by_id: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    to_id: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    because: Mapped[str | None] = mapped_column(String(200))
    at: Mapped[datetime]
