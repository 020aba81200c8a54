"""Loans, reservations, readings, opinions, seals, inspections, break-glass, batches and the clock in any order.

A volume is in one hand, nobody reads longer than they may, nobody judges their own, and what was promised still stands.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select, text

from archive.actor import Actor
from archive.errors import ArchiveError
from archive.models import Emergency, Hold, Inspection, Node, Principal
from archive.policy.permissions import P
from archive.services import (
    breakglass,
    desk,
    handing_on,
    holdings,
    holds,
    inspections,
    loans,
    requests,
    reservations,
    setup,
    slips,
    steps,
    unsealing,
    volumes,
)
from archive.services.desk import Memo
from archive.services.scanning import batches
from archive.services.scanning import steps as batch_steps
from archive.services.scanning import volumes as scanned
from archive.site import Site
from tests.archives import begins, once
from tests.conftest import CAST, HASH, PASSWORD, Hospital, copied, hospital_of
from tests.services.lending import BARCODE, approved, archive_it, ask, shelf
from tests.services.sealing import OPENED, PACKAGE
from tests.soaking import how_many

AS_TEXT = "%Y-%m-%d %H:%M:%S.%f"
READERS = st.sampled_from(["clinician", "clinician2", "head"])
DECIDERS = st.sampled_from(["senior", "head"])
DESKS = st.sampled_from(["clerk", "clerk", "clerk", "archivist", "senior"])
VOLUMES = st.sampled_from([BARCODE, BARCODE, BARCODE, f"{BARCODE}-V2", f"{BARCODE}-V3"])
KINDS = st.sampled_from(["paper", "paper", "eread"])
PURPOSES = st.sampled_from(["treatment", "discussion", "discussion", "research"])
SAYING = st.sampled_from(["senior", "head", "affairs", "clinician", "clinician2"])
STEPS = st.sampled_from(
    ["approve", "approve", "refuse", "cancel", "endorse", "endorse", "object", "give_back", "revoke"]
)
VERDICTS = st.sampled_from(["", *breakglass.VERDICTS])
"""Of a break-glass; none: it is ended."""
GLASS = {"mrn": "00218647", "patient_name": "刘婷婷", "cause": "rescue", "reason": "产后大出血，昏迷送入院，需了解既往手术史",
         "password": PASSWORD}  # fmt: skip
HOURS = timedelta(hours=4)
"""So long break-glass opens at most."""
RUNNING = (
    "SELECT number AS ref, requester_id AS who, until AS ends FROM request WHERE kind = 'eread' AND state = 'active' "
    "UNION ALL SELECT number, principal_id, until FROM emergency "
    "UNION ALL SELECT number, principal_id, valid_until FROM inspection"
)
"""What lets somebody read for a while, to whom, and until when."""


@begins
def archived(hospital: Hospital, record: int) -> tuple[int, list[str]]:
    """An archived record of two volumes, one on its shelf and one on the table, and who has been promised it."""
    with hospital.site.uow(Actor.system("test")) as uow:
        affairs = setup.enlist(uow, account="affairs", name="何志远", staff_no="0090", password=None,
                               roles=("medical_affairs",), clearance=2)  # fmt: skip
        affairs.password = HASH
        uow.events.clear()
    archive_it(hospital, record, location=shelf(hospital))
    with hospital.uow("senior") as uow:
        holdings.register(uow, uow.node(record), sheets=10)
    promised = [approved(hospital, who, record) for who in ("clinician", "head")]
    ask(hospital, "clinician2", record)
    return record, promised


def lived_through(site: Site, archived: tuple[int, list[str]], lives: int) -> None:
    class House(Lending):
        origin, (record, asked) = site, archived

    run_state_machine_as_test(  # type: ignore[no-untyped-call]  # hypothesis gives it no types
        House, settings=settings(max_examples=lives, stateful_step_count=40, deadline=None)
    )


@once
def test_a_volume_is_in_one_hand_whatever_happens_in_whatever_order(
    site: Site, archived: tuple[int, list[str]]
) -> None:
    lived_through(site, archived, 12)


@pytest.mark.soak
def test_a_volume_is_in_one_hand_in_hundreds_of_lives(
    site: Site, archived: tuple[int, list[str]], record_property: Callable[[str, object], None]
) -> None:
    lives = how_many("lives", usual=400)
    lived_through(site, archived, lives)
    record_property(
        "soak", f"{lives} lives of a record at the desk: each volume in one hand, nothing promised was lost"
    )


class Lending(RuleBasedStateMachine):
    """A record, whoever asks for it, and the desks. What an act refuses leaves everything as it was."""

    origin: Site
    record: int
    asked: Sequence[str]

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.promised: dict[str, str] = {}
        """What was approved on paper and has been neither handed out nor withdrawn, by its slip: for whom."""
        self.memos = {"clerk": Memo(), "archivist": Memo(), "senior": Memo()}

    @initialize()
    def open_the_house(self) -> None:
        folder = self.stack.enter_context(TemporaryDirectory())
        site = self.stack.enter_context(copied(self.origin, Path(folder) / "var"))
        self.hospital = hospital_of(site)
        for who, number in zip(("clinician", "head"), self.asked, strict=True):
            self.promised[number] = who

    def teardown(self) -> None:
        self.stack.close()

    def slip(self, which: int) -> str | None:
        rows = self.rows("SELECT number FROM request ORDER BY id")
        return rows[which % len(rows)].number if rows else None

    def rows(self, statement: str, **values: Any) -> list[Any]:
        with self.hospital.site.engine.connect() as connection:
            return list(connection.execute(text(statement), values).all())

    # What people do

    @rule(who=READERS, kind=KINDS, purpose=PURPOSES)
    def ask(self, who: str, kind: str, purpose: str) -> None:
        days = "" if purpose == "research" else 3
        with suppress(ArchiveError), self.hospital.uow(who) as uow:
            requests.ask(uow, uow.node(self.record), kind=kind, purpose=purpose, days=days, declared="none",
                         reason="剖宫产术后感染分析")  # fmt: skip

    @rule(who=SAYING, which=st.integers(0, 5), name=STEPS)
    def step(self, who: str, which: int, name: str) -> None:
        number = self.slip(which)
        if number is None:
            return
        with suppress(ArchiveError):
            with self.hospital.uow(who) as uow:
                request = slips.one(uow, number)
                requests.advance(uow, request, name, reason="见面说明")
                kind, asked_by = request.kind, request.requester_id
            if name == "approve" and kind == "paper":
                self.promised[number] = str(asked_by)
            elif name == "cancel":
                self.promised.pop(number, None)

    @rule(at=DESKS, which=st.integers(0, 5), barcode=VOLUMES)
    def slip_and_volume(self, at: str, which: int, barcode: str) -> None:
        ready = sorted(self.promised) or self.numbers("lent")
        if ready:
            self.scan(at, ready[which % len(ready)])
            self.scan(at, barcode)

    @rule(at=DESKS, barcode=VOLUMES)
    def volume(self, at: str, barcode: str) -> None:
        self.scan(at, barcode)

    def scan(self, at: str, code: str) -> None:
        with self.hospital.uow(at) as uow:
            because = "急诊会诊" if at == "senior" else ""  # and passes others over
            self.memos[at] = desk.hear(uow, code, self.memos[at], because=because).memo
        if self.memos[at].act == "issued":
            for number in self.numbers("lent"):
                self.promised.pop(number, None)

    def numbers(self, state: str) -> list[str]:
        return [
            row.number for row in self.rows("SELECT number FROM request WHERE state = :state", state=state)
        ]

    @rule(at=DESKS)
    def undo(self, at: str) -> None:
        if self.memos[at].act not in {"issued", "returned"}:  # the page has no button then
            return
        before = set(self.numbers("approved"))
        with self.hospital.uow(at) as uow:
            desk.undo(uow, self.memos[at])
        for number in set(self.numbers("approved")) - before:
            self.promised[number] = "undone"

    @rule(barcode=VOLUMES, who=READERS)
    def hand_on(self, barcode: str, who: str) -> None:
        """At the desk, to whoever it is: only who may have it gets it."""
        with suppress(ArchiveError), self.hospital.uow("clerk") as uow:
            badge = f"{list(CAST).index(who) + 1:04d}"
            handing_on.at_desk(uow, barcode=barcode, staff_no=badge)
        for number in self.numbers("lent"):
            self.promised.pop(number, None)

    @rule(which=st.integers(0, 5))
    def recall(self, which: int) -> None:
        number = self.slip(which)
        with suppress(ArchiveError), self.hospital.uow("clerk") as uow:
            if number is not None:
                loans.recall(uow, slips.one(uow, number))

    @rule()
    def the_program_passes_on(self) -> None:
        """From then on whoever can have a volume is offered one, in this order, and none is kept for nobody."""
        reservations.pass_on(self.hospital.site)
        free = self.rows(
            "SELECT h.id FROM holding h JOIN node n ON n.id = h.node_id "
            "WHERE h.status IN ('shelved', 'processing', 'held') AND n.state != 'correcting' "
            "AND NOT EXISTS (SELECT 1 FROM hold_volume v JOIN hold s ON s.id = v.hold_id "
            "WHERE v.holding_id = h.id AND s.released_at IS NULL) "
            "AND NOT EXISTS (SELECT 1 FROM batch_volume b JOIN scan_batch s ON s.id = b.batch_id "
            "WHERE b.holding_id = h.id AND b.open AND s.state != 'created')"
        )
        waiting = self.rows("SELECT id FROM request WHERE kind = 'paper' AND state = 'approved'")
        offers = self.rows(
            "SELECT offered_id FROM request WHERE kind = 'paper' AND state = 'approved' AND offered_until > :now",
            now=self.now(),
        )
        assert len(offers) >= min(len(free), len(waiting))
        held = {row.id for row in self.rows("SELECT id FROM holding WHERE status = 'held'")}
        assert held & {row.id for row in free} <= {row.offered_id for row in offers}

    @rule(which=st.integers(0, 5))
    def renew(self, which: int) -> None:
        number = self.slip(which)
        with suppress(ArchiveError), self.hospital.uow("archivist") as uow:
            if number is not None:
                loans.renew(uow, slips.one(uow, number))

    @rule(kind=st.sampled_from([holds.ORIGINAL, holds.ORIGINAL, holds.COPY]))
    def seal(self, kind: str) -> None:
        with suppress(ArchiveError), self.hospital.uow("archivist") as uow:
            holds.apply(uow, uow.node(self.record), **PACKAGE | {"kind": kind})

    @rule()
    def unseal(self) -> None:
        rows = self.rows("SELECT id FROM hold WHERE released_at IS NULL ORDER BY id DESC")
        with suppress(ArchiveError), self.hospital.uow("senior") as uow:
            if rows:
                seal = uow.session.get_one(Hold, rows[0].id, execution_options={"scope": "test"})
                unsealing.release(uow, seal, **OPENED)

    @rule()
    def another_volume(self) -> None:
        """What comes late is no part of the package."""
        if len(self.rows("SELECT id FROM holding")) < 3:
            with suppress(ArchiveError), self.hospital.uow("senior") as uow:
                holdings.register(uow, uow.node(self.record), sheets=3)

    @rule(barcode=VOLUMES, act=st.sampled_from([volumes.lose, volumes.find]))
    def lose_or_find(self, barcode: str, act: Callable[..., None]) -> None:
        with suppress(ArchiveError), self.hospital.uow("archivist") as uow:
            act(uow, uow.holding(barcode)[0], because="清点")

    @rule(barcode=VOLUMES)
    def put_into_a_batch(self, barcode: str) -> None:
        with suppress(ArchiveError), self.hospital.uow("archivist") as uow:
            scanned.put_in(uow, batches.make(uow), barcode=barcode)

    @rule(name=st.sampled_from(["check_out", "cancel"]))
    def check_out_or_give_up(self, name: str) -> None:
        for row in self.rows(
            "SELECT number FROM scan_batch WHERE state IN ('created', 'checked_out') ORDER BY id"
        ):
            with suppress(ArchiveError), self.hospital.uow("archivist") as uow:
                batch_steps.take(uow, batches.find(uow, row.number), name, reason="急用")

    @rule(name=st.sampled_from(["correct", "finish", "finish"]))
    def correct(self, name: str) -> None:
        with suppress(ArchiveError), self.hospital.uow("senior") as uow:
            steps.take(uow, uow.node(self.record), name, reason="更正")

    @rule(who=st.sampled_from(["clinician", "clinician2", "head"]))
    def break_the_glass(self, who: str) -> None:
        with suppress(ArchiveError), self.hospital.uow(who) as uow:
            breakglass.declare(uow, GLASS)

    @rule(who=st.sampled_from(["clinician", "clinician2", "head", "affairs"]), verdict=VERDICTS)
    def end_or_judge(self, who: str, verdict: str) -> None:
        rows = self.rows("SELECT id FROM emergency ORDER BY id DESC")
        with suppress(ArchiveError), self.hospital.uow(who) as uow:
            if rows:
                last = uow.session.get_one(Emergency, rows[0].id, execution_options={"scope": "test"})
                if verdict:
                    breakglass.judge(uow, last, verdict=verdict, note="抢救记录在案")
                else:
                    breakglass.end(uow, last)

    @rule(first=st.integers(0, 2), days=st.integers(0, 4))
    def open_to_the_inspector(self, first: int, days: int) -> None:
        with suppress(ArchiveError), self.hospital.uow("senior") as uow:
            begin = uow.today + timedelta(days=first)
            who = uow.session.get_one(Principal, self.hospital.people["inspector"]).uuid
            inspections.grant(uow, who=str(who), records="00218647-2", start=begin, end=begin + timedelta(days=days),
                              reason="县卫生健康局病历质量检查")  # fmt: skip

    @rule()
    def end_the_inspection(self) -> None:
        rows = self.rows("SELECT id FROM inspection ORDER BY id DESC")
        with suppress(ArchiveError), self.hospital.uow("senior") as uow:
            if rows:
                inspections.end(uow, uow.session.get_one(Inspection, rows[0].id))

    @rule(minutes=st.sampled_from([1, 1, 5, 60 * 3, 60 * 24 * 4]))
    def time_passes(self, minutes: int) -> None:
        self.hospital.clock.forward(minutes=minutes)

    # What must be so at any time

    @invariant()
    def a_volume_is_in_one_hand(self) -> None:
        lines = self.rows(
            "SELECT h.id, h.status, h.holder_id, count(l.id) AS many, max(r.requester_id) AS requester, max(r.state) AS state "
            "FROM holding h LEFT JOIN request_line l ON l.holding_id = h.id AND l.in_at IS NULL "
            "LEFT JOIN request r ON r.id = l.request_id GROUP BY h.id, h.status, h.holder_id"
        )
        for line in lines:
            expected = ("lent", line.requester, 1, "lent") if line.many else (line.status, None, 0, None)
            assert (line.status, line.holder_id, line.many, line.state) == expected
            assert line.many or line.status != "lent"

    @invariant()
    def what_is_out_is_neither_sealed_nor_scanned_nor_corrected(self) -> None:
        stays = (
            "SELECT h.barcode FROM request_line l JOIN holding h ON h.id = l.holding_id JOIN node n ON n.id = h.node_id "
            "WHERE l.in_at IS NULL AND (n.state = 'correcting' "
            "OR EXISTS (SELECT 1 FROM hold_volume v JOIN hold s ON s.id = v.hold_id "
            "WHERE v.holding_id = h.id AND s.released_at IS NULL) "
            "OR EXISTS (SELECT 1 FROM batch_volume b JOIN scan_batch s ON s.id = b.batch_id "
            "WHERE b.holding_id = h.id AND b.open AND s.state != 'created'))"
        )
        assert self.rows(stays) == []

    @invariant()
    def what_is_sealed_is_not_being_scanned(self) -> None:
        scanned = (
            "SELECT v.holding_id FROM hold_volume v JOIN hold s ON s.id = v.hold_id "
            "JOIN batch_volume b ON b.holding_id = v.holding_id AND b.open JOIN scan_batch c ON c.id = b.batch_id "
            "WHERE s.released_at IS NULL AND c.state != 'created'"
        )
        assert self.rows(scanned) == []

    @invariant()
    def nobody_decides_their_own(self) -> None:
        own = (
            "SELECT number FROM request WHERE decided_by = requester_id "
            "UNION ALL SELECT r.number FROM request r JOIN request_approval a ON a.request_id = r.id "
            "WHERE r.requester_id IN (a.decided_by, a.on_behalf_of) "
            "UNION ALL SELECT number FROM emergency WHERE judged_by = principal_id"
        )
        assert self.rows(own) == []

    @invariant()
    def nobody_reads_beyond_the_end(self) -> None:
        """Whoever has nothing that runs does not read; the ward's own head has the right to nothing more."""
        running = {
            row.who for row in self.rows(f"SELECT who FROM ({RUNNING}) WHERE ends > :now", now=self.now())
        }
        for account in ("clinician", "clinician2", "inspector"):
            if self.hospital.people[account] not in running:
                with self.hospital.uow(account, readonly=True) as uow:
                    assert uow.session.scalar(uow.nodes(P.READ).where(Node.id == self.record)) is None

    @invariant()
    def no_grant_outlives_what_gave_it(self) -> None:
        """Also of those whose office would let them read without it."""
        open_still = (
            f"SELECT g.ref FROM access_grant g WHERE g.valid_until > :now AND NOT EXISTS (SELECT 1 FROM ({RUNNING}) "
            "WHERE ref = g.ref AND who = g.principal_id AND ends >= g.valid_until)"
        )
        assert self.rows(open_still, now=self.now()) == []
        assert all(row.until <= row.at + HOURS for row in self.spans())

    def spans(self) -> list[Any]:
        with self.hospital.site.session(readonly=True) as session:
            return list(
                session.execute(select(Emergency.at, Emergency.until), execution_options={"scope": "test"})
            )

    @invariant()
    def what_was_promised_still_stands(self) -> None:
        expired = self.rows(
            "SELECT number, offered_until <= :now AS is_over FROM request WHERE state = 'expired'",
            now=self.now(),
        )
        for row in expired:
            assert row.is_over, "what never lay ready does not lapse, and nothing before its time"
            self.promised.pop(row.number, None)
        assert set(self.promised) <= set(self.numbers("approved"))

    def now(self) -> datetime | str:
        """As the database compares it."""
        now = self.hospital.clock.now
        return now if self.hospital.site.engine.dialect.name == "postgresql" else now.strftime(AS_TEXT)

    @invariant()
    def what_is_reserved_is_for_one_and_is_not_out(self) -> None:
        live = (
            "SELECT r.offered_id, count(*) AS many, max(h.status) AS status FROM request r JOIN holding h ON h.id = r.offered_id "
            "WHERE r.state = 'approved' AND r.offered_until > :now GROUP BY r.offered_id"
        )
        for row in self.rows(live, now=self.now()):
            assert (row.many, row.status != "lent") == (1, True)
