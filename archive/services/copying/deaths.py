"""死亡日期: written down where a death certificate is shown. From then on others apply for the record, on other papers."""

from collections.abc import Collection
from datetime import date

from sqlalchemy import select, update

from archive.errors import Conflict, Invalid
from archive.i18n import _
from archive.models import CopyRequest, Patient
from archive.policy.permissions import P
from archive.schema import clean
from archive.services.copying import slips
from archive.services.copying.finding import Found
from archive.uow import UnitOfWork, action

TRUSTED = {"scope": "copying deaths"}
CERTIFICATE = "death"
"""死亡证明 among the papers of the policy."""
LONGEST_REASON = 500


def day_of(
    uow: UnitOfWork, found: Found, typed: str, papers: Collection[str], wrong: dict[str, str]
) -> date | None:
    """The day that the certificate says, where one was shown and the archive knows of none; `wrong` takes what cannot be."""
    text = clean(typed)
    if not found.is_dead or found.patient.deceased_on is not None or (CERTIFICATE not in papers and not text):
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        wrong["died_on"] = _("Write the day of death as the certificate says it: 2026-11-21.")
        return None
    if CERTIFICATE not in papers:
        wrong["died_on"] = _("Tick the death certificate that says so.")
    elif day > uow.today:
        wrong["died_on"] = _("This day is still to come.")
    elif any(
        known is not None and day < known
        for known in (found.patient.birth, *(stay.admitted_on for stay in found.stays))
    ):
        wrong["died_on"] = _("The patient was born or admitted after that day.")
    return day


def is_asked(uow: UnitOfWork, copy: CopyRequest) -> bool:
    """Whether the day is written down with the papers that this slip still waits for."""
    if not copy.is_dead or CERTIFICATE in slips.present(uow, copy):
        return False
    known = select(Patient.deceased_on).where(Patient.id == copy.patient_id)
    return uow.session.scalar(known, execution_options=TRUSTED) is None


def record(uow: UnitOfWork, copy: CopyRequest, day: date | None) -> None:
    """Part of an act: the patient died on that day, unless the archive has learnt of a death meanwhile."""
    if day is None:
        return
    mine = update(Patient).where(Patient.id == copy.patient_id, Patient.deceased_on.is_(None))
    uow.session.execute(mine.values(deceased_on=day), execution_options=TRUSTED)
    copy.deceased_on = day
    uow.session.flush()
    uow.note(deceased_on=day)


@action("copy.death_withdrawn", needs=P.REQUEST_COPY)
def take_back(uow: UnitOfWork, copy: CopyRequest, *, reason: str) -> None:
    """更正: the certificate was another's, or false. The patient counts as living again, as far as this slip said otherwise.

    Raises Conflict where this slip recorded no death, Invalid without a reason, Forbidden.
    """
    for node in slips.nodes_of(uow, copy):
        uow.require(P.REQUEST_COPY, node)
    uow.session.refresh(copy, with_for_update=True)
    if copy.deceased_on is None:
        raise Conflict(_("No death was written down with this slip."))
    why = clean(reason)
    if not 0 < len(why) <= LONGEST_REASON:
        raise Invalid(fields={"reason": _("Say why, in a sentence.")})
    mine = update(Patient).where(Patient.id == copy.patient_id, Patient.deceased_on == copy.deceased_on)
    uow.session.execute(mine.values(deceased_on=None), execution_options=TRUSTED)
    uow.note(deceased_on=[copy.deceased_on, None], reason=why)
    copy.deceased_on = None
    uow.session.flush()
