"""Workflows: tables that somebody can read aloud. Rights by state stand in `matrix.csv`, guards in services."""

from archive.i18n import _l
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
                       guards=("has_pages_or_paper", "every_page_made"), icon="send", primary=True),
            Transition("send_back", _l("Send back"), ("review",), "cataloguing", P.EDIT_LIFECYCLE,
                       icon="arrow-back-up", asks_reason=True),
            Transition("archive", _l("Archive"), ("review",), "archived", P.EDIT_LIFECYCLE,
                       guards=("number_rule_known", *gates), icon="archive", primary=True),
            Transition("correct", _l("Correct"), ("archived",), "correcting", P.EDIT_LIFECYCLE,
                       guards=("nobody_has_it",), icon="pencil", asks_reason=True),
            Transition("finish", _l("Finish correcting"), ("correcting",), "archived", P.EDIT_LIFECYCLE,
                       icon="archive", primary=True),
        ),
    )  # fmt: skip


EREAD = Workflow(
    "eread",
    initial="requested",
    states=(
        State("requested", _l("To be decided"), "wait"),
        State("active", _l("Open for reading"), "ok"),
        State("ended", _l("Ended"), "idle", final=True),
        State("refused", _l("Refused"), "bad", final=True),
        State("cancelled", _l("Withdrawn"), "idle", final=True),
    ),
    transitions=(
        Transition("approve", _l("Approve"), ("requested",), "active", P.REQUEST_DECIDE,
                   guards=("not_the_requester",), icon="check", primary=True),
        Transition("refuse", _l("Refuse"), ("requested",), "refused", P.REQUEST_DECIDE,
                   guards=("not_the_requester",), icon="x", asks_reason=True),
        Transition("cancel", _l("Withdraw"), ("requested",), "cancelled", "requester", icon="arrow-back-up"),
        Transition("give_back", _l("End reading"), ("active",), "ended", "requester", icon="book-off"),
        Transition("revoke", _l("Revoke"), ("active",), "ended", P.REQUEST_DECIDE, icon="ban", asks_reason=True),
    ),
)  # fmt: skip

PAPER = Workflow(
    "paper",
    initial="requested",
    states=(
        State("requested", _l("To be decided"), "wait"),
        State("approved", _l("Ready to collect"), "run"),
        State("lent", _l("Lent"), "wait"),
        State("returned", _l("Returned"), "ok", final=True),
        State("refused", _l("Refused"), "bad", final=True),
        State("cancelled", _l("Withdrawn"), "idle", final=True),
    ),
    transitions=(
        Transition("approve", _l("Approve"), ("requested",), "approved", P.REQUEST_DECIDE,
                   guards=("not_the_requester",), icon="check", primary=True),
        Transition("refuse", _l("Refuse"), ("requested",), "refused", P.REQUEST_DECIDE,
                   guards=("not_the_requester",), icon="x", asks_reason=True),
        Transition("cancel", _l("Withdraw"), ("requested", "approved"), "cancelled", "requester",
                   icon="arrow-back-up"),
        Transition("issue", _l("Hand out"), ("approved",), "lent", P.REQUEST_HANDLE, icon="barcode", primary=True),
        Transition("return", _l("Take back"), ("lent",), "returned", P.REQUEST_HANDLE, icon="barcode", primary=True),
    ),
)  # fmt: skip

WORKFLOWS = {
    flow.name: flow
    for flow in (
        Workflow("container", initial="open", states=(OPEN,)),
        Workflow("inherited", initial="draft", states=DESCRIPTION_STATES),
        _description("description"),
        _description("medical_record", "gates_hold"),
        EREAD,
        PAPER,
    )
}
