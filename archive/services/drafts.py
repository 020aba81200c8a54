"""未保存的草稿: what is typed into a form is kept until it is saved, whatever becomes of the session or the power."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from archive.db import executed
from archive.errors import ArchiveError, NotFound
from archive.journal import Origin
from archive.models import Node, NodeDraft
from archive.policy.permissions import P
from archive.policy.types import TYPES
from archive.schema import Type, clean
from archive.services import corrections, sessions, typed
from archive.site import Site
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "drafts", "synchronize_session": False}
EDIT, KEYING, TEXT = "edit", "keying", "text."
"""The forms in which a node is edited, keyed, and the text of its page of that ordinal is corrected; the others are named
after the type that they add."""
OTHER = "other."
"""On the keying desk, before the name of a field in which something is typed that neither person keyed."""
KEPT = timedelta(days=30)
SPARE = 200
"""Characters over the limit of a field that are kept too: what is too long is shortened, not lost."""


@dataclass(frozen=True)
class Draft:
    """What is offered when the form is opened again."""

    at: datetime
    base_version: int | None
    patch: dict[str, str]


def keep(
    uow: UnitOfWork, node: Node, form: str, fields: Mapping[str, str], version: int | None = None
) -> datetime | None:
    """Keeps what is typed into a form of `node`; gives when, or nothing where it does not differ from what is saved.

    Raises Forbidden for whoever could not save it. It is nobody's act: the journal tells of what is saved.
    """
    if form.startswith(TEXT):
        patch = _corrected(uow, node, form, fields)
    else:
        kind = _kind(uow, node, form)
        patch = _keyed(kind, fields) if form == KEYING else _differing(uow, node, form, kind, fields)
    if not patch:
        forget(uow, node, form)
        return None
    values = {"patch": patch, "base_version": version, "at": uow.now}
    changed = update(NodeDraft).where(*_mine(uow, node, form)).values(values)
    if not executed(uow.session, changed, TRUSTED).rowcount:
        _insert(uow, node, form, values)
    return uow.now


def _insert(uow: UnitOfWork, node: Node, form: str, values: dict[str, Any]) -> None:
    row = {"owner_id": uow.actor.principal_id, "node_id": node.id, "form": form, **values}
    try:
        with uow.session.begin_nested():
            uow.session.execute(insert(NodeDraft).values(row), execution_options=TRUSTED)
    except IntegrityError:  # the same form in another window was quicker; the next keystroke settles it
        return


def _kind(uow: UnitOfWork, node: Node, form: str) -> Type:
    here = form in (EDIT, KEYING)
    uow.require(P.EDIT if here else P.ADD, node)
    kind = TYPES.get(node.type if here else form)
    if kind is None:
        raise NotFound
    return kind


def _differing(
    uow: UnitOfWork, node: Node, form: str, kind: Type, fields: Mapping[str, str]
) -> dict[str, str]:
    saved = typed.form_values(uow, node) if form == EDIT else {}
    found = {}
    for field in kind.typed:
        text = clean(fields.get(field.name) or "")[: field.longest + SPARE]
        before = saved.get(field.name)
        if field.name in fields and text != ("" if before is None else str(before)):
            found[field.name] = text
    return found


def _keyed(kind: Type, fields: Mapping[str, str]) -> dict[str, str]:
    """All that was keyed, also what the record says already: the second person keys just that."""
    found = {
        name: clean(fields[name])[: field.longest + SPARE]
        for field in kind.typed for name in (field.name, OTHER + field.name) if name in fields
    }  # fmt: skip
    return found if any(found.values()) else {}


def page_of(form: str) -> int:
    """The page whose text is corrected in a form. Raises NotFound."""
    number = form.removeprefix(TEXT)
    if not number.isdecimal() or len(number) > 6:
        raise NotFound
    return int(number)


def _corrected(uow: UnitOfWork, node: Node, form: str, fields: Mapping[str, str]) -> dict[str, str]:
    uow.require(corrections.MAY, node)
    text = clean(fields.get("text") or "")[: corrections.LONGEST + SPARE]
    return {"text": text} if text != corrections.said(uow, node, page_of(form)) else {}


def _mine(uow: UnitOfWork, node: Node, form: str) -> tuple[Any, ...]:
    return NodeDraft.owner_id == uow.actor.principal_id, NodeDraft.node_id == node.id, NodeDraft.form == form


def offered(uow: UnitOfWork, node: Node, form: str) -> Draft | None:
    """One's own unsaved draft of a form, if there is one."""
    row = uow.session.scalar(select(NodeDraft).where(*_mine(uow, node, form)), execution_options=TRUSTED)
    return Draft(row.at, row.base_version, dict(row.patch)) if row else None


def forget(uow: UnitOfWork, node: Node, form: str) -> None:
    """Ends one's own draft: it has been saved, or is not wanted."""
    uow.session.execute(delete(NodeDraft).where(*_mine(uow, node, form)), execution_options=TRUSTED)


def keep_after_session(
    site: Site, token: str, origin: Origin, ref: UUID | str, form: str, fields: Mapping[str, str]
) -> bool:
    """Keeps what was sent with a session that has ended meanwhile, for the person whose session it was.

    Nothing is saved by it and nothing shown: they sign in again and find it offered. Gives whether it was kept.
    """
    with site.session(readonly=True) as session:
        actor = sessions.whose(site, session, token)
    if actor is None:
        return False
    version = fields.get("version", "")
    try:
        with site.uow(actor, origin=origin) as uow:
            kept = keep(uow, uow.node(ref), form, fields, int(version) if version.isdecimal() else None)
    except ArchiveError:
        return False
    return kept is not None


def clean_up(site: Site) -> None:
    """Takes away the drafts that nobody has come back to."""
    with site.session() as session:
        session.execute(
            delete(NodeDraft).where(NodeDraft.at < site.clock() - KEPT), execution_options=TRUSTED
        )
