"""制度: the policies of the hospital, to be read, and their next versions, to be written and adopted."""

from collections.abc import Mapping
from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for

from archive import forms
from archive.blueprints.requests import kind_words, said_days
from archive.errors import Invalid
from archive.gate import Section
from archive.i18n import _
from archive.policy import toml
from archive.policy.permissions import P
from archive.policy.roles import CONTENT_ROLES, ROLES
from archive.services import adoption, lending_trial, policies, rulebook
from archive.uow import UnitOfWork

section = Section("policies", __name__, url_prefix="/control/policy")
READERS = (P.OPERATE, P.CONFIG_MANAGE, P.REQUEST_DECIDE, P.REQUEST_ENDORSE)


@section.page("/<kind>", needs=READERS)
def show(uow: UnitOfWork, kind: str) -> str:
    policy = rulebook.page(uow, kind, request.args.get("version", type=int))
    return render_template("policies/show.html", policy=policy, **_words(uow, kind))


@section.page("/loans/try", needs=READERS)
def try_lending(uow: UnitOfWork) -> str | tuple[str, int]:
    """Who would have to approve if …"""
    given, trial, error = request.args, None, None
    if given:
        try:
            trial = lending_trial.tried(
                uow,
                role=given.get("role", ""),
                purpose=given.get("purpose", ""),
                level=given.get("level", -1, type=int),
                treats="treats" in given,
            )
        except Invalid as wrong:
            error = wrong
    page = render_template(
        "policies/try.html", trial=trial, fields=forms.with_errors(_tried(uow), given, error), kinds=kind_words(),
        said_days=said_days, kind_label=kind_label, said_label=policies.said,
    )  # fmt: skip
    return page if error is None else (page, error.status)


def _tried(uow: UnitOfWork) -> list[dict[str, Any]]:
    roles = [(name, str(ROLES[name].title)) for name in ROLES if name in CONTENT_ROLES]
    purposes, levels = policies.vocabulary(uow, "purpose"), policies.vocabulary(uow, "level")
    return [
        forms.field("role", _("Who asks"), "select", required=True, choices=roles),
        forms.field("purpose", _("Purpose"), "select", required=True, choices=list(purposes.items())),
        forms.field("level", _("Sensitivity"), "select", required=True,
                    choices=[(level, levels.get(str(level), f"S{level}")) for level in lending_trial.LEVELS]),
        forms.field("treats", _("The patient lies in a ward of theirs, or did until a few days ago"), "checkbox"),
    ]  # fmt: skip


@section.page("/<kind>/next", needs=P.CONFIG_MANAGE)
def draft(uow: UnitOfWork, kind: str) -> str:
    last = adoption.newest(uow, kind)
    asked = {"after": str(last.version), "day": str(uow.today)}
    return _form(uow, kind, last.body, asked, None, as_text="text" in request.args)


@section.page("/<kind>/next", needs=P.CONFIG_MANAGE, methods=("POST",))
def propose(uow: UnitOfWork, kind: str) -> str | tuple[str, int]:
    """Shows what would change; or the form again, when something is wrong or somebody goes back to it."""
    form, body = request.form, None
    try:
        body = adoption.body_of(uow, kind, form)
        if "again" in form:
            return _form(uow, kind, body, form, None, as_text="text" in form)
        proposal = _proposed(uow, kind, body)
    except Invalid as error:
        return _form(uow, kind, body, form, error, as_text="text" in form), error.status
    return render_template(
        "policies/compare.html", proposal=proposal, said=rulebook.said, **_words(uow, kind)
    )


@section.page("/<kind>/adopt", needs=P.CONFIG_MANAGE, methods=("POST",))
def adopt(uow: UnitOfWork, kind: str) -> Response | tuple[str, int]:
    body = None
    try:
        body = adoption.body_of(uow, kind, request.form)
        made = adoption.adopt(uow, _proposed(uow, kind, body))
    except Invalid as error:
        uow.undo()
        return _form(uow, kind, body, request.form, error, as_text=True), error.status
    flash(
        _(
            "Version %(n)d is adopted and holds from %(day)s.",
            n=made.version,
            day=uow.local(made.valid_from).date(),
        ),
        "ok",
    )
    return make_response(redirect(url_for(".show", kind=kind)))


def _proposed(uow: UnitOfWork, kind: str, body: dict[str, Any]) -> adoption.Proposal:
    form = request.form
    return adoption.propose(
        uow, kind, body=body, source=form.get("source", ""), day=form.get("day", ""),
        after=form.get("after", 0, type=int),
    )  # fmt: skip


