"""监视文件夹: what a scanner saves into a folder goes to its record by itself, once it is whole; what cannot stays, and beside
it lies the reason.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from archive import filed_names
from archive.i18n import _
from archive.journal import Origin
from archive.services import actors, filing
from archive.services.filing import Filed, State
from archive.site import Site
from archive.uow import UnitOfWork


@dataclass(frozen=True)
class Lying:
    """What lies in the watched folder: the name of a file, and why it could not be taken in; nothing where it still waits."""

    name: str
    reason: str


QUIET = 10.0
"""Seconds in which nothing was written: a scanner, or a copy over the network, pauses for less."""
REASON = ".未收入.txt"
"""What the name of a reason ends in, after the whole name of its file."""
Stamp = tuple[int, int]


class Watch:
    """How the files of the watched folder stood at the last looks. Lost with the process: it then waits once more."""

    def __init__(self) -> None:
        self._stood: dict[Path, tuple[Stamp, float]] = {}

    def look(self, site: Site, _me: str = "") -> None:
        """Takes in what is whole and removes it from the folder: its bytes lie in the store then, read to the end and checked.

        Raises NotFound where the account of the settings is not there, Full and Unavailable as taking in a file does.
        """
        folder = site.settings.watch
        if folder is None:
            return
        files = set(filing.found([folder]))
        reasons = {path for path in files if path.name.endswith(REASON)}
        for reason in reasons - set(map(_beside, files)):
            reason.unlink(missing_ok=True)  # its file was renamed, or taken away
        whole = list(self._whole(filed_names.in_order(files - reasons)))
        if waiting := [path for path in whole if not _is_refused(path)]:
            actor = actors.acting(site, site.settings.watch_as)
            for filed in filing.file_each(site, actor, waiting, Origin(channel="watch")):
                self._settle(filed, folder)

    def _whole(self, paths: Iterable[Path]) -> Iterator[Path]:
        """Those in which nothing was written for a while, in their order: of each record or batch all, or none yet."""
        now, stood = monotonic(), dict[Path, tuple[Stamp, float]]()
        for path in paths:
            with suppress(FileNotFoundError):
                stamp = _stamp(path)
                before = self._stood.get(path)
                stood[path] = before if before and before[0] == stamp else (stamp, now)
        self._stood = stood
        together = dict[object, list[Path]]()
        for path in stood:
            together.setdefault(_place_of(path), []).append(path)
        for each in together.values():
            if all(now - stood[path][1] >= QUIET for path in each):
                yield from each

    def _settle(self, filed: Filed, folder: Path) -> None:
        path, reason = filed.path, _beside(filed.path)
        with suppress(FileNotFoundError):  # somebody has taken it away
            if _stamp(path) != self._stood[path][0]:
                return  # it was written again meanwhile: another file, which the next look finds
            if filed.state is State.REFUSED:
                reason.write_text(f"{filed.reason}\n", encoding="utf-8")
                return
            path.unlink()
        reason.unlink(missing_ok=True)
        if path.parent != folder:
            with suppress(OSError):  # other files lie in it
                path.parent.rmdir()


def lying(site: Site) -> list[Lying]:
    """What lies in the watched folder at this moment. The names say whose records these are: show them to whoever may know.

    Raises OSError where the folder cannot be read.
    """
    folder = site.settings.watch
    if folder is None:
        return []
    if not folder.is_dir():
        raise NotADirectoryError(folder)
    files = [path for path in filing.found([folder]) if not path.name.endswith(REASON)]
    return [Lying(str(path.relative_to(folder)), _reason(path)) for path in files]


def _reason(path: Path) -> str:
    if not _is_refused(path):
        return ""
    with suppress(OSError):
        return _beside(path).read_text(encoding="utf-8").strip()[:300]
    return ""


def counted(site: Site) -> str:
    """How many files wait in the watched folder and how many could not be taken in, for whoever may know of no record."""
    if site.settings.watch is None:
        return _("none is watched")
    try:
        found = lying(site)
    except OSError:
        return _("cannot be read")
    refused = sum(bool(one.reason) for one in found)
    return _("%(waiting)s waiting, %(refused)s not taken in", waiting=len(found) - refused, refused=refused)


def mine(uow: UnitOfWork) -> list[Lying]:
    """What lies in the watched folder, for the account that takes it in: by its rights it is decided whose records these are."""
    if uow.actor.account != uow.site.settings.watch_as:
        return []
    with suppress(OSError):
        return lying(uow.site)
    return []


def _stamp(path: Path) -> Stamp:
    said = path.stat()
    return said.st_size, said.st_mtime_ns


def _place_of(path: Path) -> object:
    """Alike for files that wait for each other: those of a record in one folder, and all piles of a batch."""
    return filed_names.batch(path) or (path.parent, next(reversed(filed_names.numbers(path)), path.name))


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}{REASON}")


def _is_refused(path: Path) -> bool:
    """Whether it has been tried as it is; tried again when it comes anew, or when somebody deletes the reason."""
    try:
        return path.stat().st_ctime_ns <= _beside(path).stat().st_mtime_ns
    except FileNotFoundError:
        return False
