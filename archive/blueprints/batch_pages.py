"""自检与质检: the pages of a batch: where each belongs, by looking; and the sample that somebody else looks at."""

from collections.abc import Callable
from itertools import groupby
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from flask import Response, make_response, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from archive.blueprints import refused
from archive.blueprints.leaf import FIRST_WIDTH
from archive.blueprints.pages import as_shown
from archive.errors import ArchiveError, Conflict, Invalid
from archive.gate import P, Section
from archive.given import whole
from archive.i18n import _
from archive.piles import Aside
from archive.services import policies
from archive.services.scanning import batches, leaves, pages, quality, steps, volumes
from archive.services.scanning.batches import LOOKING
from archive.services.scanning.leaves import LeafView
from archive.uow import UnitOfWork

if TYPE_CHECKING:
    from archive.models import ScanBatch

section = Section("batch_pages", __name__)
Answer = Response | tuple[str, int]


@section.page("/batches/<number>/pages", needs=LOOKING, event="batch.pages_viewed")
def grid(uow: UnitOfWork, number: str) -> str:
    """The pages of a batch as thumbnails: those of one volume, or those that somebody must look at."""
    return _grid(uow, number, request.args, request.full_path.rstrip("?"))


def _grid(
    uow: UnitOfWork, number: str, asked: MultiDict[str, str], here: str, error: ArchiveError | None = None
) -> str:
    """The grid at the address `here`, which says what is `asked`; where something was refused, with what was sent."""
    batch = batches.find(uow, number, pages=True)
    found = volumes.listed(uow, batch)
    chosen = next((one for one in found if one.id == asked.get("volume", type=whole)), None)
    show = "" if chosen else asked.get("show") or "doubts"
    listing = leaves.listed(uow, batch, show=show, volume=chosen.id if chosen else None,
                            start=asked.get("from", 0, type=whole))  # fmt: skip
    return render_template(
        "batches/pages.html", batch=batch, state=steps.state_of(batch), volumes=found, chosen=chosen, show=show,
        listing=listing, tiles=_tiles(uow, batch, listing.leaves), components=policies.vocabulary(uow, "component"),
        doubts=batches.doubtful(uow, batch), may_say=_may_say(uow, batch), here=here, aside=_aside(),
        **_sent(error, volume=chosen.id if chosen else None),
    )  # fmt: skip


def _sent(error: ArchiveError | None, **shown: object) -> dict[str, Any]:
    """What stands in the fields: what is `shown`, or what was sent with an act that was refused, and why."""
    said = request.form.to_dict() if error else {name: str(value or "") for name, value in shown.items()}
    return {"refusal": refused.why(error) if error else "", "said": said}


def _may_say(uow: UnitOfWork, batch: "ScanBatch") -> bool:
    return batch.state in pages.BEFORE_LINKING and batches.may(uow, batch, P.SCAN_UPLOAD)


def _aside() -> dict[str, str]:
    """The reasons that a person gives; of a cover sheet the volume is said, too."""
    return {why: str(label) for why, label in leaves.ASIDE.items() if why != Aside.COVER}


def _tiles(uow: UnitOfWork, batch: "ScanBatch", found: list[LeafView]) -> list[dict[str, Any]]:
    """A component stands over the first of its pages that follow each other, with how many they are."""
    tiles: list[dict[str, Any]] = []
    sent = set(request.form.getlist("pages"))
    for (_volume, _component, aside), run in groupby(
        found, lambda leaf: (leaf.volume, leaf.component, bool(leaf.aside))
    ):
        part = list(run)
        heading = {
            "label": part[0].component_label or _("Pages of the record"),
            "note": "",
            "count": len(part),
            "href": "",
        }
        for place, leaf in enumerate(part):
            shows = place == 0 and not aside
            ticked = str(leaf.id) in sent
            tiles.append(_tile(uow, batch, leaf) | {"heading": heading if shows else None, "ticked": ticked})
    return tiles


