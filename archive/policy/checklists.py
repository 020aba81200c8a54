"""The shape of the list of components, and of what the comparison of both tracks goes by. Pure."""

from typing import Annotated, Literal

from pydantic import Field

from archive.policy.shape import Code, Shape


class Beginnings(Shape):
    operations: list[Code] = []
    diagnoses: list[Code] = []
    but: list[Code] = []


class Component(Shape):
    """组成: when it is required, what may stand for it, and where that is written."""

    when: Literal[
        "always", "discharged_alive", "death", "under_24_hours", "delivery", "birth", "surgery", "anaesthesia", "transfusion",
        "critical", "special_treatment", "consultation", "specimen", "imaging", "monitoring", "policy",
    ]  # fmt: skip
    instead: list[Code] = []
    source: Annotated[str, Field(min_length=1, max_length=200)]


class MismatchLimits(Shape):
    due_working_days: Annotated[int, Field(ge=1, le=60)]


class DualMode(Shape):
    types: list[Code]


class Archiving(Shape):
    """归档缺件: `blocks`: a record that must have one of these and has it not is not archived. `late`: 迟到报告 never block."""

    blocks: list[Code] = []
    late: list[Code] = []


class Checklist(Shape):
    """病历组成与纸电核对: what a record must have, without what it is not archived, which types are kept on both carriers, how
    long a mismatch may stand.
    """

    limits: MismatchLimits
    archive: Archiving = Archiving()
    dual: DualMode
    codes: dict[Code, Beginnings]
    components: dict[Code, Component]
