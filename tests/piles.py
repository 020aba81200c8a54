"""A day's paper: cover sheets and forms of several patients in one pile, as a scanner hands it over."""

from collections.abc import Iterable, Sequence
from io import BytesIO

from PIL import Image, ImageDraw
from pypdf import PageObject, PdfReader, PdfWriter
from pypdfium2 import PdfDocument

from archive.models import ScanBatch
from archive.services import holdings, tree
from archive.services.scanning import batches, sheets, steps, volumes
from archive.uow import UnitOfWork
from tests import papers
from tests.conftest import RECORD, Hospital

PATIENTS = ("王一一", "李二二", "张三三", "赵四四", "钱五五", "孙六六", "周七七")


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


def prepared(hospital: Hospital, sides: Sequence[int], first: int = 0) -> str:
    """The number of a batch of so many records from the `first` on, whose pages are counted, ready to be scanned."""
    made = begun(hospital, range(first, first + len(sides)), "check_out")
    with hospital.uow("scanner") as uow:
        batch = batches.find(uow, made)
        for volume, many in zip(volumes.listed(uow, batch), sides, strict=True):
            volumes.count_sides(uow, batch, volume=volume.id, sides=many)
        steps.take(uow, batch, "prepare")
        steps.take(uow, batch, "scan")
    return made


def begun(hospital: Hospital, records: Iterable[int], *taken: str) -> str:
    """The number of a batch of the volumes of these records, with the first steps taken."""
    with hospital.uow("archivist") as uow:
        batch = batches.make(uow, note="外三科")
        for number in records:
            volumes.put_in(uow, batch, barcode=barcode(number))
        for step in taken:
            steps.take(uow, batch, step)
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


def _written(pages: Iterable[PageObject]) -> bytes:
    writer, out = PdfWriter(), BytesIO()
    for page in pages:
        writer.add_page(page)
    writer.write(out)
    return out.getvalue()


def batch_of(uow: UnitOfWork, number: str) -> ScanBatch:
    return batches.find(uow, number)


COMPONENTS = {
    "RY": "入院记录",
    "BC": "首次病程记录",
    "CY": "出院记录",
    "YZ": "长期医嘱单",
    "HL": "护理记录单",
    "TW": "体温单",
}
BELONGS = (
    {"RY": 2, "BC": 2, "CY": 1, "YZ": 1}, {"RY": 2, "CY": 1, "YZ": 2}, {"FZ": 2, "RY": 1, "CY": 1, "TW": 1},
    {"RY": 2, "BC": 1, "CY": 1}, {"RY": 1, "BC": 2, "CY": 1, "YZ": 1}, {"RY": 2, "BC": 1, "CY": 1, "HL": 2, "TW": 1},
)  # fmt: skip
"""By patient: how many pages of each component lie in the mixed pile."""


def mixed(covers: Sequence[bytes], separator: bytes) -> list[bytes]:
    """Six records in one pile: one cover sheet nobody can read, one page upside down, one scanned twice, one blank, one of a
    patient whom the batch does not know, and a separator before reports without a title.
    """
    pile: list[bytes] = []
    for number, parts in enumerate(BELONGS):
        pile.append(_spoilt(covers[number]) if number == 3 else covers[number])
        for code, many in parts.items():
            pile += [separator] if code == "FZ" else []
            pile += [_form(number, code, place) for place in range(many)]
        if number == 0:
            pile.append(_picture(Image.new("L", (1240, 1754), 252)))
        if number == 1:
            pile[-3] = _picture(_scanned(_form(1, "CY", 0)).rotate(180))
        if number == 2:
            scan = _scanned(pile[-1])
            pile[-1] = _picture(scan)
            pile.append(_picture(scan.rotate(0.2, fillcolor=255)))
        if number == 4:
            pile.append(
                sheet("云川县妇幼保健院", "检验报告单", "姓名：陌生人  病案号：99999999", "白细胞 6.1")
            )
    return pile


def _form(number: int, code: str, place: int) -> bytes:
    day, beats = number * 4 + place + 1, 70 + 3 * number + place
    lines = [
        f"第 {place + 1} 页  11月{day}日  脉搏{beats}",
        f"嘱{PATIENTS[number]}注意休息，按时复诊。",
        f"{COMPONENTS.get(code, code)}由周敏书写。",
    ]
    if place or code == "FZ":
        return sheet(f"姓名：{PATIENTS[number]}  病案号：{mrn(number)}", *lines, f"续 {code} {place}")
    return sheet(form(number, COMPONENTS[code], *lines))


def _scanned(pdf: bytes) -> Image.Image:
    """The page as a scanner at 200 dpi sees it."""
    picture: Image.Image = PdfDocument(pdf)[0].render(scale=200 / 72 * 2, grayscale=True).to_pil()
    return picture


def _spoilt(cover: bytes) -> bytes:
    """Coffee over both codes; what it says in letters can still be read."""
    picture: Image.Image = PdfDocument(cover)[0].render(scale=200 / 72, grayscale=True).to_pil()
    width, height = picture.size
    ImageDraw.Draw(picture).rectangle((0, height * 0.22, width, height * 0.64), fill=120)
    return _picture(picture)


def _picture(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, "PDF", resolution=200)
    return out.getvalue()
