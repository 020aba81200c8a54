"""伦理批件: the approval of the ethics committee for a bundle: its number, its day, and the paper itself.

The file is a foreign one: it is opened in the sandbox alone, and whoever looks at it gets pictures of its pages.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select

from archive.errors import Conflict, Forbidden, Invalid, NotFound
from archive.i18n import Lazy, _
from archive.models import Blob, RequestBundle
from archive.policy.permissions import P
from archive.schema import clean
from archive.services import bundles, drawing, intake, viruses
from archive.site import Site
from archive.uow import UnitOfWork, action
from storage.antivirus import Verdict
from storage.blobs import Staged
from storage.limits import Refused
from storage.pages import PageImage, inspect

TRUSTED: Any = {"scope": "ethics"}
LONGEST, MOST_PAGES = 60, 50


class _Enough(Exception):
    """The page that was wanted is drawn."""


@dataclass(frozen=True)
class Looked:
    """What was seen of a file before any transaction."""

    pages: int
    verdict: Verdict | None
    """Of a virus scanner, where one has answered."""


def look(site: Site, staged: Staged) -> Looked:
    """Looks into a file that came from outside, before any transaction. Raises Invalid for what cannot be shown."""
    with site.store.materialise_staged(staged) as path:
        with path.open("rb") as stream:
            verdict = viruses.examine_given(site, stream)
        if verdict and verdict.virus:
            raise Invalid(fields={"file": _("A virus was found in this file.")})
        try:
            many = inspect(path).page_count  # in the sandbox, examined or not
        except Refused as refused:
            raise Invalid(fields={"file": str(Lazy(refused.sentence))}) from refused
    if not 1 <= many <= MOST_PAGES:
        raise Invalid(fields={"file": _("At most %(num)d pages, please.", num=MOST_PAGES)})
    return Looked(many, verdict)


@action("request.ethics_attached", needs=P.REQUEST_CREATE)
def attach(
    uow: UnitOfWork,
    row: RequestBundle,
    staged: Staged,
    *,
    filename: str,
    looked: Looked,
    number: str,
    day: str,
) -> None:
    """Attaches the approval. Raises Forbidden for anybody but the asker, Invalid, Conflict once somebody has judged by it."""
    if row.requester_id != uow.actor.principal_id:
        raise Forbidden
    given, wrong = clean(number), {}
    if not given or len(given) > LONGEST:
        wrong["number"] = _("Write the number of the approval, in up to %(most)d characters.", most=LONGEST)
    try:
        on = date.fromisoformat(day.strip())
    except ValueError:
        on = None
    if on is None or on > uow.today:
        wrong["day"] = _("Write the day of the approval, as in 2026-11-21.")
    if wrong:
        raise Invalid(fields=wrong)
    uow.session.refresh(
        row, with_for_update=True
    )  # nobody says yes to one paper while another is put in its place
    if row.ethics_blob_id is not None and bundles.is_judged(uow, row):
        raise Conflict(
            _("This has been judged already: the approval stays as it is. Withdraw the requests to ask anew.")
        )
    blob = intake.keep(uow, row.uuid, staged, filename)
    if looked.verdict is not None:
        blob.examined_at, blob.virus = uow.now, None
    row.ethics_number, row.ethics_date, row.ethics_blob_id, row.ethics_pages = (
        given,
        on,
        blob.id,
        looked.pages,
    )
    uow.note(
        number=row.number, approval=given, day=on, sha256=blob.sha256, examined=looked.verdict is not None
    )


def examined(uow: UnitOfWork, row: RequestBundle) -> str:
    """Whether a virus scanner has looked at the approval, for whoever asked and whoever judges; nothing where there is none."""
    if row.ethics_blob_id is None or not bundles.may_judge(uow, row):
        return ""
    return viruses.said(_blob(uow, row.ethics_blob_id))


def _blob(uow: UnitOfWork, number: int) -> Blob:
    return uow.session.scalars(select(Blob).where(Blob.id == number), execution_options=TRUSTED).one()


def picture(uow: UnitOfWork, ref: UUID, number: int) -> bytes:
    """A page of the approval as a picture, for whoever asked and whoever judges. Raises NotFound."""
    row = bundles.one(uow, ref)
    if (
        row.ethics_blob_id is None
        or not 1 <= number <= (row.ethics_pages or 0)
        or not bundles.may_judge(uow, row)
    ):
        raise NotFound
    blob = _blob(uow, row.ethics_blob_id)
    drawn: list[bytes] = []

    def heard(page: PageImage) -> None:
        drawn.append(page.image.read_bytes())
        raise _Enough

    with uow.site.store.materialise(blob.record, blob.sha256) as path:
        try:
            drawing.draw(uow.site, path, heard, drawing.Wanted(number))
        except _Enough:
            pass
        except Refused as refused:
            raise NotFound from refused
    return drawn[0]
