"""逐行结果: what became of the rows of a bulk act, carried to the page that shows it.

It travels in the cookie, which can be read and holds four kilobytes: ids and reasons only, never a title or a name.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from flask import session

from archive.i18n import _, locale, ngettext
from archive.services.attempts import Outcome

ROWS, REASONS, LONGEST = 40, 5, 160
"""What fits: so many refused rows, so many different reasons, so many characters of each."""


@dataclass(frozen=True)
class Told:
    """What the page says: a sentence on the whole, and the reason for each row that was refused."""

    text: str
    kind: str
    notes: dict[str, str]


def keep(place: str, outcomes: Iterable[Outcome]) -> None:
    """Keeps the outcomes for the next page of `place`, and of that alone."""
    found = list(outcomes)
    refused = [one for one in found if one.refusal]
    reasons = list(dict.fromkeys(str(one.refusal)[:LONGEST] for one in refused))[:REASONS]
    rows = {one.ref.hex: _index(reasons, str(one.refusal)) for one in refused[:ROWS]}
    session["outcomes"] = {
        "place": place, "done": len(found) - len(refused), "not": len(refused), "why": reasons, "rows": rows,
    }  # fmt: skip


def _index(reasons: list[str], refusal: str) -> int:
    return reasons.index(refusal[:LONGEST]) if refusal[:LONGEST] in reasons else -1


def told(place: str) -> Told | None:
    """What became of the last bulk act of `place`; said once."""
    kept = session.get("outcomes")
    if kept is None or kept["place"] != place:
        return None
    session.pop("outcomes")
    words = []
    if kept["done"] or not kept["not"]:
        words.append(ngettext("%(num)d done.", "%(num)d done.", kept["done"]))
    if kept["not"]:
        words.append(ngettext("%(num)d not done; the reason stands in its row.",
                              "%(num)d not done; the reason stands in each row.", kept["not"]))  # fmt: skip
    other = _("Open it to see why.")
    notes = {number: kept["why"][at] if at >= 0 else other for number, at in kept["rows"].items()}
    return Told(("" if locale() == "zh_CN" else " ").join(words), "wait" if kept["not"] else "ok", notes)
