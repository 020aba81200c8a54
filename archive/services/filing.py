"""扫描件归位: files that lie in a folder go to the records that their names say; none is taken that could go to two."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from archive import filed_names
from archive.actor import Actor
from archive.errors import ArchiveError, Conflict, Full, NotFound, Unavailable
from archive.i18n import _
from archive.journal import Origin
from archive.models import Node, ScanBatch
from archive.policy.permissions import P
from archive.services import intake, pinpoint
from archive.services.scanning import batches, files
from archive.sight import NodeView
from archive.site import Site
from archive.uow import UnitOfWork

LITTER = frozenset({"thumbs.db", "desktop.ini"})
"""What file managers leave in folders of pictures; so they do what begins with a dot."""


class State(StrEnum):
    """归位结果: taken in, here already, or refused."""

    TAKEN = "taken"
    HERE = "here"
    REFUSED = "refused"


@dataclass(frozen=True)
class Filed:
    """What became of one file: the number of its record; or, of one that was refused, the sentence why."""

    path: Path
    state: State
    number: str = ""
    reason: str = ""


def found(places: Iterable[Path]) -> list[Path]:
    """All files in some folders, at any depth, and files named themselves, in the order of their pages; no litter, no links."""
    each: list[Path] = []
    for place in places:
        each += (
            [path for path in place.rglob("*") if path.is_file() and not path.is_symlink()]
            if place.is_dir()
            else [place]
        )
    return filed_names.in_order(path for path in each if not _is_litter(path))


def _is_litter(path: Path) -> bool:
    return path.name.startswith(".") or path.name.casefold() in LITTER


def file_each(
    site: Site,
    actor: Actor,
    paths: Iterable[Path],
    origin: Origin,
    into: str | None = None,
    *,
    dry: bool = False,
) -> Iterator[Filed]:
    """Takes each file into its record or batch, or into the one whose number is ``into``; goes on after one that is refused. With
    ``dry`` it takes none, and tells where each would go.

    Raises Full, Unavailable and OSError: nothing is wrong with the file then, and it may be offered again.
    """
    for path in paths:
        try:
            number = _judge(site, actor, path, into)
            yield Filed(path, State.TAKEN, number if dry else _take(site, actor, path, origin, into))
        except (Full, Unavailable):
            raise
        except intake.AlreadyHere as here:
            yield Filed(path, State.HERE, reason=str(here))
        except ArchiveError as refused:
            yield Filed(path, State.REFUSED, reason=str(refused))


def _judge(site: Site, actor: Actor, path: Path, into: str | None) -> str:
    """The number of its record or batch. Before it is taken too: a large file that has no place need not be copied."""
    with site.uow(actor, readonly=True) as uow:
        return _number(uow, place_of(uow, path, into))


def _number(uow: UnitOfWork, place: Node | ScanBatch) -> str:
    return place.number if isinstance(place, ScanBatch) else NodeView(uow, place).code


def _take(site: Site, actor: Actor, path: Path, origin: Origin, into: str | None) -> str:
    try:
        stream = path.open("rb")
    except OSError as error:
        raise Conflict(_("The file cannot be read. Look whether it may be opened.")) from error
    with stream:
        staged = intake.stage(site, stream)

    def take(uow: UnitOfWork) -> str:
        place = place_of(uow, path, into)
        if isinstance(place, ScanBatch):
            files.take(uow, place, staged, filename=path.name)
        else:
            intake.upload(uow, place, staged, filename=path.name)
        return _number(uow, place)

    try:
        return site.run(actor, take, origin)
    finally:
        intake.discard(site, staged)


def place_of(uow: UnitOfWork, path: Path, into: str | None = None) -> Node | ScanBatch:
    """The batch that the name says, whose pile it then is; else the one record. Raises as `record_of` does."""
    number = filed_names.batch(Path(into) if into else path)
    if number is None:
        return record_of(uow, path, into)
    _check_kind(path)
    try:
        batch = batches.find(uow, number, pages=True)
    except NotFound as error:
        raise NotFound(_("No batch that you may see has the number %(number)s.", number=number)) from error
    batches.require(uow, batch, P.SCAN_UPLOAD)
    batches.require_state(batch, "scanning")
    return batch


def _check_kind(path: Path) -> None:
    if path.suffix.casefold() not in filed_names.ENDINGS:
        raise Conflict(_("This is no PDF and no picture. Scan it, or export it as a PDF."))


def record_of(uow: UnitOfWork, path: Path, into: str | None = None) -> Node:
    """The one node whose number the name says, if the actor may upload there. Raises Conflict with what to do, NotFound,
    Forbidden."""
    _check_kind(path)
    numbers = (into,) if into else filed_names.numbers(path)
    if not numbers:
        raise Conflict(_("Neither its name nor its folder’s says a number of a record. Rename one of them."))
    nodes = {node.id: node for number in numbers for node in pinpoint.by_number(uow, number)}
    if not nodes:
        raise NotFound(_("No record that you may see has the number %(number)s.", number=numbers[0]))
    if len(nodes) > 1:
        codes = _(", ").join(sorted(NodeView(uow, node).code for node in nodes.values())[:3])
        raise Conflict(
            _(
                "%(number)s may mean several: %(codes)s. Write more of the number.",
                number=numbers[0],
                codes=codes,
            )
        )
    node = next(iter(nodes.values()))
    uow.require(P.SCAN_UPLOAD, node)
    return node
