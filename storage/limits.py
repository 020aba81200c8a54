"""What reading one foreign file may cost, and how a file that costs more, or cannot be read, is refused."""

from dataclasses import dataclass
from enum import StrEnum

MIB = 1 << 20


def N_(message: str) -> str:  # noqa: N802 - the name by which Babel finds a sentence that is translated later
    return message


@dataclass(frozen=True, slots=True)
class Limits:
    """限额. A step is what happens between two reports of the child: a page, or opening the file."""

    # Address space, beyond what the interpreter and its libraries take. An A3 page scanned in colour at 600 dpi needs
    # up to 840 MB in pdfium, an A0 plan at 300 dpi 560 MB in Pillow.
    memory_bytes: int = 1024 * MIB
    cpu_seconds: int = 60  # a step
    wall_seconds: int = 240  # a step, on a machine that is busy with other things
    total_seconds: int = 3600
    file_bytes: int = 64 * MIB  # one file that is written
    output_bytes: int = 8192 * MIB  # all of them
    message_bytes: int = 16 * MIB  # one report: the text of a page
    pages: int = 5000
    pixels: int = 200_000_000  # one picture, before anything of it is decoded


class Reason(StrEnum):
    """拒收原因: why a file was refused; the value goes into logs and the API."""

    EMPTY = "empty"
    NOT_A_KNOWN_FORMAT = "not-a-known-format"
    ENCRYPTED = "encrypted"
    BROKEN = "broken"
    TOO_LARGE_PICTURE = "too-large-picture"
    TOO_MANY_PAGES = "too-many-pages"
    TOO_MUCH_MEMORY = "too-much-memory"
    TOO_LONG = "too-long"
    TOO_MUCH_OUTPUT = "too-much-output"
    NOT_APART = "not-apart"
    TOO_LARGE_APART = "too-large-apart"


SENTENCES = {
    Reason.EMPTY: N_("The file is empty. Scan or export it again."),
    Reason.NOT_A_KNOWN_FORMAT: N_(
        "This is neither a PDF nor a picture. Save it as PDF, TIFF, JPEG or PNG and try again."
    ),
    Reason.ENCRYPTED: N_("The file is locked with a password. Remove the password and try again."),
    Reason.BROKEN: N_("The file is damaged or incomplete. Scan or export it again."),
    Reason.TOO_LARGE_PICTURE: N_("A picture has too many pixels. Scan it at a lower resolution."),
    Reason.TOO_MANY_PAGES: N_("The file has too many pages. Divide it into smaller files."),
    Reason.TOO_MUCH_MEMORY: N_("The file needs too much memory. Print it and scan the paper."),
    Reason.TOO_LONG: N_("The file takes too long to read. Print it and scan the paper."),
    Reason.NOT_APART: N_(
        "This page cannot be taken out of its file without changing how it looks. Scan it by itself."
    ),
    Reason.TOO_LARGE_APART: N_(
        "There is not enough memory to take these pages out of their file. Divide the file into smaller files."
    ),
    Reason.TOO_MUCH_OUTPUT: N_("The pages would take too much room. Divide the file into smaller files."),
}


class Refused(Exception):
    """拒收: a foreign file that is not taken in. ``detail`` is for the log, never for the page."""

    def __init__(self, reason: Reason, *, page: int | None = None, detail: str = "") -> None:
        super().__init__(SENTENCES[reason])
        self.reason = reason
        self.page = page
        self.detail = detail

    @property
    def sentence(self) -> str:
        """What to do next, in English: a gettext message id."""
        return SENTENCES[self.reason]
