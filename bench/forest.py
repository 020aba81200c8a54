"""A large invented archive, written in batches: as many nodes as a hospital has after many years."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from sqlalchemy import insert, select

from archive import classes
from archive.actor import Actor
from archive.models import Membership, Node, base32
from archive.policy.types import TYPES
from archive.services import setup, tree
from archive.site import Site
from archive.start import prepare
from archive.uow import UnitOfWork

FOLDER = 20_000
BATCH = 5_000
PEOPLE = {"senior": ("senior", 3), "archivist": ("archivist", 2), "clinician": ("clinician", 1)}


def plant(site: Site, nodes: int) -> None:
    """A fonds with one category and folders of 20,000 archived records each, in two departments."""
    prepare(site)
    with site.uow(Actor.system("bench")) as uow:
        wards = [
            setup.department(uow, code=code, name=name) for code, name in (("CK", "产科"), ("EK", "儿科"))
        ]
        for number, (account, (role, clearance)) in enumerate(PEOPLE.items(), start=1):
            user = setup.enlist(uow, account=account, name=account, staff_no=str(number), password=None,
                                roles=(role,), clearance=clearance)  # fmt: skip
            if role == "clinician":
                uow.session.add(Membership(principal_id=user.id, group_id=wards[0]))
        setup.found(uow, code="H001", name="测量医院")
    for folder in range(max(1, nodes // FOLDER)):
        with site.uow(Actor.system("bench")) as uow:
            _folder(uow, folder, wards, min(FOLDER, nodes))


def _folder(uow: UnitOfWork, number: int, wards: list[int], size: int) -> None:
    with uow.unscoped("bench"):
        category = uow.session.scalars(select(Node).where(Node.type == "category").order_by(Node.id)).first()
    assert category is not None
    values = {"code": f"{1970 + number}·D30", "title": f"{1970 + number} · 30年"}
    series = tree.plant(uow, category, TYPES["series"], values)
    kinds = [_model(uow, series, ward) for ward in wards]
    for start in range(0, size, BATCH):
        ids = classes.reserve_node_ids(uow.session, min(BATCH, size - start))
        rows = list(_rows(series, kinds, ids, start, uow))
        uow.session.execute(insert(Node), rows, execution_options={"scope": "bench"})


def _model(uow: UnitOfWork, series: Node, ward: int) -> Node:
    """One real node of each kind, of which the others are copies."""
    fields = {
        "mrn": f"{90_000_000 + series.id * 4 + ward}", "patient_name": "模型", "times": 1, "sex": "2",
        "admitted_on": "2020-01-01", "discharged_on": "2020-01-05", "dept": ward,
    }  # fmt: skip
    node = tree.plant(uow, series, TYPES["medical_record"], fields)
    node.state = "archived"
    uow.session.flush()
    tree.reclassify(uow, node)
    return node


def _rows(
    series: Node, kinds: list[Node], ids: list[int], start: int, uow: UnitOfWork
) -> Iterator[dict[str, Any]]:
    for offset, number in enumerate(ids):
        kind, place = kinds[(start + offset) % len(kinds)], start + offset
        yield {
            "id": number, "parent_id": series.id, "slug": f"{place:06d}", "path": f"{series.path}{base32(number)}/",
            "depth": series.depth + 1, "type": kind.type, "workflow": kind.workflow, "state": kind.state,
            "title": f"{number:08d}-1 · 某某 · 2020-01-05", "title_key": f"{number:08d}-001", "position": 0,
            "data": {"mrn": f"{number:08d}", "times": 1, "patient_name": "某某"}, "dept_id": kind.dept_id,
            "level_own": 1, "level": 1, "overlay_own": 0, "overlay": 0, "inherits": True, "shared": False,
            "policy_id": kind.policy_id, "scope_id": kind.scope_id, "access_class": kind.access_class, "year": 2020,
            "date_from": date(2020, 1, 1), "hold_count": 0, "page_count": 0, "version": 1, "created_at": uow.now,
            "updated_at": uow.now, "retention_rule": "inpatient",
        }  # fmt: skip
