"""著录台: what is to be keyed, and one record with the image of its front page beside its fields."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from archive import forms
from archive.blueprints import leaf
from archive.errors import Conflict, Invalid, NotFound, Stale
from archive.gate import P, Section
from archive.given import whole
from archive.i18n import Lazy, _, _l
from archive.names import name_key
from archive.policy.types import TYPES
from archive.schema import Kind
from archive.services import codes, drafts, keying, keying_desk, typed
from archive.services.drafts import OTHER
from archive.services.keying_desk import AGAIN, DECIDE, FIRST, OWN
from archive.sight import NodeView, href
from archive.uow import UnitOfWork

if TYPE_CHECKING:
    from archive.models import Node

section = Section("keying", __name__)
DIAGNOSIS = codes.SYSTEMS[codes.SYSTEM]
TASKS: dict[str, tuple[Lazy, str]] = {
    FIRST: (_l("To be keyed"), "idle"), AGAIN: (_l("To be keyed a second time"), "run"),
    DECIDE: (_l("The two differ"), "bad"), OWN: (_l("Waits for the second person"), "wait"),
}  # fmt: skip


@section.page("/keying", needs=P.EDIT)
def worklist(uow: UnitOfWork) -> str:
    """What the actor may key; of one batch, or of one kind of task."""
    batch, task = _narrowed()
    return render_template(
        "keying/list.html", rows=keying_desk.waiting(uow, batch=batch, task=task), tasks=TASKS, batch=batch, task=task,
        counts=keying_desk.counts(uow, batch=batch), most=keying_desk.LISTED,
    )  # fmt: skip


def _narrowed() -> tuple[str, str]:
    return request.values.get("batch", "")[:20].strip().upper(), request.args.get("show", "")


@section.page("/keying/<uuid:uuid>", needs=P.EDIT, node="uuid")
def one(uow: UnitOfWork, node: "Node") -> str:
    draft = drafts.offered(uow, node, drafts.KEYING)
    if draft and "draft" in request.args:
        return _desk(uow, node, Unsaved(draft.patch, draft.base_version or node.version))
    return _desk(uow, node, offer=draft)


@dataclass(frozen=True)
class Unsaved:
    """What was typed and is not in the record: it stays in its fields, what is wrong with it beside them."""

    said: Mapping[str, str]
    version: int
    """Of the record as it was shown to whoever typed this: what others have saved since is still to be met."""
    wrong: Mapping[str, str] = field(default_factory=dict)
    general: str = ""


def _desk(
    uow: UnitOfWork, node: "Node", unsaved: Unsaved | None = None, offer: drafts.Draft | None = None
) -> str:
    task, batch = keying_desk.task_of(uow, node), _narrowed()[0]
    sheets = [leaf.levels(one.href, one.page, one.ticket) for one in keying_desk.sheets(uow, node)]
    return render_template(
        "keying/desk.html", view=NodeView(uow, node), task=task, tasks=TASKS, batch=batch, sheets=sheets,
        unsaved=unsaved, version=unsaved.version if unsaved else node.version, **_drafting(uow, node, offer),
        fields=[] if task == DECIDE else _fields(uow, node, task, unsaved),
        choices=keying_desk.differences(uow, node) if task == DECIDE else [], whose=_whose(), other=OTHER,
    )  # fmt: skip


def _drafting(uow: UnitOfWork, node: "Node", offer: drafts.Draft | None) -> dict[str, Any]:
    """Where what is typed is kept meanwhile; while an older draft is offered, typing does not overwrite it."""
    path = href(uow, node).removeprefix("/a/")
    draft = url_for("tree.keep_draft", path=path, form=drafts.KEYING)
    discard = url_for("tree.discard_draft", path=path, form=drafts.KEYING)
    return {"offer": offer, "draft": None if offer else draft, "discard": discard}


def _fields(uow: UnitOfWork, node: "Node", task: str, unsaved: Unsaved | None) -> list[dict[str, Any]]:
    """The fields of this task in the order of the policy. Whoever keys a second time is shown nothing that is known."""
    kind, rule = TYPES[node.type], keying.rules(uow, node)
    known = {} if task == AGAIN else keying_desk.shown(uow, node)
    values, wrong = (known | dict(unsaved.said), unsaved.wrong) if unsaved else (known, {})
    drawn = {field["name"]: field for field in forms.fields_of(uow, kind, values, wrong)}
    marks = known if task == FIRST else {}
    return [
        _keyed(drawn[f.name], f.kind) | {"known": bool(marks.get(f.name)), "twice": f.name in rule.twice}
        for f in rule.fields if task != AGAIN or f.name in rule.twice
    ]  # fmt: skip


def _keyed(field: dict[str, Any], kind: Kind) -> dict[str, Any]:
    """A field as it is keyed without the mouse: dates as eight digits, choices by their code, departments by initials."""
    field = field | {"autocomplete": "off", "offers": _offers(field["name"])}
    if kind is Kind.DATE:
        return field | {"kind": "text", "inputmode": "numeric", "placeholder": "20261112"}
    if kind is Kind.NUMBER:
        return field | {"kind": "text", "inputmode": "numeric"}
    if kind in (Kind.CHOICE, Kind.DEPT):
        first, *others = field["choices"]
        return field | {
            "choices": [first, *((code, f"{_typed_as(kind, code, name)} {name}") for code, name in others)]
        }
    return field


def _offers(field: str) -> dict[str, str]:
    """Of the main diagnosis: its code is offered with its term, its term with its code."""
    pair = DIAGNOSIS.code, DIAGNOSIS.term
    other = pair[1 - pair.index(field)] if field in pair else ""
    return {"address": url_for(".codes_begun", name=field), "beside": other} if other else {}


@section.page("/keying/codes/<name>", needs=P.EDIT, methods=("POST",), asks=True)
def codes_begun(uow: UnitOfWork, name: str) -> str:
    """What may be chosen of the classification while a diagnosis is typed, by its code or by its words."""
    if name not in (DIAGNOSIS.code, DIAGNOSIS.term):
        raise NotFound
    found = codes.begun(uow, DIAGNOSIS, request.form.get("q", "")[: codes.LONGEST_TERM])
    return render_template("keying/codes.html", found=found, by_code=name == DIAGNOSIS.code)


def _typed_as(kind: Kind, code: str, name: str) -> str:
    """What is typed to choose it: the initials of a department, the code of anything else."""
    return name_key(name).rpartition(" ")[2] if kind is Kind.DEPT else code


def _whose() -> dict[str, str]:
    return {"first": _("First keying"), "second": _("Second keying"), "record": _("In the record now")}


@section.page("/keying/<uuid:uuid>/next", needs=P.EDIT, node="uuid")
def skip(uow: UnitOfWork, node: "Node") -> Response:
    """Leaves this record as it is and opens the next one."""
    return _onward(uow, node, keying_desk.task_of(uow, node))


def _onward(uow: UnitOfWork, node: "Node", task: str) -> Response:
    batch = _narrowed()[0] or None
    following = keying_desk.next_after(uow, node, task=FIRST if task == OWN else task, batch=batch or "")
    if following is None:
        flash(_("There is nothing more to key here."), "ok")
        return make_response(redirect(url_for(".worklist", batch=batch), 303))
    return make_response(redirect(url_for(".one", uuid=following.uuid, batch=batch), 303))


@section.page("/keying/<uuid:uuid>", needs=P.EDIT, node="uuid", methods=("POST",), form=drafts.KEYING)
def save(uow: UnitOfWork, node: "Node") -> Response | tuple[str, int]:
    """Keeps what was keyed and opens the next record."""
    form, task = request.form, request.form.get("task", FIRST)
    version = form.get("version", 0, type=whole)
    try:
        _kept(uow, node, task, form, version)
    except Stale as late:
        uow.undo()
        return _desk(uow, node, _overtaken(uow, node, form, late)), late.status
    except Invalid as error:
        uow.undo()
        said = " ".join((str(error), *error.fields.values())) if task == DECIDE else str(error)
        return _desk(uow, node, Unsaved(form, version, error.fields, said)), error.status
    except Conflict as error:
        uow.undo()
        flash(str(error), "wait")
        return make_response(redirect(url_for(".worklist", batch=_narrowed()[0] or None), 303))
    drafts.forget(uow, node, drafts.KEYING)
    return _onward(uow, node, task)


def _overtaken(uow: UnitOfWork, node: "Node", form: Mapping[str, str], late: Stale) -> Unsaved:
    sides = typed.compared(uow, node, form, late.theirs, request.form.get("version", 0, type=whole))
    wrong = {
        side.name: _("Somebody else has saved: %(value)s", value=side.theirs_said or "—")
        for side in sides if side.name in form
    }  # fmt: skip
    said = _("Somebody else saved first. Look at the marked fields and save again.")
    return Unsaved(form, node.version, wrong, said)


def _kept(uow: UnitOfWork, node: "Node", task: str, form: Mapping[str, str], version: int) -> None:
    if task == DECIDE:
        keying.decide(uow, node, said=_chosen(form), version=version)
        return
    again = task == AGAIN
    state = (
        keying.key_again(uow, node, said=form) if again else keying.key(uow, node, said=form, version=version)
    )
    if state == keying.DIFFERS:
        flash(_("Kept. It differs from the first keying: somebody chooses what is right."), "wait")


def _chosen(form: Mapping[str, str]) -> dict[str, str]:
    """What was chosen of each field; what was typed beside the choices stands above them."""
    typed_instead = {name.removeprefix(OTHER): form[name] for name in form if name.startswith(OTHER)}
    return dict(form) | {name: value for name, value in typed_instead.items() if value.strip()}
