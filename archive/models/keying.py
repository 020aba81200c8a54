"""著录台: what was keyed from an image, until a second person has keyed the same."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from archive.db import Base


class Keying(Base):
    """双录: how far a record has come at the keying desk. The values go when they have been written to the record."""

    __tablename__ = "keying"

    node_id: Mapped[int] = mapped_column(ForeignKey("node.id"), primary_key=True)
    state: Mapped[str] = mapped_column(String(10))
    """once: waits for the second person; differs: waits for somebody to choose; done."""
    before: Mapped[dict[str, Any]] = mapped_column(JSON)
    """What the record said of the fields that are keyed twice, when they were first keyed."""
    first: Mapped[dict[str, Any]] = mapped_column(JSON)
    first_by_id: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    first_at: Mapped[datetime]
    second: Mapped[dict[str, Any]] = mapped_column(JSON)
    second_by_id: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    second_at: Mapped[datetime | None]
    done_by_id: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    """Who chose where the two differed; without a difference, who keyed last."""
    done_at: Mapped[datetime | None]