def _form(
    uow: UnitOfWork, kind: str, body: Mapping[str, Any] | None, typed: Mapping[str, str], error: Invalid | None, *,
    as_text: bool,
) -> str:  # fmt: skip
    """The form: numbers and ticks one by one where the kind has such, else and on demand the whole text."""
    as_text = as_text or kind not in adoption.IN_FIELDS
    text = typed.get("text") or toml.written(body or {})
    asked = forms.with_errors(_asked(), typed, error)
    rows = min(24, max(8, text.count("\n") + 3))
    hint = _("TOML: a table begins with its name in square brackets, a line is a name and a value.")
    wide = forms.field("text", _("Text of the policy"), "textarea", required=True, rows=rows, mono=True, value=text,
                       errors=_lines(error), hint=hint)  # fmt: skip
    groups = [] if as_text else _groups(uow, kind, body or {}, error)
    return render_template(
        "policies/draft.html", kind=kind, last=rulebook.page(uow, kind), after=typed.get("after", ""), asked=asked,
        text=wide if as_text else None, groups=groups, general=[] if as_text else _astray(error, groups),
        can_be_fields=kind in adoption.IN_FIELDS, **_words(uow, kind),
    )  # fmt: skip


def _asked() -> list[dict[str, Any]]:
    return [
        forms.field("source", _("Source"), required=True, maxlength=adoption.LONGEST_SOURCE,
                    hint=_("The rule, article or decision that it rests on, with number and date.")),
        forms.field("day", _("Holds from"), "date", required=True,
                    hint=_("Today at once, or the beginning of a later day.")),
    ]  # fmt: skip


def _lines(error: Invalid | None) -> list[str]:
    return error.fields["text"].split("\n") if error and "text" in error.fields else []


def _groups(
    uow: UnitOfWork, kind: str, body: Mapping[str, Any], error: Invalid | None
) -> list[dict[str, Any]]:
    """The numbers and ticks, part by part: rows of cells under columns, or rows of one cell."""
    wrong = {one.place: one.sentence for one in getattr(error, "problems", ())}
    parts: dict[str, dict[str, Any]] = {}
    for place, value in adoption.values(adoption.newest(uow, kind).body, kind).items():
        part = parts.setdefault(place[0], {"name": place[0], "columns": [], "rows": {}})
        column = place[2] if len(place) > 2 else ""
        if column not in part["columns"]:
            part["columns"].append(column)
        now: Any = body
        for name in place:
            now = now[name]
        part["rows"].setdefault(place[1], {})[column] = {
            "name": "/".join(place), "place": place, "value": now, "is_tick": isinstance(value, bool),
            "error": wrong.get(place, ""),
        }  # fmt: skip
    return list(parts.values())


def _astray(error: Invalid | None, groups: list[dict[str, Any]]) -> list[str]:
    """What is wrong at a place that has no field of its own."""
    shown = {cell["place"] for part in groups for row in part["rows"].values() for cell in row.values()}
    return [adoption.told(one) for one in getattr(error, "problems", ()) if one.place not in shown]


def _words(uow: UnitOfWork, kind: str) -> dict[str, Any]:
    return {
        "kind_label": kind_label,
        "labels": _labels()
        | _lending_labels()
        | _digitisation_labels()
        | _imaging_labels()
        | _emergency_labels()
        | _copying_labels()
        | _counting_labels()
        | rulebook.words(uow, kind),
    }


def kind_label(kind: str) -> str:
    words = {
        "gates": _("Filing gates and deadlines"), "loans": _("Lending rules"), "numbering": _("Archival numbers"),
        "retention": _("Retention periods"), "sensitivity": _("Special diagnoses"), "vocabularies": _("Vocabularies"),
        "holds": _("Sealing"), "inspections": _("Inspections"), "trash": _("Trash"), "storeroom": _("Storeroom"),
        "synonyms": _("Synonyms"), "emergency": _("Break-glass"), "reminders": _("Reminders of loans"),
        "digest": _("Daily digest"),
        "page_checks": _("Page checks"), "digitisation": _("Digitisation"), "uploads": _("Unfinished uploads"),
        "scanners": _("Network scanners"), "keying": _("Keying desk"), "imaging": _("Image processing"),
        "checklist": _("Components and reconciliation"),
        "copying": _("Copying"), "proofs": _("Papers of applicants"), "queue": _("Queue of the lending desk"),
        "counting": _("Counting sheets"), "mail": _("Notices by e-mail"), "incidents": _("Lost and damaged volumes"),
        "insurance": _("Rules of insurers"), "study_data": _("Data without names for studies"),
    }  # fmt: skip
    return words.get(kind, kind)


