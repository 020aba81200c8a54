"""系统管理: the control panel and the policies in force, to be read."""

from flask import render_template

from archive.gate import Section
from archive.i18n import _
from archive.policy.permissions import P
from archive.services import control
from archive.uow import UnitOfWork

section = Section("control", __name__)


@section.page("/control", needs=(P.OPERATE, P.CONFIG_MANAGE))
def panel(uow: UnitOfWork) -> str:
    return render_template(
        "control/panel.html", panel=control.panel(uow), kind_label=kind_label, parts=_parts()
    )


@section.page("/control/policy/<kind>", needs=(P.OPERATE, P.CONFIG_MANAGE))
def policy(uow: UnitOfWork, kind: str) -> str:
    return render_template("control/policy.html", policy=control.policy(uow, kind), kind_label=kind_label,
                           labels=_labels())  # fmt: skip


def _parts() -> dict[str, str]:
    """What is not well, by the part that health names."""
    return {
        "store": _("The files cannot be reached. Look at the disk and at the folder of the running data."),
        "worker": _("No worker is heard from: nothing is indexed, sealed or recognised. Start one."),
        "index": _("The search is far behind the changes. Wait, or look whether the worker is stuck."),
    }


def kind_label(kind: str) -> str:
    words = {
        "gates": _("Filing gates and deadlines"), "loans": _("Lending rules"), "numbering": _("Archival numbers"),
        "retention": _("Retention periods"), "sensitivity": _("Special diagnoses"), "vocabularies": _("Vocabularies"),
        "holds": _("Sealing"), "inspections": _("Inspections"), "trash": _("Trash"), "storeroom": _("Storeroom"),
    }  # fmt: skip
    return words.get(kind, kind)


def _labels() -> dict[str, str]:
    """What the codes of the shipped policies mean; a code that is not here stands for itself."""
    return {
        "zh": _("in Chinese"), "en": _("in English"), "years": _("Years"), "code": _("Code"),
        "trigger": _("Counted from"), "days": _("Days in the trash"),
        "bytes_days": _("Days that the bytes of what was deleted are kept"),
        "archive": _("Before archiving"), "deadlines": _("Deadlines"), "tracks": _("Tracks"), "steps": _("Steps"),
        "target_working_days": _("Working days, target"), "hard_working_days": _("Working days, at most"),
        "death_days": _("Days after a death"), "purposes": _("Purposes"), "limits": _("Limits"), "rules": _("Rules"),
        "eread_days": _("Days of e-reading"), "paper_days": _("Days of paper"), "renewals": _("Renewals"),
        "blocked_while_overdue": _("Nothing more while something is overdue"), "level": _("Sensitivity"),
        "open_requests": _("Open requests at a time"), "categories": _("Categories"), "digits": _("Digits"),
        "syntax": _("Form of the number"), "ranges": _("Ranges of codes"), "special": _("Special diagnoses"),
        "alone_after_years": _("Years after which the hospital may open a seal alone"),
        "review_days": _("Days until a seal is reviewed"), "near_days": _("Days before which the review is near"),
        "most_records": _("Records of one inspection, at most"), "most_days": _("Days of one inspection, at most"),
        "thickness": _("Thickness"), "sheet_um": _("Thickness of a sheet, in micrometres"), "fill": _("Taken up"),
        "typical_sheets": _("Sheets of a volume that was not counted"), "boxes_mm": _("Thickness of boxes, in millimetres"),
        "tight_percent": _("Hardly any room from, in per cent"), "labels": _("Sheets of labels (A4)"),
        "columns": _("Labels side by side"),
        "rows": _("Labels one below the other"), "width_mm": _("Width of a label, in millimetres"),
        "height_mm": _("Height of a label, in millimetres"),
    }  # fmt: skip
