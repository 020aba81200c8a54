"""The demonstration hospital: small, but with everything that a large one has; on PostgreSQL in the soak."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Executable, func, select

from archive import cli, create_app, journal, worker
from archive.actor import Actor
from archive.commands import demo as command
from archive.demo import admissions, hospital, lives, load
from archive.demo.diary import Clock, Days
from archive.demo.lives import Lot
from archive.demo.load import Place, Sizes
from archive.demo.mass_holdings import HOLDINGS, Holdings
from archive.models import (
    AuditEvent,
    Encounter,
    Holding,
    HoldingStatus,
    Location,
    Node,
    Outbox,
    PageText,
    Patient,
    Representation,
    Request,
    User,
)
from archive.models import (
    Counter as Series,
)
from archive.policy.holdings import CATEGORIES
from archive.policy.holidays import DAYS
from archive.policy.permissions import P
from archive.policy.rights import Overlay
from archive.policy.roles import ROLES
from archive.policy.workflows import EREAD, PAPER
from archive.services import actors, circulation, frozen, holdings, pages, passwords
from archive.services.calendar import WorkingCalendar
from archive.settings import Settings
from archive.site import Site
from archive.start import prepare
from archive.workflow import Workflow
from tests.servers import fresh_database

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
SMALL = Sizes(
    records=44,
    scanned=2,
    scanning=1,
    pages=4,
    tickets=4,
    calls=2,
    statutes=3,
    documents=5,
    others=1,
    returned=3,
)
TEST = {"scope": "test"}


@pytest.fixture(
    scope="module",
    params=["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.soak])],
)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A small hospital after its weeks of work; the tests only look at it."""
    var = tmp_path_factory.mktemp("demo") / "var"
    if request.param == "sqlite":
        yield from _filled(Settings(var=var))
        return
    with fresh_database(request.getfixturevalue("postgres_server")) as url:
        yield from _filled(Settings(var=var, database_url=url))


def _filled(settings: Settings) -> Iterator[Place]:
    load.refuse_unless_empty(settings)
    made = load.found(settings, Clock(NOW))
    load.furnish(made, SMALL, lambda _done, _total: None)
    yield made
    made.site.close()


def actor(place: Place, account: str) -> Actor:
    with place.site.session(readonly=True) as session:
        found = actors.by_account(session, account, place.clock())
    assert found is not None
    return found


def rows(place: Place, statement: Executable) -> list[Any]:
    with place.site.session(readonly=True) as session:
        return list(session.execute(statement, execution_options=TEST).all())


def test_every_role_has_an_account_that_signs_in_with_the_password(place: Place) -> None:
    kept = place.site.demonstration
    assert kept is not None
    held = {role for account, _name, _title in kept["accounts"] for role in actor(place, account).roles}
    assert held == {role.name for role in ROLES.values() if not role.local}
    for account, _name, _title in kept["accounts"][:2]:
        ((password,),) = rows(place, select(User.password).where(User.account == account))
        assert passwords.matches(password, kept["password"])


def test_records_stand_in_every_state(place: Place) -> None:
    of_records = Node.type == "medical_record"
    states = {state for (state,) in rows(place, select(Node.state).where(of_records))}
    assert states == {"draft", "cataloguing", "review", "archived", "correcting"}
    overlays = {overlay for (overlay,) in rows(place, select(Node.overlay).where(of_records))}
    assert overlays == set(Overlay)


def test_there_are_ordinary_special_and_locked_records(place: Place) -> None:
    levels = {level for (level,) in rows(place, select(Node.level).where(Node.type == "medical_record"))}
    assert levels == {1, 2, 3}


def test_some_patients_came_again(place: Place) -> None:
    assert max(times for (times,) in rows(place, select(Encounter.times))) > 1


@pytest.mark.parametrize("flow", [PAPER, EREAD], ids=["paper", "eread"])
def test_requests_stand_in_every_state(place: Place, flow: Workflow) -> None:
    states = {state for (state,) in rows(place, select(Request.state).where(Request.kind == flow.name))}
    assert states == {state.name for state in flow.states}


def test_volumes_are_in_every_place_and_some_are_overdue(place: Place) -> None:
    statuses = {status for (status,) in rows(place, select(Holding.status))}
    assert statuses == {status.value for status in HoldingStatus}
    with place.site.uow(actor(place, "clerk"), readonly=True) as uow:
        assert 1 <= len(circulation.overdue(uow)) < len(circulation.out(uow))
        assert circulation.pick_list(uow)


