"""网络扫描仪: asks a scanner that speaks eSCL what it can do and how it is, has it scan, and takes the pages one by one.

eSCL is what AirPrint scanners speak: HTTP and a little XML. A scanner is a foreign machine: nothing but its own address is ever
asked, whatever it answers; it may lead nowhere else, say little, and take only so long.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from time import monotonic, sleep
from urllib.parse import quote, urlsplit
from xml.etree.ElementTree import Element, ParseError

from defusedxml.ElementTree import fromstring

from .blobs import ByteSource
from .trickle import connection

_LONGEST = 1 << 20
"""Bytes of XML."""
_BETWEEN = 1.0
"""Seconds between two questions for a page that is still being scanned."""
_SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<scan:ScanSettings xmlns:scan="http://schemas.hp.com/imaging/escl/2011/05/03" \
xmlns:pwg="http://www.pwg.org/schemas/2010/12/sm"><pwg:Version>2.0</pwg:Version><pwg:ScanRegions><pwg:ScanRegion>\
<pwg:ContentRegionUnits>escl:ThreeHundredthsOfInches</pwg:ContentRegionUnits><pwg:Height>{height}</pwg:Height>\
<pwg:Width>{width}</pwg:Width><pwg:XOffset>0</pwg:XOffset><pwg:YOffset>0</pwg:YOffset></pwg:ScanRegion></pwg:ScanRegions>\
<pwg:InputSource>{source}</pwg:InputSource><scan:ColorMode>{colour}</scan:ColorMode><scan:XResolution>{dpi}</scan:XResolution>\
<scan:YResolution>{dpi}</scan:YResolution><pwg:DocumentFormat>{format}</pwg:DocumentFormat>\
<scan:DocumentFormatExt>{format}</scan:DocumentFormatExt>{duplex}</scan:ScanSettings>"""


class Trouble(Enum):
    """故障: why there is no page, as far as the scanner says."""

    UNREACHABLE = "unreachable"
    BUSY = "busy"
    EMPTY = "empty"
    JAM = "jam"
    OPEN = "open"
    STOPPED = "stopped"
    NOT_TAKEN = "not_taken"
    NONSENSE = "nonsense"
    TOO_MUCH = "too_much"


@dataclass(frozen=True)
class Patience:
    """Seconds: a machine that gives a byte now and then must not hold whoever asks it."""

    word: float = 5.0
    """For all of a short answer."""
    quiet: float = 120.0
    """Without a byte of a page: while it is being scanned at the highest resolution."""
    page: float = 600.0
    """For all of a page, over a slow network too."""


@dataclass(frozen=True)
class Most:
    """What one job may bring: a large feeder, both sides."""

    pages: int = 2000
    bytes: int = 16 << 30