def _labels() -> dict[str, str]:
    """What the codes of the shipped policies mean; a code that is not here stands for itself."""
    return {
        "zh": _("in Chinese"), "en": _("in English"), "years": _("Years"), "code": _("Code"), "trigger": _("Counted from"),
        "groups": _("Words that mean the same"), "least_dpi": _("Dots per inch, at least"),
        "tilt_tenths": _("Tilt, tenths of a degree at most"), "sharpness_percent": _("Sharpness in per cent, at least"),
        "blank_per_100000": _("Blank: ink on less than so many of 100,000 points"),
        "border_percent": _("Black edge in per cent, less than"),
        "confidence_percent": _("Certainty of recognised text in per cent, at least"),
        "cut_marks": _("Edge cut off: ink runs into it so often or more"),
        "red_per_100000": _("Seal: so many of 100,000 points or more are red"),
        "colour_expected": _("A scan in black and white is to be looked at"),
        "unfinished_days": _("Days for which an unfinished upload is kept"),
        "unfinished_files": _("Unfinished uploads of one person, at most"),
        "unfinished_gb": _("Their size together in GB, at most"),
        "second": _("Second keying"), "other_person": _("By another person than the first"),
        "fields": _("Fields of a front page, in their order"), "twice": _("Fields that are keyed twice"),
        "scanners": _("Network scanners"), "address": _("Address"),
        "due_working_days": _("Working days until a mismatch is seen to"), "dual": _("Kept on paper and electronically"),
        "blocks": _("Not archived without these, where they must be there"), "late": _("May come late"),
        "types": _("Types"), "codes": _("Codes that speak for it"), "when": _("Required when"),
        "instead": _("What may stand for it"),
        "components": _("Components"), "departments": _("Departments"),
        "archive": _("Before archiving"), "deadlines": _("Deadlines"), "tracks": _("Tracks"), "steps": _("Steps"),
        "target_working_days": _("Working days, target"), "hard_working_days": _("Working days, at most"),
        "death_days": _("Days after a death"), "purpose": _("Purpose"), "limits": _("Limits"), "rules": _("Rules"),
        "who": _("For whom"), "level_to": _("Sensitivity, up to"), "media": _("Media"),
        "level": _("Sensitivity"), "categories": _("Categories"), "digits": _("Digits"),
        "syntax": _("Form of the number"), "ranges": _("Ranges of codes"), "special": _("Special diagnoses"),
        "ready_days": _("Working days for which a volume lies ready"), "order": _("Order"),
        "recall_days": _("Working days after a recall"), "first": _("Purposes that come first"),
        "days": _("Days in the trash"), "bytes_days": _("Days that the bytes of what was deleted are kept"),
        "alone_after_years": _("Years after which the hospital may open a seal alone"),
        "review_days": _("Days until a seal is reviewed"), "near_days": _("Days before which the review is near"),
        "objects": _("Things that are sealed"), "blood_station": _("Somebody of the blood station is there"),
        "most_records": _("Records of one inspection, at most"), "most_days": _("Days of one inspection, at most"),
        "appeal_warn_days": _("Days before which is told that they may be contested"),
        "appeal_days": _("Days in which a finding of an inspection may be contested"),
        "thickness": _("Thickness"), "sheet_um": _("Thickness of a sheet, in micrometres"), "fill": _("Taken up"),
        "typical_sheets": _("Sheets of a volume that was not counted"), "boxes_mm": _("Thickness of boxes, in millimetres"),
        "tight_percent": _("Hardly any room from, in per cent"), "labels": _("Sheets of labels (A4)"),
        "columns": _("Labels side by side"), "rows": _("Labels one below the other"),
        "width_mm": _("Width of a label, in millimetres"), "height_mm": _("Height of a label, in millimetres"),
        "daily": _("Daily"), "hour": _("From this hour on"), "working_days_only": _("On working days only"),
    }  # fmt: skip


