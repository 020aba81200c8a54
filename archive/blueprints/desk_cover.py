"""补录借出: the fields of what the desk does not know yet, as its cover has them."""

from collections.abc import Mapping
from typing import Any

from archive.errors import Invalid
from archive.forms import field, with_errors
from archive.i18n import _
from archive.services.desk import Memo
from archive.services.requests import STAY
from archive.services.taking_up import Form

Fields = list[dict[str, Any]]


def fields(form: Form, memo: Memo, typed: Mapping[str, str], wrong: Invalid | None) -> dict[str, Fields]:
    """Those that must be said, and behind them those that may be. What was scanned stands where it belongs."""
    stay = memo.barcode if STAY.fullmatch(memo.barcode) else ""
    must = [
        field("number", _("Record number and stay"), required=True, maxlength=14, mono=True, autocomplete="off", value=stay,
              placeholder="00218647-2", autofocus=not stay),
        field("name", _("Name on the cover"), required=True, maxlength=60, autocomplete="off", autofocus=bool(stay)),
        field("discharged_on", _("Discharged on"), "date", required=True),
        field("dept", _("Department"), "select", required=True, choices=[("", _("— choose —")), *form.departments.items()]),
        field("badge", _("Badge of whoever takes it"), required=True, maxlength=30, mono=True, autocomplete="off",
              value=memo.borrower),
        field("purpose", _("Purpose"), "select", required=True, choices=list(form.purposes.items())),
    ]  # fmt: skip
    more = [
        field("barcode", _("Barcode, where it has one"), maxlength=32, mono=True, autocomplete="off",
              value="" if stay else memo.barcode, hint=_("Left empty, it gets one to be printed.")),
        field("sheets", _("Sheets counted"), "number", min=0, max=99999),
        field("admitted_on", _("Admitted on"), "date"),
        field("sex", _("Sex"), "select", choices=[("", _("— choose —")), *form.sexes.items()]),
    ]  # fmt: skip
    tick = [field("declared", _("The borrower declares: the patient is no relative, and nothing else stands between them"),
                  "checkbox", required=True)]  # fmt: skip
    return {part: with_errors(drawn, typed, wrong) for part, drawn in
            (("must", must), ("more", more), ("tick", tick))}  # fmt: skip
