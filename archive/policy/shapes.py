"""What a version of each policy looks like: every value that the program reads, and nothing else. Pure."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, RootModel, StringConstraints, ValidationError

from archive.i18n import _
from archive.policy.checklists import Checklist
from archive.policy.copy_shapes import Copying, Proofs
from archive.policy.counting import Counting
from archive.policy.emergencies import EmergencyRules
from archive.policy.hold_shapes import Holds
from archive.policy.incidents import IncidentRules
from archive.policy.insurance import Insurance
from archive.policy.lending_shapes import Loans
from archive.policy.queueing import Queue
from archive.policy.relations import Problem, related
from archive.policy.reminding import ReminderRules
from archive.policy.shape import Code, Days, Label, Shape
from archive.policy.study_data import StudyData


class Deadlines(Shape):
    target_working_days: Annotated[int, Field(ge=1, le=60)]
    hard_working_days: Annotated[int, Field(ge=1, le=60)]
    death_days: Annotated[int, Field(ge=1, le=60)]


class Track(Label):
    steps: Annotated[list[Code], Field(min_length=1)]


class Gates(Shape):
    """归档门槛: the tracks of a record, their steps, and which of them archiving waits for."""

    archive: dict[Literal["medical_record"], list[Annotated[list[str], Field(min_length=2, max_length=2)]]]
    deadlines: Deadlines
    tracks: Annotated[dict[Literal["paper", "scan"], Track], Field(min_length=2)]
    steps: dict[Code, Label]


class Syntax(Shape):
    default: Literal["2022"]


class NumberRule(Shape):
    digits: Annotated[int, Field(ge=3, le=6)]
    syntax: Literal["item", "volume"]


class Numbering(Shape):
    """档号规则."""

    syntax: Syntax
    categories: dict[Code, NumberRule]


class Rule(Label):
    """保管期限: `trigger` says from when its years are counted; without years it is for ever."""

    code: Annotated[str, StringConstraints(pattern=r"^(Y|D[1-9]\d{0,2})$")]
    years: Annotated[int, Field(ge=1, le=200)] | None = None
    trigger: Literal["formation", "last_discharge"]


class Retention(Shape):
    """保管期限表."""

    rules: dict[Annotated[str, StringConstraints(pattern=r"^\w{1,20}$")], Rule]


class Special(Shape):
    ranges: list[Annotated[str, StringConstraints(pattern=r"^[A-Z]\d{2}-[A-Z]\d{2}$")]]
    level: Annotated[int, Field(ge=1, le=3)]


class Sensitivity(Shape):
    """特殊诊断: blocks of ICD-10, and the level that they ask for."""

    special: Special


class Vocabularies(RootModel[dict[Code, Annotated[dict[Code, Label], Field(min_length=1)]]]):
    """词表: the choices of fields, in the hospital's order."""


Wording = Annotated[
    str, StringConstraints(pattern=r"^[^\"“”„＂「」『』()（）\s\\][^\"“”„＂「」『』()（）\\]{1,59}$")
]
"""A word as people type it: two characters at least, and no sign of which a query is made."""


class Synonyms(Shape):
    """同义词表: the usual word of each group, and what else is said and written for it."""

    groups: dict[Code, Annotated[list[Wording], Field(min_length=1, max_length=20)]]


class InspectionLimits(Shape):
    most_records: Annotated[int, Field(ge=1, le=2000)]
    most_days: Days
    appeal_days: Days
    appeal_warn_days: Annotated[int, Field(ge=0, le=60)]


class Inspections(Shape):
    """检查规则."""

    limits: InspectionLimits


class TrashLimits(Shape):
    days: Days
    bytes_days: Annotated[int, Field(ge=1, le=3650)]


class Trash(Shape):
    """回收站规则."""

    limits: TrashLimits


class Daily(Shape):
    hour: Annotated[int, Field(ge=0, le=23)]
    working_days_only: bool


class MailLimits(Shape):
    """How often a mail is tried, and after how many minutes the second time; each further pause is twice as long."""

    tries: Annotated[int, Field(ge=1, le=12)]
    pause_minutes: Annotated[int, Field(ge=1, le=240)]


class Mailing(Shape):
    """邮件通知."""

    daily: Daily
    limits: MailLimits


class Digest(Shape):
    """每日汇总."""

    daily: Daily


class Thickness(Shape):
    sheet_um: Annotated[int, Field(ge=20, le=1000)]
    typical_sheets: Annotated[int, Field(ge=1, le=2000)]
    boxes_mm: Annotated[list[Annotated[int, Field(ge=5, le=300)]], Field(min_length=1)]


class Fill(Shape):
    tight_percent: Annotated[int, Field(ge=1, le=100)]


class Labels(Shape):
    columns: Annotated[int, Field(ge=1, le=10)]
    rows: Annotated[int, Field(ge=1, le=30)]
    width_mm: Annotated[int, Field(ge=15, le=210)]
    height_mm: Annotated[int, Field(ge=10, le=297)]


class Storeroom(Shape):
    """库房规则."""

    thickness: Thickness
    fill: Fill
    labels: Labels


class PageLimits(Shape):
    least_dpi: Annotated[int, Field(ge=50, le=1200)]
    tilt_tenths: Annotated[int, Field(ge=1, le=60)]
    blank_per_100000: Annotated[int, Field(ge=0, le=10_000)]
    sharpness_percent: Annotated[int, Field(ge=0, le=100)]
    border_percent: Annotated[int, Field(ge=1, le=100)]
    confidence_percent: Annotated[int, Field(ge=0, le=100)]
    cut_marks: Annotated[int, Field(ge=1, le=1000)]
    red_per_100000: Annotated[int, Field(ge=1, le=100_000)]
    colour_expected: bool


