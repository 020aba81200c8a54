"""Find a patient: number and second factor, which stand in no address."""

from typing import Any

from flask import render_template, url_for

from archive import envelope, forms
from archive.asking import typed, typed_token
from archive.errors import Invalid, Throttled
from archive.gate import P, Section
from archive.services import find_exact
from archive.services.find_exact import Hit
from archive.uow import UnitOfWork

section = Section("find_exact", __name__)
FIELDS = tuple(field.name for field in find_exact.QUESTION.fields)


@section.page("/find-patient", needs=P.FIND_EXACT, typed=FIELDS)
def find(uow: UnitOfWork) -> str | tuple[str, int]:
    asked = {name: words for name in FIELDS if (words := typed(name))}
    if typed_token() is None:
        return _page(uow, {}, None)
    try:
        return _page(uow, asked, find_exact.find(uow, asked))
    except (Invalid, Throttled) as error:
        return _page(uow, asked, None, error), error.status


def _page(
    uow: UnitOfWork, asked: Any, hits: list[Hit] | None, error: Invalid | Throttled | None = None
) -> str:
    wrong = error.fields if isinstance(error, Invalid) else {}
    drawn = forms.fields_of(uow, find_exact.QUESTION, asked, wrong)
    # The browser of a shared computer must not offer one patient's number or name to whoever comes next.
    fields = {
        field["name"]: field | {"autocomplete": "off", "autofocus": field["name"] == "mrn"} for field in drawn
    }
    refusal = str(error) if isinstance(error, Throttled) else None
    renumbered = bool(hits) and asked["mrn"] not in {hit.node.mrn for hit in hits or ()}
    return render_template("find_exact/find.html", fields=fields, hits=hits, refusal=refusal, renumbered=renumbered,
                           ask=lambda hit: _ask(uow, hit))  # fmt: skip


def _ask(uow: UnitOfWork, hit: Hit) -> str:
    """Where to ask for it: on its page, or by its number for whoever may not go there."""
    if hit.href:
        return f"{hit.href}/@@request"
    return url_for("requests.mine", s=envelope.seal(uow, {"number": hit.node.stay or ""}), _anchor="h-number")
