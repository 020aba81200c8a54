"""The tables, a file a subject."""

from archive.models.actors import Device, Membership, Principal, RoleAssignment, Session, SignInAttempt, User
from archive.models.carriers import (
    Blob,
    Container,
    Holding,
    HoldingAct,
    HoldingEvent,
    HoldingStatus,
    Location,
    Page,
    PageText,
    Representation,
)
from archive.models.codes import CodeList, CodeTerm
from archive.models.content import (
    ROOT_ID,
    BasketItem,
    Counter,
    Milestone,
    Node,
    NodeAlias,
    NodeDraft,
    NodeVersion,
    Record,
    base32,
)
from archive.models.events import (
    AuditDetail,
    AuditEvent,
    AuditSeal,
    ReadDetail,
    ReadEvent,
    ReadSeal,
    SearchTime,
)
from archive.models.holds import Hold, HoldNode
from archive.models.inspections import Inspection
from archive.models.people import Encounter, Patient, PatientAlias
from archive.models.policies import CalendarDay, PolicyVersion, Setting
from archive.models.requests import Request, RequestLine
from archive.models.searches import SavedSearch, SearchFollow, SearchHistory, SearchNews
from archive.models.security import (
    AccessClass,
    AccessGrant,
    AccessToken,
    ClosedBranch,
    LocalRole,
    Policy,
    SecurityEpoch,
)
from archive.models.work import ImportRow, Job, Notice, Outbox

__all__ = [
    "ROOT_ID",
    "AccessClass", "AccessGrant", "AccessToken", "AuditDetail", "AuditEvent", "AuditSeal", "BasketItem", "Blob", "CalendarDay",
    "ClosedBranch", "CodeList", "CodeTerm", "Container", "Counter", "Device", "Encounter", "Hold", "HoldNode", "Holding",
    "HoldingAct", "HoldingEvent", "HoldingStatus",
    "ImportRow", "Inspection", "Job", "LocalRole", "Location", "Membership", "Milestone", "Node", "NodeAlias", "NodeDraft",
    "NodeVersion", "Notice", "Outbox", "Page", "PageText", "Patient", "PatientAlias", "Policy", "PolicyVersion", "Principal",
    "ReadDetail",
    "ReadEvent", "ReadSeal", "Record", "Representation", "Request", "RequestLine", "RoleAssignment",
    "SavedSearch", "SearchFollow", "SearchHistory", "SearchNews",
    "SearchTime", "SecurityEpoch", "Session", "Setting", "SignInAttempt", "User", "base32",
]  # fmt: skip
