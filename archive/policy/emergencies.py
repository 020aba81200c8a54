"""What the policy of break-glass looks like. Pure."""

from typing import Annotated

from pydantic import Field

from archive.policy.shape import Code, Label, Shape


class EmergencyLimits(Shape):
    open_hours: Annotated[int, Field(ge=1, le=4)]
    sensitivity_to: Annotated[int, Field(ge=1, le=3)]
    least_words: Annotated[int, Field(ge=5, le=200)]
    judge_hours: Annotated[int, Field(ge=1, le=168)]
    alarm_from: Annotated[int, Field(ge=2, le=1000)]


class EmergencyRules(Shape):
    """紧急调阅规则: how long and how far it opens, what it may be for, and by when it is judged."""

    limits: EmergencyLimits
    causes: Annotated[dict[Code, Label], Field(min_length=1)]
