"""保管期限 of what has its number already: whoever classifies may change it, with a reason; the number stays."""

from collections.abc import Mapping
from typing import Any

from archive.errors import Conflict, Invalid
from archive.i18n import _
from archive.models import Node
from archive.policy.permissions import P
from archive.policy.types import TYPES
from archive.schema import Type, clean
from archive.services import policies, records, reindexing, tree
from archive.uow import UnitOfWork, action

LONGEST_REASON = 500


def beginning(uow: UnitOfWork, parent: Node, kind: Type, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What the form of a new node begins with: the period of the series that was chosen, else that of the type."""
    if not kind.chooses_retention:
        return dict(asked)
    within = str(parent.data.get("code", "")).rpartition("·")[2] if parent.type == "series" else ""
    rule = within if within in tree.retention_choices(uow) else kind.retention
    return {"retention": rule, **asked}


def is_settled(node: Node) -> bool:
    """Whether the period stands in a number that was given, so that a form of its own is needed to change it."""
    return node.archival_no is not None and TYPES[node.type].chooses_retention and node.state != "destroyed"


@action("node.retention_changed", needs=P.EDIT_CLASSIFICATION)
def change(uow: UnitOfWork, node: Node, *, rule: str, reason: str, version: int | None = None) -> Node:
    """Gives a numbered node another period. Its number and its series stay as they are (model §1).

    Raises Conflict for what has no number yet, Stale when somebody else saved first, Invalid without a reason.
    """
    if not is_settled(node):
        raise Conflict(_("Its period is part of its description until the archival number is given."))
    if version is not None:
        tree.unchanged(node, version)
    wrong, why = {}, clean(reason)
    if rule not in tree.retention_choices(uow):
        wrong["retention"] = _("Choose one of the list.")
    elif rule == node.retention_rule:
        wrong["retention"] = _("This is its period already.")
    if not why or len(why) > LONGEST_REASON:
        wrong["reason"] = _("Say why, in a sentence.")
    if wrong:
        raise Invalid(fields=wrong)
    before = [node.retention_rule, node.retain_until]
    node.retention_rule = rule
    node.retain_until = records.retain_until(uow, node)
    node.updated_at, node.updated_by = uow.now, uow.actor.principal_id
    uow.session.flush()
    tree.keep_version(uow, node, why)
    reindexing.with_items(uow, node)
    uow.note(
        retention=[before, [rule, node.retain_until]], reason=why, policies=policies.used(uow, "retention")
    )
    return node
