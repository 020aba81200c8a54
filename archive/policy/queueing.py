"""预约规则: what a version of the policy of the lending desk's queue looks like. Pure."""

from archive.policy.shape import Code, Days, Shape


class QueueLimits(Shape):
    """For how many working days a volume lies ready, and is kept after a recall."""

    ready_days: Days
    recall_days: Days


class QueueOrder(Shape):
    """Purposes that come first, in this order; all others follow by the moment of approval."""

    first: list[Code]


class Queue(Shape):
    """预约规则."""

    limits: QueueLimits
    order: QueueOrder
