"""Importing an old index: each line is archived at once under the archival number that it has."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from archive.i18n import _
from archive.models import Counter, HoldingStatus, Node
from archive.numbering import ArchivalNumber
from archive.policy.permissions import P
from archive.policy.types import TYPES
from archive.schema import Type
from archive.services import numbers, policies
from archive.services.imports import planting
from archive.services.imports.described import describe
from archive.services.imports.old_records import OldRecords
from archive.services.imports.planting import Seed
from archive.services.imports.rows import Keep, Made, Outcome, Reader, Row, refuse_doubles
from archive.services.imports.terms import Terms
from archive.services.imports.values import is_exact
from archive.services.imports.volumes import Volume, Volumes
from archive.uow import UnitOfWork

TRUSTED: Any = {"scope": "imports"}
BARCODE_OF_NODE = "B{:08d}"


@dataclass
class Numbered:
    """Rows of an old index of one category."""

    reader: Reader
    category_id: int
    type: str
    seen: dict[str, int] = field(default_factory=dict)
    volumes: Volumes = field(init=False)
    records: OldRecords = field(init=False)
    rules: dict[int, str] = field(default_factory=dict)
    described: dict[int, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.volumes, self.records = Volumes(self.reader), OldRecords(self.reader)

    @property
    def kind(self) -> Type:
        return TYPES[self.type]

    @property
    def are_records(self) -> bool:
        return self.type == "medical_record"

    def judge(self, uow: UnitOfWork, rows: list[Row]) -> None:
        refuse_doubles(self.reader, rows, self.seen)
        terms, given = Terms(uow), numbers.codes(uow, uow.node(self.category_id, needs=P.ADD))
        self.rules, self.described = {}, {}
        for row in rows:
            self._check_number(uow, row, given)
            self.described[row.number] = describe(self.reader, terms, self.kind, row, self._silent(row))
        self.volumes.judge(uow, rows)
        if self.are_records:
            self.records.judge(uow, rows)
        taken = self._taken(uow, rows)
        for row in rows:
            self.volumes.refuse_taken(row, taken[number].id if (number := _number(row)) in taken else None)
            if not row.is_wrong and number in taken:
                self._compare(row, taken[number])

    def _silent(self, row: Row) -> dict[str, Any]:
        """What it does not say of opening counts as not reviewed; a date without its day is kept as written."""
        if "date_from" in row.values and not is_exact(row.written["date_from"]):
            remark = _("Date as written: %(text)s", text=row.written["date_from"])
            row.values["note"] = "\n".join(part for part in (row.values.get("note"), remark) if part)
        return {"open_status": "unreviewed", "retention": self.rules.get(row.number, self.kind.retention)}

    def _check_number(self, uow: UnitOfWork, row: Row, given: dict[str, str]) -> None:
        number: ArchivalNumber | None = row.values.get("archival_no")
        if number is None:
            return
        if (number.fonds, number.category) != (given.get("fonds"), given.get("category")):
            expected = f"{given.get('fonds')}-{given.get('category')}"
            sentence = _(
                "This number is not of this category, whose numbers begin with %(expected)s. Import it into its own.",
                expected=expected,
            )
            self.reader.object(row, "archival_no", sentence)
        if number.volume and number.item and self.are_records:
            sentence = _("This is the number of a paper within a volume. Import the volumes.")
            self.reader.object(row, "archival_no", sentence)
        self._check_retention(uow, row, number)

    def _check_retention(self, uow: UnitOfWork, row: Row, number: ArchivalNumber) -> None:
        told, rules = row.values.pop("retention", None), policies.in_force(uow, "retention").body["rules"]
        if told and number.retention and told != number.retention:
            sentence = _("The archival number says %(code)s. Make the two agree.", code=number.retention)
            self.reader.object(row, "retention", sentence)
        code = number.retention or told
        own = self.kind.retention or ""
        if code is None or rules.get(own, {}).get("code") == code:
            self.rules[row.number] = own
        elif code in rules:
            self.rules[row.number] = code
        else:
            sentence = _("The hospital's retention table has no %(code)s.", code=code)
            self.reader.object(row, "retention", sentence)

    def _taken(self, uow: UnitOfWork, rows: Sequence[Row]) -> dict[str, Node]:
        wanted = {_number(row) for row in rows}
        found = uow.session.scalars(
            select(Node).where(Node.archival_no.in_(wanted)), execution_options=TRUSTED
        )
        return {node.archival_no or "": node for node in found}

    def _compare(self, row: Row, node: Node) -> None:
        said = self.described[row.number]
        if self.are_records:
            same = all(said.get(name) == node.data.get(name) for name in ("mrn", "times"))
        else:
            same = said.get("title") == node.title
        if same and node.type == self.type:
            row.outcome = Outcome.UNCHANGED
        else:
            sentence = _("This number is another file's. Archival numbers are never given twice.")
            self.reader.object(row, "archival_no", sentence)

    def bring(self, uow: UnitOfWork, rows: list[Row], keep: Keep) -> None:
        new = [row for row in rows if row.outcome is Outcome.NEW]
        if not new:
            return
        category = uow.node(self.category_id, needs=P.ADD)
        if any({"barcode", "box", "location"} & row.values.keys() for row in new):
            uow.require(P.HOLDING_PLACE, category)
        nodes = planting.plant(uow, self._seeds(uow, category, new, keep))
        for row, node in zip(new, nodes, strict=True):
            keep(Made(row.number, "node", node.id))
        volumes = [volume for row, node in zip(new, nodes, strict=True) if (volume := _volume(row, node))]
        self.volumes.bring(uow, volumes, keep)
        if self.are_records:
            pairs = [(row, node, self.described[row.number]) for row, node in zip(new, nodes, strict=True)]
            self.records.bring(uow, pairs, {volume.node_id for volume in volumes if volume.location}, keep)
        _raise_counters(uow, (row.values["archival_no"] for row in new))

    def _seeds(self, uow: UnitOfWork, category: Node, rows: Sequence[Row], keep: Keep) -> list[Seed]:
        series: dict[tuple[str, str], Node] = {}
        seeds = []
        for row in rows:
            number, rule, said = row.values["archival_no"], self.rules[row.number], self.described[row.number]
            year = number.year or _day_of(said)[:4]
            if (year, rule) not in series:
                kind = replace(self.kind, retention=rule)
                series[year, rule] = planting.series(uow, category, kind, year, keep, row=row.number)
            within = series[year, rule]
            seeds.append(
                Seed(within, self.kind, said, "archived", rule, str(number), _slug(number), int(year))
            )
        return self._without_taken_slugs(uow, seeds)

    def _without_taken_slugs(self, uow: UnitOfWork, seeds: list[Seed]) -> list[Seed]:
        """Two numbers of one series may end alike; the later one keeps the slug of its id."""
        parents = {seed.parent.id for seed in seeds}
        known = select(Node.parent_id, Node.slug).where(
            Node.parent_id.in_(parents), Node.slug.in_({s.slug for s in seeds})
        )
        taken: set[tuple[int, str | None]] = {
            (parent, slug) for parent, slug in uow.session.execute(known, execution_options=TRUSTED)
        }
        kept = []
        for seed in seeds:
            free = (seed.parent.id, seed.slug) not in taken
            taken.add((seed.parent.id, seed.slug))
            kept.append(seed if free else replace(seed, slug=None))
        return kept


def _day_of(said: dict[str, Any]) -> str:
    return str(said.get("date_from") or said.get("discharged_on") or said["admitted_on"])


def _number(row: Row) -> str:
    return str(row.values.get("archival_no", ""))


def _slug(number: ArchivalNumber) -> str | None:
    """The last part of the number; with a department's code before it, where that is written in letters."""
    parts = [part.lower() for part in (number.org, number.volume, number.item) if part]
    return "-".join(parts) if all(part.isascii() for part in parts) else None


def _volume(row: Row, node: Node) -> Volume | None:
    """The paper of a row that tells where it lies or what is on its label."""
    told = row.values
    if not {"barcode", "box", "location"} & told.keys():
        return None
    placed = "box" in told or "location" in told
    return Volume(
        row.number, node.id, told.get("barcode") or BARCODE_OF_NODE.format(node.id),
        HoldingStatus.SHELVED if placed else HoldingStatus.PROCESSING,
        int(told["sheets"]) if "sheets" in told else None, told.get("box"), told.get("location", "").upper() or None,
    )  # fmt: skip


def _raise_counters(uow: UnitOfWork, given: Iterable[ArchivalNumber]) -> None:
    """The next number that the archive gives comes after the highest that was brought."""
    highest: dict[str, int] = {}
    for number in given:
        name = f"no:{number.prefix}"
        highest[name] = max(highest.get(name, 0), int(number.volume or number.item or 0))
    for name, value in sorted(highest.items()):
        numbers_known = update(Counter).where(Counter.name == name)
        try:
            with uow.session.begin_nested():
                uow.session.add(Counter(name=name, value=value))
        except IntegrityError:  # it counts already
            uow.session.execute(numbers_known.where(Counter.value < value).values(value=value))
