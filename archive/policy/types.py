"""Every type of the archive and every field. To add a field or a type, change this file and nothing else."""

from archive.i18n import Lazy, _l
from archive.schema import Field, Kind, Need, Tier, Type

PROCEDURE = r"\d{2}\.\d[\dx]?(?:\d{2})?(?:x\d{3})?"
"""手术操作编码 of ICD-9-CM-3, and as the clinical edition makes it finer: 74.1, 74.1x01, 66.3200, 81.5100x001."""

CONTAINERS = ("fonds", "category", "series")
IDENTIFY, DISCOVER, READ = Tier.IDENTIFY, Tier.DISCOVER, Tier.READ

TITLE = Field("title", _l("Title"), need=Need.MUST, tier=IDENTIFY, column="title", longest=300)
DATE = Field("date_from", _l("Date"), Kind.DATE, Need.MUST, DISCOVER, column="date_from", indexed=False)
DEPT = Field("dept", _l("Department"), Kind.DEPT, Need.IF_PRESENT, DISCOVER, column="dept_id", indexed=False)
RETENTION = Field("retention", _l("Retention period"), Kind.CHOICE, Need.MUST, DISCOVER, column="retention_rule",
                  vocabulary="retention", indexed=False)  # fmt: skip
"""保管期限: DA/T 18-2022 asks for it, and the series and the archival number are made of it (domain §2.2, §8)."""
NOTE = Field("note", _l("Note"), Kind.LONG, longest=4000)

DESCRIPTION = (
    Field("responsible", _l("Responsible body"), need=Need.MUST, tier=IDENTIFY),
    Field("document_no", _l("Document number"), need=Need.IF_PRESENT, tier=IDENTIFY),
    Field("carrier_form", _l("Form of carrier"), need=Need.IF_PRESENT, tier=DISCOVER),
    Field("open_status", _l("Opening mark"), Kind.CHOICE, Need.MUST, DISCOVER, vocabulary="open_status"),
    Field("secrecy", _l("Secrecy mark"), need=Need.IF_PRESENT, tier=DISCOVER,
          pattern=r"(绝密|机密|秘密)★(\d{1,2}年|\d{1,2}个月|长期)", help=_l("for example 秘密★10年")),
    Field("scope_and_content", _l("Scope and content"), Kind.LONG, longest=8000),
    Field("persons", _l("Persons named"), longest=1000),
    Field("draft_stage", _l("Version"), Kind.CHOICE, vocabulary="draft_stage"),
    Field("language", _l("Language"), Kind.CHOICE, tier=DISCOVER, vocabulary="language"),
    Field("attachments", _l("Attachments"), longest=1000),
    Field("origin", _l("How it came to be"), Kind.CHOICE, tier=DISCOVER, vocabulary="origin"),
    Field("publicity", _l("Publicity"), Kind.CHOICE, tier=DISCOVER, vocabulary="publicity"),
    Field("keywords", _l("Keywords"), longest=500),
    Field("originals_at", _l("Where the originals are"), tier=DISCOVER),
    Field("copies_at", _l("Where copies are"), tier=DISCOVER),
    NOTE,
)  # fmt: skip
"""著录项目 DA/T 18-2022, item level (domain §2.2)."""

STAY = (
    Field("mrn", _l("Record number"), Kind.CODE, Need.MUST, DISCOVER, pattern=r"\d{6,10}", longest=10,
          help=_l("6 to 10 digits, the same for every stay of a patient")),
    Field("patient_name", _l("Patient"), need=Need.MUST, tier=IDENTIFY, longest=60, personal=True),
    Field("times", _l("Stay no."), Kind.NUMBER, Need.MUST, DISCOVER, longest=3),
    Field("dept", _l("Department"), Kind.DEPT, Need.MUST, DISCOVER, column="dept_id", indexed=False),
    Field("sex", _l("Sex"), Kind.CHOICE, Need.MUST, IDENTIFY, vocabulary="sex"),
    Field("birth", _l("Born on"), Kind.DATE, Need.IF_PRESENT, IDENTIFY, indexed=False),
    Field("admitted_on", _l("Admitted on"), Kind.DATE, Need.MUST, DISCOVER, indexed=False),
    Field("discharged_on", _l("Discharged on"), Kind.DATE, Need.IF_PRESENT, DISCOVER, indexed=False),
    Field("attending", _l("Attending doctor"), need=Need.IF_PRESENT),
    Field("outcome", _l("Way of leaving"), Kind.CHOICE, Need.IF_PRESENT, vocabulary="outcome"),
    Field("diagnosis", _l("Main diagnosis"), need=Need.IF_PRESENT, longest=200),
    Field("diagnosis_code", _l("Diagnosis code"), Kind.CODE, Need.IF_PRESENT, longest=16,
          pattern=r"[A-Z]\d{2}(?:\.(?:\d{1,3}|x\d{2})(?:[x\d]\d{2,3})?)?[+*]?", help=_l("ICD-10, for example O34.201")),
    Field("operations", _l("Operations"), longest=500),
    Field("operation_codes", _l("Operation codes"), Kind.CODE, longest=200, pattern=rf"{PROCEDURE}(?:；{PROCEDURE})*",
          help=_l("ICD-9-CM-3, the main one first: 74.1x01；66.3200")),
    NOTE,
)  # fmt: skip
"""住院病案首页 in short (domain §7); the full front page comes with coding."""

