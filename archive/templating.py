"""What every template may use: words, numbers and dates of the hospital, the person, the menu."""

import datetime as dt
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.numbers import format_decimal
from flask import Flask, g, request, url_for
from flask_wtf.csrf import generate_csrf

from archive import i18n
from archive.actor import Actor
from archive.i18n import Lazy, _, _l, ngettext
from archive.policy.permissions import P
from archive.policy.rights import matrix
from archive.policy.roles import ROLES
from archive.services import listing, notices, search
from archive.site import Site


@dataclass(frozen=True)
class Person:
    """The one who is signed in, as the frame shows them."""

    name: str
    staff_no: str
    role_title: str
    initial: str
    is_authenticated: bool
    may: frozenset[P]


@dataclass(frozen=True)
class Entry:
    """An entry of the rail. `needs`: any of these permissions shows it; none: everybody."""

    label: Lazy
    icon: str
    endpoint: str
    needs: tuple[P, ...] = ()
    sections: tuple[str, ...] = ()


MENU = (
    Entry(_l("Workbench"), "layout-dashboard", "workbench.home", sections=("workbench", "worklists")),
    Entry(
        _l("Browse"),
        "folders",
        "tree.top",
        (P.DISCOVER,),
        ("tree", "pages", "uploads", "arrivals", "scanning", "sharing", "retention"),
    ),
    Entry(
        _l("Search"),
        "search",
        "search.results",
        (P.DISCOVER,),
        ("search", "advanced", "front_pages", "saved_searches", "search_history"),
    ),
    Entry(
        _l("Digitisation"),
        "scan",
        "batches.board",
        (P.SCAN_UPLOAD, P.SCAN_QC, P.HOLDING_PLACE),
        ("batches", "batch_pages", "mismatches"),
    ),
    Entry(_l("Keying desk"), "keyboard", "keying.worklist", (P.EDIT,), ("keying",)),
    Entry(
        _l("Where is it"),
        "map-pin-search",
        "whereabouts.find",
        (P.IDENTIFY, P.HOLDING_VIEW),
        ("whereabouts", "merging"),
    ),
    Entry(_l("Find a patient"), "user-search", "find_exact.find", (P.FIND_EXACT,), ("find_exact",)),
    Entry(_l("Break-glass"), "alarm", "emergencies.form", (P.BREAKGLASS,)),
    Entry(
        _l("Review of break-glass"),
        "gavel",
        "emergencies.listing",
        (P.BREAKGLASS_REVIEW, P.AUDIT_REVIEW),
        ("emergencies",),
    ),
    Entry(_l("My requests"), "book", "requests.mine", (P.REQUEST_CREATE,), ("requests",)),
    Entry(_l("Approvals"), "checkbox", "requests.to_decide", (P.REQUEST_DECIDE, P.REQUEST_ENDORSE)),
    Entry(
        _l("Overdue in my department"), "calendar-due", "overdue.listing", (P.REQUEST_OVERSEE,), ("overdue",)
    ),
    Entry(_l("Lending desk"), "arrows-exchange", "desk.counter", (P.REQUEST_HANDLE,), ("desk",)),
    Entry(_l("Copying window"), "files", "copying.window", (P.REQUEST_COPY,), ("copying", "bookings")),
    Entry(
        _l("Figures"),
        "chart-bar",
        "figures.page",
        (P.REQUEST_HANDLE, P.REQUEST_OVERSEE, P.REQUEST_COPY),
        ("figures",),
    ),
    Entry(_l("Night seal"), "moon", "night.form", (P.NIGHT_SEAL,), ("night",)),
    Entry(_l("Seals"), "lock-square", "holds.listing", (P.HOLD_APPLY, P.HOLD_RELEASE), ("holds",)),
    Entry(_l("Dispute files"), "scale", "disputes.listing", (P.DISPUTE,), ("disputes",)),
    Entry(
        _l("Inspections"),
        "clipboard-check",
        "inspections.listing",
        (P.INSPECTION_GRANT,),
        ("inspections", "findings"),
    ),
    Entry(
        _l("Storeroom"), "building-warehouse", "storeroom.home", (P.HOLDING_PLACE,), ("storeroom", "volumes")
    ),
    Entry(_l("Import"), "table-import", "imports.start", (P.ADD, P.USER_MANAGE), ("imports",)),
    Entry(_l("Audit"), "shield-check", "audit.journal", (P.AUDIT_VIEW,), ("audit",)),
    Entry(_l("People"), "users", "people.listing", (P.USER_MANAGE, P.ROLE_ASSIGN), ("people",)),
    Entry(
        _l("System"),
        "settings",
        "control.panel",
        (P.OPERATE, P.CONFIG_MANAGE),
        ("control", "policies", "workdays"),
    ),
)


BROWSE = "tree.top"


