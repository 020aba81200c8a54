"""受理: an application for a copy, on one page and with one save (domain §4.3; 2013 rule art. 17 to 21)."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from archive.errors import Conflict, Forbidden, Invalid
from archive.i18n import _
from archive.models import CopyItem, CopyProof, CopyRequest
from archive.policy import proofs
from archive.policy.permissions import P
from archive.policy.proofs import Applicant
from archive.schema import clean
from archive.services import calendar, numbers, patient_names, policies
from archive.services.copying import deaths, finding, slips, withholding
from archive.services.copying.finding import Found, Stay
from archive.uow import UnitOfWork, action

TRUSTED: Any = {"scope": "copying applications"}
AGAIN = timedelta(minutes=5)
"""Within it the same clerk has pressed a key twice, and nobody has come to the counter again."""
LONGEST = {"applicant_name": 60, "identity": 30, "relation": 60, "note": 500, "mail": 200}
MOST_SHEETS = 2000
TRAIL = "trail"


class TakenTwice(Conflict):
    """This application stands on a slip already: the page leads there."""

    def __init__(self, slip: CopyRequest) -> None:
        super().__init__(_("This application has been taken down already."))
        self.slip = slip.uuid


@dataclass(frozen=True)
class Application:
    """复制申请 as it was typed: who, what for, on which papers, and what of which record."""

    applicant: str
    applicant_name: str
    purpose: str
    package: str
    kind: str = "copy"
    """copy, or trail: who has seen these records."""
    identity: str = ""
    relation: str = ""
    note: str = ""
    mail: str = ""
    by_mail: bool = False
    died: bool = False
    """The applicant says that the patient has died: of a death outside the hospital its own records know nothing."""
    died_on: str = ""
    """The day of death as the certificate says it."""
    withhold: frozenset[int] = frozenset()
    """Components that a doctor withholds from the patient's side."""
    doctor: str = ""
    withheld_because: str = ""
    papers: frozenset[str] = frozenset()
    records: frozenset[int] = frozenset()
    parts: frozenset[int] = frozenset()
    sheets: Mapping[int, str] = field(default_factory=dict)
    """Sheets copied from the paper of a record, as they were typed."""
    later: frozenset[int] = frozenset()
    """Records of which the rest is to follow."""


@action("copy.applied", needs=P.REQUEST_COPY)
def apply(
    uow: UnitOfWork, found: Found, wanted: Application, *, continues: CopyRequest | None = None
) -> CopyRequest:
    """Takes an application down: accepted when its papers are complete, else incomplete with what is missing.

    A later part goes by the rules of the first: what was asked for then stays lawful whatever has changed since.
    Raises Invalid with everything that is wrong, TakenTwice.
    """
    found = found.as_said(died=wanted.died)
    papers, body = _ruling(uow, "proofs", continues.proofs_version if continues else None)
    version, rules = _ruling(uow, "copying", continues.rules if continues else None)
    wrong: dict[str, str] = {}
    withheld = _withheld(uow, found, wanted, body, continues, wrong)
    chosen = list(_left(_items(found, wanted, rules), withheld))
    died_on = deaths.day_of(uow, found, wanted.died_on, wanted.papers, wrong)
    who = _checked(uow, found, wanted, chosen, body, rules, wrong)
    made = CopyRequest(
        number=numbers.slip(uow, "FY"), kind=wanted.kind, day=uow.today, queue=numbers.draw(uow, f"copying:{uow.today}"),
        state="accepted", patient_id=found.patient.id, mrn=found.patient.mrn, applicant=who.code,
        applicant_name=clean(wanted.applicant_name), identity_enc=_hidden(uow, wanted.identity),
        relation=clean(wanted.relation) or None, purpose=wanted.purpose, package=wanted.package,
        note=clean(wanted.note) or None, withheld=withheld, is_dead=found.is_dead, rules=version, proofs_version=papers,
        by_mail=wanted.by_mail, mail_enc=_hidden(uow, wanted.mail) if wanted.by_mail else None,
        owes=any(item.source == "later" for item in chosen), continues_id=continues.id if continues else None, created_at=uow.now,
        created_by=uow.actor.principal_id,
    )  # fmt: skip
    _not_taken_twice(uow, made, chosen)
    uow.session.add(made)
    uow.session.flush()
    uow.about(made)
    for item in chosen:
        item.copy_id = made.id
        if item.source == "scan":
            item.pages = slips.pages_of(uow, item.node_id)
        uow.session.add(item)
    if continues is not None:
        _carry(uow, continues, made)
    show(uow, made, wanted.papers)
    deaths.record(uow, made, died_on)
    uow.note(kind=made.kind, applicant=made.applicant, purpose=made.purpose, package=made.package, state=made.state,
             papers=sorted(wanted.papers), items=len(chosen), owes=made.owes, is_dead=made.is_dead,
             withheld=sorted(withholding.nodes(withheld)), died=wanted.died)  # fmt: skip
    return made


