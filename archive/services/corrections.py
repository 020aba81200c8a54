"""校对: the text of a page as a person has corrected it. What the machine read stays beside it and can be gone back to.

The text is a finding aid and no part of the record, whose images never change: it may be corrected while the record is
archived, by whoever checks its scans, and by whoever describes it where that may be described.
"""

from typing import Any

from sqlalchemy import delete, select, update

from archive.errors import Invalid, NotFound, Stale
from archive.i18n import _
from archive.models import TEXT_OF_PAGE, Node, Page, PageText
from archive.policy.permissions import P
from archive.schema import clean
from archive.uow import UnitOfWork, action
from storage.alignment import aligned

TRUSTED: Any = {"scope": "corrections", "synchronize_session": False}
MAY = (P.EDIT, P.SCAN_QC)
LONGEST = 20_000
"""Characters of one page: five times a dense one."""
HUMAN = "human"


def may(uow: UnitOfWork, node: Node) -> bool:
    """Whether the actor may correct what is read on the pages of a node."""
    return any(uow.can(each, node) for each in MAY)


def said(uow: UnitOfWork, node: Node, ordinal: int) -> str:
    """The text of a page that is in force, or nothing yet. Needs content.read; raises NotFound."""
    statement = uow.of(Page, node, P.READ).with_only_columns(Page.id, PageText.text)
    found = uow.session.execute(
        statement.outerjoin(PageText, TEXT_OF_PAGE).where(Page.ordinal == ordinal)
    ).first()
    if found is None:
        raise NotFound
    return found.text or ""


@action("page.text_corrected", needs=MAY)
def correct(uow: UnitOfWork, node: Node, ordinal: int, *, text: str, version: int) -> None:
    """Puts a person's text of a page in force. Needs content.read, too.

    Raises NotFound, Invalid for too much of it, Stale when another correction was saved since `version` was shown.
    """
    typed = clean(text)
    if len(typed) > LONGEST:
        raise Invalid(_("A page has at most %(number)s characters of text.", number=LONGEST))
    page, before = _current(uow, node, ordinal, version)
    boxes = aligned(_boxes(uow, page), typed)
    uow.note(page=ordinal, before=before.text if before else None)
    if before is not None:
        before.text, before.boxes, before.version = typed, boxes, before.version + 1
        before.at, before.by_id = uow.now, uow.actor.principal_id
    else:
        _machines(uow, page, in_force=False)
        uow.session.add(
            PageText(page_id=page.id, kind=HUMAN, text=typed, boxes=boxes, at=uow.now, by_id=uow.actor.principal_id)
        )  # fmt: skip
    uow.enqueue("index", node)


@action("page.text_restored", needs=MAY)
def restore(uow: UnitOfWork, node: Node, ordinal: int, *, version: int) -> None:
    """Goes back to what the machine read; the journal keeps what the person wrote. Raises NotFound, Stale."""
    page, before = _current(uow, node, ordinal, version)
    if before is None:
        raise NotFound
    uow.note(page=ordinal, before=before.text)
    mine = PageText.page_id == page.id, PageText.kind == HUMAN
    uow.session.execute(delete(PageText).where(*mine), execution_options=TRUSTED)
    _machines(uow, page, in_force=True)
    uow.enqueue("index", node)


def _current(uow: UnitOfWork, node: Node, ordinal: int, version: int) -> tuple[Page, PageText | None]:
    """The page and the correction that is in force, which nobody else changes until the commit."""
    uow.lock(node)
    page = uow.session.scalar(uow.of(Page, node, P.READ).where(Page.ordinal == ordinal))
    if page is None:
        raise NotFound
    mine = select(PageText).where(PageText.page_id == page.id, PageText.kind == HUMAN)
    before = uow.session.scalar(mine, execution_options=TRUSTED)
    if (before.version if before else 0) != version:
        raise Stale
    return page, before


def _boxes(uow: UnitOfWork, page: Page) -> list[list[Any]]:
    """Where the machine saw lines."""
    theirs = select(PageText.boxes).where(PageText.page_id == page.id, PageText.kind != HUMAN)
    return uow.session.scalar(theirs, execution_options=TRUSTED) or []


def _machines(uow: UnitOfWork, page: Page, *, in_force: bool) -> None:
    theirs = PageText.page_id == page.id, PageText.kind != HUMAN
    uow.session.execute(update(PageText).where(*theirs).values(in_force=in_force), execution_options=TRUSTED)


def add_read(uow: UnitOfWork, made: PageText) -> None:
    """Keeps what a machine has read of a page that a person may have typed meanwhile: then theirs gets its boxes.

    For derivation and recognition, which have checked already.
    """
    mine = select(PageText).where(PageText.page_id == made.page_id, PageText.kind == HUMAN)
    typed = uow.session.scalar(mine, execution_options=TRUSTED)
    if typed is not None:
        made.in_force, typed.boxes = False, aligned(made.boxes, typed.text)
    uow.session.add(made)
