"""清点规则: when the sheets of a volume are counted at the lending desk, and why. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from archive.policy.shape import Code, Shape

PURPOSE, UNBOUND, DAMAGED, SENSITIVE = "purpose", "unbound", "damaged", "sensitive"
Source = Annotated[str, Field(min_length=1, max_length=200)]


class Occasion(Shape):
    """Whether sheets are counted at handing out and at taking back, and by what rule."""

    out: bool
    back: bool
    source: Source


class SensitiveOccasion(Occasion):
    level_from: Annotated[int, Field(ge=1, le=3)]


class VolumeOccasions(Shape):
    """By the state of the volume itself."""

    unbound: Occasion
    damaged: Occasion


class Counting(Shape):
    """清点规则: by purpose, by the state of the volume, by sensitivity; in all other cases one look at the binding is enough."""

    purposes: dict[Code, Occasion]
    volumes: VolumeOccasions
    sensitive: SensitiveOccasion


@dataclass(frozen=True)
class Volume:
    """What of a volume and its loan decides whether it is counted."""

    purpose: str
    level: int
    unbound: bool
    damaged: bool


@dataclass(frozen=True)
class Cause:
    """Why it is counted: purpose, unbound, damaged or sensitive; and the rule that says so."""

    code: str
    source: str


def causes(body: Mapping[str, Any], volume: Volume, *, out: bool) -> list[Cause]:
    """All causes for which a volume is counted on its way out, or on its way back; none: it need not be."""
    when, volumes = "out" if out else "back", body["volumes"]
    asked = (
        (PURPOSE, volume.purpose in body["purposes"], body["purposes"].get(volume.purpose, {})),
        (UNBOUND, volume.unbound, volumes["unbound"]),
        (DAMAGED, volume.damaged, volumes["damaged"]),
        (SENSITIVE, volume.level >= body["sensitive"]["level_from"], body["sensitive"]),
    )
    return [Cause(code, rule["source"]) for code, is_so, rule in asked if is_so and rule[when]]
