"""Who may see a record, and why."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event, select

from archive.actor import Actor
from archive.errors import Forbidden, NotFound
from archive.journal import Event
from archive.models import AccessGrant, Node, User
from archive.policy.permissions import P
from archive.services import branches, explain, readers, sharing, trial
from archive.services.explain import SHOWN, Path
from archive.site import Site
from tests.conftest import CAST, Clock, Hospital
from tests.policy.life import Life

pytestmark = pytest.mark.usefixtures("in_english")


def paths_of(hospital: Hospital, number: int, account: str = "senior") -> list[Path]:
    with hospital.uow(account, readonly=True) as uow:
        return explain.paths(uow, uow.node(number))


def named(paths: list[Path], permission: P) -> set[int]:
    return set().union(*(path.holders.get(permission, frozenset()) for path in paths))


def archived(hospital: Hospital, number: int) -> None:
    with hospital.site.uow(Actor.system("test")) as uow, uow.unscoped("test"):
        node = uow.session.get_one(Node, number)
        node.state = "archived"
        uow.session.flush()
        branches.open_again(uow, node)


def grant(hospital: Hospital, number: int, account: str, *, hours: int = 24, level: int = 1) -> None:
    with hospital.site.uow(Actor.system("test")) as uow:
        uow.session.add(
            AccessGrant(principal_id=hospital.people[account], node_id=number, permission=P.READ, cause="eread",
                        ref="JY2026-000001", valid_from=uow.now - timedelta(hours=1),
                        valid_until=uow.now + timedelta(hours=hours), max_level=level, reason="疑难病例讨论")
        )  # fmt: skip


@pytest.mark.parametrize("seed", [11, 12])
def test_the_page_names_exactly_those_whom_the_rule_lets_in(
    hospital: Hospital, clock: Clock, seed: int
) -> None:
    life = Life(hospital, clock, seed)
    for _ in range(6):
        life.go_on(12)
        with hospital.uow("senior", readonly=True) as uow, uow.unscoped("test"):
            nodes = list(uow.session.scalars(select(Node).where(Node.id != 1)))
            found = {node.id: explain.paths(uow, node) for node in nodes if explain.may_ask(uow, node)}
        assert found
        for account, number in hospital.people.items():
            with hospital.uow(account, readonly=True) as uow:
                for node in nodes:
                    if node.id in found:
                        held = {
                            permission for permission in SHOWN if permission in uow.access.permissions(node)
                        }
                        said = {
                            permission for permission in SHOWN if number in named(found[node.id], permission)
                        }
                        assert said == held, (account, node.type, node.state, life.told)


def test_each_path_to_an_archived_record_is_named(hospital: Hospital, record: int) -> None:
    archived(hospital, record)
    grant(hospital, record, "clinician2")
    with hospital.uow("senior") as uow:
        sharing.share(
            uow, uow.node(record), principal_id=hospital.wards["EK"], role="reader", cause="病例讨论"
        )
    found = {path.name: path for path in paths_of(hospital, record)}
    assert found["Archivist"].right == "Reading"
    assert found["Archivist"].why == "Role in the whole hospital, for a clearance of S1 or higher"
    assert found["Department head, Clinician"].right == "Number only"
    assert found["产科"].why == "Department of the record: Department head, Clinician"
    assert (found["产科"].right, found["产科"].note) == ("Title only", "Department, 2 people")
    assert (found["儿科"].source, found["儿科"].why) == ("here", "Shared as Reader: 病例讨论")
    reader = found["clinician2甲"]
    assert (reader.source, reader.why) == ("grant", "E-reading JY2026-000001: 疑难病例讨论")
    assert reader.until is not None


def test_the_clerk_is_said_to_handle_the_paper_and_nothing_else(hospital: Hospital, record: int) -> None:
    clerk = next(path for path in paths_of(hospital, record) if hospital.people["clerk"] in path.people)
    assert clerk.right == "Paper only"
    assert {clerk.extent(column) for column in explain.COLUMNS} == {"no"}


def test_offices_apart_are_on_no_path(hospital: Hospital, record: int) -> None:
    with hospital.uow("senior") as uow:
        sharing.share(uow, uow.node(record), principal_id=hospital.wards["CK"], role="reader")
    everybody = set().union(*(path.people for path in paths_of(hospital, record)))
    assert not everybody & {hospital.people[name] for name in ("sysadmin", "security", "auditor")}


def test_a_path_says_in_part_when_the_clearance_of_some_is_too_low(hospital: Hospital, record: int) -> None:
    with hospital.site.uow(Actor.system("test")) as uow:
        uow.session.get_one(User, hospital.people["senior"]).clearance = 0
    seniors = next(
        p for p in paths_of(hospital, record, "archivist") if hospital.people["senior"] in p.people
    )
    assert (seniors.extent(P.IDENTIFY), seniors.extent(P.READ)) == ("yes", "no")


def test_what_has_expired_is_no_path_any_more(hospital: Hospital, record: int, clock: Clock) -> None:
    archived(hospital, record)
    grant(hospital, record, "clinician", hours=2)
    with hospital.uow("senior") as uow:
        sharing.share(uow, uow.node(record), principal_id=hospital.people["stranger"], role="reader",
                      until=uow.now + timedelta(hours=2))  # fmt: skip
    assert {"clinician甲", "stranger甲"} <= {path.name for path in paths_of(hospital, record)}
    clock.forward(hours=3)
    assert not {"clinician甲", "stranger甲"} & {path.name for path in paths_of(hospital, record)}


def test_a_grant_below_the_level_of_the_record_is_no_path(hospital: Hospital, record: int) -> None:
    grant(hospital, record, "clinician", level=0)
    assert "clinician甲" not in {path.name for path in paths_of(hospital, record)}


def test_an_inherited_share_says_from_where(hospital: Hospital, record: int) -> None:
    with hospital.uow("senior") as uow:
        node = uow.node(record)
        sharing.share(uow, uow.node(node.parent_id), principal_id=hospital.wards["EK"], role="reader")
    share = next(path for path in paths_of(hospital, record) if path.kind == "share")
    assert share.source == "inherited"
    assert share.place is not None
    assert share.place[1].endswith("/zy-bl/2026-d30")
    assert share.share_id is None


def test_with_most_the_farthest_reaching_paths_come_first(hospital: Hospital, record: int) -> None:
    archived(hospital, record)
    grant(hospital, record, "clinician")
    with hospital.uow("archivist", readonly=True) as uow:
        few = explain.paths(uow, uow.node(record), most=3)
    assert [path.right for path in few] == ["Reading", "Reading", "Reading"]


@pytest.mark.parametrize("account", [name for name in CAST if name not in {"archivist", "senior"}])
def test_nobody_else_learns_who_sees_a_record(hospital: Hospital, record: int, account: str) -> None:
    archived(hospital, record)
    with pytest.raises((Forbidden, NotFound)):
        paths_of(hospital, record, account)


@contextmanager
def statements(site: Site) -> Iterator[list[str]]:
    told: list[str] = []

    def note(*arguments: object) -> None:
        told.append(str(arguments[2]))

    event.listen(site.engine, "before_cursor_execute", note)
    yield told
    event.remove(site.engine, "before_cursor_execute", note)


def test_more_shares_cost_no_more_statements(hospital: Hospital, record: int) -> None:
    def cost() -> int:
        with hospital.uow("senior", readonly=True) as uow:
            node = uow.node(record)
            with statements(hospital.site) as told:
                explain.paths(uow, node)
            return len(told)

    with hospital.uow("senior") as uow:
        sharing.share(uow, uow.node(record), principal_id=hospital.people["stranger"], role="reader")
    before = cost()
    with hospital.uow("senior") as uow:
        for account in ("clinician", "head", "desk", "scanner"):
            sharing.share(uow, uow.node(record), principal_id=hospital.people[account], role="reader")
    assert cost() == before


def tried(hospital: Hospital, number: int, account: str) -> trial.Trial:
    with hospital.uow("senior", readonly=True) as uow:
        return trial.as_person(uow, uow.node(number), f"{list(CAST).index(account) + 1:04d}")


@pytest.mark.parametrize(
    ("account", "verdict"),
    [
        ("archivist", "Can read it"),
        ("clinician", "Knows the title, cannot read it"),
        ("clinician2", "Knows that it is there: number, dates, department; neither name nor title"),
        ("clerk", "Handles the paper volume by its barcode, and sees nothing of what is in it"),
        ("scanner", "Does not see it: no search finds it, no count includes it"),
        ("auditor", "Does not see it: no search finds it, no count includes it"),
        ("sysadmin", "Does not see it: no search finds it, no count includes it"),
        ("stranger", "Does not see it: no search finds it, no count includes it"),
    ],
)
def test_tried_as_a_person_it_shows_what_they_would_see(
    hospital: Hospital, record: int, account: str, verdict: str
) -> None:
    archived(hospital, record)
    done = tried(hospital, record, account)
    assert done.verdict == verdict
    with hospital.uow(account, readonly=True) as uow, uow.unscoped("test"):
        assert done.held == uow.access.permissions(uow.session.get_one(Node, record))


def test_a_trial_says_what_gives_it_what_stands_against_it_and_until_when(
    hospital: Hospital, record: int
) -> None:
    archived(hospital, record)
    grant(hospital, record, "clinician2")
    done = tried(hospital, record, "clinician2")
    told = {line.text: line.ok for line in done.lines}
    assert done.until is not None
    assert told["clinician2甲: E-reading JY2026-000001: 疑难病例讨论. Reading"]
    assert told["S1 is not above their clearance S1"]
    assert not told["Not of the department of the record, 产科"]
    assert not told["May not print"]


def test_a_trial_as_an_office_apart_says_why_there_is_nothing(hospital: Hospital, record: int) -> None:
    told = {line.text: line.ok for line in tried(hospital, record, "auditor").lines}
    assert not told["Holds an office that never sees content"]


def test_a_trial_needs_the_right_to_share_and_somebody_who_may_sign_in(
    hospital: Hospital, record: int
) -> None:
    with hospital.uow("archivist", readonly=True) as uow, pytest.raises(Forbidden):
        trial.as_person(uow, uow.node(record), "0004")
    with hospital.uow("senior", readonly=True) as uow, pytest.raises(NotFound):
        trial.as_person(uow, uow.node(record), "9999")


def test_who_has_opened_a_record_lately_is_said_to_those_who_may_see_its_history(
    hospital: Hospital, record: int, clock: Clock
) -> None:
    def open_it(account: str, action: str = "tree_view.viewed") -> None:
        with hospital.uow(account, readonly=True) as uow, uow.unscoped("test"):
            told = uow.event_about(uow.session.get_one(Node, record), Event(action))
            hospital.site.record_read(told, uow.actor, uow.origin)

    open_it("scanner")
    clock.forward(days=40)
    open_it("archivist")
    open_it("archivist", "page.viewed")
    open_it("senior", "sharing_show.viewed")
    with hospital.uow("senior", readonly=True) as uow:
        assert [(one.name, one.times) for one in readers.recent(uow, uow.node(record))] == [
            ("archivist甲", 2)
        ]
    with hospital.uow("scanner", readonly=True) as uow, pytest.raises(Forbidden):
        readers.recent(uow, uow.node(record))
