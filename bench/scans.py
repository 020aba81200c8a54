"""Piles of paper as a scanner hands them over: A4 at 300 dpi, JPEG in PDF, grey and in colour, cover sheets between."""

from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import count
from pathlib import Path

from PIL import Image
from pypdf import PageObject, PdfReader, PdfWriter
from pypdfium2 import PdfDocument
from reportlab import rl_config
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas
from sqlalchemy import select

from archive.actor import Actor
from archive.models import Node, Principal
from archive.services import holdings, setup, tree
from archive.services.scanning import batches, steps, volumes
from archive.services.scanning import sheets as printed
from archive.site import Site
from archive.start import prepare
from bench.forest import PASSWORD, TRUSTED
from bench.gauge import Gauge
from bench.sheets import sheets

DPI = 300
PEOPLE = {"archivist": 2, "scanner": 1}
"""Role → clearance of whoever has it; the account is called as the role."""
NUMBERS = count(60_000_000)
"""病案号, each once."""


def furnish(site: Site) -> None:
    """A hospital with somebody who keeps its records and somebody who scans them."""
    prepare(site)
    with site.uow(Actor.system("bench")) as uow:
        setup.department(uow, code="CK", name="产科")
        for number, (role, clearance) in enumerate(PEOPLE.items(), start=1):
            setup.enlist(uow, account=role, name=role, staff_no=str(number), password=PASSWORD, roles=(role,),
                         clearance=clearance)  # fmt: skip
        setup.found(uow, code="H001", name="测量医院")


def batch(site: Site, records: int, sides: int) -> str:
    """The number of a batch of new records with so many counted pages each, that waits for its scans."""
    gauge = Gauge(site)
    with site.uow(gauge.actor("archivist")) as uow:
        category = uow.session.scalars(
            select(Node).where(Node.type == "category").order_by(Node.id).limit(1), execution_options=TRUSTED
        ).one()
        ward = uow.session.scalars(select(Principal.id).where(Principal.code == "CK")).one()
        made = batches.make(uow)
        for _record in range(records):
            fields = {"mrn": f"{next(NUMBERS)}", "patient_name": "测量", "times": "1", "sex": "2", "dept": str(ward),
                      "admitted_on": "2026-01-01", "discharged_on": "2026-01-05", "outcome": "1"}  # fmt: skip
            node = tree.add(uow, category, kind="medical_record", fields=fields)
            volumes.put_in(uow, made, barcode=holdings.register(uow, node).barcode)
        steps.take(uow, made, "check_out")
    with site.uow(gauge.actor("scanner")) as uow:
        found = batches.find(uow, made.number)
        for volume in volumes.listed(uow, found):
            volumes.count_sides(uow, found, volume=volume.id, sides=sides)
        for name in ("prepare", "scan"):
            steps.take(uow, found, name)
    return made.number


def covers(site: Site, number: str) -> bytes:
    """The cover sheets of a batch, as a PDF."""
    with site.uow(Gauge(site).actor("scanner"), readonly=True) as uow:
        return printed.covers(uow, batches.find(uow, number))


def scanned(pdf: bytes) -> list[bytes]:
    """Printed sheets as the scanner sees them: grey JPEGs."""
    return [_jpeg(page.render(scale=DPI / 72, grayscale=True).to_pil()) for page in PdfDocument(pdf)]


def pages(wanted: int) -> Iterator[bytes]:
    """JPEGs of pages of running text, every other one grey."""
    for place, sheet in enumerate(sheets(wanted, resolutions=(DPI,))):
        yield sheet.jpeg if place % 2 else _jpeg(Image.open(BytesIO(sheet.jpeg)).convert("L"))


def _jpeg(picture: Image.Image) -> bytes:
    out = BytesIO()
    picture.save(out, "JPEG", quality=80, dpi=(DPI, DPI))
    return out.getvalue()


def pile(leaves: Iterable[bytes], folder: Path) -> Path:
    """One PDF with a JPEG a page, each as it is: a scanner compresses once."""
    rl_config.useA85 = 0
    made = folder / "pile.pdf"
    canvas = Canvas(str(made), pagesize=A4)
    for place, leaf in enumerate(leaves):
        file = folder / f"{place}.jpg"
        file.write_bytes(leaf)
        canvas.drawImage(str(file), 0, 0, *A4)
        canvas.showPage()
    canvas.save()
    return made


def small(cover: bytes, number: int, wanted: int) -> bytes:
    """A cover sheet, and so many small pages behind it whose text lies in the file, each with another one."""
    out = BytesIO()
    canvas = Canvas(out, pagesize=(150, 210))
    for place in range(wanted):
        for line in range(6):
            canvas.drawString(
                10, 190 - 20 * line, f"{number:04d} {place:05d} {hash((number, place, line)) % 10**9:09d}"
            )
        canvas.showPage()
    canvas.save()
    return _together([*PdfReader(BytesIO(cover)).pages, *PdfReader(BytesIO(out.getvalue())).pages])


def apart(pdf: bytes) -> list[bytes]:
    """Each page of a PDF as one."""
    return [_together([page]) for page in PdfReader(BytesIO(pdf)).pages]


def _together(leaves: Iterable[PageObject]) -> bytes:
    writer, out = PdfWriter(), BytesIO()
    for leaf in leaves:
        writer.add_page(leaf)
    writer.write(out)
    return out.getvalue()
