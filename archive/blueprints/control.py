"""系统管理: the control panel."""

from flask import Response, flash, make_response, redirect, render_template, url_for

from archive.blueprints.policies import kind_label
from archive.gate import Section
from archive.i18n import _
from archive.policy.permissions import P
from archive.services import catalogue, control
from archive.uow import UnitOfWork

section = Section("control", __name__)


@section.page("/control", needs=(P.OPERATE, P.CONFIG_MANAGE))
def panel(uow: UnitOfWork) -> str:
    return render_template(
        "control/panel.html", panel=control.panel(uow), kind_label=kind_label, parts=_parts()
    )


@section.page("/control/index", needs=P.OPERATE)
def index(uow: UnitOfWork) -> str:
    return render_template("control/index.html", state=catalogue.state(uow))


@section.page("/control/index/rebuild", needs=P.OPERATE, methods=("POST",))
def rebuild(uow: UnitOfWork) -> Response:
    catalogue.order(uow)
    flash(_("A new index is being made beside the old one, which is searched until then."), "ok")
    return make_response(redirect(url_for(".index")))


def _parts() -> dict[str, str]:
    """What is not well, by the part that health names."""
    return {
        "store": _("The files cannot be reached. Look at the disk and at the folder of the running data."),
        "worker": _("No worker is heard from: nothing is indexed, sealed or recognised. Start one."),
        "index": _("The search is far behind the changes. Wait, or look whether the worker is stuck."),
    }