def test_every_category_has_something_in_it(place: Place) -> None:
    types = {kind for (kind,) in rows(place, select(Node.type))}
    assert {category.type for category in CATEGORIES} <= types


def test_a_record_that_was_scanned_has_as_many_pages_as_sheets(place: Place) -> None:
    records = Node.type == "medical_record"
    with place.site.uow(actor(place, "senior"), readonly=True) as uow:
        nodes = uow.list(uow.nodes(P.IDENTIFY).where(records, Node.state == "archived"))
        agreeing = [holdings.summary(uow, node).agrees for node in nodes]
    assert Counter(agreeing) == {True: SMALL.scanned, None: len(nodes) - SMALL.scanned}


def test_words_of_a_record_are_there_at_once_and_images_wait_for_the_worker(place: Place) -> None:
    assert rows(place, select(PageText.page_id).where(PageText.kind == "layer"))
    waiting = rows(place, select(Representation.id).where(Representation.state == "pending"))
    assert len(waiting) >= SMALL.pages


def test_the_sealed_volume_goes_out_to_nobody(place: Place) -> None:
    sealed = select(Holding.id, Node.id).join(Holding, Holding.node_id == Node.id)
    ((volume, node),) = rows(
        place, sealed.where(Node.type == "medical_record", Node.overlay == Overlay.SEALED)
    )
    with place.site.uow(actor(place, "senior"), readonly=True) as uow:
        holding = uow.session.get_one(Holding, volume, execution_options=TEST)
        assert frozen.volume(uow, holding)
        assert uow.can(P.READ, uow.node(node)), "adding and reading go on"


def test_the_clinician_reads_what_was_opened_to_them(place: Place) -> None:
    with place.site.uow(actor(place, "clinician"), readonly=True) as uow:
        (number,) = uow.access.granted(P.READ)[:1]
        node = uow.node(number, P.READ)
        home = node if node.page_count else next(one for one in uow.list(uow.nodes(P.READ)) if one.page_count)
        assert pages.one(uow, home, 1).width > 500
        assert pages.image(uow, home, 1, width=800)


def test_archival_numbers_have_no_gap(place: Place) -> None:
    counted = {
        name.removeprefix("no:"): value for name, value in rows(place, select(Series.name, Series.value))
    }
    numbered = select(Node.archival_no).where(Node.archival_no.is_not(None), Node.workflow != "inherited")
    given = Counter(number.rpartition("-")[0] for (number,) in rows(place, numbered))
    assert given
    assert given == {name: counted[name] for name in given}


def test_every_act_has_its_line_and_the_journal_is_whole(place: Place) -> None:
    ((lines,),) = rows(place, select(func.count(AuditEvent.id)))
    assert lines > 400
    worker.seal(place.site, "test")
    worker.checkpoint(place.site, "test")
    site = place.site
    with site.session() as session:
        verdict = journal.verify(session, journal.CHANGES, site.settings.checkpoint_folder, site.keys)
    assert verdict.whole
    assert (verdict.sealed, verdict.waiting) == (lines, 0)


def test_the_story_ends_before_now(place: Place) -> None:
    ((first, last),) = rows(place, select(func.min(AuditEvent.at), func.max(AuditEvent.at)))
    assert NOW - timedelta(weeks=lives.WEEKS + 1) < first < last < NOW


def test_the_pages_say_that_all_is_invented(place: Place) -> None:
    client = create_app(place.site).test_client()
    assert b"data-demo" in client.get("/sign-in").data


def test_the_accounts_are_told_again(place: Place) -> None:
    kept = place.site.demonstration
    assert kept is not None
    told = command.accounts(kept)
    assert kept["password"] in told
    assert all(account in told for account, _name, _title in kept["accounts"])


def test_no_file_of_the_archive_names_the_folder_that_it_lies_in(place: Place) -> None:
    """It is filled aside and renamed when it is whole."""
    var = place.site.settings.var
    naming = [path for path in var.rglob("*") if path.is_file() and str(var).encode() in path.read_bytes()]
    assert naming == []


