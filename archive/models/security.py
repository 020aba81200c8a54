"""Rights as rows: local roles, policies, access classes and their tokens, grants (architecture §3)."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from archive.db import Base, BigInt, Ordered


class LocalRole(Base):
    """局部角色: a role on a branch of the tree, with a cause, until when."""

    __tablename__ = "local_role"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    node_id: Mapped[int] = mapped_column(ForeignKey("node.id"), index=True)
    principal_id: Mapped[int] = mapped_column(ForeignKey("principal.id"), index=True)
    role: Mapped[str] = mapped_column(String(40))
    cause: Mapped[str] = mapped_column(String(200), default="")
    granted_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    granted_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("node_id", "principal_id", "role"),)


class Policy(Base):
    """类型、流程、状态: the part of a class that the matrix is read by."""

    __tablename__ = "policy"

    id: Mapped[int] = mapped_column(primary_key=True)
    type: Mapped[str] = mapped_column(String(40))
    workflow: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(40))
    __table_args__ = (UniqueConstraint("type", "workflow", "state"),)


class AccessClass(Base):
    """安全类: an interned security context. A node carries one number of it."""

    __tablename__ = "access_class"

    id: Mapped[int] = mapped_column(primary_key=True)
    scope_id: Mapped[int] = mapped_column(BigInt, index=True)
    policy_id: Mapped[int] = mapped_column(ForeignKey("policy.id"))
    level: Mapped[int]
    dept_id: Mapped[int] = mapped_column(BigInt)
    """0 where the node belongs to no department: NULLs would not be unique."""
    overlay: Mapped[int]
    __table_args__ = (UniqueConstraint("scope_id", "policy_id", "level", "dept_id", "overlay"),)


class AccessToken(Base):
    """令牌: whoever holds `token` has `permission` on every node of the class."""

    __tablename__ = "access_token"

    class_id: Mapped[int] = mapped_column(ForeignKey("access_class.id"), primary_key=True)
    permission: Mapped[str] = mapped_column(String(40), primary_key=True)
    token: Mapped[str] = mapped_column(String(60), primary_key=True)
    __table_args__ = (Index("ix_access_token_token", "permission", "token", "class_id"),)


class AccessGrant(Base):
    """限时授权: access by an e-reading loan, treatment, break-glass; judged by the clock at each opening."""

    __tablename__ = "access_grant"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    principal_id: Mapped[int] = mapped_column(ForeignKey("principal.id"))
    node_id: Mapped[int] = mapped_column(ForeignKey("node.id"), index=True)
    permission: Mapped[str] = mapped_column(String(40))
    cause: Mapped[str] = mapped_column(String(20))
    ref: Mapped[str | None] = mapped_column(String(60))
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime]
    max_level: Mapped[int]
    reason: Mapped[str | None] = mapped_column(String(500))
    session_id: Mapped[int | None] = mapped_column(BigInt)
    """电子阅览室: the one session in which it opens anything; nothing: in every one of its reader."""
    __table_args__ = (Index("ix_access_grant_principal", "principal_id", "valid_until"),)


class SecurityEpoch(Base):
    """安全变更序列: each change of a class or of a branch's classes, so that every process catches up before a query."""

    __tablename__ = "security_epoch"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    path_from: Mapped[str] = mapped_column(Ordered)
    path_end: Mapped[str] = mapped_column(Ordered)


class ClosedBranch(Base):
    """待重算分支: closed to everybody until its classes have been worked out again."""

    __tablename__ = "closed_branch"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    path_from: Mapped[str] = mapped_column(Ordered)
    path_end: Mapped[str] = mapped_column(Ordered)
