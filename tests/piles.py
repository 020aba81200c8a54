"""A day's paper: cover sheets and forms of several patients in one pile, as a scanner hands it over."""

from collections.abc import Iterable, Sequence
from io import BytesIO

from pypdf import PdfReader, PdfWriter

from archive.models import ScanBatch
from archive.services import holdings, tree
from archive.services.scanning import batches, sheets, steps
from archive.uow import UnitOfWork
from tests import papers
from tests.conftest import RECORD, Hospital

PATIENTS = ("王一一", "李二二", "张三三", "赵四四", "钱五五", "孙六六")


def mrn(number: int) -> str:
    return f"{30_000_000 + number}"


def form(number: int, title: str, *lines: str) -> str:
    """What stands on a printed form of a patient."""
    return "\n".join(("云川县妇幼保健院", title, f"姓名：{PATIENTS[number]}  病案号：{mrn(number)}", *lines))


def records(hospital: Hospital, count: int) -> list[int]:
    """Draft records of so many patients, each with one volume, at hand."""
    made = []
    for number in range(count):
        with hospital.uow("archivist") as uow:
            fields = RECORD | {"mrn": mrn(number), "patient_name": PATIENTS[number], "times": "1",
                               "dept": str(hospital.wards["CK"])}  # fmt: skip
            node = tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record", fields=fields)
            holdings.register(uow, node)
            made.append(node.id)
    return made


def barcode(number: int) -> str:
    return f"B{mrn(number)}-1"


def prepared(hospital: Hospital, sides: Sequence[int]) -> str:
    """The number of a batch of the first so many records, whose pages are counted, ready to be scanned."""
    with hospital.uow("archivist") as uow:
        batch = batches.make(uow, note="外三科")
        for number in range(len(sides)):
            batches.add_volume(uow, batch, barcode=barcode(number))
        steps.take(uow, batch, "check_out")
    with hospital.uow("scanner") as uow:
        batch = batches.find(uow, batch.number)
        for volume, many in zip(batches.volumes(uow, batch), sides, strict=True):
            batches.count_sides(uow, batch, volume=volume.id, sides=many)
        steps.take(uow, batch, "prepare")
        steps.take(uow, batch, "scan")
    return batch.number


def covers(hospital: Hospital, number: str) -> list[bytes]:
    """The cover sheets of a batch as they are printed, each a PDF of one page."""
    with hospital.uow("scanner", readonly=True) as uow:
        return pages_of(sheets.covers(uow, batches.find(uow, number)))


def pages_of(pdf: bytes) -> list[bytes]:
    return [_written([page]) for page in PdfReader(BytesIO(pdf)).pages]


def sheet(*texts: str) -> bytes:
    """One page with lines of text, as a PDF."""
    return papers.pdf("\n".join(texts))


def pile(leaves: Iterable[bytes]) -> bytes:
    """Single pages put on top of each other."""
    return _written([page for leaf in leaves for page in PdfReader(BytesIO(leaf)).pages])


def _written(pages: Iterable[object]) -> bytes:
    writer, out = PdfWriter(), BytesIO()
    for page in pages:
        writer.add_page(page)  # type: ignore[arg-type]
    writer.write(out)
    return out.getvalue()


def batch_of(uow: UnitOfWork, number: str) -> ScanBatch:
    return batches.find(uow, number)
