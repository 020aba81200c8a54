"""Searches that somebody has kept: what they ask, with whom they are shared, who follows them, what became of it."""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from archive.db import Base, BigInt


class SavedSearch(Base):
    """常用检索: a search with a name, one's own or shared. Name and words may tell of a patient: they lie encrypted."""

    __tablename__ = "saved_search"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    uuid: Mapped[UUID] = mapped_column(Uuid, unique=True, default=uuid4)
    owner_id: Mapped[int] = mapped_column(ForeignKey("principal.id"), index=True)
    audience: Mapped[str] = mapped_column(String(60), index=True)
    """Who may use it besides its owner: "private", "all", "role:clinician", "dept:12"."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}


class SearchFollow(Base):
    """关注: what one person does with a saved search: keeps it on the workbench, is told of what it finds anew."""

    __tablename__ = "search_follow"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    search_id: Mapped[int] = mapped_column(ForeignKey("saved_search.id", ondelete="CASCADE"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("principal.id"))
    pinned: Mapped[bool] = mapped_column(default=False)
    subscribed: Mapped[bool] = mapped_column(default=False)
    seen: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The ids of what it has found for this person, encrypted: together with the words they would tell of patients."""
    looked_on: Mapped[date | None]
    """The day of the last digest. On one day nobody is told twice."""
    __table_args__ = (
        UniqueConstraint("person_id", "search_id"),
        Index("ix_search_follow_due", "subscribed", "looked_on", "person_id"),
    )


class SearchNews(Base):
    """新结果: what a notice tells of, search by search. How many they are is asked when it is read."""

    __tablename__ = "search_news"

    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.id", ondelete="CASCADE"), primary_key=True)
    search_id: Mapped[int] = mapped_column(
        ForeignKey("saved_search.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """The ids of what was new, encrypted."""
    opened_at: Mapped[datetime | None]
    """When their reader looked at them."""


class SearchHistory(Base):
    """检索历史: what somebody does not want to be shown again. The searches themselves stand in the journal of reads
    alone, which nobody can forget.
    """

    __tablename__ = "search_history"

    person_id: Mapped[int] = mapped_column(ForeignKey("principal.id"), primary_key=True, autoincrement=False)
    kept: Mapped[bool] = mapped_column(default=True)
    since: Mapped[datetime | None]
    """Nothing before this moment is shown."""
    forgotten: Mapped[list[Any]] = mapped_column(JSON, default=list)
    """Ids of events: what each asked is not shown up to that event."""
