"""不予复制: parts of a record that a doctor keeps from the patient's side, since reading them would harm the treatment.

Mental Health Law art. 47. The window decides nothing: it writes down who did, and why.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from archive.i18n import _
from archive.models import CopyRequest
from archive.policy import proofs
from archive.policy.proofs import Applicant
from archive.schema import clean
from archive.services.copying.finding import Found
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "copying withheld"}

LONGEST = {"doctor": 60, "withheld_because": 300}


def before(uow: UnitOfWork, found: Found) -> CopyRequest | None:
    """The last slip by which a doctor has withheld something of these records, unless one has given it free since."""
    rows = (
        select(CopyRequest).where(CopyRequest.patient_id == found.patient.id).order_by(CopyRequest.id.desc())
    )
    last = next(
        (slip for slip in uow.session.scalars(rows, execution_options=TRUSTED) if slip.withheld), None
    )
    return last if last and any(map(found.part, nodes(last.withheld))) else None


def decided(found: Found, parts: frozenset[int], doctor: str, because: str, who: Applicant | None,
            wrong: dict[str, str], earlier: CopyRequest | None = None) -> dict[str, Any] | None:  # fmt: skip
    """What is withheld, to be kept with the slip; nothing where nothing is. `wrong` takes what is missing.

    What was withheld on an `earlier` slip is withheld again, or a doctor gives it free: nobody forgets it in silence.
    """
    texts = {"doctor": clean(doctor), "withheld_because": clean(because)}
    kept = [(stay, part) for stay in found.stays for part in stay.parts if part.node.id in parts]
    is_theirs = who is not None and who.of != proofs.ANYBODY
    if not kept and not (earlier and is_theirs and all(texts.values())):
        if earlier and is_theirs:
            wrong["withhold"] = _("A doctor has withheld parts before (%(slip)s). Tick them again, or write which doctor gives "
                                  "them free, and why.", slip=earlier.number)  # fmt: skip
        elif any(texts.values()):
            wrong["withhold"] = _("Tick which parts the doctor withholds.")
        return None
    if who is not None and not is_theirs:
        wrong["withhold"] = _("Parts are withheld from the patient’s side only.")
    for name, text in texts.items():
        if not text:
            wrong[name] = _("Fill this in.")
        elif len(text) > LONGEST[name]:
            wrong[name] = _("At most %(most)d characters.", most=LONGEST[name])
    return texts | {
        "parts": [{"node": part.node.id, "label": f"{stay.stay} {part.label}"} for stay, part in kept]
    }


def carried(decision: Mapping[str, Any] | None, earlier: CopyRequest | None) -> dict[str, Any] | None:
    """What a doctor has withheld of the first part stays withheld in the later one."""
    if decision is not None or earlier is None or not earlier.withheld:
        return dict(decision) if decision else None
    return dict(earlier.withheld)


def nodes(decision: Mapping[str, Any] | None) -> frozenset[int]:
    """The components that are withheld."""
    return frozenset(part["node"] for part in (decision or {}).get("parts", ()))


def labels(copy: CopyRequest) -> list[str]:
    """The withheld parts of a slip, in words."""
    return [part["label"] for part in (copy.withheld or {}).get("parts", ())]
