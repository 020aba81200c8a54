"""Importing discharges: each stay of a patient becomes a draft record in the year of its discharge."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from archive.errors import ArchiveError
from archive.i18n import _
from archive.models import HoldingStatus, Node
from archive.policy.permissions import P
from archive.policy.types import TYPES
from archive.policy.workflows import WORKFLOWS
from archive.services import holdings, tree, typed
from archive.services.attempts import attempt
from archive.services.imports import planting, stays
from archive.services.imports.described import describe
from archive.services.imports.patients import refuse_bad_numbers
from archive.services.imports.persons import Persons
from archive.services.imports.rows import Keep, Made, Outcome, Reader, Row, refuse_doubles
from archive.services.imports.stays import Stays
from archive.services.imports.terms import Terms
from archive.services.imports.volumes import Volume, Volumes
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "imports"}
RECORD = TYPES["medical_record"]


@dataclass
class Discharges:
    """Rows of the discharge list."""

    reader: Reader
    category_id: int
    seen: dict[str, int] = field(default_factory=dict)
    persons: Persons = field(init=False)
    volumes: Volumes = field(init=False)
    known: Stays = field(default_factory=Stays)
    described: dict[int, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.persons, self.volumes = Persons(self.reader), Volumes(self.reader)

    def judge(self, uow: UnitOfWork, rows: list[Row]) -> None:
        refuse_doubles(self.reader, rows, self.seen)
        refuse_bad_numbers(self.reader, rows)
        terms = Terms(uow)
        self.described = {row.number: describe(self.reader, terms, RECORD, row) for row in rows}
        self.persons.judge(uow, rows)
        self.volumes.judge(uow, rows)
        patients = self.persons.known
        wanted = [(patients[r.values["mrn"]].id, int(r.values["times"])) for r in rows
                  if not r.is_wrong and r.values["mrn"] in patients]  # fmt: skip
        self.known = Stays.of(uow, wanted)
        for row in rows:
            self._check_days(uow, row)
            if not row.is_wrong:
                self._decide(uow, row)

    def _check_days(self, uow: UnitOfWork, row: Row) -> None:
        came, left = row.values.get("admitted_on"), row.values.get("discharged_on")
        if left and left > uow.today.isoformat():
            self.reader.object(row, "discharged_on", _("This day is still to come."))
        elif came and left and left < came:
            self.reader.object(row, "discharged_on", _("The discharge is before the admission."))

    def _record(self, row: Row) -> Node | None:
        patient = self.persons.known.get(row.values["mrn"])
        return self.known.records.get((patient.id, int(row.values["times"]))) if patient else None

    def _decide(self, uow: UnitOfWork, row: Row) -> None:
        node = self._record(row)
        self.volumes.refuse_taken(row, node.id if node else None)
        if node is None or row.is_wrong:
            return
        if not (self._news(uow, row, node) or self._new_volume(row) or self.persons.news(uow.site.keys, row)):
            row.outcome = Outcome.UNCHANGED
        elif self._news(uow, row, node) and not uow.can(P.EDIT, node):
            self.reader.object(row, "", _("The record of this stay says otherwise and cannot be edited now: it is in "
                                          "review, archived or in the trash. Correct it there."))  # fmt: skip
        else:
            row.outcome = Outcome.CHANGED

    def _news(self, uow: UnitOfWork, row: Row, node: Node) -> dict[str, Any]:
        """What the row says otherwise than the record; what it does not say stays."""
        kept = typed.form_values(uow, node)
        return {name: value for name, value in self.described[row.number].items() if value != kept.get(name)}

    def _new_volume(self, row: Row) -> bool:
        return "barcode" in row.values and row.values["barcode"] not in self.volumes.owners

    def bring(self, uow: UnitOfWork, rows: list[Row], keep: Keep) -> None:
        new = [row for row in rows if row.outcome is Outcome.NEW]
        changed = [row for row in rows if row.outcome is Outcome.CHANGED]
        if any("barcode" in row.values for row in [*new, *changed]):
            uow.require(P.HOLDING_PLACE, self._category(uow))
        patients = self.persons.enrol(uow, [*new, *changed], keep)
        if new:
            self._plant(uow, new, patients, keep)
        for row in changed:
            self._edit(uow, row, keep)

    def _category(self, uow: UnitOfWork) -> Node:
        return uow.node(self.category_id, needs=P.ADD)

    def _edit(self, uow: UnitOfWork, row: Row, keep: Keep) -> None:
        """Changes one known record as a person would; what is refused stays as it is and is told."""
        node = self._record(row)
        try:
            with attempt(uow):
                made = self._changed(uow, row, node) if node is not None else []
        except ArchiveError as refused:
            self.reader.object(row, "", str(refused))
            return
        for one in made:
            keep(one)

    def _changed(self, uow: UnitOfWork, row: Row, node: Node) -> list[Made]:
        made = []
        if news := self._news(uow, row, node):
            before, comment = typed.form_values(uow, node), _("Import, row %(row)d", row=row.number)
            tree.edit(uow, node, fields=before | news, version=node.version, comment=comment)
            made.append(Made(row.number, "node", node.id, {"fields": before, "version": node.version}))
        if self._new_volume(row):
            holding = holdings.register(uow, node, barcode=row.values["barcode"], status=HoldingStatus.WARD,
                                        sheets=_sheets(row))  # fmt: skip
            made.append(Made(row.number, "holding", holding.id))
        return made

    def _plant(self, uow: UnitOfWork, rows: Sequence[Row], patients: dict[str, int], keep: Keep) -> None:
        seeds = self._seeds(uow, rows, keep)
        nodes = planting.plant(uow, seeds)
        keys = [
            (patients[row.values["mrn"]], seed.values["times"]) for row, seed in zip(rows, seeds, strict=True)
        ]
        wanted = {key: (row, seed.values) for key, row, seed in zip(keys, rows, seeds, strict=True)}
        encounters = self.known.admit(uow, wanted, keep)
        of_node = {node.id: encounters[key] for node, key in zip(nodes, keys, strict=True)}
        stays.join(uow, of_node, [(node.id, step) for node in nodes for step in ("in_hospital", "pending")])
        on_paper = []
        for row, node in zip(rows, nodes, strict=True):
            keep(Made(row.number, "node", node.id))
            if "barcode" in row.values:
                on_paper.append(
                    Volume(row.number, node.id, row.values["barcode"], HoldingStatus.WARD, _sheets(row))
                )
        self.volumes.bring(uow, on_paper, keep)

    def _seeds(self, uow: UnitOfWork, rows: Sequence[Row], keep: Keep) -> list[planting.Seed]:
        category, years = self._category(uow), {}
        for row in rows:
            year = row.values["discharged_on"][:4]
            if year not in years:
                years[year] = planting.series(uow, category, RECORD, year, keep, row=row.number)
        state = WORKFLOWS[RECORD.workflow].initial
        return [
            planting.Seed(years[row.values["discharged_on"][:4]], RECORD, self.described[row.number], state)
            for row in rows
        ]


def _sheets(row: Row) -> int | None:
    return int(row.values["sheets"]) if "sheets" in row.values else None
