"""The first start: the sentinel root, the seeds of policy, the first security administrator, the fonds and categories."""

from sqlalchemy import select

from archive import classes
from archive.errors import Conflict
from archive.i18n import _
from archive.journal import Event
from archive.models import (
    ROOT_ID,
    CalendarDay,
    Counter,
    Node,
    Principal,
    RoleAssignment,
    Setting,
    User,
    base32,
)
from archive.names import name_key
from archive.policy.holdings import CATEGORIES
from archive.policy.holidays import DAYS
from archive.policy.types import TYPES
from archive.services import codes, passwords, policies, tree
from archive.uow import UnitOfWork

TRUSTED = {"scope": "setup"}


def initialise(uow: UnitOfWork) -> bool:
    """Makes what every archive begins with; gives whether anything was missing."""
    if uow.session.get(Counter, "node.id") is not None:
        return False
    classes.start_node_ids(uow.session)
    root = Node(
        id=ROOT_ID, parent_id=ROOT_ID, slug="", path=f"{base32(ROOT_ID)}/", depth=0, type="root", workflow="container",
        state="open", title="", data={}, scope_id=ROOT_ID, created_at=uow.now, updated_at=uow.now, level=0, overlay=0,
        level_own=0, overlay_own=0, inherits=True, shared=False,
    )  # fmt: skip
    uow.session.add(root)
    uow.session.flush()
    root.policy_id = classes.policy_id(uow.session, "root", "container", "open")
    uow.session.add_all(CalendarDay(day=day, works=works, name=name) for day, works, name in DAYS)
    policies.seed(uow)
    codes.seed(uow)
    classes.refresh_policy(uow.session)
    return True


def found(uow: UnitOfWork, *, code: str, name: str) -> Node:
    """Makes a fonds with all categories of a hospital's archive (domain §3.2)."""
    root = uow.session.get_one(Node, ROOT_ID, execution_options=TRUSTED)
    fonds = tree.plant(uow, root, TYPES["fonds"], {"title": name, "code": code})
    for place, category in enumerate(CATEGORIES, start=1):
        node = tree.plant(uow, fonds, TYPES["category"], {"title": category.zh, "code": category.code})
        node.data, node.position = node.data | {"type": category.type}, place
    return fonds


def enlist(uow: UnitOfWork, *, account: str, name: str, staff_no: str, password: str | None, roles: tuple[str, ...] = (),
           clearance: int = 1, must_change: bool = False) -> User:  # fmt: skip
    """Makes a user with roles; for the first start and the demonstration. Later, people are made by `people`."""
    principal = Principal(kind="user", code=account, name=name, name_key=name_key(name))
    uow.session.add(principal)
    uow.session.flush()
    hashed = passwords.hashed(password) if password else None
    user = User(id=principal.id, account=account, staff_no=staff_no, password=hashed, clearance=clearance,
                must_change=must_change)  # fmt: skip
    uow.session.add(user)
    uow.session.add_all(
        RoleAssignment(principal_id=principal.id, role=role, granted_at=uow.now) for role in roles
    )
    uow.session.flush()
    words: dict[str, object] = {"account": account, "roles": list(roles)}
    uow.record(Event("user.created", object_kind="user", object_id=user.id, words=words))
    return user


def appoint(uow: UnitOfWork, account: str, password: str) -> User:
    """The first security administrator. Raises Conflict where there is one: theirs it is to make the next."""
    held = select(RoleAssignment.id).where(RoleAssignment.role == "security")
    if uow.session.scalar(held.limit(1)) is not None:
        raise Conflict(_("There is a security administrator already. They give this role to others."))
    return enlist(
        uow,
        account=account,
        name=account,
        staff_no=account,
        password=password,
        roles=("security",),
        clearance=0,
    )


def department(uow: UnitOfWork, *, code: str, name: str) -> int:
    """The id of the department of this code, made when new."""
    known = uow.session.scalar(select(Principal.id).where(Principal.kind == "dept", Principal.code == code))
    if known is None:
        made = Principal(kind="dept", code=code, name=name, name_key=name_key(name))
        uow.session.add(made)
        uow.session.flush()
        known = made.id
    return known


def catch_up(uow: UnitOfWork) -> None:
    """After an upgrade of the program: new kinds of policy and codes are seeded, and classes follow a changed matrix."""
    policies.seed(uow)
    codes.seed(uow)
    if expanded := classes.refresh_policy(uow.session):
        uow.record(Event("rights.changed", words={"classes": expanded}))


def name_hospital(uow: UnitOfWork, name: str) -> None:
    """The name that stands on every page."""
    uow.session.merge(Setting(name="hospital.name", value=name))
