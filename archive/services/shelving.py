"""上架: one field that hears volumes, boxes and shelves. First what is to be put away, then where to."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from archive.errors import ArchiveError, Conflict, Forbidden, NotFound
from archive.i18n import _
from archive.journal import Event
from archive.models import Container, HoldingStatus, Location
from archive.policy.permissions import P
from archive.schema import clean
from archive.services import boxes, holdings, storeroom
from archive.services.storeroom import Box, Place, Volume
from archive.uow import UnitOfWork

MOST = 30
"""So many things lie on the trolley at once: more would not fit into what travels with the browser."""


@dataclass(frozen=True)
class Memo:
    """What is kept from one scan to the next. It travels with the browser, so it holds codes and no names."""

    act: str = ""
    """waiting, shelved, packed, empty, refused; nothing at the beginning."""
    volumes: tuple[str, ...] = ()
    boxes: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    """The codes that were put away by the last scan."""
    place: str = ""
    words: str = ""
    at: str = ""


def hear(uow: UnitOfWork, typed: str, before: Memo) -> Memo:
    """Does what a scan asks for. A refusal becomes a sentence, and nothing of the act stays; the trolley does."""
    code = clean(typed).upper()
    if not code:
        return Memo()
    try:
        heard = _heard(uow, code, before)
    except ArchiveError as refusal:
        uow.undo()
        if isinstance(refusal, (Forbidden, NotFound)):
            refused = Event("shelving.refused", result="denied", object_ref=code[:120])
            uow.site.record_read(refused, uow.actor, uow.origin)
        heard = replace(before, act="refused", done=(), place="", words=_sentence(refusal))
    return replace(heard, at=uow.now.isoformat())


def _sentence(refusal: ArchiveError) -> str:
    fields: dict[str, str] = getattr(refusal, "fields", {})
    return " ".join(fields.values()) or str(refusal)


def _heard(uow: UnitOfWork, code: str, before: Memo) -> Memo:
    if (barcode := _volume(uow, code)) is not None:
        return _onto_the_trolley(replace(before, volumes=_with(before.volumes, barcode)))
    if uow.session.scalar(select(Container.id).where(Container.barcode == code)) is not None:
        if before.volumes:
            return _packed(uow, code, before)
        return _onto_the_trolley(replace(before, boxes=_with(before.boxes, code)))
    if uow.session.scalar(select(Location.id).where(Location.code == code)) is not None:
        return _shelved(uow, code, before)
    raise NotFound(_("No volume, box or shelf has the number %(code)s.", code=code[:40]))


def _volume(uow: UnitOfWork, code: str) -> str | None:
    """The barcode of a volume that one may put away; also by 病案号-次, typed where the label cannot be read."""
    for barcode in (code, f"B{code}"):
        try:
            holding, node = uow.holding(barcode)
        except NotFound:
            continue
        uow.require(P.HOLDING_PLACE, node)
        if holding.status == HoldingStatus.LENT:
            raise Conflict(_("%(barcode)s is lent. Take it back at the desk first.", barcode=holding.barcode))
        return holding.barcode
    return None


def _with(codes: tuple[str, ...], code: str) -> tuple[str, ...]:
    return codes if code in codes else (*codes, code)


def _onto_the_trolley(memo: Memo) -> Memo:
    if len(memo.volumes) + len(memo.boxes) > MOST:
        raise Conflict(_("Put these away first: %(most)d is the most at once.", most=MOST))
    return replace(memo, act="waiting", done=(), place="", words="")


@contextmanager
def _named(barcode: str) -> Iterator[None]:
    """Of several volumes the sentence says which one cannot go, for instance because it was lent meanwhile."""
    try:
        yield
    except Conflict as refusal:
        raise Conflict(f"{barcode}: {refusal}") from refusal


def _packed(uow: UnitOfWork, code: str, before: Memo) -> Memo:
    """The volumes go into the box; boxes that wait go on waiting."""
    for barcode in before.volumes:
        with _named(barcode):
            holdings.pack(uow, uow.holding(barcode)[0], container=code)
    return Memo("packed", boxes=before.boxes, done=before.volumes, place=code)


def _shelved(uow: UnitOfWork, code: str, before: Memo) -> Memo:
    for barcode in before.volumes:
        with _named(barcode):
            holdings.move(uow, uow.holding(barcode)[0], to=HoldingStatus.SHELVED, location=code)
    for barcode in before.boxes:
        boxes.move(uow, storeroom.box(uow, barcode), location=code)
    done = before.volumes + before.boxes
    return Memo("shelved" if done else "empty", done=done, place=code)


@dataclass(frozen=True)
class Trolley:
    """推车: what was scanned and waits for its place, and what became of the last scan."""

    act: str
    look: str
    at: datetime | None
    words: str
    volumes: list[Volume]
    boxes: list[Box]
    done: int
    done_volumes: list[Volume]
    done_boxes: list[Box]
    place: Place | None
    box: Box | None


LOOKS = {"waiting": "wait", "empty": "wait", "refused": "bad"}


def trolley(uow: UnitOfWork, memo: Memo) -> Trolley:
    """The desk after a scan: a fixed number of statements, however much lies there."""
    named = {one.barcode: one for one in storeroom.volumes_named(uow, [*memo.volumes, *memo.done])}
    boxed = {one.barcode: one for one in storeroom.boxes_named(uow, [*memo.boxes, *memo.done])}

    def of(found: dict[str, Any], codes: tuple[str, ...]) -> list[Any]:
        return [found[code] for code in codes if code in found]

    where: Any = _where(uow, memo)
    return Trolley(
        memo.act, LOOKS.get(memo.act, "ok"), datetime.fromisoformat(memo.at) if memo.at else None, memo.words,
        of(named, memo.volumes), of(boxed, memo.boxes), len(memo.done), of(named, memo.done), of(boxed, memo.done),
        place=where if isinstance(where, Place) else None, box=where if isinstance(where, Box) else None,
    )  # fmt: skip


def _where(uow: UnitOfWork, memo: Memo) -> Place | Box | None:
    if memo.act == "packed":
        return storeroom.box_shown(uow, storeroom.box(uow, memo.place))
    return storeroom.shown(uow, storeroom.place(uow, memo.place)) if memo.place else None
