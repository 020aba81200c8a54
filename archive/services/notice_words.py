"""通知用语: the kinds of notice there are, what each says, and how it looks."""

from dataclasses import dataclass

from archive.i18n import Lazy, _l
from archive.services import bundle_news, inspection_reminders, reminders
from archive.services.mismatch_news import OWNED
from archive.services.news import FOUND

ALARM, RECALLED, LEFT = "emergency.alarm", "loan.recalled", "loan.left"
AT_DESK, WITHDRAWN = "request.at_desk", "request.withdrawn"


@dataclass(frozen=True)
class Kind:
    """What a notice says, and its look: info, ok, wait or bad."""

    text: Lazy
    icon: str
    look: str = ""


KINDS = {
    "request.approved": Kind(_l("Your request has been approved: it is open for reading"), "book", "ok"),
    "request.on_site": Kind(
        _l("Your request has been approved: it is read in the reading room"), "door-enter", "ok"
    ),
    "request.ready": Kind(_l("Your request has been approved: ready to collect"), "package", "ok"),
    "request.in_line": Kind(
        _l("Your request has been approved: you stand in line for the volume"), "clock", "wait"
    ),
    "request.refused": Kind(_l("Your request has been refused"), "x", "bad"),
    bundle_news.GRANTED: Kind(_l("Of your bundle, records have been granted"), "books", "ok"),
    bundle_news.REFUSED: Kind(_l("Of your bundle, records have been refused"), "x", "bad"),
    "request.revoked": Kind(_l("Your reading has been ended"), "ban", "wait"),
    AT_DESK: Kind(_l("This was asked for in your name at the lending desk"), "book-upload"),
    WITHDRAWN: Kind(_l("What you had asked for was withdrawn at the lending desk"), "arrow-back-up", "wait"),
    "request.offered": Kind(_l("What you asked for has come back: it lies ready for you"), "package", "ok"),
    "request.expired": Kind(_l("What lay ready for you was not collected in time"), "clock-x", "wait"),
    RECALLED: Kind(
        _l("Somebody waits for what you have on loan: bring it back sooner"), "arrow-back-up", "wait"
    ),
    "loan.lost": Kind(_l("What you had on loan was written down as lost"), "eye-search", "bad"),
    "incident.lost": Kind(_l("A volume was written down as lost"), "eye-search", "bad"),
    "incident.damaged": Kind(_l("A volume was written down as damaged"), "bandage", "wait"),
    "loan.handed_to_you": Kind(
        _l("Somebody gives you a volume: confirm that you have it"), "arrows-exchange", "wait"
    ),
    LEFT: Kind(_l("An account was closed whose holder still has a volume"), "user-minus", "bad"),
    reminders.DUE: Kind(_l("What you have on loan is due"), "calendar-due", "wait"),
    reminders.OVERDUE: Kind(_l("What you have on loan is overdue"), "alert-triangle", "bad"),
    reminders.LATE: Kind(_l("People of your department have something overdue"), "alert-triangle", "wait"),
    reminders.ESCALATED: Kind(_l("Loans have been overdue for long"), "alert-octagon", "bad"),
    inspection_reminders.KIND: Kind(
        _l("Findings of an inspection may be contested for a few days more"), "clipboard-check", "wait"
    ),
    "node.sent_back": Kind(_l("Sent back to you for completion"), "arrow-back-up", "wait"),
    "job.done": Kind(_l("Your job is done"), "check", "ok"),
    "job.failed": Kind(_l("Your job has failed"), "alert-octagon", "bad"),
    "emergency.opened": Kind(_l("Break-glass was used: it waits to be judged"), "alarm", "bad"),
    "emergency.judged": Kind(_l("Your use of break-glass has been judged"), "gavel", "wait"),
    ALARM: Kind(_l("Break-glass is used unusually often"), "alert-octagon", "bad"),
    OWNED: Kind(_l("What does not agree between paper and pages is yours to see to"), "arrows-diff", "wait"),
    FOUND: Kind(_l("New results of saved searches"), "bookmark"),
}
