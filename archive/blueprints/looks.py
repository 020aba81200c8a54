"""表格的样子: which columns a person sees of a list and how close its rows stand; kept in the browser from list to list."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Response, make_response, request

from archive.i18n import _
from archive.spreadsheet import as_csv

YEAR = 365 * 24 * 3600
OWN = ("col", "cols", "rows")
"""The parameters that change the look; what a list shows does not depend on them."""


@dataclass(frozen=True)
class Look:
    """The look of the list `name`. Its first column always stays: it leads to the thing."""

    name: str
    shown: frozenset[str]
    density: str

    def columns(self, all_of_them: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """The columns to draw, in their own order."""
        return [column for n, column in enumerate(all_of_them) if not n or column["key"] in self.shown]

    def tools(
        self, all_of_them: Sequence[dict[str, Any]], here: str, keep: list[tuple[str, str]]
    ) -> dict[str, Any]:
        """What the table component draws above the list: the choice of columns and the spacing of rows."""
        options = [{"key": column["key"], "label": column["label"], "shown": column["key"] in self.shown}
                   for column in all_of_them[1:]]  # fmt: skip
        onward = f"{here}{'&' if '?' in here else '?'}rows="
        return {
            "choice": {"action": request.path, "options": options, "keep": [*keep, ("cols", "1")]},
            "density": {"now": self.density, "tight": f"{onward}tight", "loose": f"{onward}loose"},
        }  # fmt: skip

    def remember(self, response: Response) -> Response:
        """Keeps the look in the browser when this request has changed it: names of columns, nothing of any record."""
        if any(name in request.args for name in OWN):
            kept = ".".join(sorted(self.shown))
            response.set_cookie(f"list_{self.name}", f"{kept}|{self.density}", max_age=YEAR, samesite="Lax",
                                httponly=True)  # fmt: skip
        return response


def of(name: str, all_of_them: Sequence[dict[str, Any]]) -> Look:
    """The look that was asked for now, else the kept one, else all columns but those marked `spare`."""
    known = {column["key"] for column in all_of_them}
    columns, _bar, density = request.cookies.get(f"list_{name}", "").partition("|")
    shown = set(columns.split(".")) if density else {c["key"] for c in all_of_them if not c.get("spare")}
    if "cols" in request.args:
        shown = set(request.args.getlist("col"))
    wanted = request.args.get("rows", density)
    return Look(name, frozenset(shown & known), wanted if wanted in {"tight", "loose"} else "tight")


def kept() -> list[tuple[str, str]]:
    """The parameters of this address that a form above the list takes along: its order and filters."""
    return [(name, value) for name, value in request.args.items()
            if name not in OWN and name != "cursor" and not name.startswith("_")]  # fmt: skip


Clock = Callable[[datetime], datetime]


def spreadsheet(
    name: str, all_of_them: Sequence[dict[str, Any]], rows: Sequence[dict[str, Any]], local: Clock
) -> Response:
    """The rows in the columns that are shown, as a file for a spreadsheet; no cell becomes a formula.

    `local`: a moment as the clock on the hospital's wall shows it.
    """
    columns = of(name, all_of_them).columns(all_of_them)
    lines = [[_plain(column, row["cells"].get(column["key"]), local) for column in columns] for row in rows]
    response = make_response(as_csv([[column["label"] for column in columns], *lines]))
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _plain(column: dict[str, Any], value: Any, local: Clock) -> object:
    kind = column.get("kind")
    if value is None:
        return ""
    if kind == "carrier":
        return {"paper": _("Paper"), "electronic": _("Electronic"), "dual": _("Dual")}.get(value, "")
    if kind == "level":
        return f"S{value}"
    return value.label if kind == "state" else f"{local(value):%Y-%m-%d %H:%M}" if kind == "short" else value
