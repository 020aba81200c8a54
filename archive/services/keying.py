"""著录台: keying what stands on a front page. Number, name and dates are keyed by two people who do not see each other's.

What is keyed once is written to the record at once; what is keyed twice waits in a table until both have keyed the same,
or somebody has chosen. Every value goes the way of any other edit: `tree.edit` checks it and keeps a version.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from archive.errors import Conflict, Invalid, NotFound
from archive.i18n import _
from archive.models import Keying, Node
from archive.policy.permissions import P
from archive.policy.types import TYPES
from archive.schema import Field, clean
from archive.services import policies, tree, typed
from archive.uow import UnitOfWork, action

TRUSTED: Any = {"scope": "keying"}
ONCE, DIFFERS, DONE = "once", "differs", "done"
STATES = ("draft", "cataloguing")
"""In which a record is keyed: later it is corrected, with a reason."""
Said = Mapping[str, str]


@dataclass(frozen=True)
class Rules:
    """著录规则 of one type: the fields in their order, which of them are keyed twice, and by whom."""

    fields: tuple[Field, ...]
    twice: tuple[str, ...]
    other_person: bool


def types(uow: UnitOfWork) -> tuple[str, ...]:
    """The types that are keyed from an image."""
    return tuple(policies.in_force(uow, "keying").body["fields"])


def rules(uow: UnitOfWork, node: Node) -> Rules:
    """How a record of this type is keyed. Raises NotFound where it is not."""
    body = policies.in_force(uow, "keying").body
    if node.type not in body["fields"]:
        raise NotFound
    fields = tuple(TYPES[node.type].field(name) for name in body["fields"][node.type])
    return Rules(fields, tuple(body["twice"].get(node.type, ())), body["second"]["other_person"])


def of(uow: UnitOfWork, node: Node) -> Keying | None:
    """How far a record has come here. For callers that have checked `require`."""
    return uow.session.get(Keying, node.id, execution_options=TRUSTED)


def require(uow: UnitOfWork, node: Node) -> Rules:
    """What whoever keys must hold: one reads the page, sees the name as it is, and edits. Raises Conflict in a later state."""
    for needed in (P.EDIT, P.READ, P.UNMASK):
        uow.require(needed, node)
    found = rules(uow, node)
    if node.state not in STATES or node.trashed_at is not None:
        raise Conflict(
            _("Records are keyed while they are drafts or being catalogued. Start correcting it first.")
        )
    return found


@action("keying.keyed", needs=P.EDIT)
def key(uow: UnitOfWork, node: Node, *, said: Said, version: int) -> str:
    """The first keying of a record; gives the state that it is in then.

    Raises Invalid, Stale. Where another person was quicker, it is the second keying: nobody has seen the other's.
    """
    uow.lock(node)
    rule, row = require(uow, node), of(uow, node)
    if row and row.state == ONCE and row.first_by_id != uow.actor.principal_id:
        keyed = _keyed(uow, node, rule, said)
        _put_beside(uow, node, row, keyed)
        return _second(uow, node, row, keyed)
    if row and row.state == DIFFERS:
        raise Conflict(_("Two people have keyed this record already, and differ. Choose what is right."))
    keyed, before = _keyed(uow, node, rule, said), now(uow, node)
    held = {name: keyed.get(name, before[name]) for name in rule.twice}
    _write(uow, node, {name: value for name, value in keyed.items() if name not in held}, version)
    row = row or Keying(node_id=node.id)
    row.state = ONCE if held else DONE
    row.before, row.first, row.second = {name: before[name] for name in held}, held, {}
    row.first_by_id, row.first_at = uow.actor.principal_id, uow.now
    row.second_by_id = row.second_at = row.done_by_id = row.done_at = None
    if not held:
        row.done_by_id, row.done_at = uow.actor.principal_id, uow.now
    uow.session.add(row)
    uow.session.flush()
    uow.note(policies=policies.used(uow, "keying"))
    return row.state


@action("keying.keyed_again", needs=P.EDIT)
def key_again(uow: UnitOfWork, node: Node, *, said: Said) -> str:
    """The second keying, of the fields that are keyed twice; gives the state that the record is in then. Raises Invalid."""
    uow.lock(node)
    rule, row = require(uow, node), of(uow, node)
    if row is None or row.state != ONCE:
        raise Conflict(_("This has been keyed by somebody else meanwhile."))
    if is_own(uow, rule, row):
        raise Conflict(_("Another person keys these fields a second time."))
    return _second(uow, node, row, _keyed(uow, node, rule, said))


@action("keying.decided", needs=P.EDIT)
def decide(uow: UnitOfWork, node: Node, *, said: Said, version: int) -> None:
    """Writes what somebody chose by the image where the two differed. Raises Invalid, Stale."""
    uow.lock(node)
    require(uow, node)
    row = of(uow, node)
    if row is None or row.state != DIFFERS:
        raise Conflict(_("This has been decided meanwhile."))
    tree.unchanged(node, version)
    fields = differing(uow, node, row)
    if open_still := [name for name in fields if name not in said]:
        raise Invalid(fields={name: _("Choose what is right.") for name in open_still})
    chosen = _checked(uow, node, row.first | {name: said[name] for name in fields})
    uow.note(kept={name: _whose(row, name, value) for name, value in chosen.items()})
    _settle(uow, node, row, chosen)


def is_own(uow: UnitOfWork, rule: Rules, row: Keying) -> bool:
    """Whether the actor keyed it first, and so may not be the second."""
    return rule.other_person and row.first_by_id == uow.actor.principal_id


def differing(uow: UnitOfWork, node: Node, row: Keying) -> list[str]:
    """The fields in which the two differ; or both from what somebody else has saved between them.

    Where they agree on what the record would not take, those in which they differ from the record.
    """
    saved = now(uow, node)
    found = [
        name for name, value in row.first.items()
        if value != row.second.get(name) or saved[name] not in (row.before.get(name), value)
    ]  # fmt: skip
    return found or [name for name, value in row.first.items() if value != saved[name]]


def _put_beside(uow: UnitOfWork, node: Node, row: Keying, keyed: Said) -> None:
    """What is keyed once was typed by both, who did not know of each other: where they differ it is decided with the rest."""
    saved = now(uow, node)
    other = {name: saved[name] for name, value in keyed.items() if value and value != saved[name]}
    row.before, row.first = other | row.before, other | row.first


def _second(uow: UnitOfWork, node: Node, row: Keying, keyed: dict[str, str]) -> str:
    row.second = {name: keyed.get(name, "") for name in row.first}
    row.second_by_id, row.second_at = uow.actor.principal_id, uow.now
    agreed = row.first == row.second and not _overtaken(uow, node, row)
    if not agreed or not _taken(uow, node, row):
        row.state = DIFFERS
        uow.note(differing=differing(uow, node, row))
        uow.session.flush()
    return row.state


def _overtaken(uow: UnitOfWork, node: Node, row: Keying) -> bool:
    """Whether somebody has saved something else between the two keyings."""
    saved = now(uow, node)
    return any(saved[name] not in (row.before.get(name), value) for name, value in row.first.items())


def _taken(uow: UnitOfWork, node: Node, row: Keying) -> bool:
    """Whether the record took what both keyed: a number may be another patient's, or dates be crossed."""
    uow.session.flush()
    mark = uow.mark()
    try:
        with uow.session.begin_nested():
            _settle(uow, node, row, row.first)
    except Invalid as refused:
        uow.forget_since(mark)
        uow.note(refused=dict(refused.fields))
        return False
    return True


