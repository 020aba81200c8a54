"""The audit: events of both journals in codes and identifiers, and the verification of the chains."""

from flask import g

from archive.blueprints.api import shapes
from archive.blueprints.api.operation import operation
from archive.blueprints.api.section import section
from archive.policy.permissions import P
from archive.services import audit, verification
from archive.services.audit import Filters, Line
from archive.services.verification import Verification
from archive.uow import UnitOfWork


@operation(
    section,
    "/audit",
    needs=P.AUDIT_VIEW,
    gives=shapes.AuditPage,
    query=shapes.AuditAsked,
    event="audit.viewed",
)
def events(uow: UnitOfWork, asked: shapes.AuditAsked) -> shapes.AuditPage:
    """Events, newest first; those of one record, oldest first. Without person, patient, record or start: of 30 days."""
    wanted = asked.model_dump(exclude={"cursor"})
    # Looking is an event itself, with what was looked for.
    g.reading_words = {name: str(value) for name, value in wanted.items() if value}
    found = audit.listing(uow, Filters(**wanted), after=asked.cursor)
    return shapes.AuditPage(items=[_line(line) for line in found.lines], next=found.next, total=found.total,
                            capped=found.capped, unknown=found.unknown or None)  # fmt: skip


def _line(line: Line) -> shapes.AuditLine:
    return shapes.AuditLine(
        journal=line.book, id=line.id, at=line.at, actor=line.actor, roles=line.roles, action=line.action,
        result=line.result, object_kind=line.object_kind, object_ref=line.object_ref, patient=line.patient,
        shown=line.shown, address=line.address,
    )  # fmt: skip


@operation(
    section, "/audit/verifications", needs=P.AUDIT_VIEW, method="POST", gives=shapes.Accepted, status=202
)
def verify(uow: UnitOfWork) -> shapes.Accepted:
    """Orders that both journals be walked from their beginning; the job says how far it is."""
    return shapes.Accepted(job=str(verification.order(uow).uuid))


@operation(section, "/audit/verifications", needs=P.AUDIT_VIEW, gives=shapes.Verifications)
def verifications(uow: UnitOfWork) -> shapes.Verifications:
    """The last verifications, newest first, and what they found."""
    return shapes.Verifications(items=[_verification(run) for run in verification.latest(uow)])


def _verification(run: Verification) -> shapes.Verification:
    journals = [
        shapes.Verdict(title=str(one.title), whole=one.whole, sealed=one.sealed, checkpoints=one.checkpoints,
                       sentence=one.sentence, event=one.event)
        for one in run.outcomes
    ]  # fmt: skip
    return shapes.Verification(job=run.uuid, state=run.state, at=run.at, whole=run.whole, journals=journals)
