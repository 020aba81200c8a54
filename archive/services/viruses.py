"""病毒检查: what a scanner says of the files that were taken in, where the hospital runs one; else that it was NOT RUN."""

from typing import Any, BinaryIO

from archive.i18n import _
from archive.models import BatchFile, Blob, Representation
from archive.services import queue
from archive.site import Site
from archive.uow import PROGRAM, UnitOfWork, action
from storage import antivirus
from storage.antivirus import NotExamined, Verdict

TRUSTED: Any = {"scope": "viruses"}
LONGEST = 120
"""Characters of a name."""


def examine(site: Site, record: str, sha256: str) -> Verdict | None:
    """What the scanner says of some bytes; nothing where none is configured or it gives no answer. Raises BlobMissing."""
    if not site.settings.clamd:
        return None
    with site.store.open(record, sha256) as stream:
        return examine_given(site, stream)


def examine_given(site: Site, stream: BinaryIO) -> Verdict | None:
    """What the scanner says of a file that has just been sent and is not kept yet; nothing as `examine`."""
    if not site.settings.clamd:
        return None
    try:
        return antivirus.examine(stream, site.settings.clamd)
    except NotExamined as error:
        queue.tell("virus.not_run", reason=str(error)[:200])
        return None


@action("representation.examined", needs=PROGRAM)
def keep(uow: UnitOfWork, file: Representation | BatchFile, verdict: Verdict) -> None:
    """Keeps with the bytes of a file what was said of them."""
    blob = uow.session.get_one(Blob, file.blob_id, execution_options=TRUSTED)
    blob.examined_at, blob.virus = uow.now, verdict.virus and verdict.virus[:LONGEST]
    uow.note(file=file.id, sha256=blob.sha256, virus=blob.virus or "")


def known(blob: Blob) -> Verdict | None:
    """What has been said of a file, if anything has."""
    return Verdict(blob.virus) if blob.examined_at else None


def said(blob: Blob) -> str:
    """What is known of a file, in words that claim no more."""
    verdict = known(blob)
    if verdict is None:
        return _("Virus check: NOT RUN")
    if verdict.virus:
        return _("Virus check: %(name)s was found", name=verdict.virus)
    return _("Virus check: nothing found")


def scanner(site: Site) -> str:
    """Which scanner answers; or why none examines what comes in."""
    if not site.settings.clamd:
        return _("NOT RUN: none is configured")
    try:
        return antivirus.version(site.settings.clamd)
    except NotExamined:
        return _("NOT RUN: it does not answer")