def _tile(uow: UnitOfWork, batch: "ScanBatch", leaf: LeafView) -> dict[str, Any]:
    ticket = leaves.ticket(uow, batch, leaf.ordinal)
    chips = [*leaf.doubts, *((words, "wait") for words in leaf.findings)]
    chips += [(words, "idle") for words in leaf.marks]
    chips += [(leaf.aside, "gone")] if leaf.aside else []
    label = _(", ").join([_("Page %(number)s", number=leaf.ordinal), *(words for words, _kind in chips)])
    return {
        "key": leaf.id, "number": leaf.ordinal, "label": label, "chips": chips,
        "thumbnail": url_for(".thumbnail", number=batch.number, ordinal=leaf.ordinal, ticket=ticket, r=leaf.rotation),
        "href": url_for(".one", number=batch.number, ordinal=leaf.ordinal),
    }  # fmt: skip


@section.page("/batches/<number>/pages", needs=P.SCAN_UPLOAD, methods=("POST",))
def say(uow: UnitOfWork, number: str) -> Answer:
    """What somebody says of the ticked pages; the button tells what."""
    batch = batches.find(uow, number, pages=True)
    act = ACTS.get(request.form.get("act", ""), _nothing)
    chosen = [int(key) for key in request.form.getlist("pages") if key.isdecimal() and len(key) < 16]
    try:
        act(uow, batch, chosen)
    except (Invalid, Conflict) as error:
        return _refused(uow, number, error)
    return make_response(redirect(_came_from(number)))


def _came_from(number: str) -> str:
    """Where the form was: a page of this very batch, and nothing else."""
    given = request.form.get("back", "")
    lead = url_for(".grid", number=number)
    own = given == lead or given.startswith((f"{lead}?", f"{lead}/"))
    return given if own else lead


def _refused(uow: UnitOfWork, number: str, error: ArchiveError) -> Answer:
    """The page on which the form was, as it was sent."""
    here = _came_from(number)
    parts = urlsplit(here)
    ordinal = parts.path.rpartition("/")[2]

    def page(why: ArchiveError) -> str:
        if ordinal.isdecimal() and len(ordinal) < 7:
            return _one(uow, number, int(ordinal), why)
        return _grid(uow, number, MultiDict(parse_qsl(parts.query)), here, why)

    return refused.again(uow, error, page)


def _volume() -> int:
    """The volume that was chosen. Raises Invalid for none: nobody's page is anybody's by default."""
    if not (chosen := request.form.get("volume", 0, type=whole)):
        raise Invalid(_("Choose the volume."))
    return chosen


Act = Callable[[UnitOfWork, "ScanBatch", list[int]], None]


def _place(uow: UnitOfWork, batch: "ScanBatch", chosen: list[int]) -> None:
    component = request.form.get("component") or None
    pages.place(uow, batch, chosen, volume=_volume(), component=component)


def _cover(uow: UnitOfWork, batch: "ScanBatch", chosen: list[int]) -> None:
    pages.set_aside(uow, batch, chosen, why="cover", volume=_volume())


def _begin(uow: UnitOfWork, batch: "ScanBatch", chosen: list[int]) -> None:
    pages.begin(uow, batch, chosen, component=request.form.get("component", ""))


def _set_aside(uow: UnitOfWork, batch: "ScanBatch", chosen: list[int]) -> None:
    pages.set_aside(uow, batch, chosen, why=request.form.get("why", ""))


def _turn(uow: UnitOfWork, batch: "ScanBatch", chosen: list[int]) -> None:
    pages.turn(uow, batch, chosen, degrees=90)


def _nothing(_uow: UnitOfWork, _batch: "ScanBatch", _chosen: list[int]) -> None:
    raise Invalid(_("Choose what is to be done with the pages."))


ACTS: dict[str, Act] = {
    "place": _place, "cover": _cover, "begin": _begin, "aside": _set_aside, "turn": _turn, "fine": pages.keep,
    "sheet": pages.lift, "as_found": pages.take_back,
}  # fmt: skip
"""What a button can ask for."""


@section.page("/batches/<number>/confirm", needs=P.SCAN_UPLOAD, methods=("POST",))
def confirm(uow: UnitOfWork, number: str) -> Answer:
    """One key, and the next volume that is not confirmed."""
    batch = batches.find(uow, number, pages=True)
    try:
        pages.confirm(uow, batch, volume=_volume())
    except (Invalid, Conflict) as error:
        return _refused(uow, number, error)
    left = next((one for one in volumes.listed(uow, batch) if not one.confirmed), None)
    if left is None:
        return make_response(redirect(url_for("batches.one", number=number)))
    return make_response(redirect(url_for(".grid", number=number, volume=left.id)))


