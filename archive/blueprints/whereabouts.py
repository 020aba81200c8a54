"""Where is it 病案去向: one field, every file of the patient and each carrier."""

from flask import render_template, request

from archive.gate import P, Section
from archive.services import whereabouts
from archive.uow import UnitOfWork

section = Section("whereabouts", __name__)


@section.page("/where", needs=(P.IDENTIFY, P.HOLDING_VIEW))
def find(uow: UnitOfWork) -> str:
    typed = request.args.get("q", "").strip()
    found = whereabouts.find(uow, typed) if typed else None
    bounds = {"most": whereabouts.MOST, "longest": whereabouts.LONGEST}
    return render_template("whereabouts/find.html", typed=typed, found=found, **bounds)
