"""Every route × every role × every kind of record. What a person should get is worked out from the two tables of rights
by the naive walk, and from `routes.csv`, which says for each route what it should need: a new route without a row fails."""

import csv
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask, url_for
from flask.testing import FlaskClient

from archive import create_app
from archive.actor import Actor
from archive.models import AccessGrant, Node
from archive.policy.rights import Overlay
from archive.policy.types import TYPES
from archive.services import branches, steps, tree
from archive.services.records import reach
from archive.settings import Settings
from archive.sight import href
from archive.site import Site
from tests.conftest import CAST, PASSWORD, RECORD, Clock, Hospital, hospital_of
from tests.policy import facts
from tests.policy.naive import MATRIX

ROUTES = Path(__file__).with_name("routes.csv")
UNKNOWN = "a/h001/zy-bl/2026-d30/unknown"
GENERAL = {"public", "signed_in"}


@dataclass(frozen=True)
class Row:
    """What one route should need. `about`: node, or nothing; `deeper`: the service asks for more than the route."""

    endpoint: str
    method: str
    needs: str
    about: str
    deeper: bool


def rows() -> list[Row]:
    with ROUTES.open(encoding="utf-8", newline="") as source:
        return [
            Row(r["endpoint"], r["method"], r["needs"], r["about"], bool(r["deeper"]))
            for r in csv.DictReader(source)
        ]


@dataclass
class Stage:
    """The archive with one record of each kind, ready to be asked by everybody."""

    hospital: Hospital
    app: Flask
    things: dict[str, int]
    paths: dict[str, str]
    uuids: dict[str, str]
    browsers: dict[str, FlaskClient] = field(default_factory=dict)

    def browser(self, account: str) -> FlaskClient:
        """The signed-in browser of a person."""
        if account not in self.browsers:
            client = self.app.test_client()
            answer = client.post("/sign-in", data={"account": account, "password": PASSWORD})
            assert answer.status_code == 302, account
            self.browsers[account] = client
        return self.browsers[account]


