"""组成核对: of each component of a record what is expected, what was scanned and what could be read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, or_

from archive import checklist
from archive.models import TEXT_OF_PAGE, Node, Page, PageText
from archive.policy.permissions import P
from archive.policy.rights import Overlay
from archive.policy.types import INHERITING
from archive.services import lacking, policies, tracks
from archive.services.tracks import Tracks
from archive.sight import NodeView
from archive.uow import UnitOfWork


def called(part: NodeView, words: Mapping[str, str]) -> str:
    """What a component is called, by the vocabulary: no title, in which a name may stand."""
    code = str(part.value("component") or "")
    return words.get(code, code) or part.type_label


@dataclass(frozen=True)
class Pages:
    """Pages, how many of them have words, and how sure the machine is of these on the average."""

    pages: int = 0
    read: int = 0
    sure: float | None = None


@dataclass(frozen=True)
class Line:
    """One component; `required` is None where nobody but a person can tell."""

    label: str
    required: bool | None
    present: bool
    pages: Pages
    unsaid: str = ""
    """Its code, where it lacks and nobody has noted or explained that yet."""

    @property
    def missing(self) -> bool:
        return bool(self.required) and not self.present


@dataclass(frozen=True)
class Card:
    """纸电核对 of one record. The counts of the paper are there for whoever may see its volumes."""

    lines: list[Line]
    unparted: Pages
    """Pages that are in no component yet."""
    total: Pages
    maybe: list[str]
    """Components that may apply and are not there."""
    blocking: list[str]
    """Components without which it is not archived."""
    completeness: float | None
    """Nothing while the record is not parted: what is not told apart is not missing."""
    paper: Tracks | None


def card(uow: UnitOfWork, node: Node) -> Card:
    """The two tracks of a record, component by component. Needs content.read."""
    uow.require(P.READ, node)
    by_part = _pages(uow, node)
    counts = tracks.of(uow, [node])[0]
    paper = counts if uow.can(P.HOLDING_VIEW, node) else None
    total = Pages(
        sum(one.pages for one in by_part.values()), sum(one.read for one in by_part.values()),
        _mean(list(by_part.values())),
    )  # fmt: skip
    present = {code for code, one in by_part.items() if code and one.pages}
    found = tracks.wanted(uow, node, present) if node.type == "medical_record" else []
    names = policies.vocabulary(uow, "component")
    unsaid = set(lacking.components(uow, node)) - lacking.noted(uow, node)
    lines = [
        Line(names.get(one.code, one.code), one.required, one.present, by_part.get(one.code, Pages()),
             one.code if one.code in unsaid else "")
        for one in found if one.required or one.code in present
    ]  # fmt: skip
    listed = {one.code for one in found}
    lines += [Line(names.get(code, code), None, True, by_part[code]) for code in sorted(present - listed)]
    maybe = [names.get(one.code, one.code) for one in found if one.required is None and not one.present]
    whole = checklist.completeness(found) if present and not by_part.get("") else None
    blocking = lacking.named(uow, lacking.blocking(uow, node))
    return Card(lines, by_part.get("", Pages()), total, maybe, blocking, whole, paper)


def _mean(parts: list[Pages]) -> float | None:
    known = [(one.sure, one.read) for one in parts if one.sure is not None]
    many = sum(read for _sure, read in known)
    return sum(sure * read for sure, read in known) / many if many else None


def _pages(uow: UnitOfWork, node: Node) -> dict[str, Pages]:
    """By component, "" for pages in none; of what the actor reads."""
    code: Any = func.coalesce(Node.data["component"].as_string(), "")
    readable = func.length(func.trim(PageText.text)) > 0
    items = and_(Node.parent_id == node.id, Node.type.in_(INHERITING), Node.overlay != int(Overlay.TRASHED))
    # What a person has corrected is sure; a page without words has nothing to be sure of.
    sure = func.avg(PageText.confidence).filter(readable)
    rows = (
        uow.nodes(P.READ, code, func.count(Page.id), func.count(PageText.page_id).filter(readable), sure)
        .join(Page, Page.node_id == Node.id)
        .outerjoin(PageText, TEXT_OF_PAGE)
        .where(or_(Node.id == node.id, items))
        .group_by(code)
    )
    return {part: Pages(many, read, mean) for part, many, read, mean in uow.session.execute(rows)}