def _lending_labels() -> dict[str, str]:
    return {
        "eread_days": _("Days of e-reading"), "paper_days": _("Days of paper"),
        "paper_working": _("Paper in working days"), "renewals": _("Renewals"), "renew_days": _("Days of a renewal"),
        "while_overdue": _("Also while something is overdue"), "open_requests": _("Open requests at a time"),
        "own_ward": _("Only for patients of one's own ward"), "approvers": _("Approved by, in this order"),
        "treating_days": _("Days after which a patient who has left counts as treated no longer"),
        "bundles": _("Bundles"), "records": _("Records of one bundle, at most"), "open_bundles": _("Open bundles at a time"),
        "room": _("Reading room"), "minutes": _("Minutes for which a code holds"), "on_site": _("Read in the reading room alone"),
        "printouts": _("Stamped copies"), "times": _("How often one may be taken"),
        "studies": _("Studies"), "over": _("Bundles of more records than this"), "each": _("go out in parts of"),
        "also": _("Asked besides"), "ethics": _("With the approval of the ethics committee"),
        "to_relatives": _("Also to whoever declares that the patient is a relative"),
        "given": _("What is given"), "alike": _("Patients that must be alike, at least"),
        "oldest": _("Age from which on all are one group"),
        "infants_in_months": _("Infants in months"), "hidden_first": _("Hidden in this order where too few are alike"),
        "stay_days": _("Days of a stay, at most, whose end nobody has written down"),
    }  # fmt: skip


def _digitisation_labels() -> dict[str, str]:
    return {
        "percent": _("Pages of a sample, in per cent"), "titles": _("Titles of printed forms"), "defects": _("Defects"),
        "whole_from_level": _("Every page is looked at from this sensitivity on"),
        "defect_per_1000": _("Pages with a defect among 1,000, at most"), "fails": _("One is too many"),
        "kinds": _("Papers that ask for care"), "first": _("Scanned first"),
        "pile_days": _("Days that piles are kept after their batch is back in the store"), "whole": _("Looked at whole"),
    }  # fmt: skip


def _emergency_labels() -> dict[str, str]:
    return {
        "warn_before": _("Reminded so many days before it is due"), "warn_working": _("These are working days"),
        "late_first": _("Reminded so many days after it was due"), "late_every": _("Then every so many days"),
        "escalate_from": _("Told to medical affairs after so many days"),
        "open_hours": _("Hours for which it opens, at most"), "sensitivity_to": _("Opens records of a sensitivity up to"),
        "least_words": _("Characters of the reason, at least"), "judge_hours": _("Hours within which it is judged"),
        "alarm_from": _("Alarm from so many within an hour on"), "causes": _("Occasions"),
        "tries": _("Tries of a mail, at most"),
        "pause_minutes": _("Minutes until the second try; each further pause is twice as long"),
    }  # fmt: skip


def _imaging_labels() -> dict[str, str]:
    return {
        "deskew": _("Straighten"), "borders": _("Remove black edges"), "crop": _("Trim to the sheet"),
        "despeckle": _("Remove specks"), "deskew_from_tenths": _("Straighten from so many tenths of a degree on"),
        "deskew_most_tenths": _("Straighten up to so many tenths of a degree"),
        "black_percent": _("Part of an edge that must be black to be removed, in per cent"),
        "crop_from_mm": _("Trim black edges of so many millimetres or more"),
        "speck_um": _("Size of a speck in micrometres, at most"),
    }  # fmt: skip


def _copying_labels() -> dict[str, str]:
    return {
        "fee_fen": _("Fee for a page, in fen"), "minor_age": _("Under this age a guardian applies"),
        "ready_working_days": _("Working days until a copy is ready"),
        "file_days": _("Days that the file of a copy is kept"), "most_pages": _("Pages of one copy, at most"),
        "verify_tries": _("Codes that may be tried from one address within 15 minutes"),
        "public": _("Public page"), "copyable": _("What may be copied"), "everything": _("The whole record"),
        "packages": _("Packages"), "papers": _("Papers"), "applicants": _("Applicants"), "needs": _("Must show"),
        "booking": _("Booking ahead"), "slots": _("Hours that can be booked"), "per_slot": _("Bookings of one hour, at most"),
        "days_ahead": _("Working days ahead that can be booked"),
        "keep_days": _("Days for which it is kept what was said at booking"),
        "needs_dead": _("Must show where the patient has died"), "of": _("Whose record"), "minors": _("Also of a minor"),
    }  # fmt: skip


def _counting_labels() -> dict[str, str]:
    return {
        "out": _("At handing out"), "back": _("At taking back"), "purposes": _("Purposes"), "volumes": _("Volumes"),
        "unbound": _("Binding or seal not whole"), "damaged": _("Damaged"), "sensitive": _("Sensitive records"),
        "level_from": _("Sensitivity, from"), "told": _("Who is told"), "lost": _("Of a lost volume"),
        "left": _("Of an account closed with volumes out"),
    }  # fmt: skip
