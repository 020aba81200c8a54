"""The shape of what sealing goes by: its periods, and the things that are sealed beside papers. Pure."""

from typing import Annotated

from pydantic import Field

from archive.policy.shape import Code, Days, Label, Shape


class SealLimits(Shape):
    alone_after_years: Annotated[int, Field(ge=1, le=30)]
    review_days: Days
    near_days: Days


class ObjectKind(Label):
    """封存实物: a kind of thing; of blood somebody of the station that gave it is there (2018 regulation art. 25)."""

    blood_station: bool


class Holds(Shape):
    """封存规则."""

    limits: SealLimits
    objects: Annotated[dict[Code, ObjectKind], Field(min_length=1)]
