"""投递: how a letter reaches the hospital's mail server. Nothing of the archive is known here."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from uuid import UUID

from archive.settings import Settings

PATIENCE = 20
"""Seconds that a server may keep silent: greylisting ones take a while, and whoever stops the worker waits for them."""
LONGEST = 200
FOR_GOOD = 500


class Unreachable(Exception):
    """There is no session with the server, or it has ended: no letter can be given to it now."""


class NotTaken(Exception):
    """The server does not take this letter now."""


class Refused(NotTaken):
    """The server will never take this letter."""


@dataclass(frozen=True)
class Letter:
    """信: to whom, and what. `uuid` is the same each time the same letter is sent."""

    uuid: UUID
    to: str
    subject: str
    body: str
    at: datetime


@contextmanager
def connected(settings: Settings) -> Iterator[smtplib.SMTP]:
    """A session with the server, encrypted and signed in as the settings say. Raises Unreachable."""
    try:
        with _session(settings) as server:
            yield server
    except (OSError, smtplib.SMTPException) as error:
        raise Unreachable(said(error)) from error


def _session(settings: Settings) -> smtplib.SMTP:
    host, port = settings.smtp_host, settings.mail_port
    tls = ssl.create_default_context(cafile=settings.smtp_ca_file)
    if settings.smtp_security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=PATIENCE, context=tls)
    else:
        server = smtplib.SMTP(host, port, timeout=PATIENCE)
    try:
        if settings.smtp_security == "starttls":
            server.starttls(
                context=tls
            )  # raises where it is not offered: nothing goes in the clear by itself
        if settings.smtp_user and settings.smtp_password_file:
            server.login(settings.smtp_user, settings.smtp_password_file.read_text(encoding="utf-8").strip())
    except BaseException:
        server.close()
        raise
    return server


def give(server: smtplib.SMTP, letter: Letter, *, sender: str, name: str) -> None:
    """Gives the server a letter. Raises Refused, NotTaken, or Unreachable where the session broke."""
    try:
        server.send_message(written(letter, sender=sender, name=name))
    except smtplib.SMTPServerDisconnected as error:
        raise Unreachable(said(error)) from error
    except smtplib.SMTPException as error:
        raise (Refused if _code(error) >= FOR_GOOD else NotTaken)(said(error)) from error
    except OSError as error:
        raise Unreachable(said(error)) from error


def written(letter: Letter, *, sender: str, name: str) -> EmailMessage:
    """The letter with its headers; EmailMessage refuses whatever would begin a further one."""
    message = EmailMessage()
    message["From"] = Address(name, addr_spec=sender)
    message["To"] = Address(addr_spec=letter.to)
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(letter.at)
    message["Message-ID"] = f"<{letter.uuid}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.body, cte="base64")
    return message


def _code(error: smtplib.SMTPException) -> int:
    return _answer(error)[0]


def _answer(error: BaseException) -> tuple[int, bytes | str]:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, words = next(iter(error.recipients.values()))
        return int(code), words
    if isinstance(error, smtplib.SMTPResponseException):
        return int(error.smtp_code), error.smtp_error
    return 0, ""


def said(error: BaseException) -> str:
    """What the server said, or what the way to it said, in one short line."""
    code, words = _answer(error)
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return " ".join((f"{code} {text}" if code else f"{type(error).__name__}: {error}").split())[:LONGEST]
