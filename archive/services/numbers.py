"""Gap-free numbers: archival numbers by the rule of the category, and slips by prefix and period."""

from contextlib import suppress

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from archive.errors import Conflict
from archive.i18n import _
from archive.models import Counter, Node, NodeAlias
from archive.numbering import ArchivalNumber
from archive.services import policies
from archive.sight import ids_of
from archive.uow import UnitOfWork

TRUSTED = {"scope": "numbers"}


def draw(uow: UnitOfWork, name: str) -> int:
    """The next value of a counter, its row locked until the end of the transaction: no gap, no double."""
    step = (
        update(Counter).where(Counter.name == name).values(value=Counter.value + 1).returning(Counter.value)
    )
    value: int | None = uow.session.scalar(step)
    if value is not None:
        return value
    with suppress(IntegrityError), uow.session.begin_nested():  # another transaction may have made it first
        uow.session.add(Counter(name=name, value=0))
    return uow.session.scalars(step).one()


def draw_many(uow: UnitOfWork, name: str, count: int, *, beyond: int = 0) -> range:
    """The next `count` values of a counter, all higher than `beyond`; its row is locked like that of `draw`."""
    if not count:
        return range(0)
    first = max(draw(uow, name), beyond + 1)
    uow.session.execute(update(Counter).where(Counter.name == name).values(value=first + count - 1))
    return range(first, first + count)


def slip(uow: UnitOfWork, prefix: str, digits: int = 6) -> str:
    """借阅单号 JY2026-000001 and its like: the prefix, the year, a number (domain §3.6)."""
    period = f"{prefix}{uow.today.year}"
    return f"{period}-{draw(uow, period):0{digits}d}"


def codes(uow: UnitOfWork, node: Node) -> dict[str, str]:
    """The codes along a node's path, by type: fonds, category."""
    rows = uow.session.execute(
        select(Node.type, Node.data).where(Node.id.in_(ids_of(node.path))).order_by(Node.depth),
        execution_options=TRUSTED,
    )
    return {kind: str(data.get("code", "")) for kind, data in rows}


def objection(uow: UnitOfWork, node: Node) -> str | None:
    """Why no archival number can be given yet, or nothing."""
    along = codes(uow, node)
    if not along.get("fonds") or not along.get("category"):
        return _("The branch has no fonds number or category code.")
    if node.year is None or node.retention_rule is None:
        return _("Fill in the date, so that year and retention period are known.")
    return None


def assign(uow: UnitOfWork, node: Node) -> str:
    """Gives the archival number, and with it the slug, in the transaction that archives. Stable for ever."""
    if node.archival_no:
        return node.archival_no
    if problem := objection(uow, node):
        raise Conflict(problem)
    along = codes(uow, node)
    rules = policies.in_force(uow, "numbering").body["categories"]
    rule = rules.get(along["category"], rules["default"])
    retention = policies.in_force(uow, "retention").body["rules"][node.retention_rule]["code"]
    by_volume = rule["syntax"] == "volume"
    series = ArchivalNumber(along["fonds"], along["category"], str(node.year), retention)
    serial = f"{draw(uow, f'no:{series.prefix}'):0{rule['digits']}d}"
    number = ArchivalNumber(
        series.fonds, series.category, series.year, series.retention,
        volume=serial if by_volume else None, item=None if by_volume else serial, syntax=rule["syntax"],
    )  # fmt: skip
    node.archival_no = str(number)
    rename(uow, node, serial)
    return node.archival_no


def rename(uow: UnitOfWork, node: Node, slug: str) -> None:
    """Gives a node a new slug and keeps the old one as an alias: links go on working."""
    if node.slug == slug:
        return
    taken = select(Node.id).where(Node.parent_id == node.parent_id, Node.slug == slug)
    if uow.session.scalar(taken, execution_options=TRUSTED) is not None:
        slug = f"{slug}-{node.year}" if node.year else f"{slug}-{node.id}"
    uow.session.add(NodeAlias(parent_id=node.parent_id, slug=node.slug, node_id=node.id))
    node.slug = slug