@pytest.mark.parametrize("day", [date(2026, 1, 9) + timedelta(days=17 * n) for n in range(43)], ids=str)
def test_whatever_day_it_is_every_kind_of_life_is_led(day: date) -> None:
    zone = ZoneInfo("Asia/Shanghai")
    now = datetime(day.year, day.month, day.day, 3, tzinfo=zone)
    days = Days(WorkingCalendar({day: works for day, works, _name in DAYS}), zone, now)
    rng, sizes = Random(load.SEED), Sizes()
    left = lives.discharges(rng, days, sizes.records)
    stays = admissions.stays(rng, hospital.staff(Random(1)), left, in_house=3, today=days.today)
    led = Counter(
        life.lot for life in lives.plan(rng, days, stays, scanned=sizes.scanned, scanning=sizes.scanning)
    )
    assert set(led) == set(Lot)
    assert led[Lot.SCANNED] >= 3
    assert led[Lot.SCANNING] >= 5


# The large ones


def test_so_many_records_as_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JUANZONG_VAR", str(tmp_path / "var"))
    assert cli.main(["demo", "--records", "200"]) == 0
    said = capsys.readouterr().out
    assert "200  inpatient records" in said
    assert "2,400  components" in said
    site = Site(Settings(var=tmp_path / "var"))
    with site.session(readonly=True) as session:
        archivist = actors.by_account(session, "archivist", site.clock())
        counted = {
            model: session.scalar(select(func.count()).select_from(model), execution_options=TEST)
            for model in (Patient, Encounter, Holding)
        }
        wanting = session.scalars(
            select(Node.id).where(Node.retain_until.is_(None), Node.type == "medical_record"),
            execution_options=TEST,
        ).all()
        enqueued = set(session.scalars(select(Outbox.node_id)))
    assert counted[Encounter] == counted[Holding] == 200
    assert 100 < (counted[Patient] or 0) <= 200
    assert wanting == []
    assert archivist is not None
    with site.uow(archivist, readonly=True) as uow:
        read = uow.list(uow.nodes(P.READ).where(Node.type.in_(("medical_record", "component"))))
    assert len(read) == 2_600
    assert {node.id for node in read} <= enqueued
    site.close()


def test_a_doctor_identifies_the_planted_records_of_their_own_department_only(tmp_path: Path) -> None:
    made = load.found(Settings(var=tmp_path / "var"), Clock(NOW))
    load.plant_records(made, 60, lambda _done, _total: None)
    with made.site.uow(actor(made, "clinician"), readonly=True) as uow:
        depts = {node.dept_id for node in uow.list(uow.nodes(P.IDENTIFY).where(Node.type == "component"))}
        assert depts == {made.cast.depts["CK"]}
        assert uow.list(uow.nodes(P.READ).where(Node.type == "component")) == []
    made.site.close()


def test_the_holdings_have_their_proportions(tmp_path: Path) -> None:
    made = load.found(Settings(var=tmp_path / "var"), Clock(NOW))
    places = load.storeroom_of(made)
    every = Holdings(load.FONDS, made.categories, made.cast.depts, places, 2025)
    assert sum(every.sizes()) == sum(HOLDINGS.values()) == 41_513
    assert sum(every._sheets) == 190_228
    one = Holdings(load.FONDS, made.categories, made.cast.depts, places, 2025)
    size = next(one.sizes())
    with made.site.uow(Actor.system("demo")) as uow:
        one.write(uow, size)
    kept = rows(made, select(Node.state, Node.archival_no, Location.code).join(Holding, Holding.node_id == Node.id)
                .join(Location, Location.id == Holding.location_id))  # fmt: skip
    assert len(kept) == size
    assert {state for state, _number, _code in kept} == {"archived"}
    assert len({number for _state, number, _code in kept}) == size
    made.site.close()


def test_a_folder_that_is_not_empty_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "note.txt").write_text("ours")
    monkeypatch.setenv("JUANZONG_VAR", str(tmp_path))
    assert cli.main(["demo"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]


@pytest.mark.postgres
def test_a_database_that_is_not_empty_is_left_alone(
    postgres_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JUANZONG_VAR", str(tmp_path / "var"))
    with fresh_database(postgres_server) as url:
        monkeypatch.setenv("JUANZONG_DATABASE_URL", url)
        site = Site(Settings(var=tmp_path / "other", database_url=url))
        prepare(site)
        site.close()
        assert cli.main(["demo"]) == 1
    assert "database" in capsys.readouterr().err
    assert not (tmp_path / "var").exists()
