"""试看: what one person holds on a node, and why, by the same rule as at their own next click."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select

from archive.access import Access
from archive.errors import NotFound
from archive.i18n import _
from archive.models import Node, Principal, User
from archive.policy.permissions import P
from archive.policy.rights import Overlay
from archive.services import actors, explain, roster
from archive.services.explain import Path
from archive.services.roster import Member
from archive.uow import UnitOfWork


@dataclass(frozen=True)
class Line:
    """One reason, for or against."""

    ok: bool
    text: str


@dataclass(frozen=True)
class Trial:
    """What came of it: `held` as at the person's own next click, `until` the end of their reading if it has one."""

    name: str
    note: str
    held: frozenset[P]
    lines: list[Line]
    until: datetime | None

    @property
    def kind(self) -> str:
        """ok for reading, wait for less, bad for nothing."""
        return "ok" if P.READ in self.held else "wait" if self.held & {P.DISCOVER, P.HOLDING_VIEW} else "bad"

    @property
    def verdict(self) -> str:
        if P.READ in self.held:
            return _("Can read it")
        if P.IDENTIFY in self.held:
            return _("Knows the title, cannot read it")
        if P.DISCOVER in self.held:
            return _("Knows that it is there: number, dates, department; neither name nor title")
        if P.HOLDING_VIEW in self.held:
            return _("Handles the paper volume by its barcode, and sees nothing of what is in it")
        return _("Does not see it: no search finds it, no count includes it")


def as_person(uow: UnitOfWork, node: Node, staff_no: str) -> Trial:
    """Tries a node as the person of a staff number. Raises NotFound for whoever may not sign in."""
    uow.require(P.SHARE, node)
    row = uow.session.execute(
        select(User, Principal).join(Principal, Principal.id == User.id).where(User.staff_no == staff_no)
    ).first()
    actor = actors.load(uow.session, row[0].id, uow.now) if row else None
    if row is None or actor is None:
        raise NotFound
    who, people = row[1], roster.everybody(uow)
    held = Access(uow.session, actor, uow.now).permissions(node)
    ways = [path for path in explain.paths(uow, node) if who.id in path.people]
    lines = [_by(path, who.id) for path in ways] + _against(uow, node, people[who.id], ways) + _printing(held)
    return Trial(who.name, roster.notes(uow, [who], people)[who.id], held, lines, _until(ways, who.id))


def _by(path: Path, number: int) -> Line:
    mine = replace(path, holders={right: held & {number} for right, held in path.holders.items()})
    return Line(
        ok=True, text=_("%(name)s: %(why)s. %(right)s", name=path.name, why=path.why, right=mine.right)
    )


def _against(uow: UnitOfWork, node: Node, one: Member, ways: list[Path]) -> list[Line]:
    """What does not hold: an office apart, roles that give nothing here, another department, too low a clearance."""
    lines = []
    if one.is_apart:
        lines.append(Line(ok=False, text=_("Holds an office that never sees content")))
    elif not one.roles:
        lines.append(Line(ok=False, text=_("Has no role")))
    elif not any(path.kind in {"role", "dept"} for path in ways):
        roles = roster.titles(one.roles)
        lines.append(Line(ok=False, text=_("%(roles)s: gives nothing here in this state", roles=roles)))
    if node.dept_id and node.dept_id not in one.groups:
        name = actors.department_names(uow.session).get(node.dept_id, "")
        lines.append(Line(ok=False, text=_("Not of the department of the record, %(dept)s", dept=name)))
    lines.append(_cleared(node.level, one.clearance))
    if node.overlay == Overlay.TRASHED:
        lines.append(Line(ok=False, text=_("It lies in the trash: nobody reads it there")))
    if any(start <= node.path < end for start, end in uow.access.closed()):
        lines.append(
            Line(ok=False, text=_("Its rights are being worked out: closed to everybody until then"))
        )
    return lines


def _cleared(level: int, own: int) -> Line:
    if own < level:
        return Line(ok=False, text=_("S%(level)d is above their clearance S%(own)d", level=level, own=own))
    return Line(ok=True, text=_("S%(level)d is not above their clearance S%(own)d", level=level, own=own))


def _printing(held: frozenset[P]) -> list[Line]:
    if P.READ not in held:
        return []
    return [
        Line(ok=P.PRINT in held, text=_("May print") if P.PRINT in held else _("May not print")),
        Line(ok=P.DOWNLOAD in held, text=_("May download") if P.DOWNLOAD in held else _("May not download")),
    ]


def _until(ways: list[Path], number: int) -> datetime | None:
    ends = [path.until for path in ways if number in path.holders.get(P.READ, ())]
    return max((end for end in ends if end), default=None) if all(ends) else None
