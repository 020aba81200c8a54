"""Where is it 病案去向: one field, every file of the patient and each carrier."""

from flask import render_template

from archive.asking import typed
from archive.blueprints import search_hints
from archive.gate import P, Section
from archive.services import whereabouts
from archive.uow import UnitOfWork

section = Section("whereabouts", __name__)


@section.page("/where", needs=(P.IDENTIFY, P.HOLDING_VIEW), typed=("q",))
def find(uow: UnitOfWork) -> str:
    words = typed("q")
    found = whereabouts.find(uow, words) if words else None
    names = search_hints.names(uow, words, ".find") if found and not found.people else []
    bounds = {"most": whereabouts.MOST, "longest": whereabouts.LONGEST}
    return render_template("whereabouts/find.html", typed=words, found=found, names=names, **bounds)
