"""借阅单、清退单: what is out with one person, to be signed. Numbers and days, and no patient's name."""

from collections.abc import Iterator, Sequence

from reportlab.platypus import Flowable

from archive.i18n import _
from archive.services import clearance
from archive.services.circulation import Loan
from archive.services.clearance import Held
from archive.services.printing import flowing, ruled, said
from archive.services.slips import Slip
from archive.sight import NodeView
from archive.uow import UnitOfWork

WIDE = [40.0, 52.0, 34.0, 26.0, 22.0]


def _named(view: NodeView) -> str:
    return view.stay or view.number or view.type_label


def slip(uow: UnitOfWork, staff_no: str) -> bytes:
    """借阅单 as PDF: every volume that the person has now, when each is due, and where they sign. Raises NotFound."""
    held = clearance.of(uow, staff_no)
    return _paper(uow, held, _("Loan slip"), _slip(uow, held))


def _slip(uow: UnitOfWork, held: Held) -> Iterator[Flowable]:
    yield from _loans(uow, held.loans)
    yield said(
        _(
            "I have these volumes, keep them safe, hand them on only as the system says, and bring them back by the day."
        )
    )
    yield from _signed([_("Borrower"), _("Record room"), _("Date")])


def cleared(uow: UnitOfWork, staff_no: str) -> bytes:
    """清退单 as PDF: what they still have, or that there is nothing; and where all sign. Raises NotFound."""
    held = clearance.of(uow, staff_no)
    return _paper(uow, held, _("Clearance of whoever leaves"), _cleared(uow, held))


def _cleared(uow: UnitOfWork, held: Held) -> Iterator[Flowable]:
    if held.is_clear:
        yield said(_("Nothing of the archive is with this person, as far as whoever prints this handles it."))
    if held.loans:
        yield from _loans(uow, held.loans)
    if held.asked:
        yield said(_("Asked for, and not ended"), 11)
        yield ruled([[_("Slip"), _("Record"), _("State")], *map(_asked, held.asked)], [45, 70, 59])
    if held.batches:
        yield said(f"{_('Batches')}：{_(', ').join(held.batches)}")
    for one in held.deputies:
        yield said(
            _(
                "%(deputy)s stands in for %(absent)s until %(day)s",
                deputy=one.deputy,
                absent=one.absent,
                day=one.until,
            )
        )
    yield from _signed([_("Whoever leaves"), _("Record room"), _("Department head"), _("Date")])


def _asked(one: Slip) -> list[str]:
    return [one.number, _named(one.node), str(one.state.title)]


def _loans(uow: UnitOfWork, loans: Sequence[Loan]) -> Iterator[Flowable]:
    yield said(f"{_('Volumes that are out')}：{len(loans)}", 11)
    rows = [
        [_named(one.node), one.barcode, one.number, f"{uow.local(one.out_at):%Y-%m-%d}", f"{uow.local(one.due_at):%Y-%m-%d}"]
        for one in loans
    ]  # fmt: skip
    yield ruled([[_("Record"), _("Barcode"), _("Slip"), _("Went out"), _("Due")], *rows], WIDE)


def _signed(heads: list[str]) -> Iterator[Flowable]:
    yield said(" ")
    yield ruled([heads, [" "] * len(heads)], [174 / len(heads)] * len(heads), height=16)


def _paper(uow: UnitOfWork, held: Held, title: str, body: Iterator[Flowable]) -> bytes:
    def story() -> Iterator[Flowable]:
        yield said(f"{uow.site.hospital_name}　{title}", 16, 4)
        yield said(f"{held.name}　{held.staff_no}　{held.departments}", 11)
        yield from body

    foot = f"{uow.local(uow.now):%Y-%m-%d %H:%M}　{uow.actor.name}"
    return flowing(uow.site, f"{title} {held.staff_no}", story(), foot)
