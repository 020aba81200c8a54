"""医保规则核查: what the rules for insurers come to in one record of a batch. Nothing is kept until a person confirms it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select

from archive.errors import NotFound
from archive.i18n import _
from archive.models import TEXT_OF_PAGE, Inspection, Node, Page, PageText
from archive.policy import insurance
from archive.policy.insurance import Hit, Insurance, Sheet
from archive.policy.permissions import P
from archive.policy.types import INHERITING
from archive.services import inspections, policies
from archive.sight import NodeView, views
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "inspection checks"}


@dataclass(frozen=True)
class Suspicion:
    """疑点: in words, where it shows, and whether it can be told from what was read."""

    words: str
    component: str
    page: str
    part: str
    """The component in which it shows."""
    ordinal: int
    is_known: bool


@dataclass(frozen=True)
class Checked:
    """One record with what the rules came to; `unread` pages have no recognised text, `unsplit` stand in no component."""

    node: NodeView
    found: list[Suspicion]
    pages: int
    unread: int
    unsplit: int
    told: int
    """Of so many pages the rules can tell something."""


def of(uow: UnitOfWork, batch: Inspection, record: str) -> Checked:
    """What the rules come to in a record of the batch that the actor may read. Raises NotFound."""
    view = next((one for one in inspections.shown(uow, batch).records if str(one.uuid) == record), None)
    if view is None or not view.can(P.READ):
        raise NotFound
    node = uow.node(view.id, P.READ)
    parts = uow.list(
        uow.nodes(P.READ).where(
            or_(Node.id == node.id, (Node.parent_id == node.id) & Node.type.in_(INHERITING))
        )
    )
    sheets = _sheets(uow, parts)
    rules = Insurance(**policies.in_force(uow, "insurance").body)
    hits = insurance.check(rules, sheets, str(node.data.get("patient_name") or ""))
    seen = {part.id: part for part in views(uow, parts)}
    words = policies.vocabulary(uow, "component")
    uow.saw(node)
    return Checked(
        view, [_said(hit, seen[hit.at.node], words) for hit in hits], len(sheets), sum(not one.text for one in sheets),
        sum(not one.component for one in sheets), sum(bool(one.component and one.text) for one in sheets),
    )  # fmt: skip


def _sheets(uow: UnitOfWork, parts: list[Node]) -> list[Sheet]:
    codes = {part.id: str(part.data.get("component") or "") for part in parts}
    rows = uow.session.execute(
        select(Page.node_id, Page.ordinal, PageText.text)
        .outerjoin(PageText, TEXT_OF_PAGE)
        .where(Page.node_id.in_(codes))
        .order_by(Page.node_id, Page.ordinal),
        execution_options=TRUSTED,
    )
    return [Sheet(node, codes[node], ordinal, (text or "").strip()) for node, ordinal, text in rows if node]


def _said(hit: Hit, part: NodeView, words: dict[str, str]) -> Suspicion:
    label = words.get(hit.at.component, part.label)
    at = hit.at.ordinal
    said = _known(hit) if hit.is_known else _unknown(hit)
    return Suspicion(
        said, _("%(component)s page %(page)d", component=label, page=at), f"{part.href}/++page++{at}",
        part.uuid, at, hit.is_known,
    )  # fmt: skip


def _known(hit: Hit) -> str:
    return {
        insurance.NO_TIME: _("The slip bears no day"),
        insurance.NO_NAME: _("The slip does not bear the patient’s name"),
        insurance.NOT_MENTIONED: _("The notes do not mention the result: %(word)s", word=hit.word),
        insurance.NO_CONSENT: _("There is no consent to what the patient pays: %(word)s", word=hit.word),
    }[hit.rule]


def _unknown(hit: Hit) -> str:
    return {
        insurance.NO_TIME: _("Nothing could be read on the slip: day and name cannot be told"),
        insurance.NOT_MENTIONED: _("Not all notes could be read: whether %(word)s is mentioned cannot be told", word=hit.word),
        insurance.NO_CONSENT: _("Not all consents could be read: whether one is to %(word)s cannot be told", word=hit.word),
    }[hit.rule]  # fmt: skip
