"""系统管理: the control panel and the policies in force, to be read."""

from flask import render_template

from archive.gate import SIGNED_IN, Section
from archive.i18n import _
from archive.services import control
from archive.uow import UnitOfWork

section = Section("control", __name__)


@section.page("/control", needs=SIGNED_IN)
def panel(uow: UnitOfWork) -> str:
    return render_template(
        "control/panel.html", panel=control.panel(uow), kind_label=kind_label, parts=_parts()
    )


@section.page("/control/policy/<kind>", needs=SIGNED_IN)
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
    }  # fmt: skip
    return words.get(kind, kind)


def _labels() -> dict[str, str]:
    return {"zh": _("in Chinese"), "en": _("in English"), "years": _("Years"), "code": _("Code")}
