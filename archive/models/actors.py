"""Who works here: people, departments, groups; their sessions and the attempts to sign in."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from archive.db import Base, BigInt, Code, Ordered


class Principal(Base):
    """主体: whoever can hold a right: a user, a group, a department, a service."""

    __tablename__ = "principal"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    uuid: Mapped[UUID] = mapped_column(Uuid, unique=True, default=uuid4)
    kind: Mapped[str] = mapped_column(String(10))
    code: Mapped[str] = mapped_column(String(60))
    name: Mapped[str] = mapped_column(String(80))
    name_key: Mapped[str] = mapped_column(Ordered)
    __table_args__ = (UniqueConstraint("kind", "code"),)


class User(Base):
    """用户: a member of staff who signs in. `clearance` is the 敏感授权级别, 0 to 3."""

    __tablename__ = "user"

    id: Mapped[int] = mapped_column(ForeignKey("principal.id"), primary_key=True)
    account: Mapped[str] = mapped_column(Code(60, capitals=False), unique=True)
    staff_no: Mapped[str] = mapped_column(Code(30, capitals=True), unique=True)
    password: Mapped[str | None] = mapped_column(String(200))
    must_change: Mapped[bool] = mapped_column(default=False)
    """The password was given by somebody else: whoever signs in with it sets one of their own first."""
    clearance: Mapped[int] = mapped_column(default=1)
    locale: Mapped[str] = mapped_column(String(10), default="zh_CN")
    email: Mapped[str | None] = mapped_column(String(254))
    by_mail: Mapped[bool] = mapped_column(default=False)
    """Whether they want to be told by e-mail, too, what they have been told in the archive."""
    disabled_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}


class Membership(Base):
    """成员关系: a user belongs to a department or group, for a time."""

    __tablename__ = "membership"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    principal_id: Mapped[int] = mapped_column(ForeignKey("principal.id"), index=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("principal.id"), index=True)
    valid_to: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("principal_id", "group_id"),)


class RoleAssignment(Base):
    """角色授予: a global role, given by the security administrator."""

    __tablename__ = "role_assignment"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    principal_id: Mapped[int] = mapped_column(ForeignKey("principal.id"), index=True)
    role: Mapped[str] = mapped_column(String(40))
    granted_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    granted_at: Mapped[datetime]
    valid_to: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("principal_id", "role"),)


class Session(Base):
    """会话: one signed-in browser or one API token; ended here, it is ended at once."""

    __tablename__ = "session"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    uuid: Mapped[UUID] = mapped_column(Uuid, unique=True, default=uuid4)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    label: Mapped[str] = mapped_column(String(120))
    address: Mapped[str | None] = mapped_column(String(60))
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class SignInAttempt(Base):
    """登录失败计数, keyed by account and known device, and by account and address."""

    __tablename__ = "sign_in_attempt"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    first_at: Mapped[datetime]
    blocked_until: Mapped[datetime | None]


class Device(Base):
    """常用设备: a browser from which an account has signed in before."""

    __tablename__ = "device"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    token_hash: Mapped[str] = mapped_column(String(64))
    seen_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("user_id", "token_hash"), Index("ix_device_token_hash", "token_hash"))