@pytest.fixture(scope="module")
def stage(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    var = tmp_path_factory.mktemp("matrix") / "var"
    shutil.copytree(sqlite_template, var)
    site = Site(Settings(var=var), Clock())
    hospital = hospital_of(site)
    things = _furnish(hospital)
    with hospital.uow("senior", readonly=True) as uow, uow.unscoped("test"):
        nodes = {kind: uow.session.get_one(Node, number) for kind, number in things.items()}
        paths = {kind: href(uow, node).lstrip("/") for kind, node in nodes.items()}
        uuids = {kind: str(node.uuid) for kind, node in nodes.items()}
    paths["unknown"], uuids["unknown"] = UNKNOWN, str(uuid4())
    app = create_app(site)
    app.config["WTF_CSRF_ENABLED"] = (
        False  # forged requests have a test of their own; here each role asks a thousand times
    )
    yield Stage(hospital, app, things, paths, uuids)
    site.close()


def _furnish(hospital: Hospital) -> dict[str, int]:
    kinds = {
        "own": "CK",
        "other": "EK",
        "restricted": "CK",
        "loan": "EK",
        "expired": "EK",
        "draft": "CK",
        "sealed": "CK",
    }
    made = {
        kind: _record(hospital, f"{10_000_000 + n}", ward, kind)
        for n, (kind, ward) in enumerate(kinds.items())
    }
    with hospital.site.uow(Actor.system("test")) as uow:
        for kind, until in (("loan", timedelta(days=3)), ("expired", -timedelta(hours=1))):
            uow.session.add(AccessGrant(
                principal_id=hospital.people["clinician"], node_id=made[kind], permission="content.read", cause="eread",
                valid_from=uow.now - timedelta(days=1), valid_until=uow.now + until, max_level=1,
            ))  # fmt: skip
        with uow.unscoped("test"):
            sealed = uow.session.get_one(Node, made["sealed"])
            sealed.overlay_own = int(Overlay.SEALED)
            uow.session.flush()
            branches.reclassify(uow, sealed)
    return made


def _record(hospital: Hospital, mrn: str, ward: str, kind: str) -> int:
    special = {"diagnosis_code": "B20.001"} if kind == "restricted" else {}
    with hospital.site.uow(Actor.system("test")) as uow, uow.unscoped("test"):
        category = uow.session.get_one(Node, hospital.categories["ZY·BL"])
        fields = tree.checked(
            uow, TYPES["medical_record"], RECORD | special | {"mrn": mrn, "dept": str(hospital.wards[ward])}
        )
        series = tree.series_for(uow, category, TYPES["medical_record"], fields)
        node = tree.plant(uow, series, TYPES["medical_record"], fields)
        if kind != "draft":
            for track, step in (("paper", "collected"), ("paper", "arranged"), ("scan", "linked")):
                reach(uow, node, track, step)
            steps._arrive(uow, node, "archived")
        return node.id


def address(app: Flask, row: Row, path: str, uuid: str) -> str:
    """The address of a route, with something harmless in each of its other places."""
    rule = next(rule for rule in app.url_map.iter_rules(row.endpoint) if row.method in (rule.methods or ()))
    values: dict[str, Any] = {
        "path": path.removeprefix("a/"), "uuid": uuid if row.about == "node" else str(uuid4()), "name": "archive",
        "number": 1, "barcode": "B0", "share": 1, "state": "draft", "kind": "loans", "role": "clinician", "ordinal": 1,
        "code": "R01", "mark": "lost", "form": "edit",
    }  # fmt: skip
    with app.test_request_context():
        built: str = url_for(
            row.endpoint, **{name: values[name] for name in rule.arguments if name in values}
        )
    return built


def test_every_route_has_its_row_and_every_row_its_route(stage: Stage) -> None:
    served = {
        (rule.endpoint, method)
        for rule in stage.app.url_map.iter_rules() if rule.endpoint != "static"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }  # fmt: skip
    listed = {(row.endpoint, row.method) for row in rows()}
    assert served - listed == set(), "say in routes.csv what these need"
    assert listed - served == set(), "these are gone"


def held(stage: Stage, account: str, kind: str) -> set[str]:
    """What the naive walk says that the person holds on the record."""
    site = stage.hospital.site
    with site.engine.connect() as connection:
        now = site.clock()
        world = facts.world(connection, now)
        someone = facts.someone(connection, stage.hospital.people[account], now)
        return world.held(someone, world.things[stage.things[kind]])


def anywhere(account: str) -> set[str]:
    roles = set(CAST[account][0])
    return set().union(*(permissions for named, permissions, *_rest in MATRIX if roles & set(named)))


def verdict(row: Row, permissions: set[str], status: int) -> str | None:
    """Why the answer is wrong, or nothing."""
    wanted = set(row.needs.split())
    may = bool(wanted & (permissions | GENERAL))
    if status == 500:
        return "the system failed"
    if may:
        # What the service then refuses is its own tests' matter; that the route lets the person in is ours.
        return None if row.deeper or status not in {401, 403} else "refused, though the person may"
    if row.about == "node" and "content.discover" not in permissions:
        return None if status == 404 else "betrays that there is something"
    return None if status == 403 else "let in, though the person may not"


@pytest.mark.parametrize("account", list(CAST))
def test_each_role_gets_what_the_tables_say(stage: Stage, account: str) -> None:
    wrong = []
    for row in rows():
        if row.needs in GENERAL or row.endpoint.startswith("api."):
            continue
        for kind in stage.paths if row.about == "node" else ("own",):
            # A change that succeeds would change what the next one meets: it is tried by those who may not, and by others' tests.
            permissions = (
                (held(stage, account, kind) if kind != "unknown" else set())
                if row.about == "node"
                else anywhere(account)
            )
            if row.method == "POST" and set(row.needs.split()) & permissions:
                continue
            answer = stage.browser(account).open(
                address(stage.app, row, stage.paths[kind], stage.uuids[kind]), method=row.method
            )
            if problem := verdict(row, permissions, answer.status_code):
                wrong.append((row.endpoint, row.method, kind, answer.status_code, problem))
    assert not wrong


@pytest.mark.parametrize(
    "row", [row for row in rows() if row.needs not in GENERAL], ids=lambda row: f"{row.method} {row.endpoint}"
)
def test_nobody_gets_in_without_signing_in(stage: Stage, row: Row) -> None:
    answer = stage.app.test_client().open(
        address(stage.app, row, stage.paths["own"], stage.uuids["own"]), method=row.method
    )
    assert answer.status_code in {302, 401}
    if answer.status_code == 302:
        assert "/sign-in" in answer.headers["Location"]
