"""What a form of the tree begins with, what was chosen in a list, and how two versions of a form differ."""

from collections.abc import Mapping

from archive.models import Node
from archive.policy.types import TYPES


def form_values(node: Node) -> dict[str, object]:
    """What the form of a node begins with."""
    columns = {field.name: getattr(node, field.column) for field in TYPES[node.type].fields if field.column}
    return {**node.data, **columns}


def compared(
    node: Node, mine: Mapping[str, object], theirs: Mapping[str, object]
) -> list[tuple[str, str, str]]:
    """Label, what the other person saved, what one typed oneself: for every field that differs."""
    rows = []
    for field in TYPES[node.type].typed:
        saved, typed = str(theirs.get(field.column or field.name) or ""), str(mine.get(field.name) or "")
        if saved != typed:
            rows.append((str(field.label), saved, typed))
    return rows
