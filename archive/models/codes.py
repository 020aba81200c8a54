"""Classifications whose codes stand in records: public knowledge, and nothing of a patient."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from archive.db import Base, Ordered


class CodeList(Base):
    """编码表: a classification in the one version that the hospital codes by now."""

    __tablename__ = "code_list"

    id: Mapped[int] = mapped_column(primary_key=True)
    system: Mapped[str] = mapped_column(String(20), unique=True)
    """ICD-10 of diagnoses, ICD-9-CM-3 of operations."""
    version: Mapped[str] = mapped_column(String(60))
    source: Mapped[str] = mapped_column(String(300))
    loaded_at: Mapped[datetime]


class CodeTerm(Base):
    """编码词条: a code and a term that it stands for."""

    __tablename__ = "code_term"

    id: Mapped[int] = mapped_column(primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("code_list.id"))
    code: Mapped[str] = mapped_column(Ordered)
    term: Mapped[str] = mapped_column(Ordered)
    __table_args__ = (UniqueConstraint("list_id", "code", "term"), Index("ix_code_term_code", "code"),
                      Index("ix_code_term_term", "term"))  # fmt: skip
