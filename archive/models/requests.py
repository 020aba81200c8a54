"""利用: whatever is asked and decided."""

from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from archive.db import Base, BigInt


class RequestBundle(Base):
    """批次申请: many records asked for at once, for one purpose and one reason, under one number."""

    __tablename__ = "request_bundle"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    uuid: Mapped[UUID] = mapped_column(Uuid, unique=True, default=uuid4)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    """批次号 PS2026-0001."""
    requester_id: Mapped[int] = mapped_column(ForeignKey("principal.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    purpose: Mapped[str] = mapped_column(String(40))
    reason: Mapped[str] = mapped_column(String(500))
    originals: Mapped[str | None] = mapped_column(String(500))
    """Why data without names would not do, of a study that asks for the records themselves."""
    asked: Mapped[int]
    """How many records were asked for, those that nobody was told of among them."""
    parts: Mapped[int] = mapped_column(default=1)
    """In how many parts it goes out; the next one when nothing of another is out."""
    ethics_due: Mapped[bool] = mapped_column(default=False)
    """Whether nothing is granted before the approval of the ethics committee is attached."""
    ethics_number: Mapped[str | None] = mapped_column(String(60))
    ethics_date: Mapped[date | None]
    ethics_blob_id: Mapped[int | None] = mapped_column(ForeignKey("blob.id"))
    ethics_pages: Mapped[int | None]
    created_at: Mapped[datetime]


class Request(Base):
    """申请: a paper loan, an e-reading."""

    __tablename__ = "request"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    uuid: Mapped[UUID] = mapped_column(Uuid, unique=True, default=uuid4)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    """借阅单号 JY2026-000001 (domain §3.6)."""
    kind: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(20))
    requester_id: Mapped[int] = mapped_column(ForeignKey("principal.id"), index=True)
    node_id: Mapped[int] = mapped_column(ForeignKey("node.id"), index=True)
    purpose: Mapped[str] = mapped_column(String(40))
    reason: Mapped[str | None] = mapped_column(String(500))
    days: Mapped[int]
    rule: Mapped[str] = mapped_column(String(40))
    """The lending rule under which it was asked for, as it stands in `policy_version`."""
    policy_version: Mapped[int]
    bundle_id: Mapped[int | None] = mapped_column(ForeignKey("request_bundle.id"), index=True)
    """批次: what it was asked for together with."""
    part: Mapped[int] = mapped_column(default=1)
    """Of a large bundle the part in which it goes out."""
    with_copy: Mapped[bool] = mapped_column(default=False)
    """Whether the reader may take a stamped copy while it is open."""
    stage: Mapped[int] = mapped_column(default=0)
    """Whose turn it is: the place of an approval."""
    conflict: Mapped[str | None] = mapped_column(String(200))
    """利害关系: what the asker has declared to stand between them and the patient; nothing: that there is none."""
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    decided_at: Mapped[datetime | None]
    decision_note: Mapped[str | None] = mapped_column(String(500))
    until: Mapped[datetime | None]
    """End of e-reading."""
    offered_until: Mapped[datetime | None]
    """预约待领: of an approved request on paper until when it lies ready; nothing while it waits in line."""
    offered_id: Mapped[int | None] = mapped_column(ForeignKey("holding.id"), index=True)
    """The volume that lies on the shelf of what is reserved; nothing where it stands in its own place."""
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (Index("ix_request_state", "kind", "state", "created_at"),)


class RequestPart(Base):
    """所借部件: a component that an e-reading is of; of a request without any, the whole record."""

    __tablename__ = "request_part"

    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"), primary_key=True)
    node_id: Mapped[int] = mapped_column(ForeignKey("node.id"), primary_key=True, index=True)


class RequestCopy(Base):
    """打印件: a stamped copy that whoever reads has taken, where it was granted with the request."""

    __tablename__ = "request_copy"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"), index=True)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    """打印编号 DY2026-000001."""
    pages: Mapped[int]
    at: Mapped[datetime]


class RoomVisit(Base):
    """到室阅览: a code that was given to a reader in the reading room, and the visit that it opened."""

    __tablename__ = "room_visit"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"), index=True)
    code_hash: Mapped[str] = mapped_column(String(100))
    level: Mapped[int]
    """How sensitive the record was when the code was given: if it has grown so since, the code opens nothing."""
    given_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    given_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    entered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class RequestApproval(Base):
    """审批意见: one office of the chain that the rule names, as it stood when it was asked for, and what it said.

    `verdict`: agreed, refused, vacant (nobody sat in the office), unaware (nobody in it may know of the record); nothing yet.
    """

    __tablename__ = "request_approval"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"))
    place: Mapped[int]
    office: Mapped[str] = mapped_column(String(20))
    verdict: Mapped[str | None] = mapped_column(String(10))
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    on_behalf_of: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    """代理: the person away for whom their deputy has said it."""
    at: Mapped[datetime | None]
    note: Mapped[str | None] = mapped_column(String(500))
    __table_args__ = (
        UniqueConstraint("request_id", "place"),
        Index("ix_request_approval_by", "decided_by"),
    )


class Delegation(Base):
    """代理审批: somebody is away and has named who gives their opinions on those days, the last one included."""

    __tablename__ = "delegation"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    uuid: Mapped[UUID] = mapped_column(Uuid, unique=True, default=uuid4)
    from_id: Mapped[int] = mapped_column(ForeignKey("principal.id"), index=True)
    to_id: Mapped[int] = mapped_column(ForeignKey("principal.id"), index=True)
    start: Mapped[date]
    end: Mapped[date]
    because: Mapped[str] = mapped_column(String(200))
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    """When it was ended by hand."""


class RequestConflict(Base):
    """回避: somebody who would decide has declared what stands between them and the patient, and decides no more."""

    __tablename__ = "request_conflict"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"))
    principal_id: Mapped[int] = mapped_column(ForeignKey("principal.id"))
    words: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("request_id", "principal_id"),)


class RequestLine(Base):
    """借出明细: one volume over the desk. A volume is in one hand: one open line for each holding."""

    __tablename__ = "request_line"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"), index=True)
    holding_id: Mapped[int] = mapped_column(ForeignKey("holding.id"))
    due_at: Mapped[datetime]
    out_at: Mapped[datetime]
    out_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    sheets_out: Mapped[int | None]
    in_at: Mapped[datetime | None]
    in_by: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    sheets_in: Mapped[int | None]
    counted_out: Mapped[bool] = mapped_column(default=False)
    """Whether `sheets_out` was counted; otherwise it is what is registered. `sheets_in` is always counted."""
    intact_out: Mapped[bool | None]
    """装订完好: whether binding and seal were whole; nothing where nobody said."""
    intact_in: Mapped[bool | None]
    collector_id: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    """代领人: who collected it for the borrower, who stays responsible; of the house, or by name and telephone."""
    collector_name: Mapped[str | None] = mapped_column(String(80))
    collector_phone_enc: Mapped[bytes | None] = mapped_column(LargeBinary)
    pass_to_id: Mapped[int | None] = mapped_column(ForeignKey("principal.id"))
    """转借: to whom the borrower says they give it, and, once the line has ended by that, gave it."""
    lost: Mapped[bool] = mapped_column(default=False)
    """遗失: nobody brought it back; `in_at` is when that was written down."""
    renewals: Mapped[int] = mapped_column(default=0)
    recalled_at: Mapped[datetime | None]
    """催还: since when somebody else waits for it, and the day on which it is due stands fast."""
    reminded: Mapped[str | None] = mapped_column(String(12))
    """The last reminder that was told: T-1, T+0, T+7."""
    __table_args__ = (
        Index("uq_request_line_open", "holding_id", unique=True,
              sqlite_where=text("in_at IS NULL"), postgresql_where=text("in_at IS NULL")),
        Index("ix_request_line_holding", "holding_id", "id"),
        Index("ix_request_line_due", "due_at"),
        Index("ix_request_line_out", "out_at"),
        Index("ix_request_line_in", "in_at"),
    )  # fmt: skip
