"""证明材料: which papers somebody must bring who applies for a copy of a record (domain §11). Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

LIVING, DEAD, ANYBODY = "living", "dead", "anybody"


@dataclass(frozen=True)
class Applicant:
    """申请人: who may apply for whose record, and with which papers."""

    code: str
    of: str
    """Of a living patient, of a dead one, or of anybody."""
    minors: bool
    """Whether it may be for a patient who is too young to apply."""
    needs: tuple[str, ...]
    needs_dead: tuple[str, ...]
    """The papers where the patient has died, where these are others."""

    def papers(self, *, dead: bool) -> tuple[str, ...]:
        """What must be shown, in the order in which it is asked for."""
        return self.needs_dead if dead and self.needs_dead else self.needs

    def fits(self, *, dead: bool, minor: bool) -> bool:
        """Whether such a person may apply for such a patient at all."""
        if self.of == (LIVING if dead else DEAD):
            return False
        return self.minors or not minor or dead


def applicants(body: Mapping[str, Any]) -> dict[str, Applicant]:
    """Who may apply, by code, in the order of a version of the policy."""
    return {
        code: Applicant(code, one["of"], one["minors"], tuple(one["needs"]), tuple(one.get("needs_dead", ())))
        for code, one in body["applicants"].items()
    }


def missing(
    body: Mapping[str, Any], applicant: Applicant, present: Collection[str], *, dead: bool
) -> list[str]:
    """The papers that are not there, and nothing that may stand for them is."""
    instead = body.get("instead", {})
    return [
        kind
        for kind in applicant.papers(dead=dead)
        if kind not in present and not any(other in present for other in instead.get(kind, ()))
    ]


def asked(body: Mapping[str, Any], applicant: Applicant, *, dead: bool) -> list[str]:
    """Every paper that may count for this applicant: what is needed, each with what may stand for it."""
    instead = body.get("instead", {})
    return list(
        dict.fromkeys(kind for one in applicant.papers(dead=dead) for kind in (one, *instead.get(one, ())))
    )
