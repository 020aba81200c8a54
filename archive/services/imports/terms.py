"""Words of a spreadsheet that stand for something known here: departments and the terms of vocabularies."""

import re
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import select

from archive.i18n import _
from archive.models import Principal
from archive.services import policies
from archive.services.imports.values import Wrong, narrow
from archive.uow import UnitOfWork


@dataclass
class Terms:
    """What the hospital calls things, read once for a batch."""

    uow: UnitOfWork

    @cached_property
    def _departments(self) -> dict[str, list[int]]:
        rows = self.uow.session.execute(
            select(Principal.id, Principal.code, Principal.name).where(Principal.kind == "dept")
        ).all()
        found: dict[str, list[int]] = {}
        for number, code, name in rows:
            for word in {narrow(code).lower(), narrow(name).lower()}:
                found.setdefault(word, []).append(number)
        return found

    def department(self, cell: str) -> int:
        """The id of a department by code or name. Raises Wrong when it is unknown, or two have the name."""
        found = self._departments.get(narrow(cell).lower(), [])
        if not found:
            raise Wrong(
                _(
                    "There is no department %(name)s. Import the departments first, or correct the name.",
                    name=cell,
                )
            )
        if len(found) > 1:
            raise Wrong(_("Several departments are called %(name)s. Write the code.", name=cell))
        return found[0]

    def departments(self, cell: str) -> list[int]:
        return [self.department(part) for part in re.split(r"[、,，;；]+", cell) if part.strip()]

    def choice(self, vocabulary: str, cell: str) -> str:
        """The code of a term, given as code or as label in either language. Raises Wrong for another word."""
        terms = policies.terms(self.uow, vocabulary)
        wanted = narrow(cell).lower()
        for code, labels in terms.items():
            if wanted in {
                code.lower(),
                *(narrow(labels.get(side) or labels["zh"]).lower() for side in ("zh", "en")),
            }:
                return str(code)
        words = "、".join(labels["zh"] for labels in terms.values())
        raise Wrong(_("Write one of these: %(words)s.", words=words))

    @cached_property
    def _shown(self) -> dict[str, dict[str, str]]:
        return {}

    def vocabulary(self, name: str) -> dict[str, str]:
        """Code → label, as validation asks for them; the departments by their ids."""
        if name not in self._shown:
            ids = {number for numbers in self._departments.values() for number in numbers}
            departments = {str(number): str(number) for number in ids}
            self._shown[name] = departments if name == "departments" else policies.vocabulary(self.uow, name)
        return self._shown[name]
