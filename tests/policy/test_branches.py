"""What a branch hands down, when it is moved, edited, closed, or changed by two people at once."""

from threading import Thread

import pytest
from sqlalchemy import text

from archive.actor import Actor
from archive.models import Node
from archive.policy.permissions import P
from archive.services import branches, sharing, steps, tree
from archive.site import Site
from tests.conftest import RECORD, Hospital

SCOPE = {"scope": "test"}
COMPONENT = {"title": "手术记录", "component": "SSJL"}


def series_of(hospital: Hospital, record: int) -> int:
    with hospital.uow("senior", readonly=True) as uow:
        return uow.node(record).parent_id


def another_record(hospital: Hospital, mrn: str, day: str, ward: str = "CK") -> int:
    with hospital.uow("senior") as uow:
        fields = RECORD | {
            "mrn": mrn,
            "admitted_on": day,
            "discharged_on": day,
            "dept": str(hospital.wards[ward]),
        }
        return tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record", fields=fields).id


def may_read(hospital: Hospital, account: str, number: int) -> bool:
    with hospital.uow(account, readonly=True) as uow:
        node = uow.session.get_one(Node, number, execution_options=SCOPE)
        held = P.READ in uow.access.permissions(node)
        assert held == (uow.session.scalar(uow.nodes(P.READ, Node.id).where(Node.id == number)) is not None)
        return held


def share(hospital: Hospital, number: int, account: str, role: str = "contributor") -> None:
    with hospital.uow("senior") as uow:
        sharing.share(uow, uow.node(number), principal_id=hospital.people[account], role=role)


def test_a_branch_leaves_behind_the_shares_of_the_place_that_it_came_from(
    hospital: Hospital, record: int
) -> None:
    """Also where it has shares of its own: their class rows name the roles of the old place."""
    elsewhere = series_of(hospital, another_record(hospital, "00300001", "2025-03-01"))
    share(hospital, series_of(hospital, record), "stranger")
    share(hospital, elsewhere, "clinician2")
    share(hospital, record, "desk")
    assert may_read(hospital, "stranger", record) is False  # level 1, and the stranger's clearance is 0
    assert may_read(hospital, "clinician2", record) is False
    share(hospital, series_of(hospital, record), "clinician")
    assert may_read(hospital, "clinician", record) is True
    with hospital.uow("senior") as uow:
        tree.move(uow, uow.node(record), to=uow.node(elsewhere))
    assert may_read(hospital, "clinician", record) is False
    assert may_read(hospital, "clinician2", record) is True
    assert may_read(hospital, "desk", record) is True


def test_items_follow_their_file_into_another_department(hospital: Hospital, record: int) -> None:
    with hospital.uow("senior") as uow:
        item = tree.add(uow, uow.node(record), kind="component", fields=COMPONENT).id
    with hospital.uow("senior") as uow:
        node = uow.node(record)
        tree.edit(uow, node, fields=RECORD | {"dept": str(hospital.wards["EK"])}, version=node.version)
    with hospital.uow("senior", readonly=True) as uow:
        assert uow.node(item).dept_id == hospital.wards["EK"]
        assert uow.node(item).access_class != 0


def test_a_moved_item_lives_in_its_new_file(hospital: Hospital, record: int) -> None:
    other = another_record(hospital, "00300002", "2025-03-01", ward="EK")
    with hospital.uow("senior") as uow:
        steps.take(uow, uow.node(other), "catalogue")
        item = tree.add(uow, uow.node(record), kind="component", fields=COMPONENT)
        tree.move(uow, item, to=uow.node(other))
        assert (item.state, item.dept_id, item.year) == ("cataloguing", hospital.wards["EK"], 2025)


def test_editing_a_container_leaves_the_items_below_it_alone(hospital: Hospital, record: int) -> None:
    with hospital.uow("senior") as uow:
        item = tree.add(uow, uow.node(record), kind="component", fields=COMPONENT).id
    with hospital.uow("senior") as uow:
        category = hospital.category(uow, "ZY·BL")
        tree.edit(uow, category, fields={"title": "住院病案", "code": "ZY·BL"}, version=category.version)
    with hospital.uow("senior", readonly=True) as uow:
        assert uow.node(item).state == "draft"


def test_numbers_that_meet_in_a_new_place_do_not_collide(hospital: Hospital, record: int) -> None:
    other = another_record(hospital, "00300003", "2025-03-01")
    with hospital.site.session() as session:
        for number in (record, other):
            session.get_one(Node, number, execution_options=SCOPE).slug = "000001"
    with hospital.uow("senior") as uow:
        to = uow.node(uow.node(other).parent_id)
        tree.move(uow, uow.node(record), to=to)
    with hospital.uow("senior", readonly=True) as uow:
        slugs = {uow.node(number).slug for number in (record, other)}
        assert "000001" in slugs
        assert len(slugs) == 2


def test_a_branch_that_was_closed_elsewhere_is_open_when_it_comes_back(
    hospital: Hospital, record: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its paths are the same again; nothing of the closing is left at them."""
    home = series_of(hospital, record)
    with hospital.uow("senior") as uow:
        tree.add(uow, uow.node(record), kind="component", fields=COMPONENT)
    with monkeypatch.context() as patch:
        patch.setattr(branches, "INLINE", 0)
        share(hospital, record, "desk")
    assert may_read(hospital, "desk", record) is False
    with hospital.uow("senior") as uow:
        tree.move(uow, uow.node(home), to=hospital.category(uow, "WS"))
    with hospital.site.uow(Actor.system("branch.classify")) as uow:
        branches.open_again(uow, uow.session.get_one(Node, record, execution_options=SCOPE))
    with hospital.uow("senior") as uow:
        tree.move(uow, uow.node(home), to=hospital.category(uow, "ZY·BL"))
    assert may_read(hospital, "desk", record) is True


def test_what_is_added_while_a_branch_is_being_blocked_is_blocked(hospital: Hospital, record: int) -> None:
    share(hospital, hospital.categories["ZY·BL"], "desk")
    assert may_read(hospital, "desk", record) is True
    added: list[int] = []
    adding = Thread(target=lambda: added.append(another_record(hospital, "00300005", "2026-11-12")))
    with hospital.uow("senior") as uow:
        sharing.set_inheritance(uow, uow.node(uow.node(record).parent_id), inherits=False)
        adding.start()
        until_it_waits(hospital.site, adding)
    adding.join()
    assert may_read(hospital, "desk", record) is False
    assert may_read(hospital, "desk", added[0]) is False


def until_it_waits(site: Site, thread: Thread) -> None:
    """Until the other transaction waits for ours. On SQLite it cannot even begin."""
    if site.engine.dialect.name == "sqlite":
        return
    with site.engine.connect() as database:
        blocked = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        while thread.is_alive() and not database.execute(blocked).scalar():
            database.rollback()


def test_two_who_add_the_first_of_a_kind_at_once_share_its_class(hospital: Hospital, record: int) -> None:
    """Both find no class for it and write one; the second takes the first's."""
    added: list[int] = []
    other = Thread(target=lambda: added.append(another_record(hospital, "00300006", "2026-11-12", ward="EK")))
    with hospital.uow("senior") as uow:
        fields = RECORD | {"mrn": "00300007", "dept": str(hospital.wards["EK"])}
        tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record", fields=fields)
        other.start()
        until_it_waits(hospital.site, other)
    other.join()
    assert added
