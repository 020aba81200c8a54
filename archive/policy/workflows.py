"""Workflows: tables that somebody can read aloud. Rights by state stand in `matrix.csv`, guards in services."""

from archive.i18n import Lazy, _l
from archive.policy.permissions import P
from archive.workflow import State, Transition, Workflow

OPEN = State("open", _l("Open"), "ok")
DRAFT = State("draft", _l("Draft"), "idle")
CATALOGUING = State("cataloguing", _l("Cataloguing"), "run")
REVIEW = State("review", _l("In review"), "wait")
ARCHIVED = State("archived", _l("Archived"), "ok")
CORRECTING = State("correcting", _l("Correcting"), "run")
DESTROYED = State("destroyed", _l("Destroyed"), "gone", final=True)

DESCRIPTION_STATES = (DRAFT, CATALOGUING, REVIEW, ARCHIVED, CORRECTING, DESTROYED)


def _description(name: str, *gates: str) -> Workflow:
    return Workflow(
        name,
        initial="draft",
        states=DESCRIPTION_STATES,
        transitions=(
            Transition("catalogue", _l("Start cataloguing"), ("draft",), "cataloguing", P.EDIT, icon="pencil",
                       primary=True),
            Transition("submit", _l("Submit for review"), ("cataloguing",), "review", P.EDIT,
                       guards=("has_pages_or_paper", "every_page_made", "not_being_scanned"), icon="send", primary=True),
            Transition("send_back", _l("Send back"), ("review",), "cataloguing", P.EDIT_LIFECYCLE,
                       icon="arrow-back-up", asks_reason=True),
            Transition("archive", _l("Archive"), ("review",), "archived", P.EDIT_LIFECYCLE,
                       guards=("number_rule_known", "not_being_scanned", *gates), icon="archive", primary=True),
            Transition("correct", _l("Correct"), ("archived",), "correcting", P.EDIT_LIFECYCLE,
                       guards=("nobody_has_it",), icon="pencil", asks_reason=True),
            Transition("finish", _l("Finish correcting"), ("correcting",), "archived", P.EDIT_LIFECYCLE,
                       guards=("not_being_scanned",), icon="archive", primary=True),
        ),
    )  # fmt: skip


PROGRAM = "program"
"""The need of a step that the program takes itself, when what it waits for is done."""


NO_PARTY = ("not_the_requester", "no_conflict", "not_the_deputy")
"""Nobody decides what they ask for themselves, what they have a part in, or what somebody asks for whose deputy they are."""


def _decided(granted: str, *guards: str) -> tuple[Transition, ...]:
    """How every request is decided: by the rule itself, or by opinions in turn and then by whom the rule names."""
    return (
        Transition("open", _l("Open by the rule"), ("requested",), granted, PROGRAM, icon="check"),
        Transition("endorse", _l("Agree"), ("requested",), "requested", P.REQUEST_ENDORSE,
                   guards=(*NO_PARTY, "in_turn"), icon="check", primary=True),
        Transition("object", _l("Refuse"), ("requested",), "refused", P.REQUEST_ENDORSE,
                   guards=(*NO_PARTY, "in_turn"), icon="x", asks_reason=True),
        Transition("approve", _l("Approve"), ("requested",), granted, P.REQUEST_DECIDE,
                   guards=(*NO_PARTY, "all_heard", "bundle_allows", *guards), icon="check", primary=True),
        Transition("refuse", _l("Refuse"), ("requested",), "refused", P.REQUEST_DECIDE,
                   guards=(*NO_PARTY, "by_the_rule"), icon="x", asks_reason=True),
    )  # fmt: skip


