"""The shape of what the copying window goes by: packages, fee and days; and the papers that applicants bring. Pure."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from archive.policy.shape import Code, Days, Label, Shape


class CopyLimits(Shape):
    fee_fen: Annotated[int, Field(ge=0, le=10_000)]
    ready_working_days: Annotated[int, Field(ge=1, le=60)]
    minor_age: Annotated[int, Field(ge=0, le=18)]
    file_days: Days
    verify_tries: Annotated[int, Field(ge=3, le=1000)]
    most_pages: Annotated[int, Field(ge=10, le=10_000)]


class PublicPage(Shape):
    """Where the page that confirms a copy is reached from outside; nothing: the code is printed without an address."""

    address: Annotated[
        str,
        StringConstraints(pattern=r"^(https?://[A-Za-z0-9.-]+(:\d{1,5})?(/[\w.-]+)*/?)?$", max_length=200),
    ]


class Copyable(Shape):
    """可复制范围: the whole record, or without a reason written down these components only."""

    everything: bool
    components: list[Code]


class Package(Label):
    everything: bool
    components: list[Code]


class Booking(Shape):
    """预约: the hours for which one may book, how many each, how far ahead, and how long what was said is kept."""

    slots: list[Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]]
    per_slot: Annotated[int, Field(ge=1, le=100)]
    days_ahead: Annotated[int, Field(ge=1, le=60)]
    keep_days: Days


class Copying(Shape):
    """复制规则: what may be copied, in which packages, for how much, within which time."""

    limits: CopyLimits
    public: PublicPage
    copyable: Copyable
    booking: Booking
    packages: Annotated[dict[Code, Package], Field(min_length=1)]


class ApplicantRule(Label):
    of: Literal["living", "dead", "anybody"]
    minors: bool
    needs: Annotated[list[Code], Field(min_length=1)]
    needs_dead: list[Code] = []


class Proofs(Shape):
    """证明材料: for each applicant the papers that must be shown."""

    papers: Annotated[dict[Code, Label], Field(min_length=1)]
    instead: dict[Code, list[Code]] = {}
    applicants: Annotated[dict[Code, ApplicantRule], Field(min_length=1)]
