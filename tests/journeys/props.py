"""What stories are told with: people of other offices, a record with pages, a gun, a PDF."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

from playwright.sync_api import Page, expect

from archive.actor import Actor
from archive.models import Membership
from archive.services import holdings, intake, records, setup, steps
from tests import papers
from tests.blueprints.test_desk import said_in
from tests.conftest import CAST, HASH, RECORD, Hospital, hospital_of
from tests.journeys.conftest import Archive, wait_for
from tests.services import lending, searching

BADGE = {account: f"{number:04d}" for number, account in enumerate(CAST, start=1)}
CLEARANCE = {"senior": 3, "medical_affairs": 2}
Newcomer = tuple[str, str, str, str, str]
"""Account, name, staff number, role, and the code of a department or nothing."""
AFFAIRS: Newcomer = ("affairs", "何志远", "0090", "medical_affairs", "")


@contextmanager
def beside(archive: Archive, *newcomers: Newcomer) -> Iterator[Hospital]:
    """The archive that is served, beside the browser; with further people, and a shelf."""
    site = archive.site()
    wards = hospital_of(site).wards
    with site.uow(Actor.system("test")) as uow:
        for account, name, staff_no, role, ward in newcomers:
            user = setup.enlist(uow, account=account, name=name, staff_no=staff_no, password=None, roles=(role,),
                                clearance=CLEARANCE.get(role, 1))  # fmt: skip
            user.password = HASH
            if ward:
                uow.session.add(Membership(principal_id=user.id, group_id=wards[ward]))
    hospital = hospital_of(site)
    lending.shelf(hospital)
    yield hospital
    site.close()


def two_pages(hospital: Hospital, mrn: str) -> int:
    """A draft record with a file of two pages, which the worker reads meanwhile; gives its id."""
    number = searching.patient(hospital, mrn, RECORD["patient_name"])
    taken_in(hospital, number, "病历", "出院记录", "续页")
    return number


def taken_in(hospital: Hospital, node: int, title: str, *pages: str) -> None:
    """A file with these pages is uploaded; the worker reads it."""
    staged = intake.stage(hospital.site, BytesIO(papers.pdf(*pages)))
    with hospital.uow("archivist") as uow:
        intake.upload(uow, uow.node(node), staged, filename=f"{title}.pdf")


def when_read(hospital: Hospital, node: int, many: int = 2) -> None:
    """Waits until the pages of a file are there."""

    def read() -> bool:
        with hospital.uow("archivist", readonly=True) as uow:
            return uow.node(node).page_count == many

    wait_for(read, "the pages", 90)


def archived(hospital: Hospital, record: int) -> None:
    """Archives a record, when its pages are read, with its paper of two sheets."""
    when_read(hospital, record)
    with hospital.uow("archivist") as uow:
        node = uow.node(record)
        holdings.register(uow, node, sheets=2, location=lending.SHELF)
        for one in ("collected", "arranged"):
            records.mark(uow, node, track="paper", step=one)
        for one in ("catalogue", "submit", "archive"):
            steps.take(uow, node, one)


def shoot(page: Page, *codes: str) -> None:
    """The gun types each code and an Enter, once the page has put the cursor into its field."""
    expect(page.locator("input:focus")).to_have_count(1)
    for code in codes:
        page.keyboard.type(f"{code}\n")


def paper(page: Page, link: str) -> str:
    """The words of the PDF to which a link leads."""
    address = page.locator(link).first.evaluate("link => link.href")
    answer = page.request.get(address)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/pdf")
    return "".join(said_in(answer.body()).split())
