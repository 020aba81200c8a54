"""What a hospital may change: versioned policy, the calendar, settings."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from archive.db import Base


class PolicyVersion(Base):
    """制度版本: periods, limits, approvers, gates, vocabularies, with their source. Decisions keep the version they used."""

    __tablename__ = "policy_version"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    version: Mapped[int]
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    source: Mapped[dict[str, str]] = mapped_column(JSON)
    """Rule, article or decision, as a label: {"zh": …, "en": …}; a person writes it in their own language only."""
    approved_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    adopted_at: Mapped[datetime]
    valid_from: Mapped[datetime]
    __table_args__ = (UniqueConstraint("kind", "version"),)


class CalendarDay(Base):
    """日历: a day that is not what its weekday says: a holiday, or a working weekend 调休."""

    __tablename__ = "calendar_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    works: Mapped[bool]
    name: Mapped[str] = mapped_column(String(60))
    because: Mapped[str | None] = mapped_column(String(200))
    """The notice or reason by which a person entered it; nothing for the days that are shipped."""
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    changed_at: Mapped[datetime | None]


class Setting(Base):
    """设置: how the hospital works; how the program runs stands in the environment, never both."""

    __tablename__ = "setting"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)