def _settle(uow: UnitOfWork, node: Node, row: Keying, values: Mapping[str, str]) -> None:
    """What holds now is said by the record and its versions alone."""
    _write(uow, node, values, node.version)
    row.state, row.done_by_id, row.done_at = DONE, uow.actor.principal_id, uow.now
    row.before, row.first, row.second = {}, {}, {}
    uow.session.flush()


def _whose(row: Keying, name: str, value: str) -> str:
    if row.first[name] == value:
        return "both" if row.second[name] == value else "first"
    return "second" if row.second[name] == value else "neither"


def _keyed(uow: UnitOfWork, node: Node, rule: Rules, said: Said) -> dict[str, str]:
    """What was keyed, as it is kept; what the form did not ask for stays as it is in the record."""
    return _checked(uow, node, {f.name: said[f.name] for f in rule.fields if f.name in said})


def _checked(uow: UnitOfWork, node: Node, said: Said) -> dict[str, str]:
    """Raises Invalid: also what waits for the second person is right in its form."""
    values = tree.checked(
        uow, TYPES[node.type], typed.form_values(uow, node) | {k: clean(v) for k, v in said.items()}
    )
    return {name: _text(values.get(name)) for name in said}


def now(uow: UnitOfWork, node: Node) -> dict[str, str]:
    """What the record says now of each field."""
    values = typed.form_values(uow, node)
    return {field.name: _text(values.get(field.name)) for field in TYPES[node.type].typed}


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _write(uow: UnitOfWork, node: Node, values: Mapping[str, str], version: int) -> None:
    """An edit, unless the record says all of it already: a version tells of a change."""
    tree.unchanged(node, version)
    saved = now(uow, node)
    if any(saved[name] != value for name, value in values.items()):
        tree.edit(uow, node, fields=typed.form_values(uow, node) | dict(values), version=version)
