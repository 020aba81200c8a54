"""The tree. The node table is the catalogue: what is sorted or filtered is a column, the rest is one JSON column."""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from archive.db import Base, BigInt, Ordered

Numbered = String(120).with_variant(String(120, collation="C"), "postgresql")
"""A number: its beginning is a range of an index only where text is compared byte by byte."""
ROOT_ID = 1
WIDTH = 8
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def base32(number: int) -> str:
    """`number` in fixed-width base32 whose order is the order of the numbers."""
    digits = []
    for _place in range(WIDTH):
        number, rest = divmod(number, 32)
        digits.append(_ALPHABET[rest])
    return "".join(reversed(digits))


class Node(Base):
    """档案实体: one row of the tree, from fonds to item."""

    __tablename__ = "node"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    uuid: Mapped[UUID] = mapped_column(Uuid, unique=True, default=uuid4)
    parent_id: Mapped[int] = mapped_column(ForeignKey("node.id"))
    slug: Mapped[str] = mapped_column(String(80))
    path: Mapped[str] = mapped_column(Ordered, unique=True)
    depth: Mapped[int]
    type: Mapped[str] = mapped_column(String(40))
    position: Mapped[int] = mapped_column(default=0)

    title: Mapped[str] = mapped_column(String(400))
    title_key: Mapped[str] = mapped_column(Ordered, default="")
    archival_no: Mapped[str | None] = mapped_column(Numbered, unique=True)
    date_from: Mapped[date | None]
    date_to: Mapped[date | None]
    year: Mapped[int | None]
    dept_id: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    workflow: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(40))
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)

    inherits: Mapped[bool] = mapped_column(default=True)
    """False: local roles of ancestors stop here (the sharing page's block)."""
    shared: Mapped[bool] = mapped_column(default=False)
    """Has local roles of its own."""
    level_own: Mapped[int] = mapped_column(default=0)
    level: Mapped[int] = mapped_column(default=0)
    """敏感级别 S0 to S3: the highest of all ancestors and its own."""
    overlay_own: Mapped[int] = mapped_column(default=0)
    overlay: Mapped[int] = mapped_column(default=0)
    policy_id: Mapped[int | None] = mapped_column(ForeignKey("policy.id"))
    scope_id: Mapped[int | None] = mapped_column(BigInt)
    access_class: Mapped[int] = mapped_column(default=0)
    """安全类: 0 admits nobody, so that a node not yet classified is closed."""

    retention_rule: Mapped[str | None] = mapped_column(String(20))
    retain_until: Mapped[date | None]
    hold_count: Mapped[int] = mapped_column(default=0)
    page_count: Mapped[int] = mapped_column(default=0)
    dual: Mapped[str | None] = mapped_column(String(12))
    """纸电核对结果 of a file, kept by services/reconciliation.py so that the rate is one look into an index."""
    version: Mapped[int] = mapped_column(default=1)
    revision: Mapped[int] = mapped_column(BigInt, default=0)
    """Grows with everything that a search may find the node by, also the text of its pages."""
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    updated_at: Mapped[datetime]
    updated_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    trashed_at: Mapped[datetime | None]
    destroyed_at: Mapped[datetime | None]

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        UniqueConstraint("parent_id", "slug"),
        Index("ix_node_folder_position", "parent_id", "position", "id"),
        Index("ix_node_access_class", "access_class", "created_at", "id"),
        Index("ix_node_newest", "created_at", "id"),
        Index("ix_node_type_state", "type", "state", "updated_at"),
        Index("ix_node_trashed_at", "trashed_at", "id",
              sqlite_where=text("trashed_at IS NOT NULL"), postgresql_where=text("trashed_at IS NOT NULL")),
        Index("ix_node_dual", "dual", "id", "access_class", "overlay",
              sqlite_where=text("dual IS NOT NULL"), postgresql_where=text("dual IS NOT NULL")),
        # Front pages in the order of their discharge: items of a record have no end.
        Index("ix_node_date_to", "date_to", "id",
              sqlite_where=text("date_to IS NOT NULL"), postgresql_where=text("date_to IS NOT NULL")),
        # The few scopes of a branch, whatever else there is in it; SQLite wants the very words of the query.
        Index("ix_node_scope", "path", sqlite_where=text("shared = 1 OR inherits IS 0"),
              postgresql_where=text("shared OR inherits IS FALSE")),
    )  # fmt: skip

    @property
    def path_end(self) -> str:
        """The first path after all descendants: a subtree is the range from `path` to here."""
        return f"{self.path[:-1]}0"


class NodeVersion(Base):
    """著录历史: what was said of a node, version by version."""

    __tablename__ = "node_version"

    node_id: Mapped[int] = mapped_column(ForeignKey("node.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    snapshot: Mapped[dict[str, Any]] = mapped_column(JSON)
    at: Mapped[datetime]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    comment: Mapped[str | None] = mapped_column(String(500))


class NodeDraft(Base):
    """未保存的草稿: what somebody has typed into a form and not saved. Nobody else sees it; saving ends it."""

    __tablename__ = "node_draft"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("principal.id"))
    node_id: Mapped[int] = mapped_column(ForeignKey("node.id", ondelete="CASCADE"), index=True)
    """What is edited, or in what something is added."""
    form: Mapped[str] = mapped_column(String(40))
    """"edit", or the type that is being added."""
    base_version: Mapped[int | None]
    patch: Mapped[dict[str, Any]] = mapped_column(JSON)
    at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("owner_id", "node_id", "form"),)


class BasketItem(Base):
    """已选: a thing that somebody has chosen to work on. Nobody else sees it."""

    __tablename__ = "basket_item"

    owner_id: Mapped[int] = mapped_column(ForeignKey("principal.id"), primary_key=True)
    node_id: Mapped[int] = mapped_column(
        ForeignKey("node.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    at: Mapped[datetime]


class NodeAlias(Base):
    """旧地址: a slug that a node had before its archival number; permanent links go on working."""

    __tablename__ = "node_alias"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    parent_id: Mapped[int] = mapped_column(ForeignKey("node.id"))
    slug: Mapped[str] = mapped_column(String(80))
    node_id: Mapped[int] = mapped_column(ForeignKey("node.id"))
    __table_args__ = (UniqueConstraint("parent_id", "slug"),)


class Counter(Base):
    """流水号: gap-free, locked inside the transaction that uses the number."""

    __tablename__ = "counter"

    name: Mapped[str] = mapped_column(String(160), primary_key=True)
    value: Mapped[int] = mapped_column(default=0)


class Record(Base):
    """病案: what a medical record file has beyond a node; exactly one for its node and its encounter."""

    __tablename__ = "record"

    node_id: Mapped[int] = mapped_column(ForeignKey("node.id"), primary_key=True)
    encounter_id: Mapped[int] = mapped_column(ForeignKey("encounter.id"), unique=True)


class Milestone(Base):
    """里程碑: one dated step of a record on one of its tracks. The first date is kept for ever (domain §4.1)."""

    __tablename__ = "milestone"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    node_id: Mapped[int] = mapped_column(ForeignKey("node.id"))
    track: Mapped[str] = mapped_column(String(20))
    step: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime]
    by_id: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    __table_args__ = (
        UniqueConstraint("node_id", "track", "step"),
        Index("ix_milestone_step_at", "track", "step", "at"),
    )