def _opened(name: str, active: Lazy, end: Lazy) -> Workflow:
    """What is open to whoever asked, from its approval until its last day."""
    return Workflow(
        name,
        initial="requested",
        states=(
            State("requested", _l("To be decided"), "wait"),
            State("active", active, "ok"),
            State("ended", _l("Ended"), "idle", final=True),
            State("refused", _l("Refused"), "bad", final=True),
            State("cancelled", _l("Withdrawn"), "idle", final=True),
        ),
        transitions=(
            *_decided("active"),
            Transition("cancel", _l("Withdraw"), ("requested",), "cancelled", "requester", icon="arrow-back-up"),
            Transition("give_back", end, ("active",), "ended", "requester", icon="book-off"),
            Transition("revoke", _l("Revoke"), ("active",), "ended", P.REQUEST_DECIDE, icon="ban", asks_reason=True),
        ),
    )  # fmt: skip


EREAD = _opened("eread", _l("Open for reading"), _l("End reading"))
DATA = _opened("data", _l("Data without names granted"), _l("Done with the data"))

PAPER = Workflow(
    "paper",
    initial="requested",
    states=(
        State("requested", _l("To be decided"), "wait"),
        State("approved", _l("Ready to collect"), "run"),
        State("lent", _l("Lent"), "wait"),
        State("returned", _l("Returned"), "ok", final=True),
        State("lost", _l("Lost"), "bad", final=True),
        State("refused", _l("Refused"), "bad", final=True),
        State("cancelled", _l("Withdrawn"), "idle", final=True),
        State("expired", _l("Not collected"), "idle", final=True),
    ),
    transitions=(
        *_decided("approved", "paper_goes_out"),
        Transition("cancel", _l("Withdraw"), ("requested", "approved"), "cancelled", "requester",
                   icon="arrow-back-up"),
        Transition("issue", _l("Hand out"), ("approved",), "lent", P.REQUEST_HANDLE, icon="barcode", primary=True),
        Transition("lose", _l("Write down as lost"), ("lent",), "lost", P.REQUEST_HANDLE, icon="eye-search"),
        Transition("return", _l("Take back"), ("lent",), "returned", P.REQUEST_HANDLE, icon="barcode", primary=True),
    ),
)  # fmt: skip

BATCH = Workflow(
    "batch",
    initial="created",
    states=(
        State("created", _l("Being put together")),
        State("checked_out", _l("Out of the store"), "run"),
        State("prepared", _l("Prepared"), "run"),
        State("scanning", _l("Scanning"), "run"),
        State("image_processing", _l("Images being processed"), "run"),
        State("self_check", _l("Self check"), "wait"),
        State("linked", _l("Linked"), "run"),
        State("auto_check", _l("Automatic check"), "run"),
        State("sampling", _l("To be sampled"), "wait"),
        State("rework", _l("Rework"), "bad"),
        State("accepted", _l("Accepted"), "ok"),
        State("rebound", _l("Rebound"), "ok"),
        State("checked_in", _l("Back in the store"), "ok", final=True),
        State("cancelled", _l("Given up"), "gone", final=True),
    ),
    transitions=(
        Transition("check_out", _l("Check out"), ("created",), "checked_out", P.HOLDING_PLACE,
                   guards=("has_volumes",), icon="package-export", primary=True),
        Transition("cancel", _l("Give the batch up"), ("created", "checked_out", "prepared"), "cancelled", P.HOLDING_PLACE,
                   icon="x", asks_reason=True),
        Transition("prepare", _l("Prepared: taken apart and counted"), ("checked_out",), "prepared", P.SCAN_UPLOAD,
                   guards=("every_side_counted",), icon="scissors", primary=True),
        Transition("scan", _l("Begin scanning"), ("prepared",), "scanning", P.SCAN_UPLOAD, icon="scan", primary=True),
        Transition("scan_more", _l("Scan more"), ("self_check", "rework"), "scanning", P.SCAN_UPLOAD, icon="scan"),
        Transition("finish", _l("Scanning is finished"), ("scanning",), "image_processing", P.SCAN_UPLOAD,
                   guards=("has_pages", "every_file_read"), icon="check", primary=True),
        Transition("process", _l("Images processed"), ("image_processing",), "self_check", PROGRAM),
        Transition("link", _l("Link to the records"), ("self_check",), "linked", P.SCAN_UPLOAD,
                   guards=("nothing_doubtful", "every_volume_confirmed", "sides_agree", "every_defect_mended"), icon="link",
                   primary=True),
        Transition("stop_linking", _l("Back to the self check"), ("linked",), "self_check", P.SCAN_UPLOAD,
                   guards=("nothing_is_linking",), icon="arrow-back-up"),
        Transition("examine", _l("Every page linked"), ("linked",), "auto_check", PROGRAM),
        Transition("draw", _l("Sample drawn"), ("auto_check",), "sampling", PROGRAM),
        Transition("accept", _l("Accept"), ("sampling",), "accepted", P.SCAN_QC,
                   guards=("not_the_scanner", "sample_looked_at", "within_limits"), icon="circle-check", primary=True),
        Transition("send_back", _l("Send back for rework"), ("sampling",), "rework", P.SCAN_QC,
                   guards=("not_the_scanner", "has_defects"), icon="arrow-back-up", asks_reason=True),
        Transition("mended", _l("Everything is mended"), ("rework",), "linked", P.SCAN_UPLOAD,
                   guards=("every_defect_mended",), icon="check", primary=True),
        Transition("rebind", _l("Rebound"), ("accepted",), "rebound", P.HOLDING_PLACE, icon="book-2", primary=True),
        Transition("check_in", _l("Check in"), ("rebound",), "checked_in", P.HOLDING_PLACE, icon="package-import",
                   primary=True),
    ),
)  # fmt: skip
"""数字化批次 (domain §4.5, §13). Its rights are those over the records of its volumes, all of them."""

