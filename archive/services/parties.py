"""签封各方: who was there when a package was sealed or opened, for which side, as what, by which paper (2013 rule art. 24)."""

from collections.abc import Iterable, Mapping

from archive.i18n import _
from archive.schema import clean

HOSPITAL, PATIENT, NOTARY, BLOOD = "hospital", "patient", "notary", "blood"
SIDES = (HOSPITAL, PATIENT, NOTARY, BLOOD)
NAMES = ("side", "name", "office", "proof")
LONGEST = {"name": 60, "office": 120, "proof": 60}
MOST = 6
"""People on one list: more than ever sat at such a table."""

People = list[dict[str, str]]


def words() -> dict[str, str]:
    """What the sides are called."""
    return {
        HOSPITAL: _("For the hospital"), PATIENT: _("For the patient"), NOTARY: _("Notary or witness"),
        BLOOD: _("For the blood station"),
    }  # fmt: skip


def given(rows: Iterable[Mapping[str, str]]) -> People:
    """What was typed, without the rows that were left empty."""
    cleaned = [{name: clean(row.get(name, "")) for name in NAMES} for row in rows]
    return [row for row in cleaned if row["name"] or row["office"] or row["proof"]]


def wrong(people: People) -> str | None:
    """What is missing or too long, in a sentence that names the person; or nothing."""
    if len(people) > MOST:
        return _("At most %(most)d people.", most=MOST)
    for one in people:
        if one["side"] not in SIDES:
            return _("Say for which side %(name)s is there.", name=one["name"] or one["office"])
        if not one["name"]:
            return _("Write the name of everybody who is there.")
        if not one["office"]:
            return _("Say as what %(name)s is there: office, or how they are related.", name=one["name"])
        for field, most in LONGEST.items():
            if len(one[field]) > most:
                return _("At most %(most)d characters.", most=most)
    return None


def sealing(people: People) -> str | None:
    """Why these people cannot seal: the hospital with the patient's side, or with a notary where that does not come."""
    there = sides(people)
    if HOSPITAL not in there:
        return _("Somebody seals for the hospital. Write who.")
    if not there & {PATIENT, NOTARY}:
        return _("Say who came for the patient, or which notary was present instead.")
    return None


def opening(people: People, sealed_by: People, *, together: bool) -> str | None:
    """Why these people cannot open: together, one of every side that sealed is there; alone, the hospital is."""
    needed = sides(sealed_by) if together else {HOSPITAL}
    missing = [words()[side] for side in SIDES if side in needed - sides(people)]
    if not missing:
        return None
    return _("Nobody is there of a side that sealed it: %(sides)s.", sides=_(", ").join(missing))


def sides(people: People) -> set[str]:
    return {one["side"] for one in people}