class ScannerTrouble(Exception):
    """The scanner gives no page now."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble


@dataclass(frozen=True)
class Source:
    """进纸方式: what one side of the machine can do. Sizes in 300ths of an inch."""

    colours: tuple[str, ...]
    resolutions: tuple[int, ...]
    formats: tuple[str, ...]
    width: int
    height: int


@dataclass(frozen=True)
class Capabilities:
    """扫描仪能力. A machine has a glass, a feeder, or both; the feeder may turn sheets."""

    model: str
    glass: Source | None
    feeder: Source | None
    duplex: Source | None


@dataclass(frozen=True)
class Settings:
    """扫描设置: feeder or glass, and how."""

    source: Source
    feeder: bool
    duplex: bool
    colour: str
    dpi: int
    format: str


COLOURS = ("RGB24", "Grayscale8", "BlackAndWhite1")
FORMATS = ("image/jpeg", "application/pdf")
"""What is taken as a master; a scanner may offer more."""
_OFFERED = (200, 300, 400, 600)
"""Of scanners that take any resolution of a range."""
_ADF = {
    "ScannerAdfEmpty": Trouble.EMPTY, "ScannerAdfJam": Trouble.JAM, "ScannerAdfMispick": Trouble.JAM,
    "ScannerAdfHatchOpen": Trouble.OPEN,
}  # fmt: skip
_STATES = {
    "Stopped": Trouble.STOPPED,
    "Down": Trouble.STOPPED,
    "Processing": Trouble.BUSY,
    "Testing": Trouble.BUSY,
}


class Scanner:
    """One scanner at the address that somebody has written down, such as http://192.168.1.20/eSCL."""

    def __init__(self, address: str, patience: Patience | None = None, most: Most | None = None) -> None:
        self._base = address.rstrip("/")
        self._patience, self._most = patience or Patience(), most or Most()

    def capabilities(self) -> Capabilities:
        """What it can do. Raises ScannerTrouble, as all that follows."""
        said = self._xml("ScannerCapabilities")
        adf = _child(said, "Adf")
        found = Capabilities(
            model=_text(said, "MakeAndModel")[:80],
            glass=_source(_child(_child(said, "Platen"), "PlatenInputCaps")),
            feeder=_source(_child(adf, "AdfSimplexInputCaps")),
            duplex=_source(_child(adf, "AdfDuplexInputCaps")),
        )
        if found.glass is None and found.feeder is None:
            raise ScannerTrouble(Trouble.NONSENSE)
        return found

    def trouble(self, *, feeder: bool) -> Trouble | None:
        """What would keep it from scanning now; nothing where it is ready."""
        said = self._xml("ScannerStatus")
        state = _STATES.get(_text(said, "State"))
        jammed = _ADF.get(_text(said, "AdfState")) if feeder else None
        return jammed or state

    def begin(self, settings: Settings) -> str:
        """Begins to scan; gives the path under which the pages are."""
        duplex = f"<scan:Duplex>{str(settings.duplex).lower()}</scan:Duplex>" if settings.feeder else ""
        body = _SETTINGS.format(
            height=settings.source.height, width=settings.source.width, colour=settings.colour, dpi=settings.dpi,
            source="Feeder" if settings.feeder else "Platen", format=settings.format, duplex=duplex,
        )  # fmt: skip
        with self._asked("POST", self._path("ScanJobs"), body.encode()) as answer, _understood():
            # Of where it says that the job lies, only the path: the machine stays the one that was written down.
            said = urlsplit(str(answer.headers.get("Location", ""))).path
            path = quote(said.encode("latin-1"), safe="/%:@!$&'()*+,;=")
        if not path.startswith("/"):
            raise ScannerTrouble(Trouble.NONSENSE)
        return path

    def pages(
        self, job: str, wanted: Callable[[], bool], *, feeder: bool
    ) -> Iterator[tuple[str, ByteSource]]:
        """The pages, each with its type, as they come, until there are no more or nobody wants them any longer."""
        came, left = 0, self._most.bytes
        while wanted():
            with self._next(job, wanted, feeder=feeder) as answer:
                if answer is None:
                    return
                kind, came = answer.headers.get_content_type(), came + 1
                if kind not in FORMATS:
                    raise ScannerTrouble(Trouble.NONSENSE)
                if came > self._most.pages:
                    raise ScannerTrouble(Trouble.TOO_MUCH)
                page = _Whole(answer, left)
                yield kind, page
                left = page.left

    def cancel(self, job: str) -> None:
        """Ends the job at the machine; that it cannot be reached is no error here."""
        try:
            with self._asked("DELETE", job):
                pass
        except ScannerTrouble:
            return

    @contextmanager
    def _next(self, job: str, wanted: Callable[[], bool], *, feeder: bool) -> Iterator[HTTPResponse | None]:
        """The answer with the next page, or nothing where there are no more; waits while it is being scanned."""
        end = monotonic() + self._patience.quiet
        while wanted():
            with self._answer("GET", f"{job}/NextDocument", whole=self._patience.page) as answer:
                status = answer.status
                if status == HTTPStatus.OK:
                    yield answer
                    return
            if status == HTTPStatus.NOT_FOUND:
                break
            if status != HTTPStatus.SERVICE_UNAVAILABLE or monotonic() > end:
                raise ScannerTrouble(self.trouble(feeder=feeder) or Trouble.STOPPED)
            sleep(_BETWEEN)
        yield None

    def _path(self, name: str) -> str:
        return f"{urlsplit(self._base).path}/{name}"

    def _xml(self, name: str) -> Element:
        with self._asked("GET", self._path(name)) as answer, _understood():
            found: Element = fromstring(answer.read(_LONGEST), forbid_dtd=True)
        return found

    @contextmanager
    def _asked(self, method: str, path: str, body: bytes | None = None) -> Iterator[HTTPResponse]:
        with self._answer(method, path, body, whole=self._patience.word) as answer:
            if answer.status in {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.LOCKED}:
                raise ScannerTrouble(Trouble.BUSY)
            if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
                raise ScannerTrouble(Trouble.NOT_TAKEN if method == "POST" else Trouble.NONSENSE)
            yield answer

    @contextmanager
    def _answer(
        self, method: str, path: str, body: bytes | None = None, *, whole: float
    ) -> Iterator[HTTPResponse]:
        """What this machine answers, and no other: http.client follows no redirection and knows no proxy."""
        with _understood():
            line = connection(self._base, whole, min(whole, self._patience.quiet))
        with closing(line):
            with _understood():
                line.request(method, path, body, {"Content-Type": "text/xml"})
                answer = line.getresponse()
            with answer:
                yield answer


