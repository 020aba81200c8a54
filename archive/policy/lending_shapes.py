"""The shape of what borrowing goes by: who may ask for what, for how long, and who is asked. Pure."""

from typing import Annotated, Literal

from pydantic import Field

from archive.policy.shape import Code, Days, Label, Shape


class LendingRule(Label):
    """借阅规则: its name, for whom and for what, up to which sensitivity, in which media and for how long; see `lending.Rule`."""

    purpose: Code
    who: list[Code]
    level_to: Annotated[int, Field(ge=0, le=3)]
    media: Annotated[list[Literal["eread", "paper", "data"]], Field(min_length=1)]
    eread_days: Days
    paper_days: Annotated[int, Field(ge=0, le=365)]
    paper_working: bool
    renewals: Annotated[int, Field(ge=0, le=20)]
    renew_days: Annotated[int, Field(ge=0, le=365)]
    while_overdue: bool
    own_ward: bool
    on_site: bool = False
    approvers: Annotated[
        list[Literal["dept_head", "medical_affairs", "record", "record_head"]], Field(max_length=6)
    ]


class LendingLimits(Shape):
    open_requests: Annotated[int, Field(ge=1, le=1000)]
    treating_days: Annotated[int, Field(ge=0, le=90)]
    stay_days: Annotated[int, Field(ge=1, le=3650)]
    to_relatives: bool


class Bundles(Shape):
    """批次申请: how many records one may have, and how many bundles somebody may have open."""

    records: Annotated[int, Field(ge=2, le=500)]
    open_bundles: Annotated[int, Field(ge=1, le=100)]


class Studies(Shape):
    """科研批次: which purposes are studies; over how many records a bundle goes out in parts of how many, who is asked
    besides, and whether the approval of the ethics committee is attached.
    """

    purposes: list[Code]
    over: Annotated[int, Field(ge=1, le=500)]
    each: Annotated[int, Field(ge=1, le=500)]
    also: Annotated[list[Literal["dept_head", "medical_affairs"]], Field(max_length=2)]
    ethics: bool


class Printouts(Shape):
    """打印件: for which purposes a stamped copy may be asked for with an e-reading, and how often it may be taken."""

    purposes: list[Code]
    times: Annotated[int, Field(ge=1, le=20)]


class Room(Shape):
    """电子阅览室: for how many minutes a code holds."""

    minutes: Annotated[int, Field(ge=1, le=240)]


class Loans(Shape):
    """借阅制度: the rules in their order, of which the first that fits is the one."""

    limits: LendingLimits
    bundles: Bundles
    studies: Studies
    printouts: Printouts
    room: Room
    rules: Annotated[dict[Code, LendingRule], Field(min_length=1)]