SERVICE = (
    TITLE,
    DATE,
    DEPT,
    RETENTION,
    Field("ticket_no", _l("Ticket number"), Kind.CODE, tier=DISCOVER, pattern=r"GD\d{8}-\d{4}",
          help=_l("for example GD20261121-0001")),
    Field("service_kind", _l("Kind of service"), Kind.CHOICE, Need.MUST, DISCOVER, vocabulary="service_kind"),
    Field("channel", _l("Channel"), Kind.CHOICE, vocabulary="channel"),
    Field("person", _l("Person"), need=Need.IF_PRESENT, tier=IDENTIFY, longest=60, personal=True),
    Field("summary", _l("Summary"), Kind.LONG, Need.MUST, longest=4000),
    Field("finding", _l("Finding"), Kind.CHOICE, vocabulary="finding"),
    Field("decision", _l("Decision"), Kind.LONG, longest=4000),
    NOTE,
)  # fmt: skip

DISPUTE = (
    Field("dispute_no", _l("Dispute number"), Kind.CODE, tier=DISCOVER, given=True),
    TITLE,
    DATE,
    DEPT,
    RETENTION,
    Field("claimant", _l("Claimant"), need=Need.IF_PRESENT, tier=IDENTIFY, longest=60, personal=True),
    Field("dispute_way", _l("Way of settling it"), Kind.CHOICE, vocabulary="dispute_way"),
    Field("complaint_no", _l("Complaint number"), Kind.CODE, longest=40),
    Field("complaint", _l("What is complained of"), Kind.LONG, longest=4000),
    Field("court_no", _l("Case number of the court"), longest=120),
    NOTE,
)
"""纠纷档案: one case, from the first complaint to the judgment; its ways are those of the regulation of 2018, art. 22."""


def _container(name: str, label: Lazy, icon: str, parents: set[str]) -> Type:
    fields = (TITLE, Field("code", _l("Code"), Kind.CODE, Need.MUST, DISCOVER, longest=40), NOTE)
    return Type(name, label, name, icon, frozenset(parents), "container", fields)


def _by_item(name: str, label: Lazy, icon: str, *more: Field, retention: str = "D30", level: int = 0) -> Type:
    fields = (TITLE, DATE, DEPT, RETENTION, *more, *DESCRIPTION)
    return Type(name, label, "item", icon, frozenset({"series"}), "description", fields,
                numbered=True, pages=True, retention=retention, level=level)  # fmt: skip


TYPES = {
    kind.name: kind
    for kind in (
        _container("fonds", _l("Fonds"), "building-bank", {"root"}),
        _container("category", _l("Category"), "category", {"fonds", "category"}),
        _container("series", _l("Series"), "folders", {"category"}),
        Type("medical_record", _l("Inpatient record"), "file", "book-2", frozenset({"series"}), "medical_record",
             STAY, numbered=True, pages=True, retention="inpatient", level=1),
        Type("component", _l("Component"), "item", "file-text", frozenset({"medical_record"}), "inherited",
             (TITLE,
              Field("component", _l("Kind of component"), Kind.CHOICE, Need.MUST, DISCOVER, vocabulary="component"),
              Field("date_from", _l("Date"), Kind.DATE, Need.IF_PRESENT, DISCOVER, column="date_from", indexed=False),
              Field("author", _l("Author")), NOTE), pages=True),
        Type("service_file", _l("Service file"), "file", "headset", frozenset({"series"}), "description",
             SERVICE, numbered=True, pages=True, retention="D10", level=1),
        Type("service_paper", _l("Service paper"), "item", "file-text", frozenset({"service_file"}), "inherited",
             (TITLE, DATE, NOTE), pages=True),
        Type("dispute_file", _l("Dispute file"), "file", "scale", frozenset({"series"}), "description",
             DISPUTE, numbered=True, pages=True, retention="D30", level=1),
        Type("dispute_paper", _l("Paper of a dispute"), "item", "file-text", frozenset({"dispute_file"}), "inherited",
             (TITLE,
              Field("dispute_paper", _l("Kind of paper"), Kind.CHOICE, Need.MUST, vocabulary="dispute_paper"),
              DATE,
              Field("due_on", _l("Answer due on"), Kind.DATE, indexed=False),
              Field("answered_on", _l("Answered on"), Kind.DATE, indexed=False), NOTE), pages=True),
        _by_item("document", _l("Administrative document"), "file-description"),
        _by_item("equipment", _l("Equipment file"), "device-heart-monitor",
                 Field("maker", _l("Maker"), tier=IDENTIFY), Field("model", _l("Model"), tier=IDENTIFY)),
        _by_item("construction", _l("Construction file"), "building-hospital",
                 Field("project", _l("Project"), need=Need.MUST, tier=IDENTIFY), retention="Y"),
        _by_item("research", _l("Research file"), "microscope",
                 Field("project", _l("Project"), need=Need.MUST, tier=IDENTIFY)),
        _by_item("medical_technique", _l("Medical technique file"), "stethoscope"),
        _by_item("pharmacy", _l("Pharmacy file"), "pill"),
        _by_item("accounting", _l("Accounting file"), "report-money",
                 Field("fiscal_year", _l("Fiscal year"), Kind.NUMBER, Need.MUST, DISCOVER, longest=4)),
        _by_item("personnel", _l("Personnel file"), "id-badge-2", retention="Y", level=2),
        _by_item("photo", _l("Photograph"), "photo", Field("photographer", _l("Photographer")), retention="Y"),
        _by_item("recording", _l("Sound recording"), "microphone", retention="Y"),
        _by_item("video", _l("Video recording"), "video", retention="Y"),
        _by_item("object", _l("Object"), "award", Field("material", _l("Material"), tier=IDENTIFY), retention="Y"),
    )
}  # fmt: skip

INHERITING = frozenset({"component", "service_paper", "dispute_paper"})
"""卷内文件: items of a file, which live in their file's state and class (model §2)."""
