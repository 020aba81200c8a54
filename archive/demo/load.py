"""Filling an empty folder with an invented hospital: its people, its holdings, and twenty weeks of work."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from zoneinfo import ZoneInfo

from sqlalchemy import func, inspect, select

from archive.actor import Actor
from archive.db import connect
from archive.demo import (
    admissions,
    cast,
    decisions,
    hospital,
    lives,
    mass,
    mass_holdings,
    scanning,
    storeroom,
)
from archive.demo.administration import Office
from archive.demo.cast import Cast
from archive.demo.diary import Clock, Days, Diary, Told
from archive.demo.filing import Filing
from archive.demo.lending import Lending
from archive.demo.mass_holdings import Holdings
from archive.demo.mass_records import Records
from archive.demo.studio import Studio
from archive.demo.tickets import Desk
from archive.errors import Conflict
from archive.models import (
    AuditEvent,
    Holding,
    Job,
    Location,
    Node,
    Patient,
    Principal,
    Request,
    Setting,
    User,
)
from archive.policy.types import TYPES
from archive.services import actors, calendar, setup
from archive.settings import Settings
from archive.site import Site
from archive.start import prepare

SEED = "云川"
FONDS = "H001"
ACCOUNTS = "demo"
"""The setting in which the accounts of a demonstration are kept, so that they can be told again."""
OTHERS = [kind.name for kind in TYPES.values() if kind.numbered and kind.name != "medical_record"]


@dataclass(frozen=True)
class Sizes:
    """How much of everything there is in the hospital."""

    records: int = 200
    in_house: int = 3
    scanned: int = 7
    scanning: int = 10
    pages: int = 40
    tickets: int = 40
    calls: int = 20
    statutes: int = 35
    documents: int = 12
    others: int = 3
    returned: int = 40


@dataclass(frozen=True)
class Place:
    """The hospital once its people and categories are there."""

    site: Site
    clock: Clock
    days: Days
    cast: Cast
    categories: dict[str, int]


def refuse_unless_empty(settings: Settings) -> None:
    """Raises Conflict, in one sentence, when there is anything in the folder or the database already."""
    if settings.var.exists() and any(settings.var.iterdir()):
        raise Conflict(f"{settings.var} is not empty: the demonstration goes into an empty folder only")
    if settings.database_url:
        engine = connect(settings.database_url)
        tables = inspect(engine).get_table_names()
        engine.dispose()
        if tables:
            raise Conflict("the database is not empty: the demonstration goes into an empty one only")


def found(settings: Settings, clock: Clock) -> Place:
    """The empty archive with its people, weeks ago; the clock stands at its first morning."""
    now = clock.now
    clock.now = now - timedelta(weeks=lives.WEEKS, days=4)
    site = Site(settings, clock)
    prepare(site)
    everybody = hospital.staff(Random(SEED))
    password = f"yunchuan-{secrets.randbelow(10**8):08d}"
    with site.uow(Actor.system("demo")) as uow:
        people = cast.enlist(uow, everybody, password)
        setup.found(uow, code=FONDS, name=hospital.HOSPITAL)
        setup.name_hospital(uow, hospital.HOSPITAL)
        uow.session.add(Setting(name=ACCOUNTS, value={"password": password, "accounts": people.listed}))
        days = Days(calendar.of(uow), ZoneInfo(settings.timezone), now)
        listed = select(Node.data, Node.id).where(Node.type == "category")
        rows = uow.session.execute(listed, execution_options={"scope": "demo"})
        categories = {str(data["code"]): number for data, number in rows}
    return Place(site, clock, days, people, categories)


def furnish(place: Place, sizes: Sizes, told: Told) -> None:
    """Twenty weeks of work, told to the services by those who did it."""
    rng, diary, days = Random(SEED), Diary(place.days), place.days
    left = lives.discharges(rng, days, sizes.records)
    stays = admissions.stays(rng, place.cast.everybody, left, in_house=sizes.in_house, today=days.today)
    records = lives.plan(rng, days, stays, scanned=sizes.scanned, scanning=sizes.scanning)
    with Studio() as drawing:
        scanning.note(diary, drawing, records, rng, pages=sizes.pages)
        office = Office(diary, place.cast, place.categories, rng)
        office.note(drawing, statutes=sizes.statutes, documents=sizes.documents, others=sizes.others)
        storeroom.furnish(diary, days.on(days.today - timedelta(weeks=lives.WEEKS, days=3)), "clerk")
        decisions.note(diary, place.cast, records)
        filing = Filing(place.cast, place.categories["ZY·BL"])
        for life in records:
            filing.note(diary, life)
        desk = Desk(diary, place.cast, place.categories["ZY·TS"], rng)
        desk.note(records, tickets=sizes.tickets, calls=sizes.calls)
        Lending(diary, place.cast, records, rng).note(returned=sizes.returned)
        diary.play(place.site, place.clock, told)


def plant_records(place: Place, count: int, told: Told) -> float:
    """So many inpatient records at once; gives the seconds that it took."""
    wards = [who.name for who in place.cast.everybody if who.dept in hospital.ADMITTING]
    place.clock.now = place.days.now
    made = Records(
        FONDS,
        place.categories["ZY·BL"],
        place.cast.depts,
        wards,
        storeroom_of(place),
        count,
        place.days.today.year - 1,
    )
    return mass.in_batches(place.site, "medical_record", mass.sizes(count), made.write, told)


def plant_holdings(place: Place, told: Told) -> tuple[int, float]:
    """The holdings of one hospital in their proportions; gives how many items, and the seconds that it took."""
    place.clock.now = place.days.now
    made = Holdings(FONDS, place.categories, place.cast.depts, storeroom_of(place), place.days.today.year - 1)
    return mass_holdings.items(), mass.in_batches(place.site, "holdings", made.sizes(), made.write, told)


def storeroom_of(place: Place) -> dict[str, int]:
    """The places of the storerooms by their codes; made when they are not there."""
    with place.site.session(readonly=True) as session:
        known = {row.code: row.id for row in session.execute(select(Location.code, Location.id))}
        clerk = actors.by_account(session, "clerk", place.clock())
    if known or clerk is None:
        return known
    with place.site.uow(clerk) as uow:
        storeroom.build(uow)
    return storeroom_of(place)


def counts(site: Site) -> dict[str, int]:
    """How much there is now, by what it is called."""
    wanted = {
        "people": select(func.count(User.id)),
        "departments": select(func.count(Principal.id)).where(Principal.kind == "dept"),
        "patients": select(func.count(Patient.id)),
        "inpatient records": select(func.count(Node.id)).where(Node.type == "medical_record"),
        "components": select(func.count(Node.id)).where(Node.type == "component"),
        "other files and items": select(func.count(Node.id)).where(Node.type.in_(OTHERS)),
        "paper volumes": select(func.count(Holding.id)),
        "requests": select(func.count(Request.id)),
        "files waiting for their pages": select(func.count(Job.id)).where(Job.state == "waiting"),
        "lines in the journal": select(func.count(AuditEvent.id)),
    }
    with site.session(readonly=True) as session:
        return {
            name: session.scalar(of, execution_options={"scope": "demo"}) or 0 for name, of in wanted.items()
        }
