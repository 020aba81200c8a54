"""The guards that nobody can forget: queries on content need a scope, and what only reads cannot write."""

from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session
from sqlalchemy.sql import visitors

from archive.models import (
    Arrival,
    BasketItem,
    BatchDefect,
    BatchFile,
    BatchPage,
    BatchStep,
    BatchVolume,
    Blob,
    CopyBooking,
    CopyItem,
    CopyProof,
    CopyRequest,
    DisputeRecord,
    DualMismatch,
    Emergency,
    Encounter,
    Hold,
    Holding,
    HoldingEvent,
    HoldNode,
    HoldPage,
    HoldVolume,
    Incident,
    InspectionFinding,
    KeptPicture,
    Keying,
    Milestone,
    Node,
    NodeAlias,
    NodeDraft,
    NodeVersion,
    Notice,
    Page,
    PageCheck,
    PageMap,
    PageText,
    Patient,
    PatientAlias,
    Record,
    Representation,
    SavedSearch,
    ScanBatch,
    SealedObject,
    SearchFollow,
    SearchHistory,
    SearchNews,
)
from archive.policy.permissions import P
from archive.scopes import SCOPES

GUARDED = frozenset(
    model.__tablename__
    for model in (
        Node, NodeVersion, NodeAlias, NodeDraft, Arrival, BasketItem, Notice, Record, Milestone, Blob, Representation, Page,
        PageCheck, PageMap, PageText, DualMismatch, Holding,
        HoldingEvent, Emergency, Incident,
        InspectionFinding, Patient, PatientAlias, Encounter, Hold, HoldNode, HoldPage, HoldVolume, SavedSearch,
        SearchFollow, SearchHistory,
        SearchNews, Keying, ScanBatch, BatchVolume, BatchStep, BatchFile, BatchPage, BatchDefect,
        CopyRequest, CopyItem, CopyProof, DisputeRecord, SealedObject, KeptPicture, CopyBooking,
    )
)  # fmt: skip
"""Content, and what hangs on it: a patient or a page is seen only through a node; and what people look for."""

KNOWN = {*P, *SCOPES}
"""A statement asks with a permission, or in a scope that is written down with its reason."""

PRIVATE = frozenset(
    model.__tablename__
    for model in (Arrival, BasketItem, NodeDraft, Notice, SearchFollow, SearchHistory, SearchNews)
)
"""One's own: what is typed and not yet saved, what has not come whole yet, what one has chosen, what one has been told,
what one follows and wants to forget. No act, so the journal need
not tell of it.
"""


class UnscopedQuery(RuntimeError):
    """A statement on content says for whom it asks, or it is not run."""


class WriteWhileReading(RuntimeError):
    """A safe HTTP method, or a read-only unit of work, tried to write."""


def install(factory: Any) -> None:
    """Puts both guards on a session factory."""
    event.listen(factory, "do_orm_execute", _check_statement)
    event.listen(factory, "before_flush", _check_flush)


def _check_statement(state: ORMExecuteState) -> None:
    session = state.session
    if not state.is_select:
        if session.info.get("readonly"):
            raise WriteWhileReading(str(state.statement)[:200])
        if _tables(state.statement) - PRIVATE:
            session.info["wrote"] = True
    scope = state.execution_options.get("scope")
    if scope is not None and scope not in KNOWN:
        raise UnscopedQuery(f"archive/scopes.py has no scope {scope!r}")
    if state.is_column_load or scope or session.info.get("unscoped"):
        return
    if touched := _tables(state.statement) & GUARDED:
        raise UnscopedQuery(f"a statement on {', '.join(sorted(touched))} has no scope")


_KNOWN_TABLES: WeakKeyDictionary[Any, frozenset[str]] = WeakKeyDictionary()
"""What was found of a statement, for those that are made once and run for every request."""


def _tables(statement: Any) -> frozenset[str]:
    if (known := _KNOWN_TABLES.get(statement)) is None:
        known = _KNOWN_TABLES[statement] = _walked(statement)
    return known


def _walked(statement: Any) -> frozenset[str]:
    elements: Any = visitors.iterate(statement)
    names = {element.name for element in elements if element.__visit_name__ == "table"}
    table = getattr(statement, "table", None)
    return frozenset(names | ({table.name} if table is not None and hasattr(table, "name") else set()))


def _check_flush(session: Session, _context: Any, _instances: Any) -> None:
    changed = {
        each.__tablename__ for group in (session.new, session.dirty, session.deleted) for each in group
    }
    if changed and session.info.get("readonly"):
        raise WriteWhileReading("a read-only unit of work has changed objects")
    if changed - PRIVATE:
        session.info["wrote"] = True