@contextmanager
def _understood() -> Iterator[None]:
    """Whatever a foreign machine answers, or does not, is trouble with it and no fault of ours."""
    try:
        yield
    except (OSError, HTTPException) as error:
        raise ScannerTrouble(Trouble.UNREACHABLE) from error
    except (ValueError, LookupError, ParseError) as error:
        raise ScannerTrouble(Trouble.NONSENSE) from error


class _Whole:
    """A page that is read to its end; one that was cut off on the way is none."""

    def __init__(self, answer: HTTPResponse, most: int) -> None:
        self._answer = answer
        self.left = most

    def read(self, size: int, /) -> bytes:
        with _understood():
            chunk = self._answer.read(size)
        if not chunk and self._answer.length:
            raise ScannerTrouble(Trouble.UNREACHABLE)
        self.left -= len(chunk)
        if self.left < 0:
            raise ScannerTrouble(Trouble.TOO_MUCH)
        return chunk


def _named(element: Element, name: str) -> bool:
    return element.tag.rpartition("}")[2] == name


def _child(element: Element | None, name: str) -> Element | None:
    if element is None:
        return None
    return next((child for child in element if _named(child, name)), None)


def _all(element: Element, name: str) -> Iterator[str]:
    for found in element.iter():
        if _named(found, name) and found.text:
            yield found.text.strip()


def _text(element: Element, name: str) -> str:
    return next(_all(element, name), "")


def _whole(text: str, default: int) -> int:
    return int(text) if text.isdecimal() and len(text) < 7 else default


def _source(caps: Element | None) -> Source | None:
    if caps is None:
        return None
    said = {_whole(text, 0) for text in _all(caps, "XResolution")}
    if (span := next((one for one in caps.iter() if _named(one, "XResolutionRange")), None)) is not None:
        least, most = _whole(_text(span, "Min"), 0), _whole(_text(span, "Max"), 0)
        said |= {dpi for dpi in _OFFERED if least <= dpi <= most}
    formats = {*_all(caps, "DocumentFormat"), *_all(caps, "DocumentFormatExt")}
    colours = set(_all(caps, "ColorMode"))
    return Source(
        colours=tuple(colour for colour in COLOURS if colour in colours),
        resolutions=tuple(sorted(dpi for dpi in said if 75 <= dpi <= 1200)),
        formats=tuple(kind for kind in FORMATS if kind in formats),
        # Where it does not say: A4.
        width=_whole(_text(caps, "MaxWidth"), 2480),
        height=_whole(_text(caps, "MaxHeight"), 3508),
    )
