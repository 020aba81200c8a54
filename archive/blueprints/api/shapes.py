"""The JSON objects of the API. Additive only: a field is never renamed and never changes its meaning."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from archive.blueprints.api.operation import Shape

Number = Annotated[int, Field(ge=0, le=100_000)]
"""A count, a year or a width; nothing that a column could not hold."""


def _with_file(schema: dict[str, Any]) -> None:
    """The file is no field of the form: it is on the disk before the form is read."""
    schema["properties"]["file"] = {"type": "string", "format": "binary"}
    schema["required"] = ["file"]


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


class ByPath(Shape):
    path: str


class PageAsked(Shape):
    """`width` in pixels is rounded up to the sizes that the archive keeps."""

    format: Literal["image", "text"] = "image"
    width: Number | None = None


class Added(Shape):
    """A node to be made: `parent` is a uuid or a path, `fields` those of the type."""

    parent: str
    type: str
    title: str | None = None
    fields: dict[str, Any] = {}


class Milestone(Shape):
    track: str
    step: str


class Retention(Shape):
    """Another retention period for what has its archival number already: `retention` is a code, D30 say."""

    retention: str
    reason: str


class Pile(Shape):
    """The parts beside `file`: the scanner that made it, if that is known."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_with_file)

    device: str | None = None


class Upload(Shape):
    """The parts beside `file`: `node` (uuid or path) for a file more, or `parent` and `type` for a new node.

    `fields` is a JSON object as text.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra=_with_file)

    node: str | None = None
    parent: str | None = None
    type: str | None = None
    title: str | None = None
    fields: str | None = None


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


class Reasoned(Shape):
    """What a step may need: a reason."""

    reason: str | None = None


class Step(Reasoned):
    """A reason; the barcode where a volume is handed out or taken back, and the sheets that were counted.

    `confirmed` says that a count which is not the expected one was counted twice, `intact` that
    binding and seal are whole: where they are not, and where the hospital's rules want it, the sheets are counted.
    """

    barcode: str | None = None
    sheets: Number | None = None
    confirmed: bool = False
    intact: bool = True


class SearchAsked(Shape):
    """`dept` is the number of a department, as the field of a node gives it."""

    q: str = ""
    type: str | None = None
    dept: Annotated[int, Field(ge=1, lt=2**31)] | None = None
    year: Number | None = None
    state: str | None = None
    sort: Literal["relevance", "date", "number"] = "relevance"
    cursor: str | None = None


class Hit(Shape):
    """A place in which words stand: `uuid` of the node, `file` of the file that it belongs to."""

    uuid: str
    file: str
    archival_no: str | None
    title: str | None
    url: str
    snippet: str


class Found(Shape):
    """One page of hits. `total` is exact up to the cap; beyond it, `capped` is true and `label` says 1,000+.

    `degraded`: the index could not be asked, so only titles, numbers, names and dates were searched.
    """

    items: list[Hit]
    next: str | None
    total: int
    capped: bool
    label: str
    degraded: bool


class RequestsAsked(Shape):
    show: Literal["mine", "to_decide"] = "mine"


class Asked(Shape):
    """A request to be made: `kind` eread or paper, `node` its uuid; `declared` what stands between asker and patient."""

    kind: Literal["eread", "paper"]
    node: UUID
    purpose: str
    days: Number
    reason: str | None = None
    declared: Literal["none", "relative", "other"]
    declared_words: str | None = None


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


class AuditAsked(Shape):
    """`patient` is a record number, `record` an archival number, barcode or uuid; `action` the beginning of its code.

    `lists`: for a record, also the lists in which it was shown.
    """

    person: str = ""
    patient: str = ""
    record: str = ""
    action: str = ""
    result: Literal["", "ok", "denied", "hidden", "failed"] = ""
    book: Literal["", "changes", "reads"] = ""
    start: date | None = None
    end: date | None = None
    lists: bool = False
    cursor: str | None = None


class AuditLine(Shape):
    """One event: codes and identifiers, never a title or a patient's name. `shown`: how many records it showed."""

    journal: str
    id: int
    at: datetime
    actor: str
    roles: list[str]
    action: str
    result: str
    object_kind: str | None
    object_ref: str | None
    patient: str | None
    shown: int
    address: str | None


class AuditPage(Shape):
    """One page of events. `total` is exact up to the cap; `unknown` is what was asked for and nobody knows."""

    items: list[AuditLine]
    next: str | None
    total: int
    capped: bool
    unknown: str | None


class Accepted(Shape):
    """A job that was begun."""

    job: str


class Verdict(Shape):
    """What was found of one journal; `event` is the first that is not as it was."""

    title: str
    whole: bool
    sealed: int
    checkpoints: int
    sentence: str
    event: int | None


class Verification(Shape):
    """A verification of both journals; `whole` is known when its job is done."""

    job: str
    state: str
    at: datetime
    whole: bool | None
    journals: list[Verdict]


class Verifications(Shape):
    items: list[Verification]
