"""清点: whether the sheets of a volume are counted as it passes over the desk, and what is said when the count differs."""

from collections.abc import Sequence
from dataclasses import dataclass

from archive.errors import Conflict
from archive.i18n import _, ngettext
from archive.policy import counting
from archive.policy.counting import Cause
from archive.policy.permissions import P
from archive.services import policies
from archive.services.in_hand import InHand
from archive.uow import UnitOfWork


@dataclass(frozen=True)
class Seen:
    """What whoever holds the volume says of it."""

    sheets: int | None = None
    confirmed: bool = False
    """That a count which differs was made twice."""
    intact: bool = True
    """装订完好: neither unbound, nor with a broken binding or seal."""


NOTHING = Seen()


class MustCount(Conflict):
    """须清点: the rules want a count, and none was given."""


class SheetsDiffer(Conflict):
    """纸页不符: more or fewer sheets than expected; it goes on when somebody confirms that they have counted."""

    def __init__(self, expected: int, counted: int) -> None:
        self.expected, self.counted = expected, counted
        super().__init__()

    def sentence(self) -> str:
        few = self.expected - self.counted
        if few > 0:
            return ngettext("%(num)d sheet of %(all)d is missing.", "%(num)d sheets of %(all)d are missing.", few,
                            all=self.expected)  # fmt: skip
        return ngettext("%(num)d sheet more than %(all)d.", "%(num)d sheets more than %(all)d.", -few,
                        all=self.expected)  # fmt: skip


def check(uow: UnitOfWork, held: InHand, seen: Seen, *, purpose: str, out: bool) -> None:
    """Raises MustCount where the rules want a count and there is none, SheetsDiffer for one that is not as expected."""
    found = _causes(uow, held, seen, purpose, out=out)
    if found and seen.sheets is None:
        raise MustCount(_why(uow, held, found, purpose))
    line = held.line
    expected = held.holding.sheets if out or line is None else line.sheets_out
    if None not in (expected, seen.sheets) and expected != seen.sheets and not seen.confirmed:
        raise SheetsDiffer(expected or 0, seen.sheets or 0)


def _causes(uow: UnitOfWork, held: InHand, seen: Seen, purpose: str, *, out: bool) -> list[Cause]:
    volume = counting.Volume(
        purpose, held.node.level, unbound=not seen.intact or was_loose(held),
        damaged=held.holding.damaged_at is not None,
    )  # fmt: skip
    return counting.causes(policies.in_force(uow, "counting").body, volume, out=out)


def was_loose(held: InHand) -> bool:
    """Whether binding or seal were not whole when it was last handed over."""
    line = held.line
    if line is None:
        return False
    last = line.intact_in if line.in_at is not None else line.intact_out
    return last is False


def _why(uow: UnitOfWork, held: InHand, found: Sequence[Cause], purpose: str) -> str:
    """Each cause with its rule. That a record is sensitive is said to whoever may find it; to others, that the rules want it."""
    label = policies.vocabulary(uow, "purpose").get(purpose, purpose)
    words = {
        counting.PURPOSE: _("It is lent for: %(purpose)s", purpose=label),
        counting.UNBOUND: _("Binding or seal is not whole, or was not last time"),
        counting.DAMAGED: _("It is registered as damaged"),
        counting.SENSITIVE: _("Its sensitivity is S%(level)d", level=held.node.level),
    }
    may_know = uow.can(P.DISCOVER, held.node)
    told = [
        f"{words[cause.code]}（{cause.source}）"
        for cause in found
        if may_know or cause.code != counting.SENSITIVE
    ]
    return _("; ").join(told) or _("The rules want it for this volume")
