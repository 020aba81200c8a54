"""Talking to a scanner: what it offers, the pages it gives, and that it can lead nowhere and harm nothing."""

from collections.abc import Iterator
from time import monotonic

import pytest

from storage.escl import Most, Patience, Scanner, ScannerTrouble, Settings, Trouble
from tests.escl import Machine, saying, scanner

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
    return [page.read(1 << 20) for _kind, page in line.pages(job, lambda: True, feeder=True)]


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
    assert len(list(line.pages(job, lambda: left.pop(0), feeder=True))) == 1
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
    _kind, page = next(line.pages(line.begin(settings(machine)), lambda: True, feeder=True))
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
    machine.takes = False
    with pytest.raises(ScannerTrouble) as told:
        Scanner(machine.address).begin(settings(machine))
    assert told.value.trouble is Trouble.NOT_TAKEN


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n"
SOON = Patience(word=0.3, quiet=0.3, page=0.3)


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (b"no word of HTTP\r\n\r\n", Trouble.UNREACHABLE),
        (HEAD + b"Content-Length: 90\r\n\r\n<a>", Trouble.NONSENSE),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n9\r\n<a>", Trouble.UNREACHABLE),
        (HEAD + b"Content-Length: 38\r\n\r\n<?xml version='1.0' encoding='foo'?><a/>", Trouble.NONSENSE),
        (HEAD + b"Content-Length: 4\r\n\r\n\xff\xfe\xff\xff", Trouble.NONSENSE),
    ],
    ids=["no HTTP", "cut off", "a piece cut off", "an unknown encoding", "no text"],
)
def test_whatever_a_machine_answers_is_trouble_with_the_scanner(answer: bytes, trouble: Trouble) -> None:
    with saying(answer) as address, pytest.raises(ScannerTrouble) as told:
        Scanner(address).capabilities()
    assert told.value.trouble is trouble


@pytest.mark.parametrize("pause", [0.0, 0.02], ids=["falls silent", "trickles"])
def test_a_machine_that_is_slow_with_its_answer_is_not_waited_for(pause: float) -> None:
    """Each byte in time, and the whole of it not."""
    answer, begun = HEAD + b"Content-Length: 900\r\n\r\n<a>" + 600 * b" ", monotonic()
    with saying(answer, pause, stays=True) as address, pytest.raises(ScannerTrouble) as told:
        Scanner(address, SOON).capabilities()
    assert told.value.trouble is Trouble.UNREACHABLE
    assert monotonic() - begun < 3, "600 bytes would take 13 seconds"


def test_a_page_that_stalls_is_none() -> None:
    head = HEAD.replace(b"text/xml", b"image/jpeg") + b"Content-Length: 90\r\n\r\n"
    with saying(head + b"\xff\xd8", stays=True) as address:
        _kind, page = next(Scanner(address, SOON).pages("/eSCL/ScanJobs/1", lambda: True, feeder=True))
        with pytest.raises(ScannerTrouble) as told:
            page.read(90)
    assert told.value.trouble is Trouble.UNREACHABLE


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("/eSCL/ScanJobs/\xc3\xa9 1?x", "/eSCL/ScanJobs/%C3%A9%201"),
        ("http://[x/eSCL/ScanJobs/1", None),
        ("ScanJobs/1", None),
        ("", None),
    ],
)
def test_where_a_job_lies_is_a_path_or_nothing(machine: Machine, location: str, path: str | None) -> None:
    wanted, said = settings(machine), f"HTTP/1.1 201 Created\r\nLocation: {location}\r\n\r\n"
    with saying(said.encode("latin-1")) as address:
        if path:
            assert Scanner(address).begin(wanted) == path
            return
        with pytest.raises(ScannerTrouble) as told:
            Scanner(address).begin(wanted)
    assert told.value.trouble is Trouble.NONSENSE


@pytest.mark.parametrize(("most", "whole"), [(Most(pages=2), 2), (Most(bytes=len(PAGES[0]) + 3), 1)])
def test_a_job_brings_so_much_and_no_more(machine: Machine, most: Most, whole: int) -> None:
    line, came = Scanner(machine.address, most=most), []
    job = line.begin(settings(machine))
    with pytest.raises(ScannerTrouble) as told:
        for _kind, page in line.pages(job, lambda: True, feeder=True):
            came.append(page.read(1 << 20))
    assert told.value.trouble is Trouble.TOO_MUCH
    assert came == list(PAGES[:whole])


def test_what_is_wrong_with_the_feeder_is_no_trouble_of_the_glass(machine: Machine) -> None:
    machine.jams_after = 0
    line = Scanner(machine.address)
    with pytest.raises(ScannerTrouble) as told:
        next(line.pages(line.begin(settings(machine)), lambda: True, feeder=False))
    assert told.value.trouble is Trouble.STOPPED
    assert line.trouble(feeder=True) is Trouble.JAM
