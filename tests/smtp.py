"""A mail server that speaks SMTP: it keeps what it takes, and can want TLS and a password, put off, refuse or be mute."""

import base64
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Office:
    """What the server is like at the moment, and what it took."""

    port: int = 0
    letters: list[EmailMessage] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    """What it says to the next recipients instead of taking them; then it takes all."""
    hangs_up: bool = False
    """It ends the session in the middle of the next letter."""
    login: tuple[str, str] | None = None
    tls: ssl.SSLContext | None = None
    heard: list[str] = field(default_factory=list)
    """The verbs, those after STARTTLS with an asterisk."""

    def takes(self, data: bytes) -> None:
        self.letters.append(cast(EmailMessage, message_from_bytes(data, policy=policy.default)))


class _Session(StreamRequestHandler):
    office: Office
    is_safe = False
    is_known = False

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")
        self.wfile.flush()

    def handle(self) -> None:
        self.say("220 post.example ESMTP")
        while line := self.rfile.readline().decode().strip():
            verb, _space, rest = line.partition(" ")
            self.office.heard.append(verb.upper() + ("*" if self.is_safe else ""))
            act = getattr(self, f"on_{verb.lower()}", None)
            if act is None:
                self.say("502 what?")
            elif act(rest) is False:
                return

    def on_ehlo(self, _rest: str) -> None:
        offers = ["post.example"]
        offers += ["STARTTLS"] if self.office.tls and not self.is_safe else []
        offers += ["AUTH PLAIN"] if self.office.login else []
        for offer in offers[:-1]:
            self.say(f"250-{offer}")
        self.say(f"250 {offers[-1]}")

    def on_starttls(self, _rest: str) -> bool | None:
        assert self.office.tls
        self.say("220 go ahead")
        try:
            self.connection = self.office.tls.wrap_socket(self.connection, server_side=True)
        except ssl.SSLError:  # whoever calls does not trust it
            return False
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb")
        self.is_safe = True
        return None

    def finish(self) -> None:
        super().finish()
        self.connection.close()

    def on_auth(self, rest: str) -> None:
        _none, user, password = base64.b64decode(rest.split()[1]).decode().split("\0")
        self.is_known = (user, password) == self.office.login
        self.say("235 welcome" if self.is_known else "535 wrong password")

    def on_mail(self, _rest: str) -> None:
        self.say("530 who are you?" if self.office.login and not self.is_known else "250 ok")

    def on_rcpt(self, _rest: str) -> None:
        self.say(self.office.answers.pop(0) if self.office.answers else "250 ok")

    def on_rset(self, _rest: str) -> None:
        self.say("250 ok")

    def on_data(self, _rest: str) -> bool | None:
        if self.office.hangs_up:
            self.office.hangs_up = False
            return False
        self.say("354 go on")
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b"."))
        self.office.takes(b"".join(lines))
        self.say("250 taken")
        return None

    def on_quit(self, _rest: str) -> bool:
        self.say("221 bye")
        return False


@contextmanager
def office() -> Iterator[Office]:
    """One that runs while the block lasts."""
    opened = Office()
    server = ThreadingTCPServer(("127.0.0.1", 0), type("Session", (_Session,), {"office": opened}))
    server.daemon_threads = True
    opened.port = server.server_address[1]
    with server:
        Thread(target=server.serve_forever, daemon=True, kwargs={"poll_interval": 0.01}).start()
        yield opened
        server.shutdown()


def certified(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """What a server on this machine shows, signed by itself; and the file by which it is known."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "post.example")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    known, private = folder / "post.crt", folder / "post.key"
    known.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(known, private)
    return context, known
