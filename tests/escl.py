"""A scanner that speaks eSCL: what lies in its feeder it gives page by page, and it can jam, be open, busy or slow."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Event, Thread

NAMES = 'xmlns:scan="http://schemas.hp.com/imaging/escl/2011/05/03" xmlns:pwg="http://www.pwg.org/schemas/2010/12/sm"'
PROFILE = """<scan:SettingProfiles><scan:SettingProfile><scan:ColorModes><scan:ColorMode>BlackAndWhite1</scan:ColorMode>\
<scan:ColorMode>Grayscale8</scan:ColorMode><scan:ColorMode>RGB24</scan:ColorMode></scan:ColorModes><scan:DocumentFormats>\
<pwg:DocumentFormat>application/pdf</pwg:DocumentFormat><pwg:DocumentFormat>image/jpeg</pwg:DocumentFormat>\
</scan:DocumentFormats><scan:SupportedResolutions><scan:DiscreteResolutions>{resolutions}</scan:DiscreteResolutions>\
</scan:SupportedResolutions></scan:SettingProfile></scan:SettingProfiles>"""
CAPS = "<scan:MaxWidth>2550</scan:MaxWidth><scan:MaxHeight>3508</scan:MaxHeight>" + PROFILE.format(
    resolutions="".join(
        f"<scan:DiscreteResolution><scan:XResolution>{dpi}</scan:XResolution>"
        f"<scan:YResolution>{dpi}</scan:YResolution></scan:DiscreteResolution>"
        for dpi in (200, 300, 600)
    )
)


@dataclass
class Machine:
    """What the scanner is like at the moment, and what it was asked."""

    feeder: list[bytes] = field(default_factory=list)
    kind: str = "image/jpeg"
    state: str = "Idle"
    adf: str = "ScannerAdfLoaded"
    jams_after: int | None = None
    not_yet: int = 0
    """So many times it answers that a page is not ready."""
    elsewhere: str = ""
    """Where it says that its jobs lie, or leads whoever asks for its status."""
    cut: bool = False
    """It breaks off in the middle of a page."""
    takes: bool = True
    """The settings that it is given."""
    offers: str = CAPS
    settings: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    given: int = 0
    address: str = ""

    def answer(self, request: "_Answering") -> None:
        path = request.path
        if path == "/eSCL/ScannerCapabilities":
            platen = f"<scan:Platen><scan:PlatenInputCaps>{self.offers}</scan:PlatenInputCaps></scan:Platen>"
            adf = (
                f"<scan:Adf><scan:AdfSimplexInputCaps>{self.offers}</scan:AdfSimplexInputCaps>"
                f"<scan:AdfDuplexInputCaps>{self.offers}</scan:AdfDuplexInputCaps></scan:Adf>"
            )
            name = "<pwg:MakeAndModel>Yunchuan 扫描仪 7</pwg:MakeAndModel>"
            request.send(
                200,
                f"<scan:ScannerCapabilities {NAMES}>{name}{platen}{adf}</scan:ScannerCapabilities>".encode(),
            )
        elif path == "/eSCL/ScannerStatus":
            if self.elsewhere:
                request.send(302, b"", Location=self.elsewhere)
                return
            said = f"<pwg:State>{self.state}</pwg:State><scan:AdfState>{self.adf}</scan:AdfState>"
            request.send(200, f"<scan:ScannerStatus {NAMES}>{said}</scan:ScannerStatus>".encode())
        elif path.startswith("/eSCL/ScanJobs/") and path.endswith("/NextDocument"):
            self._next(request)
        else:
            request.send(404, b"")

    def _next(self, request: "_Answering") -> None:
        if self.not_yet:
            self.not_yet -= 1
            request.send(503, b"")
        elif self.jams_after is not None and self.given >= self.jams_after:
            self.adf = "ScannerAdfJam"
            request.send(410, b"")
        elif not self.feeder:
            self.adf = "ScannerAdfEmpty"
            request.send(404, b"")
        else:
            self.given += 1
            page = self.feeder.pop(0)
            request.send(200, page, kind=self.kind, length=len(page) * 2 if self.cut else None)

    def begin(self, request: "_Answering") -> None:
        self.settings.append(request.rfile.read(int(request.headers["Content-Length"])).decode())
        if self.state == "Processing":
            request.send(503, b"")
            return
        if not self.takes:
            request.send(409, b"")
            return
        host = self.elsewhere or self.address.removesuffix("/eSCL")
        request.send(201, b"", Location=f"{host}/eSCL/ScanJobs/{len(self.settings)}")


class _Answering(BaseHTTPRequestHandler):
    machine: Machine

    def do_GET(self) -> None:
        self.machine.answer(self)

    def do_POST(self) -> None:
        self.machine.begin(self)

    def do_DELETE(self) -> None:
        self.machine.deleted.append(self.path)
        self.send(200, b"")

    def send(
        self, status: int, body: bytes, *, kind: str = "text/xml", length: int | None = None, **headers: str
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Silence: the tests say what they asked."""


@contextmanager
def scanner(*pages: bytes) -> Iterator[Machine]:
    """One that runs while the block lasts, with these pages in its feeder."""
    machine = Machine(feeder=list(pages))
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Answering", (_Answering,), {"machine": machine}))
    server.daemon_threads = True
    machine.address = f"http://127.0.0.1:{server.server_address[1]}/eSCL"
    with server:
        Thread(target=server.serve_forever, daemon=True, kwargs={"poll_interval": 0.01}).start()
        yield machine
        server.shutdown()


@contextmanager
def saying(answer: bytes, pause: float = 0.0, *, stays: bool = False) -> Iterator[str]:
    """The address of a machine that gives these bytes to whoever asks: one by one with a pause between, or all at once.

    Then it ends the connection, or stays and says no more.
    """
    over = Event()

    class Saying(BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(1 << 16)
            for piece in (bytes([one]) for one in answer) if pause else (answer,):
                if over.wait(pause):
                    return
                self.request.sendall(piece)
            if stays:
                over.wait()

    with ThreadingTCPServer(("127.0.0.1", 0), Saying) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True, kwargs={"poll_interval": 0.01}).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/eSCL"
        over.set()
        server.shutdown()
