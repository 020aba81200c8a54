"""取卷单、示踪卡: what the desk prints. Numbers, places and the borrower; a patient's name stands on no paper of the desk."""

from collections.abc import Sequence
from dataclasses import dataclass

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from archive.errors import NotFound
from archive.i18n import _
from archive.services import circulation, in_hand, printing
from archive.services.printing import FONT, code128
from archive.sight import NodeView
from archive.uow import UnitOfWork

LEFT, RIGHT, TOP, BOTTOM = 15 * mm, A4[0] - 15 * mm, A4[1] - 18 * mm, 18 * mm
ROW, LARGE = 11 * mm, 20
COLUMNS = (LEFT, 67 * mm, 99 * mm, 168 * mm)
"""Where place, number, barcode and slip begin; at the end of the line a box to tick."""
CARD = 99 * mm
"""A third of an A4 sheet: it stands in the gap like a volume."""


def named(view: NodeView) -> str:
    """What stands on paper for a record: a number, never a name."""
    return view.stay or view.number or view.type_label


def picks(uow: UnitOfWork) -> bytes:
    """取卷单 as PDF: all that is to be fetched along the shelves, each with its barcode to be scanned and a box to be ticked."""
    found = [
        Fetched(pick.place or str(pick.status.title), named(pick.slip.node), pick.barcode, pick.slip.number)
        for pick in circulation.pick_list(uow)
    ]
    return fetched(uow, _("Pick list"), found, circulation.in_part(uow))


@dataclass(frozen=True)
class Fetched:
    """A line of a pick list: where the volume is, of which record, its barcode, and for what."""

    place: str
    record: str
    barcode: str
    slip: str


def fetched(uow: UnitOfWork, title: str, found: Sequence[Fetched], note: str = "") -> bytes:
    """A pick list as PDF in the order in which its lines are given; a note stands at the head of each page."""
    drawn, canvas = printing.begun(uow.site, title)
    per_page = int((TOP - BOTTOM) / ROW) - 1
    pages = max(1, -(-len(found) // per_page))
    for page in range(pages):
        canvas.setFont(FONT, 12)
        canvas.drawString(LEFT, TOP, f"{title} {uow.local(uow.now):%Y-%m-%d %H:%M}")
        canvas.drawRightString(RIGHT, TOP, f"{page + 1}/{pages}")
        canvas.setFont(FONT, 8)
        canvas.drawString(LEFT, TOP - 4 * mm, note)
        for place, pick in enumerate(found[page * per_page : (page + 1) * per_page], start=1):
            _line(canvas, pick, TOP - place * ROW)
        canvas.showPage()
    canvas.save()
    return drawn.getvalue()


def _line(canvas: Canvas, pick: Fetched, at: float) -> None:
    canvas.setFont(FONT, 9)
    for left, words in zip(
        COLUMNS,
        (pick.place, pick.record, "", pick.slip),
        strict=True,
    ):
        canvas.drawString(left, at, words)
    bars = code128(pick.barcode, 62 * mm, 5 * mm)
    bars.drawOn(canvas, COLUMNS[2], at)
    canvas.setFont(FONT, 6)
    canvas.drawString(COLUMNS[2], at - 2.2 * mm, pick.barcode)
    canvas.rect(RIGHT - 3.5 * mm, at, 3.5 * mm, 3.5 * mm)
    canvas.line(LEFT, at - 3.4 * mm, RIGHT, at - 3.4 * mm)


def tracer(uow: UnitOfWork, barcode: str) -> bytes:
    """示踪卡 as PDF: it stands in the gap while the volume is out. Raises NotFound for one that is not out."""
    held = in_hand.lay(uow, barcode, lock=False)
    view = NodeView(uow, held.node)
    loan = circulation.loan(uow, view, held)
    if loan is None or not held.is_out:
        raise NotFound
    drawn, canvas = printing.begun(uow.site, f"{_('Tracer card')} {barcode}")
    canvas.rect(LEFT, A4[1] - 15 * mm - CARD, RIGHT - LEFT, CARD)
    canvas.setFont(FONT, LARGE)
    canvas.drawString(LEFT + 8 * mm, A4[1] - 30 * mm, named(view))
    canvas.drawRightString(RIGHT - 8 * mm, A4[1] - 30 * mm, _("Tracer card"))
    said = (
        (_("Place"), held.place or "—"), (_("Who has it"), loan.borrower),
        (_("Went out"), f"{uow.local(loan.out_at):%Y-%m-%d %H:%M}"), (_("Due"), f"{uow.local(loan.due_at):%Y-%m-%d}"),
        (_("Slip"), loan.number),
    )  # fmt: skip
    canvas.setFont(FONT, 12)
    for number, (label, words) in enumerate(said):
        canvas.drawString(LEFT + 8 * mm, A4[1] - (42 + 9 * number) * mm, f"{label}　{words}")
    code128(held.holding.barcode, 80 * mm, 14 * mm).drawOn(canvas, LEFT + 8 * mm, A4[1] - 104 * mm)
    canvas.drawString(LEFT + 8 * mm, A4[1] - 110 * mm, held.holding.barcode)
    canvas.save()
    return drawn.getvalue()
