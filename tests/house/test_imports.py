"""Each module can be the first that is imported: none of them needs itself before it is there."""

import ast
from pathlib import Path

from tests.house.tree import ROOT, python_files, text


def modules() -> dict[str, Path]:
    found = {}
    for file in python_files("archive", "index", "storage", "bench"):
        parts = file.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def needed(module: str, file: Path, known: dict[str, Path]) -> set[str]:
    """What the module asks for while it is imported, as far as it is ours. What stands in functions comes later."""
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    found: set[str] = set()
    for statement in ast.parse(text(file) or "").body:
        match statement:
            case ast.Import(names):
                found |= {one.name for one in names}
            case ast.ImportFrom(of, names, level):
                above = package.split(".")[: len(package.split(".")) - level + 1] if level else []
                base = ".".join([*above, *([of] if of else [])])
                found |= {f"{base}.{one.name}" if f"{base}.{one.name}" in known else base for one in names}
    return (found & set(known)) - {module}


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Modules each of which asks for the next, and the last for the first; nothing if there are none."""
    done: set[str] = set()

    def walk(module: str, way: list[str]) -> list[str]:
        if module in way:
            return [*way[way.index(module) :], module]
        if module in done:
            return []
        for other in sorted(graph[module]):
            if found := walk(other, [*way, module]):
                return found
        done.add(module)
        return []

    return next((found for module in sorted(graph) if (found := walk(module, []))), [])


def test_no_module_asks_for_itself_before_it_is_there() -> None:
    known = modules()
    graph = {module: needed(module, file, known) for module, file in known.items()}
    assert graph["archive.services.jobs"] >= {"archive.services.handlers", "archive.models"}
    assert not (found := circle(graph)), " → ".join(found)


def test_a_circle_is_seen() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []
