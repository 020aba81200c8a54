"""The tree: adding, editing, moving and trashing what is described."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import or_, select, update

from archive import classes, schema
from archive.errors import Conflict, Forbidden, Invalid, Stale
from archive.i18n import _
from archive.models import ROOT_ID, Job, Node, NodeVersion, base32
from archive.names import sort_key
from archive.policy.permissions import P
from archive.policy.rights import matrix
from archive.policy.types import INHERITING, TYPES
from archive.policy.workflows import WORKFLOWS
from archive.schema import Type
from archive.services import actors, branches, drafts, frozen, placing, policies, records, reindexing
from archive.uow import UnitOfWork, action

TRUSTED: Any = {"scope": "tree", "synchronize_session": False}


def root(uow: UnitOfWork) -> Node:
    """The sentinel above every fonds."""
    return uow.session.get_one(Node, ROOT_ID, execution_options=TRUSTED)


def addable(uow: UnitOfWork, parent: Node) -> list[Type]:
    """The types that the actor may add here. In a category, a node goes into the series of its year."""
    if not uow.can(P.ADD, parent):
        return []
    return [kind for kind in TYPES.values() if fits(kind, parent) and may_describe(uow, kind)]


def may_describe(uow: UnitOfWork, kind: Type) -> bool:
    """Whether some role of the actor edits this type as it begins: nobody adds what they could not go on describing."""
    state = "draft" if kind.name in INHERITING else WORKFLOWS[kind.workflow].initial
    mine = uow.actor.roles | uow.actor.branch_roles
    return any(r.role in mine and P.EDIT in r.permissions and r.covers(kind.name, state) for r in matrix())


def fits(kind: Type, parent: Node) -> bool:
    """Whether this type may lie below `parent`, or in the series of its year within that category."""
    if parent.type in kind.parents:
        wanted = parent.data.get("type")
        return parent.type != "series" or not wanted or wanted == kind.name
    return parent.type == "category" and "series" in kind.parents and parent.data.get("type") == kind.name


def vocabulary(uow: UnitOfWork, name: str) -> dict[str, str]:
    """The choices of a field."""
    if name == "departments":
        return {str(number): label for number, label in actors.department_names(uow.session).items()}
    if name == "retention":
        return retention_choices(uow)
    return policies.vocabulary(uow, name)


def retention_choices(uow: UnitOfWork) -> dict[str, str]:
    """The periods that somebody may choose; what counts from a discharge is the program's to give."""
    rules = policies.terms(uow, "retention")
    return {code: policies.said(rule) for code, rule in rules.items() if rule["trigger"] == "formation"}


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
    if made is None or not fits(made, parent):
        raise Conflict(_("This kind of thing does not belong here."))
    if not may_describe(uow, made):
        raise Forbidden
    values = checked(uow, made, said_of(made, fields, made.retention))
    node = plant(uow, _home(uow, parent, made, values), made, values)
    drafts.forget(uow, parent, kind)
    uow.about(node)
    uow.note(type=kind, parent=parent.id, fields=values)
    return node


def said_of(kind: Type, fields: Mapping[str, object], rule: str | None) -> dict[str, object]:
    """What a form says; whatever is silent about the retention period leaves it at `rule`."""
    said = {name: fields[name] for name in fields}
    return {"retention": rule} | said if kind.chooses_retention else said


def _home(uow: UnitOfWork, parent: Node, kind: Type, values: Mapping[str, Any]) -> Node:
    """Where a node of these values belongs: in a category, the series of its year and retention period.

    Raises Invalid when that is another series than the one that was chosen, and the actor may not add there.
    """
    category, within = parent, "series" in kind.parents
    if within and parent.type == "series" and parent.data.get("type") == kind.name:
        category = uow.session.get_one(Node, parent.parent_id, execution_options=TRUSTED)
    if not within or category.type != "category":
        return parent
    home = series_for(uow, category, kind, values)
    if home.id != parent.id and parent.type == "series" and not uow.can(P.ADD, home):
        wrong = _("This belongs into the series %(code)s, where you may not add.", code=home.data["code"])
        raise Invalid(wrong, fields={"retention": wrong})
    return home


