"""Scanning into a record: pages come in as they are, and every trouble is said in a sentence."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from archive import worker
from archive.actor import Actor
from archive.errors import Conflict, Forbidden, Invalid, NotFound
from archive.i18n import speaking
from archive.models import Job
from archive.policy.permissions import P
from archive.services import intake, jobs, policies, scanners
from archive.services.jobs import JobView
from archive.site import Site
from storage import StoreFull
from tests import papers
from tests.archives import once
from tests.conftest import Hospital
from tests.escl import Machine, scanner
from tests.services.test_adoption import adopt, refused

CHOSEN: dict[str, Any] = {"source": "feeder", "colour": "Grayscale8", "dpi": 300, "kind": "image/jpeg"}


def page(words: str) -> bytes:
    """A printed page as a scanner gives it."""
    out = BytesIO()
    Image.open(BytesIO(papers.scan(words))).save(out, "JPEG", dpi=(300, 300))
    return out.getvalue()


PAGES = [page(words) for words in ("病案首页", "入院记录", "手术记录")]


@pytest.fixture
def machine(hospital: Hospital) -> Iterator[Machine]:
    with scanner(*PAGES) as running:
        adopt(
            hospital,
            "scanners",
            {"scanners": {"fs7": {"zh": "病案室扫描仪", "en": "", "address": running.address}}},
        )
        yield running


def order(hospital: Hospital, node: int, account: str = "archivist", **chosen: Any) -> None:
    with hospital.uow(account, readonly=True) as uow:
        asked = scanners.ask(uow, "fs7")
    with hospital.uow(account) as uow:
        scanners.order(uow, uow.node(node, P.SCAN_UPLOAD), asked, **(CHOSEN | chosen))


def one(hospital: Hospital, account: str = "archivist") -> JobView:
    """The order as its owner sees it."""
    with hospital.uow(account, readonly=True) as uow, speaking("en"):
        return next(job for job in jobs.mine(uow) if job.label == "Scanning")


def files(hospital: Hospital, node: int) -> list[str]:
    with hospital.uow("archivist", readonly=True) as uow:
        return [file.name.rpartition("-")[2] for file in intake.files(uow, uow.node(node))]


def test_pages_come_in_as_the_scanner_gave_them(
    site: Site, hospital: Hospital, record: int, machine: Machine
) -> None:
    order(hospital, record)
    worker.take_one(site, "test")
    assert one(hospital).state.kind == "ok"
    assert files(hospital, record) == ["001.jpg", "002.jpg", "003.jpg"]
    kept = []
    for home, sha256 in site.store.iterate():
        with site.store.open(home, sha256) as file:
            kept.append(file.read())
    assert sorted(kept) == sorted(PAGES), "bit for bit"
    while worker.take_one(site, "test"):
        pass
    with hospital.uow("archivist", readonly=True) as uow:
        assert uow.node(record).page_count == 3


def test_after_a_jam_what_came_is_kept_and_the_rest_follows(
    site: Site, hospital: Hospital, record: int, machine: Machine
) -> None:
    machine.jams_after = 2
    order(hospital, record)
    worker.take_one(site, "test")
    said = one(hospital)
    assert (said.state.kind, said.can_retry) == ("bad", True)
    assert "jammed" in said.message
    assert files(hospital, record) == ["001.jpg", "002.jpg"]
    assert machine.deleted, "the machine does not go on by itself"
    machine.jams_after, machine.adf = None, "ScannerAdfLoaded"
    with hospital.uow("archivist") as uow:
        jobs.retry(uow, jobs.find(uow, said.uuid))
    worker.take_one(site, "test")
    assert files(hospital, record) == ["001.jpg", "002.jpg", "003.jpg"]


def test_a_worker_that_was_killed_says_that_a_page_may_be_missing(
    site: Site, hospital: Hospital, record: int, machine: Machine
) -> None:
    order(hospital, record)
    with site.uow(Actor.system("test")) as uow:
        job = uow.session.query(Job).filter_by(kind="scan.fetch").one()
        job.args = {**job.args, "begun": True}
    worker.take_one(site, "test")
    assert "interrupted" in one(hospital).message
    assert machine.settings == [], "it is not begun again unasked"
    with hospital.uow("archivist") as uow:
        jobs.retry(uow, jobs.find(uow, one(hospital).uuid))
    worker.take_one(site, "test")
    assert len(files(hospital, record)) == 3


@once
def test_a_sheet_that_cannot_be_kept_at_once_is_tried_again_and_never_passed_over(
    site: Site, hospital: Hospital, record: int, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanners, "PAUSES", (0.0, 0.0))  # nobody waits half a minute here
    room, place = [True, False, False, True, False, False, False], site.store.place

    def placed(*given: Any) -> Any:
        if room.pop(0):
            return place(*given)
        raise StoreFull

    order(hospital, record)
    # The disk that the tests lie on cannot be filled: the store says so instead.
    with monkeypatch.context() as patched:
        patched.setattr(site.store, "place", placed)
        worker.take_one(site, "test")
    assert files(hospital, record) == ["001.jpg", "002.jpg"], "the second was tried until there was room"
    assert "磁盘已满" in one(hospital).message
    assert "放入剩余的纸" in one(hospital).message
    assert machine.deleted
    hospital.clock.forward(hours=1)
    assert one(hospital).state.kind == "bad", "it does not go on by itself with what is left"
    machine.feeder, machine.adf = [PAGES[2]], "ScannerAdfLoaded"
    with hospital.uow("archivist") as uow:
        jobs.retry(uow, jobs.find(uow, one(hospital).uuid))
    worker.take_one(site, "test")
    assert files(hospital, record) == ["001.jpg", "002.jpg", "003.jpg"]


@pytest.mark.parametrize(
    ("change", "said"),
    [({"adf": "ScannerAdfEmpty"}, "No paper"), ({"adf": "ScannerAdfHatchOpen"}, "cover is open"),
     ({"state": "Processing"}, "busy"), ({"kind": "text/html"}, "no scanner"), ({"feeder": []}, "No paper")],
)  # fmt: skip
def test_each_trouble_is_said_in_a_sentence(
    site: Site, hospital: Hospital, record: int, machine: Machine, change: dict[str, Any], said: str
) -> None:
    order(hospital, record)
    for name, value in change.items():
        setattr(machine, name, value)
    worker.take_one(site, "test")
    assert said in one(hospital).message
    assert files(hospital, record) == []


def test_only_scanners_of_the_policy_are_asked(hospital: Hospital, record: int, machine: Machine) -> None:
    with hospital.uow("archivist", readonly=True) as uow:
        assert [one.name for one in scanners.known(uow)] == ["病案室扫描仪"]
        for code in ("other", machine.address, ""):
            with pytest.raises(NotFound):
                scanners.ask(uow, code)


def test_an_address_that_is_no_machines_is_not_adopted(hospital: Hospital) -> None:
    for address in (
        "file:///etc/passwd",
        "http://user@host/",
        "http://host/?x",
        "ftp://host/eSCL",
        "http://host/a b",
    ):
        wrong = {"scanners": {"x": {"zh": "某", "en": "", "address": address}}}
        assert "scanners.x.address" in refused(hospital, "scanners", wrong)
    assert policies.seeds()["scanners"]["scanners"] == {}


def test_a_scanner_that_is_switched_off_is_told_when_it_is_chosen(hospital: Hospital) -> None:
    adopt(
        hospital,
        "scanners",
        {"scanners": {"fs7": {"zh": "某", "en": "", "address": "http://127.0.0.1:9/eSCL"}}},
    )
    with hospital.uow("archivist", readonly=True) as uow, pytest.raises(Conflict) as told, speaking("en"):
        scanners.ask(uow, "fs7")
    assert "does not answer" in str(told.value)


def test_what_the_scanner_does_not_offer_is_refused(
    hospital: Hospital, record: int, machine: Machine
) -> None:
    for wrong in ({"source": "hand"}, {"colour": "Pink"}, {"dpi": 1}, {"kind": "text/html"}):
        with pytest.raises(Invalid):
            order(hospital, record, **wrong)


def test_whoever_may_not_upload_orders_no_scan(hospital: Hospital, record: int, machine: Machine) -> None:
    for account in ("clinician", "auditor", "stranger", "sysadmin"):
        with pytest.raises((Forbidden, NotFound)):
            order(hospital, record, account)
    order(hospital, record, "scanner")