@section.page("/batches/<number>/difference", needs=P.SCAN_UPLOAD, methods=("POST",))
def explain(uow: UnitOfWork, number: str) -> Answer:
    """Why a volume has more or fewer pages than were counted."""
    batch = batches.find(uow, number, pages=True)
    try:
        pages.explain(uow, batch, volume=_volume(), because=request.form.get("because", ""))
    except (Invalid, Conflict) as error:
        return _refused(uow, number, error)
    return make_response(redirect(_came_from(number)))


@section.page("/batches/<number>/pages/<int:ordinal>", needs=LOOKING, event="batch.page_viewed")
def one(uow: UnitOfWork, number: str, ordinal: int) -> str:
    """One page, large, with its text; in the sample, what may be wrong with it."""
    return _one(uow, number, ordinal)


def _one(uow: UnitOfWork, number: str, ordinal: int, error: ArchiveError | None = None) -> str:
    batch = batches.find(uow, number, pages=True)
    leaf = leaves.one(uow, batch, ordinal)
    found = volumes.listed(uow, batch)
    judges = leaf.is_drawn and batch.state == "sampling" and batches.may(uow, batch, P.SCAN_QC)
    noted = quality.noted(uow, batch, leaf.id)
    return render_template(
        "batches/page.html", batch=batch, leaf=leaf, volumes=found, judges=judges,
        volume=next((one for one in found if one.id == leaf.volume), None), may_say=_may_say(uow, batch) and not leaf.is_linked,
        objection=quality.not_the_scanner(uow, batch) if judges else None, tally=quality.tally(uow, batch) if judges else None,
        kinds=quality.kinds(uow), noted=request.form.getlist("defects") if error else noted,
        components=policies.vocabulary(uow, "component"),
        picture=url_for(".picture", number=number, ordinal=ordinal, ticket=leaves.ticket(uow, batch, ordinal), width=FIRST_WIDTH,
                        r=leaf.rotation),
        beside=_beside(uow, batch, ordinal, in_sample=judges), here=url_for(".one", number=number, ordinal=ordinal),
        aside=_aside(), **_sent(error, volume=leaf.volume, component=leaf.component, note=next(iter(noted.values()), None)),
    )  # fmt: skip


def _beside(uow: UnitOfWork, batch: "ScanBatch", ordinal: int, *, in_sample: bool) -> dict[str, str]:
    """The addresses of the pages before and behind, in the sample those of the sample."""
    around = leaves.around(uow, batch, ordinal, in_sample=in_sample)
    return {name: url_for(".one", number=batch.number, ordinal=one) for name, one in around.items()}


@section.page("/batches/<number>/pages/<int:ordinal>/look", needs=P.SCAN_QC, methods=("POST",))
def look(uow: UnitOfWork, number: str, ordinal: int) -> Answer:
    """What is wrong with a page of the sample; then the next one that nobody has looked at."""
    batch, form = batches.find(uow, number, pages=True), request.form
    page = leaves.row(uow, batch, ordinal)
    try:
        quality.look(uow, batch, page=page.id, defects=form.getlist("defects"), note=form.get("note", ""))
    except (Invalid, Conflict) as error:
        return refused.again(uow, error, lambda why: _one(uow, number, ordinal, why))
    left = quality.next_one(uow, batch)
    if left is None:
        return make_response(redirect(url_for("batches.one", number=number)))
    return make_response(redirect(url_for(".one", number=number, ordinal=left)))


@section.page("/batches/<number>/pages/<int:ordinal>/image", needs=LOOKING)
def picture(uow: UnitOfWork, number: str, ordinal: int) -> Response:
    batch, asked = batches.find(uow, number, pages=True), request.args
    width = min(asked.get("width", FIRST_WIDTH, type=whole), 2 * FIRST_WIDTH)
    return as_shown(
        leaves.picture(uow, batch, ordinal, width=width or FIRST_WIDTH, ticket=asked.get("ticket"))
    )


@section.page("/batches/<number>/pages/<int:ordinal>/thumb", needs=LOOKING)
def thumbnail(uow: UnitOfWork, number: str, ordinal: int) -> Response:
    batch = batches.find(uow, number, pages=True)
    return as_shown(leaves.picture(uow, batch, ordinal, small=True, ticket=request.args.get("ticket")))
