"""封存的效力: the pages and volumes that lie in a sealed package stay what they are and where they are (domain §6).

Whoever asks is refused, people and the program's own jobs alike. What is added later, and turning a page, changes no list.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, insert, select

from archive.errors import Conflict
from archive.i18n import _, ngettext
from archive.models import Hold, Holding, HoldNode, HoldPage, HoldVolume, Node, Page
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "frozen", "synchronize_session": False}
SOME = 500
"""So many pages are asked for in one statement."""
STILL_ON = Hold.released_at.is_(None)


def digest_of(sha256: str, source_page: int) -> str:
    """封存页摘要: names one page of one file; another file, or another page of it, has another."""
    return hashlib.sha256(f"{sha256}:{source_page}".encode()).hexdigest()


def freeze(uow: UnitOfWork, hold: Hold, listed: Iterable[Mapping[str, Any]], volumes: Iterable[int]) -> None:
    """Part of an act: from now on the pages of a list stay, and these volumes of a sealed original with them."""
    pages = [
        {
            "hold_id": hold.id,
            "page_id": page["page"],
            "digest": digest_of(page["sha256"], page["source_page"]),
        }
        for page in listed
    ]
    kept = [{"hold_id": hold.id, "holding_id": number} for number in volumes]
    if pages:
        uow.session.execute(insert(HoldPage), pages, execution_options=TRUSTED)
    if kept:
        uow.session.execute(insert(HoldVolume), kept, execution_options=TRUSTED)


def take_in(uow: UnitOfWork, node: Node, holding: Holding) -> None:
    """Part of an act: a volume that is registered only now, of a sealed original whose list names none, is what was sealed."""
    if not node.hold_count:
        return
    laid = select(Hold).join(HoldNode, HoldNode.hold_id == Hold.id)
    mine = laid.where(HoldNode.node_id == node.id, Hold.kind == "original", STILL_ON)
    for hold in uow.session.scalars(mine, execution_options=TRUSTED).all():
        if not hold.manifest["volumes"]:
            freeze(uow, hold, (), [holding.id])


def pages(uow: UnitOfWork, leaving: Collection[int]) -> set[int]:
    """Those of some pages that lie in a package which is still sealed."""
    found: set[int] = set()
    asked = sorted(leaving)
    for start in range(0, len(asked), SOME):
        listed = (
            select(HoldPage.page_id)
            .join(Hold, Hold.id == HoldPage.hold_id)
            .where(STILL_ON, HoldPage.page_id.in_(asked[start : start + SOME]))
        )
        found.update(uow.session.scalars(listed, execution_options=TRUSTED))
    return found


def keep(uow: UnitOfWork, leaving: Collection[int]) -> None:
    """What every act asks that takes pages out of a record or puts others in their place. Raises Conflict."""
    if kept := pages(uow, leaving):
        raise Conflict(
            ngettext(
                "%(num)d of these pages lies in a sealed package: until the seal is off it is neither taken out nor replaced.",
                "%(num)d of these pages lie in a sealed package: until the seal is off they are neither taken out nor replaced.",
                len(kept),
            )
        )


def keep_below(uow: UnitOfWork, item: Node) -> None:
    """The same for a part of a record that is to go elsewhere with its pages. Raises Conflict."""
    keep(uow, _below(uow, item))


def below(uow: UnitOfWork, item: Node) -> bool:
    """Whether a page of a sealed package stands in a branch."""
    return bool(pages(uow, _below(uow, item)))


def _below(uow: UnitOfWork, item: Node) -> list[int]:
    standing = select(Page.id).join(Node, Node.id == Page.node_id)
    inside = standing.where(Node.path >= item.path, Node.path < item.path_end)
    return list(uow.session.scalars(inside, execution_options=TRUSTED))


def packages(volume: Any) -> Select[int]:
    """The sealed packages in which a volume lies, by its id or by a column of it."""
    lies_in = select(HoldVolume.hold_id).join(Hold, Hold.id == HoldVolume.hold_id)
    return lies_in.where(HoldVolume.holding_id == volume, STILL_ON)


def goes_out() -> ColumnElement[bool]:
    """Of volumes: those that lie in no sealed package."""
    return ~packages(Holding.id).correlate(Holding).exists()


def volume(uow: UnitOfWork, holding: Holding) -> str | None:
    """Why this volume stays where it is, or nothing."""
    lies_in = packages(holding.id).limit(1)
    return None if uow.session.scalar(lies_in, execution_options=TRUSTED) is None else stays()


def stays() -> str:
    """Why a sealed volume stays where it is."""
    return _("This volume is sealed: it goes out to nobody until the seal is off.")


def all_volumes(uow: UnitOfWork, node: Node) -> bool:
    """Whether a record, whose right has been checked, has volumes and each of them lies in a sealed package."""
    mine = select(Holding.id).where(Holding.node_id == node.id)
    some, free = mine.limit(1), mine.where(goes_out()).limit(1)
    return all(
        (uow.session.scalar(asked, execution_options=TRUSTED) is not None) is expected
        for asked, expected in ((some, True), (free, False))
    )
