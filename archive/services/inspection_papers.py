"""检查问题报告: what was found in a batch, to be signed, and as a list for a spreadsheet. Numbers, and no patient's name."""

from collections.abc import Iterator
from decimal import Decimal

from reportlab.platypus import Flowable

from archive.i18n import _, ngettext
from archive.models import Inspection
from archive.services import desk_papers, inspection_findings, inspections
from archive.services.inspection_findings import Finding, Findings
from archive.services.inspections import Batch
from archive.services.printing import flowing, ruled, said
from archive.uow import UnitOfWork

WIDE = [30.0, 56.0, 14.0, 20.0, 22.0, 32.0]


def _heads() -> list[str]:
    return [
        _("Record"), _("Problem found"), _("Points deducted"), _("Yuan deducted"), _("May be contested until"),
        _("The hospital’s answer"),
    ]  # fmt: skip


def rows(uow: UnitOfWork, batch: Inspection) -> Iterator[list[object]]:
    """The findings of a batch as a list, with what they come to: as far as the actor may know of the records."""
    found = inspection_findings.of(uow, batch)
    record, *others = _heads()
    yield [record, _("Where in it"), _("Kind of problem"), *others, _("Noted by")]
    for one in found.rows:
        place = one.place.words if one.place else None
        yield [desk_papers.named(one.node), place, one.kind or None, one.words, one.points, one.yuan, one.appeal_until,
               one.answer, one.by]  # fmt: skip
    yield [_many(found), None, None, None, found.points, found.yuan, None, None, None]


def _many(found: Findings) -> str:
    return ngettext("%(num)d record with findings", "%(num)d records with findings", found.records)


def report(uow: UnitOfWork, row: Inspection) -> bytes:
    """The report of a batch as PDF: who inspected what and why, each finding, what it comes to, and where both sides sign."""
    shown, found = inspections.shown(uow, row), inspection_findings.of(uow, row)
    title = f"{_('Findings of the inspection')} {row.number}"

    def story() -> Iterator[Flowable]:
        yield said(f"{uow.site.hospital_name}　{title}", 16, 4)
        yield from _given(uow, shown.batch)
        yield said(
            f"{ngettext('%(num)d record inspected', '%(num)d records inspected', shown.batch.records)}；{_many(found)}"
        )
        if found.rows:
            yield ruled([_heads(), *map(_line, found.rows), _sum(found)], WIDE)
        else:
            yield said(_("Nothing was found."))
        yield said(" ")
        yield ruled([[_("Inspector"), _("Record room"), _("Date")], [" "] * 3], [58.0] * 3, height=16)

    foot = f"{uow.local(uow.now):%Y-%m-%d %H:%M}　{uow.actor.name}"
    return flowing(uow.site, title, story(), foot)


def _given(uow: UnitOfWork, batch: Batch) -> Iterator[Flowable]:
    days = f"{uow.local(batch.start):%Y-%m-%d} – {uow.local(batch.end):%Y-%m-%d}"
    for label, words in (
        (_("Inspector"), batch.who), (_("Reason"), batch.reason), (_("Place of reading"), batch.room),
        (_("How they were chosen"), batch.drawn), (_("Period"), days),
    ):  # fmt: skip
        if words:
            yield said(f"{label}：{words}")


def _line(one: Finding) -> list[str]:
    until = one.appeal_until.isoformat() if one.appeal_until else "—"
    return [
        desk_papers.named(one.node),
        _problem(one),
        _amount(one.points),
        _amount(one.yuan, 2),
        until,
        one.answer or "—",
    ]


def _problem(one: Finding) -> str:
    told = [one.place.words if one.place else "", one.kind]
    beside = " · ".join(filter(None, told))
    return f"{one.words} [{beside}]" if beside else one.words


def _sum(found: Findings) -> list[str]:
    return [_("All"), "", _amount(found.points), _amount(found.yuan, 2), "", ""]


def _amount(value: Decimal | None, places: int = 1) -> str:
    return "—" if value is None else f"{value:.{places}f}"
