"""Talking to a scanner: what it offers, the pages it gives, and that it can lead nowhere and harm nothing."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from storage.escl import Scanner, ScannerTrouble, Settings, Trouble
from tests.escl import Machine, scanner

PAGES = (b"\xff\xd8 first", b"\xff\xd8 second", b"\xff\xd8 third")


@pytest.fixture
def machine() -> Iterator[Machine]:
    with scanner(*PAGES) as running:
        yield running


def settings(machine: Machine) -> Settings:
    feeder = Scanner(machine.address).capabilities().feeder
    assert feeder
    return Settings(feeder, feeder=True, duplex=True, colour="Grayscale8", dpi=300, format="image/jpeg")


def scanned(machine: Machine) -> list[bytes]:
    line = Scanner(machine.address)
    job = line.begin(settings(machine))
    return [page.read(1 << 20) for _kind, page in line.pages(job, lambda: True)]


def test_a_scanner_says_what_it_can_do(machine: Machine) -> None:
    said = Scanner(machine.address + "/").capabilities()
    assert said.model == "Yunchuan 扫描仪 7"
    assert said.feeder
    assert said.feeder.colours == ("RGB24", "Grayscale8", "BlackAndWhite1")
    assert said.feeder.resolutions == (200, 300, 600)
    assert said.feeder.formats == ("image/jpeg", "application/pdf")
    assert (said.glass, said.duplex) == (said.feeder, said.feeder)
    assert Scanner(machine.address).trouble(feeder=True) is None


def test_the_pages_come_one_by_one_until_there_are_no_more(machine: Machine) -> None:
    machine.not_yet = 1
    assert scanned(machine) == list(PAGES)
    for said in (
        "<pwg:InputSource>Feeder<",
        "<scan:Duplex>true<",
        "<scan:ColorMode>Grayscale8<",
        "<scan:XResolution>300<",
    ):
        assert said in machine.settings[0]


def test_whoever_wants_no_more_gets_no_more_and_the_machine_is_told(machine: Machine) -> None:
    line, left = Scanner(machine.address), [True, True, False, False]
    job = line.begin(settings(machine))
    assert len(list(line.pages(job, lambda: left.pop(0)))) == 1
    line.cancel(job)
    assert machine.deleted == ["/eSCL/ScanJobs/1"]


@pytest.mark.parametrize(
    ("adf", "trouble"),
    [
        ("ScannerAdfEmpty", Trouble.EMPTY),
        ("ScannerAdfJam", Trouble.JAM),
        ("ScannerAdfHatchOpen", Trouble.OPEN),
    ],
)
def test_what_keeps_the_feeder_from_scanning_is_told(machine: Machine, adf: str, trouble: Trouble) -> None:
    machine.adf = adf
    assert Scanner(machine.address).trouble(feeder=True) is trouble
    assert Scanner(machine.address).trouble(feeder=False) is None


def test_a_machine_that_is_busy_or_jams_says_so(machine: Machine) -> None:
    machine.jams_after = 1
    with pytest.raises(ScannerTrouble) as told:
        scanned(machine)
    assert told.value.trouble is Trouble.JAM
    machine.state = "Processing"
    with pytest.raises(ScannerTrouble) as told:
        Scanner(machine.address).begin(settings(machine))
    assert told.value.trouble is Trouble.BUSY


def test_a_scanner_leads_to_no_other_machine(machine: Machine) -> None:
    with scanner(b"secret") as other:
        machine.elsewhere = other.address.removesuffix("/eSCL")
        assert scanned(machine) == list(PAGES), "of its answer the path alone counts"
        machine.elsewhere = f"{other.address}/ScannerStatus"
        with pytest.raises(ScannerTrouble):
            Scanner(machine.address).trouble(feeder=True)
        assert other.given == 0


def test_a_page_that_was_cut_off_is_none(machine: Machine) -> None:
    machine.cut = True
    line = Scanner(machine.address)
    _kind, page = next(line.pages(line.begin(settings(machine)), lambda: True))
    with pytest.raises(ScannerTrouble):
        while page.read(4):
            pass


def test_what_is_neither_jpeg_nor_pdf_is_no_page(machine: Machine) -> None:
    machine.kind = "text/html"
    with pytest.raises(ScannerTrouble) as told:
        scanned(machine)
    assert told.value.trouble is Trouble.NONSENSE


def test_nobody_at_the_address_and_no_scanner_are_told_apart(machine: Machine) -> None:
    for address, trouble in (
        ("http://127.0.0.1:9/eSCL", Trouble.UNREACHABLE),
        (machine.address + "/ScanJobs", Trouble.NONSENSE),
    ):
        with pytest.raises(ScannerTrouble) as told:
            Scanner(address).capabilities()
        assert told.value.trouble is trouble


def test_settings_that_it_does_not_take_are_refused(machine: Machine) -> None:
    wanted = replace(settings(machine), format="image/jpeg")
    with pytest.raises(ScannerTrouble) as told:
        Scanner(machine.address.replace("/eSCL", "/nowhere")).trouble(feeder=True)
    assert told.value.trouble is Trouble.NONSENSE
    assert Scanner(machine.address).begin(wanted) == "/eSCL/ScanJobs/1"