def plant(uow: UnitOfWork, parent: Node, kind: Type, values: dict[str, Any]) -> Node:
    """Writes the row, its class, its first version; and what its type asks for. No check: `add` has made it."""
    classes.beside(uow.session, parent)
    number = classes.reserve_node_ids(uow.session)[0]
    state = parent.state if kind.name in INHERITING else WORKFLOWS[kind.workflow].initial
    node = Node(
        id=number, parent_id=parent.id, slug=_slug(kind, values, number), path=f"{parent.path}{base32(number)}/",
        depth=parent.depth + 1, type=kind.name, workflow=kind.workflow, state=state, data={}, level_own=kind.level,
        retention_rule=kind.retention, position=placing.next_position(uow, parent) if kind.name in INHERITING else 0,
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


def write(uow: UnitOfWork, node: Node, kind: Type, values: dict[str, Any]) -> None:
    """Puts checked values where they belong: columns of the row, the rest into its JSON; and what follows from them."""
    columns = {field.name: field.column for field in kind.fields if field.column}
    coded = (node.data or {}).get("diagnosis_code")
    node.data = {name: value for name, value in values.items() if name not in columns} | _kept(kind, node)
    for name, column in columns.items():
        value = values.get(name)
        if column.startswith("date") and value:
            value = date.fromisoformat(value)
        if column == "retention_rule":
            value = value or node.retention_rule
        setattr(node, column, value if column != "title" else value or "")
    if kind.name == "medical_record":
        node.title, node.date_from = records.title_of(values), date.fromisoformat(values["admitted_on"])
        node.date_to = date.fromisoformat(values["discharged_on"]) if values.get("discharged_on") else None
        node.title_key = f"{values['mrn']}-{values['times']:03d}"
        if (
            values.get("diagnosis_code") != coded
        ):  # the same code again does not undo what a person has decided
            node.level_own = max(node.level_own, records.sensitivity_of(uow, values.get("diagnosis_code")))
        node.year = (node.date_to or node.date_from).year
    else:
        node.title_key = sort_key(node.title)
        if node.date_from and kind.name not in INHERITING:
            node.year = node.date_from.year


def _kept(kind: Type, node: Node) -> dict[str, Any]:
    """What lies in the JSON beside the typed fields (a category's own type, a number that was given) survives an edit."""
    known = {field.name for field in kind.typed}
    return {name: value for name, value in (node.data or {}).items() if name not in known}


def series_for(uow: UnitOfWork, category: Node, kind: Type, values: Mapping[str, Any]) -> Node:
    """The series of a year and retention period within a category; made when the year's first node comes."""
    day = str(
        values.get("discharged_on") or values.get("admitted_on") or values.get("date_from") or uow.today
    )
    rule = policies.in_force(uow, "retention").body["rules"][values.get("retention") or kind.retention]
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
    kind, before = TYPES[node.type], snapshot(node)
    if kind.is_about_somebody(node.data):
        uow.require(P.UNMASK, node)  # the form shows the name: whoever sees it masked must not edit it
    unchanged(node, version)
    values = checked(uow, kind, said_of(kind, fields, node.retention_rule))
    if node.archival_no and values.get("retention", node.retention_rule) != node.retention_rule:
        wrong = _("The archival number is given: the period is changed on a page of its own, with a reason.")
        raise Invalid(fields={"retention": wrong})
    write(uow, node, kind, values)
    node.updated_at, node.updated_by = uow.now, uow.actor.principal_id
    uow.session.flush()
    if kind.name == "medical_record":
        records.attach(uow, node, values)
    items = lead(uow, node)
    branches.reclassify(uow, node)
    _settle(uow, node, kind, values)
    keep_version(uow, node, comment)
    drafts.forget(uow, node, drafts.EDIT)
    after = snapshot(node)
    uow.note(
        changed={name: [before.get(name), after[name]] for name in after if before.get(name) != after[name]}
    )
    if before["retention_rule"] != after["retention_rule"]:
        reindexing.with_items(uow, node)
    else:
        uow.enqueue("index", node, *items)
    return node


def _settle(uow: UnitOfWork, node: Node, kind: Type, values: Mapping[str, Any]) -> None:
    """Until its number is given, a node follows its year and retention period into their series."""
    parent = uow.session.get_one(Node, node.parent_id, execution_options=TRUSTED)
    home = parent if node.archival_no else _home(uow, parent, kind, values)
    if home.id != parent.id and parent.type == "series":
        classes.alone(uow.session, node, home)
        placing.relocate(uow, node, home)


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
    node.level_own, node.updated_at, node.updated_by = level, uow.now, uow.actor.principal_id
    uow.session.flush()
    keep_version(uow, node, reason)
    branches.reclassify(uow, node)
    uow.enqueue("index", node)


@action("node.moved", needs=P.MOVE)
def move(uow: UnitOfWork, node: Node, *, to: Node) -> None:
    """Moves a branch below `to`. Raises Conflict where it does not fit, or would lie within itself."""
    check_place(uow, node, to)
    placing.relocate(uow, node, to)


def check_place(uow: UnitOfWork, node: Node, to: Node) -> None:
    """Raises Conflict where `node` does not fit below `to`, Forbidden where the actor may not add such a thing."""
    uow.require(P.ADD, to)
    if node.type in INHERITING:
        uow.lock(uow.session.get_one(Node, node.parent_id, execution_options=TRUSTED))
        frozen.keep_below(uow, node)
    classes.alone(uow.session, node, to)
    if not may_describe(uow, TYPES[node.type]):
        raise Forbidden
    if refusal := misplaced(node, to) or _is_under_way(uow, node):
        raise Conflict(refusal)


def misplaced(node: Node, to: Node) -> str | None:
    """Why `node` does not fit below `to`, or nothing."""
    if to.id == node.parent_id:
        return _("It lies there already.")
    kind = TYPES[node.type]
    if to.path.startswith(node.path) or to.type not in kind.parents or not fits(kind, to):
        return _("It cannot be moved there.")
    return None


def _is_under_way(uow: UnitOfWork, node: Node) -> str | None:
    """A job that carries a branch away from here, or to here, counts on the place."""
    jobs = select(Job).where(Job.kind == branches.MOVING, Job.state.in_(("waiting", "running", "failed")))
    for job in uow.session.scalars(jobs):
        top = uow.session.get(Node, job.node_id, execution_options=TRUSTED)
        if any(path.startswith(node.path) for path in (job.args["from"], top.path if top else "")):
            return _("A large branch is being moved in here. Try again when that is done.")
    return None
