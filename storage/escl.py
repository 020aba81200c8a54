"""网络扫描仪: asks a scanner that speaks eSCL what it can do and how it is, has it scan, and takes the pages one by one.

eSCL is what AirPrint scanners speak: HTTP and a little XML. A scanner is a foreign machine: nothing but its own address is ever
asked, whatever it answers; it may lead nowhere else, say little, and take only so long.
"""

import http.client
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from time import monotonic, sleep
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from .blobs import ByteSource

_LONGEST = 1 << 20
"""Bytes of XML."""
_QUICK, _PATIENT = 5.0, 120.0
"""Seconds for a word, and for a page at the highest resolution."""
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


class _Nowhere(HTTPRedirectHandler):
    """A scanner must not lead the server to another machine."""

    def redirect_request(self, *_given: Any) -> None:
        return None


class Scanner:
    """One scanner at the address that somebody has written down, such as http://192.168.1.20/eSCL."""

    def __init__(self, address: str) -> None:
        self._base = address.rstrip("/")
        self._opener: OpenerDirector = build_opener(ProxyHandler({}), _Nowhere)

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
        with self._asked("POST", f"{self._base}/ScanJobs", body.encode()) as answer:
            # Of where it says that the job lies, only the path: the machine stays the one that was written down.
            path = urlsplit(str(answer.headers.get("Location", ""))).path
        if not path.startswith("/"):
            raise ScannerTrouble(Trouble.NONSENSE)
        return path

    def pages(self, job: str, wanted: Callable[[], bool]) -> Iterator[tuple[str, ByteSource]]:
        """The pages, each with its type, as they come, until there are no more or nobody wants them any longer."""
        while wanted():
            if (answer := self._next(job, wanted)) is None:
                return
            with answer:
                kind = answer.headers.get_content_type()
                if kind not in FORMATS:
                    raise ScannerTrouble(Trouble.NONSENSE)
                yield kind, _Whole(answer)

    def cancel(self, job: str) -> None:
        """Ends the job at the machine; that it cannot be reached is no error here."""
        try:
            with self._asked("DELETE", self._host() + job):
                pass
        except ScannerTrouble:
            return

    def _next(self, job: str, wanted: Callable[[], bool]) -> Any:
        """The answer with the next page, or nothing where there are no more; waits while it is being scanned."""
        end = monotonic() + _PATIENT
        while wanted():
            try:
                return self._open(Request(f"{self._host()}{job}/NextDocument"), _PATIENT)  # noqa: S310 - http or https
            except HTTPError as error:
                error.close()
                if error.code == HTTPStatus.NOT_FOUND:
                    return None
                if error.code != HTTPStatus.SERVICE_UNAVAILABLE or monotonic() > end:
                    raise ScannerTrouble(self.trouble(feeder=True) or Trouble.STOPPED) from error
                sleep(_BETWEEN)
        return None

    def _host(self) -> str:
        parts = urlsplit(self._base)
        return f"{parts.scheme}://{parts.netloc}"

    def _xml(self, name: str) -> Element:
        with self._asked("GET", f"{self._base}/{name}") as answer:
            text = answer.read(_LONGEST)
        try:
            found: Element = fromstring(text, forbid_dtd=True)
        except (ParseError, DefusedXmlException, ValueError) as error:
            raise ScannerTrouble(Trouble.NONSENSE) from error
        return found

    @contextmanager
    def _asked(self, method: str, address: str, body: bytes | None = None) -> Iterator[Any]:
        request = Request(address, data=body, method=method, headers={"Content-Type": "text/xml"})  # noqa: S310
        try:
            answer = self._open(request, _QUICK)
        except HTTPError as error:
            error.close()
            busy = error.code in {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.LOCKED}
            refused = Trouble.NOT_TAKEN if method == "POST" else Trouble.NONSENSE
            raise ScannerTrouble(Trouble.BUSY if busy else refused) from error
        with answer:
            yield answer

    def _open(self, request: Request, seconds: float) -> Any:
        try:
            return self._opener.open(request, timeout=seconds)
        except HTTPError:
            raise
        except (OSError, http.client.HTTPException) as error:
            raise ScannerTrouble(Trouble.UNREACHABLE) from error


class _Whole:
    """A page that is read to its end; one that was cut off on the way is none."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def read(self, size: int, /) -> bytes:
        try:
            chunk: bytes = self._answer.read(size)
        except (OSError, http.client.HTTPException) as error:
            raise ScannerTrouble(Trouble.UNREACHABLE) from error
        if not chunk and self._answer.length:
            raise ScannerTrouble(Trouble.UNREACHABLE)
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