def _withheld(uow: UnitOfWork, found: Found, wanted: Application, papers: Mapping[str, Any], continues: CopyRequest | None,
              wrong: dict[str, str]) -> dict[str, Any] | None:  # fmt: skip
    who, earlier = proofs.applicants(papers).get(wanted.applicant), None
    if continues is None:
        earlier = withholding.before(uow, found)
    decision = withholding.decided(
        found, wanted.withhold, wanted.doctor, wanted.withheld_because, who, wrong, earlier
    )
    return withholding.carried(decision, continues)


def _left(items: Iterator[CopyItem], withheld: Mapping[str, Any] | None) -> Iterator[CopyItem]:
    """What is copied of what was asked for. Paper is counted by hand, without what the doctor withholds."""
    shut = withholding.nodes(withheld)
    return (item for item in items if item.source != "scan" or item.node_id not in shut)


def _ruling(uow: UnitOfWork, kind: str, version: int | None) -> tuple[int, dict[str, Any]]:
    if version is not None:
        return version, policies.of_version(uow, kind, version)
    now = policies.in_force(uow, kind)
    return now.version, now.body


def _not_taken_twice(uow: UnitOfWork, made: CopyRequest, chosen: list[CopyItem]) -> None:
    """For after the numbers are drawn: their rows are locked, so of two keys at once the second sees the first's slip."""
    same = (
        "kind",
        "applicant",
        "applicant_name",
        "purpose",
        "package",
        "patient_id",
        "created_by",
        "continues_id",
    )
    alike = select(CopyRequest).where(
        *(getattr(CopyRequest, name) == getattr(made, name) for name in same),
        CopyRequest.state.in_(slips.OPEN), CopyRequest.created_at > uow.now - AGAIN,
    )  # fmt: skip
    content = {(item.node_id, item.source, item.sheets) for item in chosen}
    for earlier in uow.session.scalars(alike, execution_options=TRUSTED):
        if content == {(item.node_id, item.source, item.sheets) for item in slips.items(uow, earlier)}:
            raise TakenTwice(earlier)


def _carry(uow: UnitOfWork, earlier: CopyRequest, later: CopyRequest) -> None:
    """The papers of the first part hold for the later one, seen by whom and when they were."""
    earlier.owes = False
    shown = select(CopyProof).where(CopyProof.copy_id == earlier.id)
    for one in uow.session.scalars(shown, execution_options=TRUSTED).all():
        uow.session.add(CopyProof(copy_id=later.id, kind=one.kind, seen_at=one.seen_at, seen_by=one.seen_by))
    uow.session.flush()


def _hidden(uow: UnitOfWork, text: str) -> bytes | None:
    return uow.site.keys.encrypt("identity-enc", clean(text)) if clean(text) else None


def show(uow: UnitOfWork, copy: CopyRequest, papers: Collection[str]) -> None:
    """Part of an act: these papers have been seen; what they make of the application."""
    body = policies.of_version(uow, "proofs", copy.proofs_version)
    who, seen = proofs.applicants(body)[copy.applicant], slips.present(uow, copy)
    for kind in proofs.asked(body, who, dead=copy.is_dead):
        if kind in papers and kind not in seen:
            uow.session.add(
                CopyProof(copy_id=copy.id, kind=kind, seen_at=uow.now, seen_by=uow.actor.principal_id)
            )
    lacking = proofs.missing(body, who, seen | set(papers), dead=copy.is_dead)
    copy.state = "incomplete" if lacking else "accepted"
    if not lacking:
        limits = policies.of_version(uow, "copying", copy.rules)["limits"]
        copy.accepted_at = uow.now
        copy.ready_by = calendar.add_working_days(uow, uow.today, limits["ready_working_days"])
    uow.session.flush()


def package_of(body: Mapping[str, Any], name: str, code: str) -> bool:
    """Whether a package holds what is of this component; pages that stand in none are of the whole record alone."""
    package = body["packages"].get(name, {})
    return bool(package.get("everything") or (code and code in package.get("components", ())))


def _items(found: Found, wanted: Application, body: Mapping[str, Any]) -> Iterator[CopyItem]:
    for stay in reversed(found.stays):  # as they lie in the folder of the patient: the oldest first
        ticked = stay.node.id in wanted.records
        if wanted.kind == TRAIL:
            if ticked:
                yield CopyItem(record_id=stay.node.id, node_id=stay.node.id, source=TRAIL)
            continue
        for part in stay.parts:
            if part.node.id in wanted.parts or (ticked and package_of(body, wanted.package, part.code)):
                yield CopyItem(record_id=stay.node.id, node_id=part.node.id, source="scan", code=part.code)
        if ticked and (sheets := _number(wanted.sheets.get(stay.node.id, ""))):
            yield CopyItem(record_id=stay.node.id, node_id=stay.node.id, source="paper", sheets=sheets)
        if stay.node.id in wanted.later:
            yield CopyItem(record_id=stay.node.id, node_id=stay.node.id, source="later")


def _number(typed: str) -> int:
    text = patient_names.folded(typed)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else 0


