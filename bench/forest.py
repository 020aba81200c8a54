"""A large invented archive, written in batches: as many nodes as a hospital has after many years."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, insert, select

from archive import classes
from archive.actor import Actor
from archive.models import Membership, Node, User, base32
from archive.policy.types import TYPES
from archive.services import branches, setup, tree
from archive.site import Site
from archive.start import prepare
from archive.uow import UnitOfWork
from bench import stays
from bench.names import mrn_of, name_of

FOLDER, SMALL, SHARED = 20_000, 5_000, 300_000
BATCH, DRAFT_ONE_IN = 5_000, 101
PASSWORD = "an invented password for measuring"
CLEARANCES = {"senior": 3, "archivist": 2, "clinician": 1, "clerk": 2, "auditor": 0, "sysadmin": 0}
"""Role → how much its people may see. One of each is there, whose account is the role."""
TRUSTED: Any = {"scope": "bench"}


@dataclass(frozen=True)
class Forest:
    """Where things are. `shared` is a category of SHARED nodes, or of all where there are fewer."""

    shared: int
    other: int
    folder: int
    """A series of FOLDER records in it."""
    small: int
    """A series of SMALL records in it."""


def plant(site: Site, nodes: int) -> Forest:
    """A fonds with two categories of archived records, in two departments, FOLDER a series; and one series of SMALL."""
    prepare(site)
    with site.uow(Actor.system("bench")) as uow:
        wards = [
            setup.department(uow, code=code, name=name) for code, name in (("CK", "产科"), ("EK", "儿科"))
        ]
        for number, role in enumerate(CLEARANCES, start=1):
            enlist(uow, role, role, number=number, ward=wards[0])
        fonds = setup.found(uow, code="H001", name="测量医院")
        categories = _categories(uow, fonds)
    sizes = [SMALL, *[FOLDER] * max(1, (nodes - SMALL) // FOLDER)]
    series = []
    for place, size in enumerate(sizes):
        category = categories[sum(sizes[:place]) >= SHARED]
        with site.uow(Actor.system("bench")) as uow:
            series.append(_series(uow, category, place, wards, min(size, nodes)))
    return Forest(*categories, folder=series[1], small=series[0])


def enlist(uow: UnitOfWork, account: str, role: str, *, number: int = 1, ward: int | None = None) -> User:
    """Somebody with this role; a clinician belongs to the ward."""
    user = setup.enlist(uow, account=account, name=account, staff_no=str(number), password=PASSWORD, roles=(role,),
                        clearance=CLEARANCES[role])  # fmt: skip
    if role == "clinician" and ward:
        uow.session.add(Membership(principal_id=user.id, group_id=ward))
    return user


def analyse(engine: Engine) -> None:
    """What a database does by itself in quiet hours."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")


def _categories(uow: UnitOfWork, fonds: Node) -> tuple[int, int]:
    with uow.unscoped("bench"):
        first = uow.session.scalars(select(Node.id).where(Node.type == "category").order_by(Node.id)).first()
    assert first is not None
    return first, tree.plant(uow, fonds, TYPES["category"], {"code": "ZY·JY", "title": "旧院病案"}).id


def _series(uow: UnitOfWork, category: int, place: int, wards: list[int], size: int) -> int:
    values = {"code": f"{1970 + place}·D30", "title": f"{1970 + place} · 30年"}
    parent = uow.session.get_one(Node, category, execution_options=TRUSTED)
    series = tree.plant(uow, parent, TYPES["series"], values)
    kinds = [_model(uow, series, ward, state) for state in ("archived", "draft") for ward in wards]
    for start in range(0, size, BATCH):
        ids = classes.reserve_node_ids(uow.session, min(BATCH, size - start))
        rows = list(_rows(series, kinds, ids, start, uow))
        uow.session.execute(insert(Node), rows, execution_options=TRUSTED)
        stays.write(uow, rows)
    return series.id


def _model(uow: UnitOfWork, series: Node, ward: int, state: str) -> Node:
    """One real node of each kind, of which the others are copies."""
    fields = {
        "mrn": f"{70_000_000 + classes.reserve_node_ids(uow.session)[0]}", "patient_name": "模型", "times": 1, "sex": "2",
        "admitted_on": "2020-01-01", "discharged_on": "2020-01-05", "dept": ward,
    }  # fmt: skip
    node = tree.plant(uow, series, TYPES["medical_record"], fields)
    node.state = state
    uow.session.flush()
    branches.reclassify(uow, node)
    return node


def _rows(
    series: Node, kinds: list[Node], ids: list[int], start: int, uow: UnitOfWork
) -> Iterator[dict[str, Any]]:
    for offset, number in enumerate(ids):
        place = start + offset
        kind = kinds[place % 2 + 2 * (place % DRAFT_ONE_IN == 0)]
        mrn, name, day = mrn_of(number), name_of(number), stays.left_on(number)
        yield {
            "id": number, "parent_id": series.id, "slug": f"{place:06d}", "path": f"{series.path}{base32(number)}/",
            "depth": series.depth + 1, "type": kind.type, "workflow": kind.workflow, "state": kind.state,
            "title": f"{mrn}-1 · {name} · {day}", "title_key": f"{mrn}-001", "position": 0,
            "data": {"mrn": mrn, "times": 1, "patient_name": name, "diagnosis": stays.diagnosis_of(number)},
            "dept_id": kind.dept_id,
            "level_own": 1, "level": 1, "overlay_own": 0, "overlay": 0, "inherits": True, "shared": False,
            "policy_id": kind.policy_id, "scope_id": kind.scope_id, "access_class": kind.access_class, "year": day.year,
            "date_from": day - stays.STAYED, "date_to": day, "hold_count": 0, "page_count": 0, "version": 1,
            "created_at": uow.now, "updated_at": uow.now, "retention_rule": "inpatient",
        }  # fmt: skip
