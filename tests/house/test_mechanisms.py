"""The checks that nobody can forget are there, and nobody goes round them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from archive.blueprints import acts
from archive.policy.permissions import P
from archive.policy.rights import Right, matrix, vetoes
from archive.policy.roles import CONFLICTS, ROLES
from archive.policy.types import TYPES
from archive.policy.workflows import PROGRAM, WORKFLOWS
from archive.scopes import SCOPES
from archive.services.guards import GUARDS

ROOT = Path(__file__).parents[2] / "archive"
ACROSS_ALL_CONTENT = {
    "backup.py", "commands/care.py", "services/catalogue.py", "services/derive.py", "worker.py",
}  # fmt: skip
"""The modules that may ask across all content, for the program itself and for nobody in particular."""


def sources() -> dict[str, str]:
    return {str(path.relative_to(ROOT)): path.read_text() for path in ROOT.rglob("*.py")}


def test_only_named_modules_ask_across_all_content() -> None:
    asking = {name for name, text in sources().items() if re.search(r"\.unscoped\(", text)}
    assert asking <= ACROSS_ALL_CONTENT, asking - ACROSS_ALL_CONTENT


SHARED_SCOPES = {"count", "demo", "imports", "node"}
SCOPE = re.compile(r"""scope["']?\s*[:=]\s*["']([a-z_ ]+)["']""")


def test_every_scope_of_the_list_is_used_by_one_module() -> None:
    """The guard refuses a scope that is not in the list; one that nobody uses would be there for the taking."""
    users: dict[str, set[str]] = {}
    for name, text in sources().items():
        for scope in SCOPE.findall(text):
            users.setdefault(scope, set()).add(name)
    assert set(users) == set(SCOPES)
    assert {scope for scope, modules in users.items() if len(modules) > 1} == SHARED_SCOPES


def test_every_guard_that_a_workflow_names_exists() -> None:
    named = {guard for flow in WORKFLOWS.values() for step in flow.transitions for guard in step.guards}
    assert named <= set(GUARDS)


def test_every_type_has_a_workflow_and_parents_that_exist() -> None:
    for kind in TYPES.values():
        assert kind.workflow in WORKFLOWS
        assert kind.parents <= set(TYPES) | {"root"}


def test_every_transition_needs_a_permission_of_the_list() -> None:
    needed = {step.needs for flow in WORKFLOWS.values() for step in flow.transitions}
    assert needed <= set(P) | {"requester", PROGRAM}


def test_local_roles_have_no_row_by_department_which_no_token_could_carry() -> None:
    assert not [right for right in matrix() if ROLES[right.role].local and right.scope != "any"]


def test_whoever_edits_a_description_is_told_the_name_in_it() -> None:
    """Else the form would hold 张*, and saving it would lose the name."""
    blind = [right for right in matrix() if P.EDIT in right.permissions and not _told(right)]
    assert blind == []


def _told(right: Right) -> bool:
    named = [kind for kind in TYPES.values() if any(field.personal for field in kind.fields)]
    return all(
        any(
            other.role == right.role and P.UNMASK in other.permissions and other.covers(kind.name, state.name)
            for other in matrix()
        )
        for kind in named
        for state in WORKFLOWS[kind.workflow].states
        if right.covers(kind.name, state.name)
    )


def test_no_overlay_takes_the_right_to_know_that_a_thing_exists() -> None:
    assert all(P.DISCOVER not in taken for taken in vetoes().values())


def test_the_administrators_and_the_auditor_share_no_duty_with_content() -> None:
    pairs = {frozenset(pair) for pair in CONFLICTS}
    assert {frozenset({"sysadmin", "archivist"}), frozenset({"auditor", "archivist"}),
            frozenset({"security", "sysadmin"})} <= pairs  # fmt: skip


def test_every_act_has_a_name_in_words() -> None:
    named = re.compile(r'@action\(\s*"([^"]+)"')
    acted = {
        name
        for path, text in sources().items()
        if not path.startswith("demo/")
        for name in named.findall(text)
    }
    assert acted - set(acts.WORDS) == set()


EVENT = re.compile(r"[a-z_]+\.[a-z_]+")
GENERIC = {"gate.py", "uow.py"}
"""They name an event after its route or its action."""


def events_of(text: str) -> Iterator[str]:
    """The names of the events that a module writes: given to Event, to a route as its `event`, or to a function of the
    module that gives it to Event; as a constant of the module or as it stands."""
    tree = ast.parse(text)
    said = {
        target.id: line.value.value for line in tree.body if isinstance(line, ast.Assign) and isinstance(line.value, ast.Constant)
        for target in line.targets if isinstance(target, ast.Name)
    }  # fmt: skip
    handing = {"Event", "page", "operation"} | {
        made.name for made in ast.walk(tree) if isinstance(made, ast.FunctionDef)
        and any(isinstance(call, ast.Call) and called(call) == "Event" and call.args and isinstance(call.args[0], ast.Name)
                and call.args[0].id in {one.arg for one in made.args.args} for call in ast.walk(made))
    }  # fmt: skip
    for call in ast.walk(tree):
        if isinstance(call, ast.Call):
            by_name = [word.value for word in call.keywords if word.arg == "event"]
            for value in [*by_name, *(call.args if called(call) in handing else ())]:
                name = said.get(value.id) if isinstance(value, ast.Name) else getattr(value, "value", None)
                if isinstance(name, str) and EVENT.fullmatch(name):
                    yield name


def called(call: ast.Call) -> str:
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


def test_every_event_has_a_name_in_words() -> None:
    """Also those that no @action names: the auditor reads what somebody searched, exported and looked through."""
    written = {
        event
        for path, text in sources().items()
        if not path.startswith("demo/") and path not in GENERIC
        for event in events_of(text)
    }
    assert {"search.run", "basket.exported", "person.found", "audit.viewed", "session.refused"} <= written
    assert written - set(acts.WORDS) == set()


def test_only_one_place_builds_an_address_from_whatever_was_asked() -> None:
    spread = re.compile(r"url_for\([^)]*\*\*")
    building = {name for name, text in sources().items() if spread.search(text)}
    assert building <= {"blueprints/shown.py", "blueprints/search.py"}, (
        "use shown.address: `_scheme` leads elsewhere"
    )


OF_STAFF = {"people/list.html", "sharing/add.html"}
"""Whoever works here may be looked for in an address; patients and what they suffer from may not."""


def test_words_about_patients_are_typed_into_no_address() -> None:
    folder = ROOT.parent / "templates"
    plain = re.compile(r'<form(?![^>]*method="post")[^>]*>(?:(?!</form>).)*name="q"', re.DOTALL)
    typing = {
        str(path.relative_to(folder)) for path in folder.rglob("*.html") if plain.search(path.read_text())
    }
    assert typing <= OF_STAFF, "name the field in `typed=` of its page, and let the form post"


SHORT = re.compile(r"[\w-]{1,3}", re.ASCII)


def _read_whole(function: ast.FunctionDef) -> set[str]:
    """The names in a function that hold a page with its tokens."""
    set_to = (node for node in ast.walk(function) if isinstance(node, ast.Assign))
    whole = [node for node in set_to if isinstance(node.value, ast.Attribute) and node.value.attr == "text"]
    return {target.id for node in whole for target in node.targets if isinstance(target, ast.Name)}


def _short_absences(function: ast.FunctionDef) -> Iterator[int]:
    """The lines on which a few characters are said not to be in a whole page."""
    whole = _read_whole(function)
    for node in ast.walk(function):
        match node:
            case ast.Compare(ast.Constant(str(text)), [ast.NotIn()], [place]) if SHORT.fullmatch(text):
                if isinstance(place, ast.Attribute) or (isinstance(place, ast.Name) and place.id in whole):
                    yield node.lineno


def test_no_test_looks_for_a_few_letters_among_the_tokens_of_a_page() -> None:
    """They are there by chance, one time in some hundreds: `words_of` gives what a reader sees."""
    found = [
        (path.name, line)
        for path in (ROOT.parent / "tests").rglob("test_*.py")
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef)
        for line in _short_absences(function)
    ]
    assert found == []


def test_of_the_index_only_the_root_is_imported() -> None:
    """So another engine can stand behind it; its own tests may look inside."""
    folders = [
        ROOT,
        ROOT.parent / "bench",
        *(ROOT.parent / "tests" / name for name in ("services", "blueprints")),
    ]
    inside = re.compile(r"^\s*(?:from|import) index\.", re.MULTILINE)
    paths = [path for folder in folders for path in folder.rglob("*.py")]
    assert len(paths) > 100
    assert [str(path.relative_to(ROOT.parent)) for path in paths if inside.search(path.read_text())] == []
