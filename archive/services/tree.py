"""The tree: adding, editing, moving and trashing what is described."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import func, or_, select, update

from archive import classes, schema
from archive.errors import Conflict, Forbidden, Invalid, Stale
from archive.i18n import _
from archive.models import ROOT_ID, Node, NodeVersion, base32
from archive.names import sort_key
from archive.policy.permissions import P
from archive.policy.rights import Overlay, matrix
from archive.policy.types import INHERITING, TYPES
from archive.policy.workflows import WORKFLOWS
from archive.schema import Type
from archive.services import actors, branches, policies, records
from archive.services.branches import reclassify
from archive.uow import UnitOfWork, action

TRUSTED: Any = {"scope": "tree", "synchronize_session": False}


def root(uow: UnitOfWork) -> Node:
    """The sentinel above every fonds."""
    return uow.session.get_one(Node, ROOT_ID, execution_options=TRUSTED)


def addable(uow: UnitOfWork, parent: Node) -> list[Type]:
    """The types that the actor may add here. In a category, a node goes into the series of its year."""
    if not uow.can(P.ADD, parent):
        return []
    return [kind for kind in TYPES.values() if _fits(kind, parent) and may_describe(uow, kind)]


def may_describe(uow: UnitOfWork, kind: Type) -> bool:
    """Whether some role of the actor edits this type as it begins: nobody adds what they could not go on describing."""
    state = "draft" if kind.name in INHERITING else WORKFLOWS[kind.workflow].initial
    mine = uow.actor.roles | uow.actor.branch_roles
    return any(r.role in mine and P.EDIT in r.permissions and r.covers(kind.name, state) for r in matrix())


def _fits(kind: Type, parent: Node) -> bool:
    if parent.type in kind.parents:
        wanted = parent.data.get("type")
        return parent.type != "series" or not wanted or wanted == kind.name
    return parent.type == "category" and "series" in kind.parents and parent.data.get("type") == kind.name


def vocabulary(uow: UnitOfWork, name: str) -> dict[str, str]:
    """The choices of a field."""
    if name == "departments":
        return {str(number): label for number, label in actors.department_names(uow.session).items()}
    return policies.vocabulary(uow, name)


def checked(uow: UnitOfWork, kind: Type, raw: Mapping[str, object]) -> dict[str, Any]:
    """Clean values of a form. Raises Invalid with an error for each field that is wrong."""
    outcome = schema.check(kind, raw, lambda name: vocabulary(uow, name))
    if outcome.errors:
        raise Invalid(fields=outcome.errors)
    return outcome.values


@action("node.added", needs=P.ADD)
def add(uow: UnitOfWork, parent: Node, *, kind: str, fields: Mapping[str, object]) -> Node:
    """Adds a node of type `kind` below `parent`. Raises Invalid for wrong fields, Conflict where it does not fit."""
    made = TYPES.get(kind)
    if made is None or not _fits(made, parent):
        raise Conflict(_("This kind of thing does not belong here."))
    if not may_describe(uow, made):
        raise Forbidden
    values = checked(uow, made, fields)
    if parent.type == "category" and "series" in made.parents:
        parent = series_for(uow, parent, made, values)
    node = plant(uow, parent, made, values)
    uow.about(node)
    uow.note(type=kind, parent=parent.id, fields=values)
    return node


def plant(uow: UnitOfWork, parent: Node, kind: Type, values: dict[str, Any]) -> Node:
    """Writes the row, its class, its first version; and what its type asks for. No check: `add` has made it."""
    classes.beside(uow.session, parent)
    number = classes.reserve_node_ids(uow.session)[0]
    state = parent.state if kind.name in INHERITING else WORKFLOWS[kind.workflow].initial
    node = Node(
        id=number, parent_id=parent.id, slug=_slug(kind, values, number), path=f"{parent.path}{base32(number)}/",
        depth=parent.depth + 1, type=kind.name, workflow=kind.workflow, state=state, data={}, level_own=kind.level,
        retention_rule=kind.retention, position=_next_position(uow, parent) if kind.name in INHERITING else 0,
        created_at=uow.now, created_by=uow.actor.principal_id, updated_at=uow.now, updated_by=uow.actor.principal_id,
        overlay_own=0, hold_count=0, page_count=0, inherits=True, shared=False, title="",
    )  # fmt: skip
    write(uow, node, kind, values)
    if kind.name in INHERITING:
        node.dept_id, node.year = parent.dept_id, parent.year
    classes.classify(uow.session, node, parent)
    uow.session.add(node)
    uow.session.flush()
    if kind.name == "medical_record":
        records.attach(uow, node, values)
    keep_version(uow, node)
    uow.enqueue("index", node)
    return node


def _slug(kind: Type, values: Mapping[str, Any], number: int) -> str:
    if kind.workflow == "container":
        return str(values["code"]).replace("·", "-").lower()
    return base32(number).lstrip("0")


def _next_position(uow: UnitOfWork, parent: Node) -> int:
    last = select(func.max(Node.position)).where(Node.parent_id == parent.id)
    return (uow.session.scalar(last, execution_options=TRUSTED) or 0) + 1


def write(uow: UnitOfWork, node: Node, kind: Type, values: dict[str, Any]) -> None:
    """Puts checked values where they belong: columns of the row, the rest into its JSON; and what follows from them."""
    columns = {field.name: field.column for field in kind.fields if field.column}
    node.data = {name: value for name, value in values.items() if name not in columns} | _kept(kind, node)
    for name, column in columns.items():
        value = values.get(name)
        if column.startswith("date") and value:
            value = date.fromisoformat(value)
        setattr(node, column, value if column != "title" else value or "")
    if kind.name == "medical_record":
        node.title, node.date_from = records.title_of(values), date.fromisoformat(values["admitted_on"])
        node.date_to = date.fromisoformat(values["discharged_on"]) if values.get("discharged_on") else None
        node.title_key = f"{values['mrn']}-{values['times']:03d}"
        node.level_own = max(node.level_own, records.sensitivity_of(uow, values.get("diagnosis_code")))
        node.year = (node.date_to or node.date_from).year
    else:
        node.title_key = sort_key(node.title)
        if node.date_from and kind.name not in INHERITING:
            node.year = node.date_from.year


def _kept(kind: Type, node: Node) -> dict[str, Any]:
    """What lies in the JSON beside the typed fields (a category's own type, say) survives an edit."""
    known = {field.name for field in kind.fields}
    return {name: value for name, value in (node.data or {}).items() if name not in known}


def series_for(uow: UnitOfWork, category: Node, kind: Type, values: Mapping[str, Any]) -> Node:
    """The series of a year and retention period within a category; made when the year's first node comes."""
    day = str(
        values.get("discharged_on") or values.get("admitted_on") or values.get("date_from") or uow.today
    )
    rule = policies.in_force(uow, "retention").body["rules"][kind.retention]
    code = f"{day[:4]}·{rule['code']}"
    slug = _slug(TYPES["series"], {"code": code}, 0)
    known = select(Node).where(Node.parent_id == category.id, Node.slug == slug)
    series: Node | None = uow.session.scalar(known, execution_options={"scope": "tree"})
    if series is not None:
        return series
    made = plant(uow, category, TYPES["series"], {"code": code, "title": f"{day[:4]} · {rule['zh']}"})
    made.year, made.data = int(day[:4]), made.data | {"type": kind.name}
    return made


def snapshot(node: Node) -> dict[str, Any]:
    """What a version keeps: the described values, not rights or places."""
    return {
        "title": node.title, "date_from": str(node.date_from or ""), "dept_id": node.dept_id, "level_own": node.level_own,
        "retention_rule": node.retention_rule, **node.data,
    }  # fmt: skip


def keep_version(uow: UnitOfWork, node: Node, comment: str | None = None) -> None:
    uow.session.add(
        NodeVersion(node_id=node.id, version=node.version, snapshot=snapshot(node), at=uow.now,
                    by_id=uow.actor.principal_id, comment=comment)
    )  # fmt: skip
    uow.session.flush()


def unchanged(node: Node, version: int) -> None:
    """Raises Stale when somebody else has saved since `version` was shown."""
    if node.version != version:
        raise Stale(theirs=snapshot(node))


@action("node.edited", needs=P.EDIT)
def edit(
    uow: UnitOfWork, node: Node, *, fields: Mapping[str, object], version: int, comment: str | None = None
) -> Node:
    """Changes what is said of a node. Raises Invalid, or Stale when somebody else saved first."""
    unchanged(node, version)
    kind, before = TYPES[node.type], snapshot(node)
    values = checked(uow, kind, fields)
    write(uow, node, kind, values)
    node.updated_at, node.updated_by = uow.now, uow.actor.principal_id
    uow.session.flush()
    if kind.name == "medical_record":
        records.attach(uow, node, values)
    items = lead(uow, node)
    reclassify(uow, node)
    keep_version(uow, node, comment)
    after = snapshot(node)
    uow.note(
        changed={name: [before.get(name), after[name]] for name in after if before.get(name) != after[name]}
    )
    uow.enqueue("index", node, *items)
    return node


def lead(uow: UnitOfWork, file: Node) -> list[Node]:
    """Items live in the state, the department and the year of their file. Gives those that have just followed it."""
    if TYPES[file.type].rank != "file":
        return []
    classes.alone(uow.session, file)
    of_file = (Node.path > file.path, Node.path < file.path_end, Node.type.in_(INHERITING))
    life = {"state": file.state, "dept_id": file.dept_id, "year": file.year}
    astray = or_(*(getattr(Node, name).is_distinct_from(value) for name, value in life.items()))
    followers = select(Node).where(*of_file, astray).order_by(Node.position)
    items = list(uow.session.scalars(followers, execution_options=TRUSTED))
    if items:
        uow.session.execute(update(Node).where(*of_file).values(life), execution_options=TRUSTED)
    return items


@action("node.reclassified", needs=P.EDIT_CLASSIFICATION)
def set_level(uow: UnitOfWork, node: Node, *, level: int, reason: str) -> None:
    """Changes the sensitivity of a node and of everything below it."""
    if level not in range(4) or not reason.strip():
        raise Invalid(fields={"reason": _("Give a level from 0 to 3 and a reason.")})
    uow.note(level=[node.level_own, level], reason=reason)
    node.level_own = level
    uow.session.flush()
    reclassify(uow, node)
    uow.enqueue("index", node)


@action("node.moved", needs=P.MOVE)
def move(uow: UnitOfWork, node: Node, *, to: Node) -> None:
    """Moves a branch below `to`. Raises Conflict where it does not fit, or would lie within itself."""
    uow.require(P.ADD, to)
    classes.alone(uow.session, node, to)
    kind = TYPES[node.type]
    if to.path.startswith(node.path) or to.type not in kind.parents or not _fits(kind, to):
        raise Conflict(_("It cannot be moved there."))
    uow.note(parent=[node.parent_id, to.id])
    _carry(uow, node, to)
    reclassify(uow, node)
    uow.enqueue("index", node)


def _carry(uow: UnitOfWork, node: Node, to: Node) -> None:
    """Gives a branch its new place: parent, paths, depths; and an item what it takes from its file."""
    old, new, deeper = node.path, f"{to.path}{base32(node.id)}/", to.depth + 1 - node.depth
    place: dict[str, Any] = {
        "parent_id": to.id,
        "slug": _free_slug(uow, node, to),
        "version": Node.version + 1,
    }
    if node.type in INHERITING:
        place |= {
            "state": to.state,
            "dept_id": to.dept_id,
            "year": to.year,
            "position": _next_position(uow, to),
        }
    uow.session.execute(
        update(Node)
        .where(Node.path >= old, Node.path < node.path_end)
        .values(path=new + func.substr(Node.path, len(old) + 1), depth=Node.depth + deeper),
        execution_options=TRUSTED,
    )
    uow.session.execute(update(Node).where(Node.id == node.id).values(place), execution_options=TRUSTED)
    branches.carry_closed(uow, old, new)
    uow.session.refresh(node)
    # Whoever has still to catch up with an earlier change below was told of the old paths.
    classes.announce(uow.session, node.path, node.path_end)


def _free_slug(uow: UnitOfWork, node: Node, to: Node) -> str:
    """The slug, which below `to` may be another's already: numbers count anew in each series."""
    taken = select(Node.id).where(Node.parent_id == to.id, Node.slug == node.slug, Node.id != node.id)
    if uow.session.scalar(taken, execution_options=TRUSTED) is None:
        return node.slug
    return f"{node.slug}-{base32(node.id).lstrip('0')}"


@action("node.trashed", needs=P.TRASH)
def trash(uow: UnitOfWork, node: Node) -> None:
    """Puts a draft into the trash for 30 days. Archived things leave only by disposal."""
    node.trashed_at, node.overlay_own = uow.now, int(Overlay.TRASHED)
    uow.session.flush()
    reclassify(uow, node)
    _enqueue_branch(uow, node)


@action("node.restored", needs=P.TRASH)
def restore(uow: UnitOfWork, node: Node) -> None:
    """Takes a draft out of the trash."""
    node.trashed_at, node.overlay_own = None, int(Overlay.NONE)
    uow.session.flush()
    reclassify(uow, node)
    _enqueue_branch(uow, node)


def _enqueue_branch(uow: UnitOfWork, top: Node) -> None:
    """What lies in the trash leaves the index, and with it everything below it."""
    below = select(Node.id).where(Node.path >= top.path, Node.path < top.path_end)
    uow.enqueue_ids("index", list(uow.session.scalars(below, execution_options=TRUSTED)))