def _checked(
    uow: UnitOfWork, found: Found, wanted: Application, chosen: list[CopyItem], papers: Mapping[str, Any],
    rules: Mapping[str, Any], wrong: dict[str, str],
) -> Applicant:  # fmt: skip
    """The applicant. Raises Invalid with everything that is wrong."""
    who = proofs.applicants(papers).get(wanted.applicant)
    wrong |= _too_long(wanted) | _asked_for(uow, wanted, who, rules)
    if objection := objection_to(found, who):
        wrong["applicant"] = objection
    if not clean(wanted.applicant_name):
        wrong["applicant_name"] = _("Fill this in.")
    if wanted.by_mail and not clean(wanted.mail):
        wrong["mail"] = _("Write where it is to be sent, and a telephone number.")
    wrong |= _sheets(found, wanted)
    if not chosen and "sheets" not in wrong:
        wrong["records"] = _(
            "Choose a record and what of it is copied; count the sheets of what is on paper alone."
        )
    if chosen and all(item.source == "later" for item in chosen):
        wrong["records"] = _(
            "Nothing of it can be copied yet: count its sheets of paper, have it scanned, or ask again when it is finished."
        )
    copyable = rules["copyable"]
    outside = [one for one in chosen if one.source == "scan" and one.code not in copyable["components"]]
    if outside and not copyable["everything"] and not clean(wanted.note):
        wrong["note"] = _("Say why something is copied that the hospital's rule does not name.")
    if wrong or who is None:
        raise Invalid(fields=wrong)
    return who


def _asked_for(
    uow: UnitOfWork, wanted: Application, who: Applicant | None, rules: Mapping[str, Any]
) -> dict[str, str]:
    """What is wrong with what is asked for, and with what it is for."""
    wrong, choose = {}, _("Choose one of the list.")
    if wanted.kind not in slips.KINDS:
        wrong["kind"] = choose
    if wanted.kind == TRAIL and who is not None and who.of == proofs.ANYBODY:
        # 个人信息保护法 art. 45 and 49: it is the patient's right, and after the death that of the near relatives.
        wrong["kind"] = _("Who has seen a record is told to the patient's side only.")
    if wanted.purpose not in policies.vocabulary(uow, "copy_purpose"):
        wrong["purpose"] = choose
    if wanted.package not in rules["packages"]:
        wrong["package"] = choose
    return wrong


def objection_to(found: Found, who: Applicant | None) -> str | None:
    """Why somebody cannot apply for this patient, or nothing."""
    if who is None:
        return _("Choose one of the list.")
    if who.fits(dead=found.is_dead, minor=found.is_minor):
        return None
    if found.is_dead:
        return _("The patient has died: an heir, a near relative or their agent applies.")
    if found.is_minor and who.of != proofs.DEAD:
        return _("The patient is a minor: a guardian applies.")
    return _(
        "The archive knows of no death: tick that the patient has died and find again, or the patient or an agent applies."
    )


def _too_long(wanted: Application) -> dict[str, str]:
    return {
        name: _("At most %(most)d characters, please.", most=most)
        for name, most in LONGEST.items() if len(clean(getattr(wanted, name))) > most
    }  # fmt: skip


def _sheets(found: Found, wanted: Application) -> dict[str, str]:
    for stay in found.stays:
        typed = wanted.sheets.get(stay.node.id, "").strip()
        if typed and not 0 < _number(typed) <= MOST_SHEETS:
            return {"sheets": _("%(stay)s: write how many sheets were counted.", stay=stay.stay)}
        if _number(typed) and stay.node.id not in wanted.records:
            return {"sheets": _("%(stay)s: tick the record of which sheets were counted.", stay=stay.stay)}
    return {}


@action("copy.papers_shown", needs=P.REQUEST_COPY)
def complete(uow: UnitOfWork, copy: CopyRequest, papers: Collection[str], died_on: str = "") -> CopyRequest:
    """Further papers have been brought: the application is accepted once none is missing. Raises Conflict, Invalid."""
    held(uow, copy)
    if copy.state != "incomplete":
        raise Conflict(_("Its papers are complete already."))
    wrong: dict[str, str] = {}
    day = None
    if found := finding.rest(uow, copy.patient_id, {item.record_id for item in slips.items(uow, copy)}):
        day = deaths.day_of(uow, found.as_said(died=copy.is_dead), died_on, papers, wrong)
    if wrong:
        raise Invalid(fields=wrong)
    deaths.record(uow, copy, day)
    show(uow, copy, papers)
    uow.note(papers=sorted(papers), state=copy.state)
    return copy


def held(uow: UnitOfWork, copy: CopyRequest) -> None:
    """Locks a slip for an act, and asks again for the right over every record of it. Raises Forbidden."""
    uow.session.flush()
    uow.session.refresh(copy, with_for_update=True)
    if not all(uow.can(P.REQUEST_COPY, node) for node in slips.nodes_of(uow, copy)):
        raise Forbidden


def first_choice(found: Found) -> Stay | None:
    """The record that a form begins with: the newest one."""
    return found.stays[0] if found.stays else None
