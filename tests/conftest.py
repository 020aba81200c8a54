"""The cast and the places: a fresh archive for each test, on SQLite and on PostgreSQL."""

import gc
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck, settings
from sqlalchemy import Connection, Dialect, Engine, event, select
from sqlalchemy.util import LRUCache

from archive import guard
from archive.actor import Actor
from archive.models import Membership, Node, Principal
from archive.services import actors, setup, tree
from archive.settings import Settings
from archive.site import Site
from archive.start import prepare
from archive.uow import UnitOfWork
from tests.archives import Clock, Keeping, Template, begins, needed, on_server, url_of

pytest_plugins = ["tests.servers", "tests.soaking", "tests.covering"]

guard.KNOWN.add("test")

# How long an example takes says how busy the machine is, not whether anything is right.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

CAST = {
    "archivist": (("archivist",), 2, None), "senior": (("senior",), 3, None), "scanner": (("scanner",), 1, None),
    "clinician": (("clinician",), 1, "CK"), "head": (("head", "clinician"), 2, "CK"),
    "clinician2": (("clinician",), 1, "EK"), "clerk": (("clerk",), 1, None), "desk": (("desk",), 1, None),
    "inspector": (("inspector",), 1, None), "auditor": (("auditor",), 0, None),
    "security": (("security",), 0, None), "sysadmin": (("sysadmin",), 0, None), "stranger": ((), 0, None),
}  # fmt: skip
PASSWORD = "a long and invented password"
HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
"""A hash like any other, but checked at once: hundreds of tests sign in."""
WARDS = {"CK": "产科", "EK": "儿科"}


LONGEST = {
    "test_two_worlds.py", "test_kills.py", "test_every_page.py", "test_siege.py", "test_bad_input.py", "test_access.py",
    "test_main_job.py", "test_viewer.py", "test_search_keys.py", "test_fuzz.py", "test_search_fuzz.py", "test_scanning.py",
    "test_four_ways.py", "test_batch_kills.py", "test_uploads.py", "test_page_desk.py", "test_keying.py", "test_accuracy.py",
    "test_shared_scans.py", "test_extraction.py", "test_recognise.py", "test_recognition.py", "test_repair.py", "test_api.py",
    "test_pages_apart.py", "test_worker.py",
}  # fmt: skip
"""Files of few tests that take long."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begins with what takes long, then with the files of the most tests: all processes end at about the same time."""
    _leave_further_cases_to_the_soak(items)
    many = Counter(item.path for item in items)
    items.sort(key=lambda item: (item.path.name not in LONGEST, -many[item.path]))


def _leave_further_cases_to_the_soak(items: list[pytest.Item]) -> None:
    """Of a test that asks both databases with many values, PostgreSQL gets the first alone: the statements are the same."""
    asked = set()
    for item in items:
        if not isinstance(item, pytest.Function) or not item.get_closest_marker("postgres"):
            continue
        test = item.path, item.originalname
        if test in asked and len(item.callspec.params) > 1 and not item.get_closest_marker("each_on_both"):
            item.add_marker(pytest.mark.soak)
        asked.add(test)


def pytest_collection_finish() -> None:
    """All that is loaded by now stays to the end: the collector of garbage looks through it no more."""
    gc.collect()
    gc.freeze()


COMPILED: dict[str, tuple[Dialect, LRUCache]] = {}
"""Of each kind of database its dialect, and the statements compiled for it."""