class ImagingSteps(Shape):
    deskew: bool
    borders: bool
    crop: bool
    despeckle: bool


class ImagingLimits(Shape):
    deskew_from_tenths: Annotated[int, Field(ge=1, le=60)]
    deskew_most_tenths: Annotated[int, Field(ge=1, le=60)]
    black_percent: Annotated[int, Field(ge=10, le=100)]
    crop_from_mm: Annotated[int, Field(ge=1, le=100)]
    speck_um: Annotated[int, Field(ge=50, le=800)]


class Imaging(Shape):
    """图像处理规则: what is done to access copies when they are made."""

    steps: ImagingSteps
    limits: ImagingLimits


class PageChecks(Shape):
    """页面检测规则."""

    limits: PageLimits


class UploadLimits(Shape):
    unfinished_days: Annotated[int, Field(ge=1, le=60)]
    unfinished_files: Annotated[int, Field(ge=1, le=10_000)]
    unfinished_gb: Annotated[int, Field(ge=1, le=10_000)]


class Uploads(Shape):
    """续传规则: how much one person may leave lying that has not come whole, and for how long."""

    limits: UploadLimits


class ScannerAddress(Label):
    """Where it answers; a scanner leads nowhere else, and nobody but who adopts a policy says where."""

    address: Annotated[
        str,
        StringConstraints(pattern=r"^https?://(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?(/[\w.-]+)*/?$"),
    ]


class Scanners(Shape):
    """网络扫描仪: those of which pages may be taken."""

    scanners: dict[Code, ScannerAddress]


class SampleLimits(Shape):
    percent: Annotated[int, Field(ge=5, le=100)]
    whole_from_level: Annotated[int, Field(ge=1, le=3)]
    pile_days: Days
    defect_per_1000: Annotated[int, Field(ge=0, le=1000)]


class Whole(Shape):
    """What is looked at whole: components, and departments by their codes."""

    components: list[Code]
    departments: list[Code]


class DefectKind(Label):
    """缺陷: `fails`: one of it is too many."""

    fails: bool = False


class PaperKind(Label):
    """特殊纸张: `first`: volumes that hold it are scanned before the others."""

    first: bool = False


class Digitisation(Shape):
    """数字化加工规则: the sample, the defects, papers that ask for care, and the titles by which components are known."""

    limits: SampleLimits
    whole: Whole
    defects: Annotated[dict[Code, DefectKind], Field(min_length=1)]
    kinds: dict[Code, PaperKind] = {}
    titles: dict[
        Code, Annotated[list[Annotated[str, Field(min_length=2, max_length=40)]], Field(min_length=1)]
    ]


class SecondKeying(Shape):
    other_person: bool


class Keying(Shape):
    """著录规则: by type, the fields that stand on a front page in the order in which they are keyed; which of them twice."""

    second: SecondKeying
    fields: Annotated[
        dict[Code, Annotated[list[Code], Field(min_length=1, max_length=30)]], Field(min_length=1)
    ]
    twice: dict[Code, list[Code]]


SHAPES: Mapping[str, type[BaseModel]] = {
    "gates": Gates, "loans": Loans, "numbering": Numbering, "retention": Retention, "sensitivity": Sensitivity,
    "vocabularies": Vocabularies, "holds": Holds, "inspections": Inspections, "trash": Trash, "storeroom": Storeroom,
    "synonyms": Synonyms, "digest": Digest, "page_checks": PageChecks, "uploads": Uploads, "scanners": Scanners,
    "emergency": EmergencyRules, "reminders": ReminderRules,
    "digitisation": Digitisation, "keying": Keying, "checklist": Checklist, "imaging": Imaging,
    "copying": Copying, "proofs": Proofs, "queue": Queue, "counting": Counting, "mail": Mailing,
    "incidents": IncidentRules, "insurance": Insurance, "study_data": StudyData,
}  # fmt: skip


def problems(kind: str, body: Mapping[str, Any]) -> list[Problem]:
    """Everything that is wrong with a body by itself. Raises KeyError for a kind without a shape."""
    try:
        SHAPES[kind].model_validate(body)
    except ValidationError as error:
        return [_told(one) for one in error.errors(include_url=False)]
    return list(related(kind, body))


def _told(error: Any) -> Problem:
    place = tuple(str(part) for part in error["loc"] if part != "[key]")
    limits = error.get("ctx", {})
    sentences = {
        "missing": _("It is missing."),
        "extra_forbidden": _("There is no such key here. Look at its spelling."),
        "greater_than_equal": _("At least %(least)s.", least=limits.get("ge")),
        "less_than_equal": _("At most %(most)s.", most=limits.get("le")),
        "int_type": _("Write a whole number."), "int_from_float": _("Write a whole number."),
        "bool_type": _("Write true or false."),
        "literal_error": _("One of these: %(words)s.", words=limits.get("expected")),
        "string_type": _("Write words between quotation marks."),
        "string_too_short": _("Write something between the quotation marks."),
        "string_too_long": _("At most %(most)s characters.", most=limits.get("max_length")),
        "string_pattern_mismatch": _("It does not have the form that the program reads."),
        "list_type": _("Write a list between square brackets."),
        "too_short": _("Something is missing from it."), "too_long": _("There is too much in it."),
    }  # fmt: skip
    table = _("Write a table: names, equals signs, values.")
    return Problem(place, sentences.get(error["type"], table))
