"""纠纷档案: one case, the records that it is about, and who may know of it: medical affairs, and who seals (domain §3.2)."""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from archive.errors import Conflict, Invalid
from archive.i18n import _
from archive.models import DisputeRecord, Node
from archive.policy.permissions import P
from archive.policy.rights import Overlay
from archive.policy.types import TYPES
from archive.services import numbers, pinpoint, tree
from archive.uow import UnitOfWork, action

TRUSTED: Any = {"scope": "disputes"}
KIND = TYPES["dispute_file"]
MOST = 50
"""Records of one case: a mother with her children, with all their stays."""
SAID = 5


@action("dispute.opened", needs=P.DISPUTE)
def open_case(uow: UnitOfWork, *, records: str, fields: Mapping[str, object]) -> Node:
    """Begins a dispute file with its number, in the series of its year. Raises Invalid; Conflict without such a category."""
    wrong: dict[str, str] = {}
    about = _named(uow, records, wrong)
    if wrong:
        wrong |= _wrong_fields(uow, fields)
        raise Invalid(fields=wrong)
    made = tree.add(uow, _category(uow), kind=KIND.name, fields=fields)
    made.data = made.data | {"dispute_no": numbers.slip(uow, "JF", 4)}
    uow.session.flush()
    uow.enqueue("index", made)
    uow.about(made)
    uow.note(number=made.data["dispute_no"], records=[node.id for node in about])
    for node in about:
        _link(uow, made, node)
    return made


def _wrong_fields(uow: UnitOfWork, fields: Mapping[str, object]) -> dict[str, str]:
    try:
        tree.checked(uow, KIND, tree.said_of(KIND, fields, KIND.retention))
    except Invalid as error:
        return dict(error.fields)
    return {}


def _category(uow: UnitOfWork) -> Node:
    for node in uow.list(uow.nodes(P.ADD).where(Node.type == "category").order_by(Node.path)):
        if node.data.get("type") == KIND.name:
            return node  # type: ignore[no-any-return]
    raise Conflict(_("There is no category for dispute files. Ask the senior archivist to add one."))


@action("dispute.linked", needs=P.DISPUTE)
def link(uow: UnitOfWork, dispute: Node, *, records: str) -> None:
    """The case is about these records, too. Raises Invalid for a number that is not one record, or one that is linked already."""
    wrong: dict[str, str] = {}
    about = _named(uow, records, wrong, dispute, required=True)
    known = set(_linked(uow, dispute))
    if not wrong and any(node.id in known for node in about):
        wrong["records"] = _("The case is about this record already.")
    if not wrong and len(known) + len(about) > MOST:
        wrong["records"] = _("At most %(most)d records.", most=MOST)
    if wrong:
        raise Invalid(fields=wrong)
    uow.note(records=[node.id for node in about])
    for node in about:
        _link(uow, dispute, node)


def _link(uow: UnitOfWork, dispute: Node, node: Node) -> None:
    uow.session.add(
        DisputeRecord(dispute_id=dispute.id, record_id=node.id, linked_at=uow.now, linked_by=uow.actor.principal_id)
    )  # fmt: skip
    uow.session.flush()


@action("dispute.unlinked", needs=P.DISPUTE)
def unlink(uow: UnitOfWork, dispute: Node, *, record: UUID) -> None:
    """The case is not about this record after all. Raises NotFound for one that the actor may not know of."""
    uow.lock(dispute)
    node = uow.node(record)
    uow.note(records=[node.id])
    mine = (DisputeRecord.dispute_id == dispute.id, DisputeRecord.record_id == node.id)
    uow.session.execute(delete(DisputeRecord).where(*mine), execution_options=TRUSTED)


def _linked(uow: UnitOfWork, dispute: Node) -> list[int]:
    mine = select(DisputeRecord.record_id).where(DisputeRecord.dispute_id == dispute.id)
    return list(uow.session.scalars(mine, execution_options=TRUSTED))


def _named(
    uow: UnitOfWork, typed: str, wrong: dict[str, str], *beside: Node, required: bool = False
) -> list[Node]:
    """The records of a list of numbers, each once, of which the actor may know whose they are; locked with those `beside`."""
    lines = list(dict.fromkeys(part for part in re.split(r"[\s,，;；、]+", typed) if part))
    if len(lines) > MOST or (required and not lines):
        wrong["records"] = _("Write one number a line, up to %(most)d.", most=MOST)
        return []
    found: dict[int, tuple[str, Node]] = {}
    unclear: list[str] = []
    for line in lines:
        files = [node for node in pinpoint.by_number(uow, line, P.IDENTIFY) if node.type == "medical_record"]
        if len(files) == 1:
            found[files[0].id] = (line, files[0])
        else:
            unclear.append(line)
    about = [node for _line, node in found.values()]
    uow.lock_all([*beside, *about])  # else one might go into the trash at this very moment
    gone = {
        node.id for node in about if node.overlay >= int(Overlay.TRASHED) or not uow.can(P.IDENTIFY, node)
    }
    unclear += [line for line, node in found.values() if node.id in gone]
    if unclear:
        wrong["records"] = _("Not one record that you may see; add the stay, as in 00218647-2: %(numbers)s.",
                             numbers=_(", ").join(line[:40] for line in unclear[:SAID]))  # fmt: skip
    return about
