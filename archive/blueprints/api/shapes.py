"""The JSON objects of the API. Additive only: a field is never renamed and never changes its meaning."""

from datetime import datetime
from typing import Any

from archive.blueprints.api.operation import Shape


class Transition(Shape):
    """A step that may be taken now, with what still stands in its way."""

    name: str
    title: str
    blocked: list[str]


class Carrier(Shape):
    """A paper volume."""

    barcode: str
    status: str
    place: str | None
    sheets: int | None


class Node(Shape):
    """A node as the holder of the token sees it: a field that they may not know is not there."""

    uuid: str
    type: str
    path: str
    url: str
    parent: str | None
    archival_no: str | None
    title: str | None
    state: str
    level: int
    version: int
    page_count: int
    fields: dict[str, Any]
    addable: list[str]
    carriers: list[Carrier]
    transitions: list[Transition]


class Uploaded(Shape):
    """What an upload made: `uuid` is the node's, `job` makes its pages."""

    uuid: str
    url: str
    job: str


class Job(Shape):
    uuid: str
    kind: str
    state: str
    progress: int
    total: int | None
    message: str


class Step(Shape):
    """What a step may need: a reason, a barcode where a volume is handed out or taken back, sheets counted."""

    reason: str | None = None
    barcode: str | None = None
    sheets: int | None = None
    confirmed: bool = False


class Hit(Shape):
    uuid: str
    file: str
    archival_no: str | None
    title: str | None
    url: str
    snippet: str


class Found(Shape):
    """One page of hits. `total` is exact up to the cap; beyond it, `capped` is true."""

    items: list[Hit]
    next: str | None
    total: int
    capped: bool


class Asked(Shape):
    """A request to be made: `kind` eread or paper, `node` its uuid."""

    kind: str
    node: str
    purpose: str
    days: int
    reason: str | None = None


class Request(Shape):
    uuid: str
    number: str
    kind: str
    state: str
    node: str
    url: str | None
    purpose: str
    days: int
    asked_at: datetime
    until: datetime | None
    due_at: datetime | None
    overdue: bool
    version: int
    transitions: list[str]


class Requests(Shape):
    items: list[Request]


class AuditLine(Shape):
    """One event: codes and identifiers, never a title or a patient's name."""

    journal: str
    id: int
    at: datetime
    actor: str
    action: str
    result: str
    object_kind: str | None
    object_ref: str | None
    address: str | None


class AuditPage(Shape):
    items: list[AuditLine]
    next: str | None


class Accepted(Shape):
    """A job that was begun."""

    job: str