@event.listens_for(Engine, "engine_connect")
def _compiled_before(connection: Connection) -> None:
    """Every test opens an archive of its own; SQLAlchemy would compile each statement anew for each of them."""
    connection.dialect, statements = COMPILED.setdefault(
        connection.dialect.name, (connection.dialect, LRUCache(5_000))
    )
    connection.execution_options(compiled_cache=statements)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def _furnish(site: Site) -> None:
    """云川县妇幼保健院, small: enough people and places for any story."""
    prepare(site)
    with site.uow(Actor.system("test")) as uow:
        wards = {code: setup.department(uow, code=code, name=name) for code, name in WARDS.items()}
        for number, (account, (roles, clearance, ward)) in enumerate(CAST.items(), start=1):
            user = setup.enlist(uow, account=account, name=f"{account}甲", staff_no=f"{number:04d}", password=None,
                                roles=roles, clearance=clearance)  # fmt: skip
            user.password = HASH
            if ward:
                uow.session.add(Membership(principal_id=user.id, group_id=wards[ward]))
        setup.found(uow, code="H001", name="云川县妇幼保健院")
        uow.events.clear()  # the cast was there before any story: journals begin empty
    site.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A furnished folder that is copied for each test."""
    folder = tmp_path_factory.mktemp("template") / "var"
    _furnish(Site(Settings(var=folder), Clock()))
    return folder


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str, sqlite_template: Path) -> Template:
    """A furnished database that is copied for each test; it shares the keys of the folder."""
    name = f"juanzong_template_{uuid4().hex}"
    on_server(postgres_server, f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
    url = url_of(postgres_server, name)
    _furnish(Site(Settings(var=sqlite_template, database_url=url), Clock()))
    return Template(sqlite_template, url)


@pytest.fixture(scope="session")
def for_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keeping]:
    """The archives with what tests of any module begin with: the draft record."""
    with ExitStack() as stack:
        yield Keeping(__name__, tmp_path_factory.mktemp("for-all"), stack, hospital_of)


@pytest.fixture(scope="module")
def for_module(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keeping]:
    """The archives with what the tests of this module begin with."""
    with ExitStack() as stack:
        yield Keeping(request.module.__name__, tmp_path_factory.mktemp("for-module"), stack, hospital_of)


@pytest.fixture
def begun() -> dict[str, Any]:
    """What was planted in the archive of this test before it began, by the names of the fixtures that plant."""
    return {}


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def site(
    request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path, clock: Clock, begun: dict[str, Any],
    for_all: Keeping, for_module: Keeping,
) -> Iterator[Site]:  # fmt: skip
    """A furnished archive with what the test begins with, else without records; on each database in turn."""
    template = Template(sqlite_template)
    if request.param == "postgres":
        template = request.getfixturevalue("postgres_template")
    asked = needed(for_module.module, request.fixturenames)
    template = for_module.grown(for_all.grown(template, asked), asked)
    begun |= deepcopy(template.planted)
    with template.copy(tmp_path / "var", clock) as made:
        yield made


def copied(site: Site, var: Path) -> AbstractContextManager[Site]:
    """The same archive once more, on a database of the same kind, at the hour when every test begins."""
    site.close()
    return Template(site.settings.var, site.settings.database_url).copy(var, Clock())


@dataclass
class Hospital:
    """A fonds with its categories, two wards, and one person a role."""

    site: Site
    people: dict[str, int]
    wards: dict[str, int]
    categories: dict[str, int]

    @property
    def clock(self) -> Clock:
        assert isinstance(self.site.clock, Clock)
        return self.site.clock

    def actor(self, account: str) -> Actor:
        """The person as they are now: roles, departments and grants are read afresh."""
        with self.site.session(readonly=True) as session:
            found = actors.load(session, self.people[account], self.site.clock())
        assert found is not None
        return found

    def uow(self, account: str, *, readonly: bool = False) -> AbstractContextManager[UnitOfWork]:
        return self.site.uow(self.actor(account), readonly=readonly)

    def category(self, uow: UnitOfWork, code: str) -> Node:
        return uow.node(self.categories[code])


@pytest.fixture
def hospital(site: Site) -> Hospital:
    """The people, wards and categories of the furnished archive, by their codes."""
    return hospital_of(site)


def hospital_of(site: Site) -> Hospital:
    with site.session(readonly=True) as session:
        principals = session.execute(select(Principal.kind, Principal.code, Principal.id)).all()
        categories = session.execute(
            select(Node.data, Node.id).where(Node.type == "category"), execution_options={"scope": "test"}
        )
        return Hospital(
            site,
            people={code: number for kind, code, number in principals if kind == "user"},
            wards={code: number for kind, code, number in principals if kind == "dept"},
            categories={data["code"]: number for data, number in categories},
        )


RECORD = {
    "mrn": "00218647", "patient_name": "刘婷婷", "times": "2", "sex": "2", "birth": "1994-03-02",
    "admitted_on": "2026-11-08", "discharged_on": "2026-11-12", "attending": "周敏", "outcome": "1",
    "diagnosis": "妊娠合并子宫瘢痕", "diagnosis_code": "O34.201",
}  # fmt: skip


@begins
def record(hospital: Hospital) -> int:
    """The id of a draft record of a patient of obstetrics, made by the archivist."""
    with hospital.uow("archivist") as uow:
        node = tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record",
                        fields=RECORD | {"dept": str(hospital.wards["CK"])})  # fmt: skip
        return node.id