def install(app: Flask, site: Site) -> None:
    """Gives the templates their context and the static files an address that changes with their content."""
    formats = Formats(ZoneInfo(site.settings.timezone), site)

    @app.context_processor
    def context() -> dict[str, Any]:
        actor: Actor = g.get("actor") or Actor.nobody()
        return {
            "_": _, "ngettext": ngettext, "csrf_token": generate_csrf, "actor": person(actor), "nav": menu(actor),
            "hospital": {"name": site.hospital_name, "short": site.hospital_name}, "today": formats.today(),
            "theme": "dark" if request.cookies.get("theme") == "dark" else "light",
            "rail": "narrow" if request.cookies.get("rail") == "narrow" else "wide",
            "locale": i18n.locale(), "demo": site.settings.demo or site.demonstration is not None,
            "waiting": Waiting(actor), "fmt": formats, "P": P, "longest_search": search.LONGEST,
        }  # fmt: skip

    stamps: dict[str, str] = {}

    @app.url_defaults
    def stamp(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static" and (name := values.get("filename")):
            if name not in stamps:
                path = (app.static_folder and site.static / name) or None
                stamps[name] = f"{int(path.stat().st_mtime):x}" if path and path.exists() else "0"
            values["v"] = stamps[name]


class Waiting:
    """One's own jobs and notices, read by the first part of a page that shows them: an answer in its place shows none."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor

    @cached_property
    def _found(self) -> notices.Waiting:
        uow = g.get("uow")
        if uow is None or not self._actor.is_authenticated or not g.get("answering"):
            return notices.Waiting()  # a page that is shown outside a unit of work
        return notices.waiting(uow)

    @property
    def jobs(self) -> int:
        return self._found.jobs

    @property
    def notices(self) -> int:
        return self._found.notices


def person(actor: Actor) -> Person:
    titles = [str(ROLES[role].title) for role in ROLES if role in actor.roles]
    return Person(
        actor.name,
        actor.staff_no,
        titles[0] if titles else "",
        actor.name[:1],
        actor.is_authenticated,
        frozenset() if actor.must_change else actor.anywhere,
    )


def _has_a_way_down(actor: Actor) -> bool:
    """Whether browsing shows anything: to whom single records are open, the tree above them stays hidden."""
    if any(
        right.role in actor.roles and P.DISCOVER in right.permissions and right.covers("fonds", "open")
        for right in matrix()
    ):
        return True
    uow = g.get("uow")
    return uow is not None and g.get("answering", False) and listing.has_top(uow)


def menu(actor: Actor) -> list[dict[str, Any]]:
    """The rail of this person: only what they may use."""
    here = request.blueprint or ""
    entries: list[dict[str, Any]] = []
    for entry in () if actor.must_change else MENU:
        if entry.needs and not actor.anywhere & set(entry.needs):
            continue
        if entry.endpoint == BROWSE and not _has_a_way_down(actor):
            continue
        current = request.endpoint == entry.endpoint or (
            here in entry.sections and request.endpoint not in _OTHERS
        )
        entries.append({"label": str(entry.label), "icon": entry.icon, "href": url_for(entry.endpoint),
                        "current": current, "count": None})  # fmt: skip
    return entries


_OTHERS = frozenset(entry.endpoint for entry in MENU)


@cache
def _locale(name: str) -> Locale:
    """A language as Babel knows it: to look it up by its name took a millisecond for every number of a page."""
    return Locale.parse(name)


class Formats:
    """Dates, times and numbers in the hospital's zone and the reader's language."""

    def __init__(self, zone: ZoneInfo, site: Site) -> None:
        self._zone, self._site = zone, site

    def today(self) -> dt.date:
        return self._site.clock().astimezone(self._zone).date()

    def _local(self, moment: dt.datetime) -> dt.datetime:
        return moment.astimezone(self._zone)

    def date(self, day: dt.date | dt.datetime | str | None) -> str:
        if isinstance(day, dt.datetime):
            day = self._local(day).date()
        return str(day) if day else ""

    def datetime(self, moment: dt.datetime | None) -> str:
        return self._local(moment).strftime("%Y-%m-%d %H:%M") if moment else ""

    def iso(self, moment: dt.datetime) -> str:
        return self._local(moment).isoformat(timespec="seconds")

    def short(self, moment: dt.datetime | None) -> str:
        """今天 09:18, 昨天 16:40, 11-18 16:20, 2025-11-18."""
        if moment is None:
            return ""
        local, today = self._local(moment), self.today()
        if local.date() == today:
            return _("today %(time)s", time=local.strftime("%H:%M"))
        if local.date() == today - dt.timedelta(days=1):
            return _("yesterday %(time)s", time=local.strftime("%H:%M"))
        return local.strftime("%m-%d %H:%M" if local.year == today.year else "%Y-%m-%d")

    def number(self, value: float | None) -> str:
        return format_decimal(value, locale=_locale(i18n.locale())) if value is not None else ""

    def count(self, value: int, capped: object = None) -> str:
        """`1,000+` where counting stopped at the cap."""
        return self.number(value) + ("+" if capped else "")

    def size(self, size: int) -> str:
        amount, unit = float(size), "B"
        for unit in ("B", "kB", "MB", "GB", "TB"):
            if amount < 1000 or unit == "TB":
                break
            amount /= 1000
        return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"