COPY = Workflow(
    "copy",
    initial="accepted",
    states=(
        State("incomplete", _l("Papers are missing"), "wait"),
        State("accepted", _l("To be made"), "run"),
        State("making", _l("Being made"), "run"),
        State("made", _l("To be confirmed"), "wait"),
        State("confirmed", _l("To be handed over"), "run"),
        State("delivered", _l("Handed over"), "ok", final=True),
        State("shipped", _l("Sent by mail"), "ok"),
        State("signed", _l("Received"), "ok", final=True),
        State("refused", _l("Refused"), "bad", final=True),
        State("revoked", _l("No longer valid"), "gone", final=True),
    ),
    transitions=(
        Transition("complete", _l("The papers are complete"), ("incomplete",), "accepted", P.REQUEST_COPY, icon="check",
                   primary=True),
        Transition("make", _l("Make the copy"), ("accepted", "made"), "making", P.REQUEST_COPY, icon="printer",
                   primary=True),
        Transition("finish", _l("The copy is made"), ("making",), "made", PROGRAM),
        Transition("give_up", _l("The copy could not be made"), ("making",), "accepted", PROGRAM),
        Transition("confirm", _l("Both have confirmed it"), ("made",), "confirmed", P.REQUEST_COPY, icon="users",
                   primary=True),
        Transition("deliver", _l("Hand over"), ("confirmed",), "delivered", P.REQUEST_COPY, icon="package-export",
                   primary=True),
        Transition("ship", _l("Send by mail"), ("confirmed",), "shipped", P.REQUEST_COPY, icon="mail", primary=True),
        Transition("sign", _l("It has arrived"), ("shipped",), "signed", P.REQUEST_COPY, icon="check", primary=True),
        Transition("refuse", _l("Refuse"), ("incomplete", "accepted", "made"), "refused", P.REQUEST_COPY, icon="x",
                   asks_reason=True),
        Transition("revoke", _l("Declare it invalid"), ("confirmed", "delivered", "shipped", "signed"), "revoked",
                   P.REQUEST_COPY, icon="ban", asks_reason=True),
    ),
)  # fmt: skip
"""复制 (domain §4.3). Its rights are those over all the records that it is of."""

WORKFLOWS = {
    flow.name: flow
    for flow in (
        Workflow("container", initial="open", states=(OPEN,)),
        Workflow("inherited", initial="draft", states=DESCRIPTION_STATES),
        _description("description"),
        _description("medical_record", "gates_hold", "nothing_lacks"),
        EREAD,
        DATA,
        PAPER,
    )
}
