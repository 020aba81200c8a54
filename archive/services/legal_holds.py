"""冻结（诉讼保全）: by order of a court, or for a dispute, nothing may leave; and nothing is closed (domain §6)."""

from datetime import date
from typing import Any

from archive.errors import Conflict, Invalid
from archive.i18n import _
from archive.models import Hold, Node
from archive.policy.permissions import P
from archive.policy.types import TYPES
from archive.schema import clean
from archive.services import holds, manifests, numbers, policies
from archive.uow import UnitOfWork, action

NOTHING: dict[str, list[Any]] = {"items": [], "pages": [], "volumes": []}


@action("hold.frozen", needs=P.HOLD_APPLY)
def freeze(
    uow: UnitOfWork, node: Node, *, asked_by: str, paper: str, review_due: date | str, reason: str
) -> Hold:
    """Lays a legal hold over a record: it is read, written and lent as before, and is neither trashed nor disposed of.

    It comes off as a seal does, by another person and a document. Raises Conflict for a part of a record, Invalid.
    """
    uow.lock(node)
    if not holds.is_whole(TYPES[node.type]):
        raise Conflict(_("A legal hold lies over a whole record, not over a part of it."))
    texts = {"paper": clean(paper), "reason": clean(reason)}
    wrong = holds.missing(texts)
    if asked_by not in policies.vocabulary(uow, "hold_asker"):
        wrong["asked_by"] = _("Choose one of the list.")
    day = holds.review_day(uow, review_due, wrong)
    if any(one.kind == holds.LEGAL and one.paper == texts["paper"] for one in holds.standing(uow, node)):
        raise Invalid(fields={"paper": _("By this document it is held already.")})
    made = Hold(
        kind=holds.LEGAL, asked_by=asked_by, parties=[], kept_at="", key_no="", told_by="", review_due=day, manifest=NOTHING,
        digest=manifests.digest(NOTHING), number=numbers.slip(uow, "DJ", 4), **texts,
    )  # fmt: skip
    holds.lay(uow, node, made)
    uow.note(
        number=made.number,
        asked_by=asked_by,
        paper=made.paper,
        reason=made.reason,
        review_due=made.review_due,
    )
    return made
