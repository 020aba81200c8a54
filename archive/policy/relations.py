"""How the values of a policy hang together, beyond what each of them looks like. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from unicodedata import normalize

from archive.i18n import _
from archive.policy import lending
from archive.policy.offices import OFFICES
from archive.policy.roles import ROLES
from archive.policy.types import INHERITING, TYPES


@dataclass(frozen=True)
class Problem:
    """What is wrong, and where: the keys from the outside in."""

    place: tuple[str, ...]
    sentence: str


def related(kind: str, body: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong with values that have their shape each, taken together."""
    if kind in _RELATIONS:
        yield from _RELATIONS[kind](body)


def _gates(body: Mapping[str, Any]) -> Iterator[Problem]:
    tracks = {name: track["steps"] for name, track in body["tracks"].items()}
    for name, steps in tracks.items():
        for step in steps:
            if step not in body["steps"]:
                yield Problem(("tracks", name, "steps"), _("%(name)s has no words under [steps].", name=step))
    for number, (track, step) in enumerate(body["archive"].get("medical_record", ())):
        if step not in tracks.get(track, ()):
            where = ("archive", "medical_record", str(number + 1))
            yield Problem(where, _("There is no such step on such a track."))
    if body["deadlines"]["target_working_days"] > body["deadlines"]["hard_working_days"]:
        yield Problem(("deadlines", "target_working_days"), _("The target comes before the deadline."))


def _numbering(body: Mapping[str, Any]) -> Iterator[Problem]:
    if "default" not in body["categories"]:
        yield Problem(("categories", "default"), _("It is missing: the rule of every category without one."))


def _retention(body: Mapping[str, Any]) -> Iterator[Problem]:
    for name, rule in body["rules"].items():
        code, years = rule["code"], rule.get("years")
        if rule["trigger"] == "formation" and name != code:
            yield Problem(
                ("rules", name, "code"), _("A rule that counts from formation is named by its code.")
            )
        if code == "Y" and years is not None:
            yield Problem(("rules", name, "years"), _("What is kept for ever has no years."))
        if code != "Y" and (years is None or years < int(code[1:])):
            yield Problem(("rules", name, "years"), _("The code %(code)s says more years.", code=code))
        if code != "Y" and rule["trigger"] == "formation" and years is not None and years > int(code[1:]):
            yield Problem(("rules", name, "years"), _("The code %(code)s says fewer years.", code=code))


def _sensitivity(body: Mapping[str, Any]) -> Iterator[Problem]:
    for number, span in enumerate(body["special"]["ranges"]):
        start, end = span.split("-")
        if start > end:
            yield Problem(("special", "ranges", str(number + 1)), _("It ends before it begins."))


def _storeroom(body: Mapping[str, Any]) -> Iterator[Problem]:
    labels = body["labels"]
    for count, size, most in (("columns", "width_mm", 210), ("rows", "height_mm", 297)):
        if labels[count] * labels[size] > most:
            yield Problem(("labels", size), _("So many labels do not fit on a sheet of A4."))


def _synonyms(body: Mapping[str, Any]) -> Iterator[Problem]:
    """A word of two groups would mean both: whoever types it would find what they did not mean."""
    known: dict[str, str] = {}
    for name, words in body["groups"].items():
        for word in (name, *words):
            folded = normalize("NFKC", word).casefold()
            if folded in known:
                sentence = _("%(word)s stands under %(name)s already.", word=word, name=known[folded])
                yield Problem(("groups", name), sentence)
            known.setdefault(folded, name)


def _keying(body: Mapping[str, Any]) -> Iterator[Problem]:
    """Fields are those of a type, and what is keyed twice is keyed once before."""
    for name, fields in body["fields"].items():
        kind = TYPES.get(name)
        if kind is None or not kind.pages or kind.name in INHERITING:
            yield Problem(("fields", name), _("There is no such type of records with pages."))
            continue
        known = {field.name for field in kind.typed}
        for field in fields:
            if field not in known:
                yield Problem(
                    ("fields", name), _("%(kind)s has no field %(name)s.", kind=kind.label, name=field)
                )
    for name, fields in body["twice"].items():
        for field in fields:
            if field not in body["fields"].get(name, ()):
                yield Problem(("twice", name), _("%(name)s is not keyed at all.", name=field))


def _loans(body: Mapping[str, Any]) -> Iterator[Problem]:
    for code, rule in body["rules"].items():
        for role in rule["who"]:
            if role not in ROLES:
                yield Problem(("rules", code, "who"), _("%(name)s is no role.", name=role))
        if rule["renewals"] and not rule["renew_days"]:
            yield Problem(("rules", code, "renew_days"), _("Say for how many days it is renewed."))
        yield from _chain(code, rule["approvers"])
    for one in lending.never_reached(lending.rules(body)):
        yield Problem(("rules", one.code), _("It is never reached: a rule before it always fits first."))


def _chain(code: str, approvers: list[str]) -> Iterator[Problem]:
    """Whoever decides comes last, once; whoever gives an opinion comes before."""
    where = ("rules", code, "approvers")
    if len(set(approvers)) < len(approvers):
        yield Problem(where, _("An office is asked once."))
    if approvers and [place for place, name in enumerate(approvers) if OFFICES[name].is_last] != [
        len(approvers) - 1
    ]:
        yield Problem(where, _("The last one, and only that, is record or record_head: it decides."))


def _checklist(body: Mapping[str, Any]) -> Iterator[Problem]:
    rule = body.get("archive", {})
    for name in ("blocks", "late"):
        for code in rule.get(name, ()):
            if code not in body["components"]:
                yield Problem(("archive", name), _("%(name)s is not among the components.", name=code))
    for code in rule.get("blocks", ()):
        if code in rule.get("late", ()):
            sentence = _("%(name)s may come late, and so it holds nothing up.", name=code)
            yield Problem(("archive", "blocks"), sentence)


def _copying(body: Mapping[str, Any]) -> Iterator[Problem]:
    """A package never holds what may not be copied without a reason of its own."""
    copyable = body["copyable"]
    for name, package in body["packages"].items():
        beyond = [code for code in package["components"] if code not in copyable["components"]]
        if not copyable["everything"] and (beyond or package["everything"]):
            yield Problem(("packages", name), _("It holds what may not be copied."))


def _proofs(body: Mapping[str, Any]) -> Iterator[Problem]:
    """Every paper that is asked for has its words."""
    asked = [
        (("applicants", name, key), paper)
        for name, one in body["applicants"].items() for key in ("needs", "needs_dead") for paper in one.get(key, ())
    ]  # fmt: skip
    instead = [
        (("instead", name), paper)
        for name, others in body.get("instead", {}).items()
        for paper in (name, *others)
    ]
    for place, paper in (*asked, *instead):
        if paper not in body["papers"]:
            yield Problem(place, _("%(name)s has no words under [papers].", name=paper))


def _study_data(body: Mapping[str, Any]) -> Iterator[Problem]:
    if len(set(body["hidden_first"])) < len(body["hidden_first"]):
        yield Problem(("hidden_first",), _("Each of them once: what is left out would never be hidden."))


_RELATIONS = {
    "gates": _gates, "numbering": _numbering, "retention": _retention, "sensitivity": _sensitivity,
    "storeroom": _storeroom, "synonyms": _synonyms, "keying": _keying, "checklist": _checklist, "loans": _loans,
    "copying": _copying, "proofs": _proofs, "study_data": _study_data,
}  # fmt: skip
