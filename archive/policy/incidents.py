"""遗失、损坏的报告: what the policy of incidents looks like. Pure."""

from typing import Literal

from archive.policy.shape import Shape

Told = list[Literal["senior", "archivist", "medical_affairs"]]
"""Roles that may know of every record, or of those that are theirs; of others nobody is told."""


class Reported(Shape):
    lost: Told
    damaged: Told
    left: Told
    """Of an account that is closed while volumes are out to it."""


class IncidentRules(Shape):
    """异常登记规则: who is told at once that a volume was lost or damaged."""

    told: Reported
