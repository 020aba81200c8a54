"""封存: sealing a record, the list of what is sealed, its papers, its review, and taking the seal off; and 冻结 beside it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from archive.blueprints import documents, shown
from archive.errors import Conflict, Invalid, NotFound
from archive.forms import field, with_errors
from archive.gate import Section
from archive.i18n import _
from archive.policy.permissions import P
from archive.services import (
    found_pages,
    holds,
    legal_holds,
    parties,
    pictures,
    policies,
    seal_papers,
    sealed,
    sealed_objects,
    unsealing,
)
from archive.services.unsealing import UNREAD, File
from archive.sight import NodeView
from archive.uow import UnitOfWork

if TYPE_CHECKING:
    from archive.models import Node

section = Section("holds", __name__)
SEALING = ("kind", "asked_by", "kept_at", "key_no", "review_due", "reason")
FREEZING = ("asked_by", "paper", "review_due", "reason")
RELEASING = ("ground", "paper", "reason")
FIRST = (parties.HOSPITAL, parties.HOSPITAL, parties.PATIENT, parties.PATIENT, parties.NOTARY, "")
"""The sides that an empty form begins with, row by row."""


@section.page("/a/<slugs:path>/@@seal", needs=P.HOLD_APPLY, node="path")
def seal_form(uow: UnitOfWork, node: "Node") -> str:
    return _seal_page(uow, node, {}, None)


@section.page("/a/<slugs:path>/@@seal", needs=P.HOLD_APPLY, node="path", methods=("POST",))
def seal(uow: UnitOfWork, node: "Node") -> Response | tuple[str, int]:
    try:
        made = holds.apply(uow, node, **_typed(SEALING), people=people_typed())
    except (Invalid, Conflict) as error:
        uow.undo()
        return _seal_page(uow, node, request.form, error), error.status
    flash(_("Sealed as %(number)s. Print the list; both sides sign it.", number=made.number), "ok")
    return make_response(redirect(url_for(".slip", uuid=made.uuid)))


def _typed(names: tuple[str, ...]) -> dict[str, Any]:
    return {name: request.form.get(name, "") for name in names}


def people_typed() -> list[dict[str, str]]:
    """The people of a form, row by row as they were typed."""
    columns = [request.form.getlist(f"people_{name}")[: parties.MOST] for name in parties.NAMES]
    return [dict(zip(parties.NAMES, row, strict=True)) for row in zip(*columns, strict=False)]


def people_field(label: str, hint: str = "", rows: int = parties.MOST) -> dict[str, Any]:
    """The table in which everybody is written who is there."""
    empty = [{"side": side} for side in FIRST[:rows]]
    return field("people", label, "people", rows=people_typed() or empty, sides=parties.words(), longest=parties.LONGEST,
                 hint=hint)  # fmt: skip


def _seal_page(uow: UnitOfWork, node: "Node", typed: Any, error: Invalid | Conflict | None) -> str:
    wrong = error if isinstance(error, Invalid) else None
    return render_template(
        "holds/seal.html", view=NodeView(uow, node), fields=with_errors(_sealing(uow), typed, wrong),
        standing=sealed.over(uow, node), general=_general(error), **shown.place(uow, node),
    )  # fmt: skip


def _general(error: Invalid | Conflict | None) -> list[str]:
    return [str(error)] if isinstance(error, Conflict) else []


def kind_words() -> dict[str, str]:
    """What lies in the package."""
    return {"copy": _("A copy"), "original": _("The original"), "legal": _("Legal hold")}


def _sealing(uow: UnitOfWork) -> list[dict[str, Any]]:
    return [
        field("kind", _("What is sealed"), "radio", required=True, value="copy",
              choices=[("copy", _("A copy: the original goes on being written and used")),
                       ("original", _("The original: its volumes go out to nobody until the seal is off"))]),
        _asker(uow, _("Sealing asked for by")),
        people_field(_("Present"), _("Where the patient's side does not come, a notary seals with the hospital.")),
        field("kept_at", _("Where the package is kept"), required=True, maxlength=120),
        field("key_no", _("Number of the envelope or key"), maxlength=40),
        *_until_and_why(uow),
    ]  # fmt: skip


def _asker(uow: UnitOfWork, label: str) -> dict[str, Any]:
    askers = policies.vocabulary(uow, "hold_asker")
    return field("asked_by", label, "select", required=True, choices=[("", _("— choose —")), *askers.items()])


def _until_and_why(uow: UnitOfWork, rows: int = 3) -> list[dict[str, Any]]:
    day = holds.first_review(uow).isoformat()
    return [
        field("review_due", _("Look at it again on"), "date", required=True, value=day),
        field("reason", _("Reason"), "textarea", required=True, maxlength=500, rows=rows),
    ]


@section.page("/a/<slugs:path>/@@freeze", needs=P.HOLD_APPLY, node="path")
def freeze_form(uow: UnitOfWork, node: "Node") -> str:
    return _freeze_page(uow, node, None)


@section.page("/a/<slugs:path>/@@freeze", needs=P.HOLD_APPLY, node="path", methods=("POST",))
def freeze(uow: UnitOfWork, node: "Node") -> Response | tuple[str, int]:
    try:
        made = legal_holds.freeze(uow, node, **_typed(FREEZING))
    except (Invalid, Conflict) as error:
        uow.undo()
        return _freeze_page(uow, node, error), error.status
    flash(_("Held as %(number)s: it is neither trashed nor disposed of.", number=made.number), "ok")
    return make_response(redirect(url_for(".slip", uuid=made.uuid)))


def _freeze_page(uow: UnitOfWork, node: "Node", error: Invalid | Conflict | None) -> str:
    fields = [
        _asker(uow, _("Asked for by")),
        field("paper", _("Number of the document"), required=True, maxlength=120,
              hint=_("The order of the court or authority, or the number of the dispute.")),
        *_until_and_why(uow),
    ]  # fmt: skip
    wrong = error if isinstance(error, Invalid) else None
    return render_template(
        "holds/freeze.html", view=NodeView(uow, node), general=_general(error), **shown.place(uow, node),
        fields=with_errors(fields, request.form if error else {}, wrong),
    )  # fmt: skip


@section.page("/holds", needs=P.HOLD_APPLY)
def listing(uow: UnitOfWork) -> str:
    released = "released" in request.args
    return render_template(
        "holds/list.html", seals=sealed.listing(uow, released=released), released=released, kinds=kind_words()
    )


@section.page("/holds/<uuid:uuid>", needs=P.HOLD_APPLY)
def slip(uow: UnitOfWork, uuid: UUID) -> str:
    return _slip_page(uow, uuid, None)


def _slip_page(uow: UnitOfWork, uuid: UUID, error: Invalid | Conflict | None) -> str:
    found = sealed.one(uow, uuid)
    fields = _until_and_why(uow, rows=2)
    wrong = error if isinstance(error, Invalid) else None
    return render_template(
        "holds/slip.html", slip=found, seal=found.seal, kinds=kind_words(), sides=parties.words(),
        may_open=uow.can(P.HOLD_RELEASE), counted=found_pages.recorded(found.hold),
        things=sealed_objects.of_hold(uow, found.hold), photos=pictures.of_hold(uow, found.hold), general=_general(error),
        fields=with_errors(fields, request.form if error else {}, wrong),
    )  # fmt: skip


@section.page("/holds/<uuid:uuid>/review", needs=P.HOLD_APPLY, methods=("POST",))
def review(uow: UnitOfWork, uuid: UUID) -> Response | tuple[str, int]:
    try:
        holds.review(uow, sealed.one(uow, uuid).hold, **_typed(("review_due", "reason")))
    except (Invalid, Conflict) as error:
        uow.undo()
        return _slip_page(uow, uuid, error), error.status
    return make_response(redirect(url_for(".slip", uuid=uuid)))


@section.page("/holds/<uuid:uuid>/release", needs=P.HOLD_RELEASE)
def release_form(uow: UnitOfWork, uuid: UUID) -> str:
    return _release_page(uow, uuid, None)


@section.page("/holds/<uuid:uuid>/release", needs=P.HOLD_RELEASE, methods=("POST",), ahead=True)
def release(uow: UnitOfWork, uuid: UUID) -> Response | tuple[str, int]:
    """The files are read before the transaction: while gigabytes are, everybody else goes on working."""
    found = sealed.one(uow, uuid)
    known = unsealing.read_again(uow, found.hold)

    def act(own: UnitOfWork) -> list[dict[str, Any]]:
        hold = sealed.one(own, uuid).hold
        unsealing.release(
            own, hold, **_typed(RELEASING), people=people_typed(), found=request.form, known=known
        )
        return hold.found or []

    try:
        counted = uow.site.run(uow.actor, act, uow.origin)
    except (Invalid, Conflict) as error:
        uow.undo()
        return _release_page(uow, uuid, error, known), error.status
    flash(_("The seal %(number)s is off.", number=found.seal.number), "ok")
    if differ := found_pages.differing(counted):
        flash(
            _(
                "What was found is not what was listed. It is on record: %(lines)s.",
                lines=_(", ").join(differ),
            ),
            "wait",
        )
    return make_response(redirect(found.seal.node.href))


def _release_page(
    uow: UnitOfWork, uuid: UUID, error: Invalid | Conflict | None, known: Mapping[File, bool] = UNREAD
) -> str:
    found = sealed.one(uow, uuid)
    grounds = unsealing.grounds(uow, found.hold)
    lines = [
        field(
            line.key,
            line.label,
            inputmode="numeric",
            maxlength=5,
            listed=line.count,
            is_sheets=line.is_sheets,
        )
        for line in (found_pages.listed(found.hold) if found.seal.kind != holds.LEGAL else [])
    ]
    fields = [
        field("ground", _("Why it may be opened"), "radio", required=True, value=next(iter(grounds)),
              choices=list(grounds.items())),
        people_field(_("Who is present"), rows=4),
        field("paper", _("Number of the document"), maxlength=120,
              hint=_("The agreement, judgment or order that settled it; not where all open it together.")),
        field("reason", _("Reason"), "textarea", required=True, maxlength=500),
    ]  # fmt: skip
    wrong = error if isinstance(error, Invalid) else None
    return render_template(
        "holds/release.html", seal=found.seal, kinds=kind_words(), general=_general(error),
        counts=with_errors(lines, request.form if error else {}, wrong),
        alone_from=unsealing.alone_from(uow, found.hold), differ=unsealing.differences(uow, found.hold, known),
        fields=with_errors(fields, request.form if error else {}, wrong),
    )  # fmt: skip


def _package(uow: UnitOfWork, uuid: UUID) -> sealed.Slip:
    """A seal with its list. Raises NotFound for a legal hold, too: nothing lies in a package."""
    found = sealed.one(uow, uuid)
    if found.seal.kind == holds.LEGAL:
        raise NotFound
    return found


@section.page("/holds/<uuid:uuid>/list.pdf", needs=P.HOLD_APPLY)
def contents(uow: UnitOfWork, uuid: UUID) -> Response:
    """封存清单, to be signed."""
    found = _package(uow, uuid)
    return documents.pdf(seal_papers.contents(uow, found), f"{found.seal.number}.pdf")


@section.page("/holds/<uuid:uuid>/opening.pdf", needs=P.HOLD_RELEASE)
def opening(uow: UnitOfWork, uuid: UUID) -> Response:
    """启封记录, to be signed."""
    found = _package(uow, uuid)
    differ = unsealing.differences(uow, found.hold)
    return documents.pdf(seal_papers.opening(uow, found, differ), f"{found.seal.number}-open.pdf")
