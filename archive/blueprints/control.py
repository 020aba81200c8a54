"""系统管理: the control panel."""

from flask import Response, flash, make_response, redirect, render_template, url_for

from archive.blueprints.policies import kind_label
from archive.gate import Section
from archive.i18n import _, ngettext
from archive.index_fields import indexed
from archive.policy.permissions import P
from archive.services import catalogue, control, facets, timings
from archive.uow import UnitOfWork

section = Section("control", __name__)


@section.page("/control", needs=(P.OPERATE, P.CONFIG_MANAGE))
def panel(uow: UnitOfWork) -> str:
    return render_template(
        "control/panel.html", panel=control.panel(uow), kind_label=kind_label, parts=_parts()
    )


@section.page("/control/index", needs=P.OPERATE)
def index(uow: UnitOfWork) -> str:
    slow = [(one, _like(one)) for one in timings.slowest(uow)]
    return render_template(
        "control/index.html", state=catalogue.state(uow), slow=slow, days=timings.days(uow), span=timings.DAYS
    )


@section.page("/control/index/rebuild", needs=P.OPERATE, methods=("POST",))
def rebuild(uow: UnitOfWork) -> Response:
    catalogue.order(uow)
    flash(_("A new index is being made beside the old one, which is searched until then."), "ok")
    return make_response(redirect(url_for(".index")))


def _like(one: timings.Slow) -> str:
    """What a search was like, without a word of it: how many words, which fields and filters, in which order."""
    shape, names = one.shape, facets.titles() | {field.name: str(field.label) for field in indexed()}
    said = [ngettext("%(num)d word", "%(num)d words", shape["words"])] if shape.get("words") else []
    signs = {"phrase": _("in quotation marks"), "either": _("OR"), "without": _("with exclusion")}
    said += [word for sign, word in signs.items() if shape.get(sign)]
    for kind, title in (("fields", _("fields")), ("filters", _("filters"))):
        if asked := [names.get(name, _("another field")) for name in shape.get(kind, ())]:
            said.append(_("%(kind)s: %(names)s", kind=title, names=_(", ").join(asked)))
    said += [word for sign, word in _orders().items() if shape.get("sort") == sign]
    said += [_("a further page")] if shape.get("further") else []
    said += [_("given up after its time limit")] if shape.get("stopped") else []
    return " · ".join(said)


def _orders() -> dict[str, str]:
    return {"date": _("Newest first"), "number": _("By number")}


def _parts() -> dict[str, str]:
    """What is not well, by the part that health names."""
    return {
        "store": _("The files cannot be reached. Look at the disk and at the folder of the running data."),
        "worker": _("No worker is heard from: nothing is indexed, sealed or recognised. Start one."),
        "index": _("The search is far behind the changes. Wait, or look whether the worker is stuck."),
    }
