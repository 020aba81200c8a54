"""The journals as the log auditor reads them, and what becomes of whoever changes them."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from archive import worker
from archive.errors import Forbidden, Invalid
from archive.journal import CHANGES, READS, Event, Journal, Origin, checkpoints, last_checkpoint, verify
from archive.models import Job
from archive.services import audit, daybook, holdings, sharing, trails, tree, verification
from archive.services.audit import Filters, Line
from archive.uow import UnitOfWork
from tests.archives import begins
from tests.conftest import CAST, RECORD, Clock, Hospital
from tests.services.importing import Desk, discharges


def lines(hospital: Hospital, **wanted: Any) -> list[Line]:
    with hospital.uow("auditor", readonly=True) as uow:
        return audit.listing(uow, Filters(**wanted)).lines


def acts(hospital: Hospital, **wanted: Any) -> list[str]:
    return [line.action for line in lines(hospital, **wanted)]


def read_by(hospital: Hospital, account: str, record: int, name: str = "tree_view.viewed") -> None:
    """A person opens a record, as the gate notes it."""
    with hospital.uow(account, readonly=True) as uow:
        event = uow.event_about(uow.node(record), Event(name, shown=(record,)))
    hospital.site.record_read(event, hospital.actor(account), Origin("10.8.2.41", channel="web"))


# Looking


def test_changes_and_readings_stand_in_one_order_of_time(hospital: Hospital, record: int) -> None:
    read_by(hospital, "archivist", record)
    with hospital.uow("archivist") as uow:
        holdings.register(uow, uow.node(record), sheets=3)
    read_by(hospital, "senior", record, "page.viewed")
    assert acts(hospital) == ["page.viewed", "holding.registered", "tree_view.viewed", "node.added"]
    assert acts(hospital, record="00218647-2") == [
        "node.added",
        "tree_view.viewed",
        "holding.registered",
        "page.viewed",
    ]


def test_the_auditor_sees_codes_and_no_name_of_a_patient(hospital: Hospital, record: int) -> None:
    with hospital.uow("archivist") as uow:
        node = uow.node(record)
        tree.edit(
            uow,
            node,
            fields=RECORD | {"dept": str(hospital.wards["CK"]), "diagnosis": "足月妊娠"},
            version=node.version,
        )
    read_by(hospital, "archivist", record)
    told = repr(lines(hospital))
    assert "archivist甲" in told
    assert not {"刘婷婷", "00218647", "妊娠", "周敏"} & {
        word for word in ("刘婷婷", "00218647", "妊娠", "周敏") if word in told
    }


def test_events_of_a_person_a_patient_a_record_a_volume_are_found(hospital: Hospital, record: int) -> None:
    read_by(hospital, "senior", record)
    with hospital.uow("archivist") as uow:
        barcode = holdings.register(uow, uow.node(record), barcode="X-77").barcode
        uuid = str(uow.node(record).uuid)
        tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record",
                 fields=RECORD | {"mrn": "00218648", "dept": str(hospital.wards["CK"])})  # fmt: skip
    assert acts(hospital, person="senior甲") == ["tree_view.viewed"]
    assert acts(hospital, person="0002") == ["tree_view.viewed"]
    assert acts(hospital, patient="00218648") == ["node.added"]
    of_first = ["node.added", "tree_view.viewed", "holding.registered"]
    assert acts(hospital, record=barcode) == acts(hospital, record=uuid) == of_first
    assert acts(hospital, action="holding.") == ["holding.registered"]
    assert acts(hospital, book="reads") == ["tree_view.viewed"]
    assert {line.patient for line in lines(hospital, record=uuid)} == {
        hospital.site.keys.identity_hash("00218647")
    }
    assert acts(hospital, patient=hospital.site.keys.identity_hash("00218648")) == ["node.added"]


def test_a_refusal_is_found_by_its_result(hospital: Hospital, record: int) -> None:
    hospital.site.record_read(
        Event("tree_view.refused", result="hidden", object_ref="/a/x"), hospital.actor("clinician2"), Origin()
    )
    found = lines(hospital, result="hidden")
    assert [(line.actor, line.object_ref) for line in found] == [("clinician2", "/a/x")]


def test_a_list_in_which_a_record_was_shown_is_found_when_asked_for(hospital: Hospital, record: int) -> None:
    for shown in ((record,), (1, record), (record, 2), (1, record, 2), (record * 10,), (1, record * 10 + 1)):
        hospital.site.record_read(Event("search.run", shown=shown), hospital.actor("archivist"), Origin())
    assert acts(hospital, record="00218647-2") == ["node.added"]
    assert acts(hospital, record="00218647-2", lists=True) == ["node.added"] + ["search.run"] * 4


def test_what_nobody_knows_is_said(hospital: Hospital, record: int) -> None:
    with hospital.uow("auditor", readonly=True) as uow:
        for wanted in (Filters(person="nobody"), Filters(record="X-1")):
            found = audit.listing(uow, wanted)
            assert (found.lines, bool(found.unknown)) == ([], True)


def test_days_are_those_of_the_hospital(hospital: Hospital, clock: Clock, record: int) -> None:
    clock.forward(hours=15)  # half past midnight on the 21st
    read_by(hospital, "senior", record)
    assert acts(hospital, start=date(2026, 11, 21)) == ["tree_view.viewed"]
    assert acts(hospital, end=date(2026, 11, 20)) == ["node.added"]
    with hospital.uow("auditor", readonly=True) as uow:
        day = daybook.today(uow)
    assert (day.total, day.hours[0], day.people, day.refused) == (1, 1, 1, 0)


def test_a_list_without_a_name_goes_back_a_month(hospital: Hospital, clock: Clock, record: int) -> None:
    clock.forward(days=40)
    assert acts(hospital) == []
    assert acts(hospital, person="archivist") == ["node.added"]


def test_pages_follow_each_other_without_gap_or_double(
    hospital: Hospital, record: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "PAGE", 3)
    for _turn in range(4):
        read_by(hospital, "senior", record)
        with hospital.uow("archivist") as uow:
            holdings.register(uow, uow.node(record), barcode=f"X-{_turn}77")
    whole: list[tuple[str, int]] = []
    for wanted in (Filters(), Filters(record="00218647-2")):
        found, after = [], None
        while True:
            with hospital.uow("auditor", readonly=True) as uow:
                page = audit.listing(uow, wanted, after=after)
            found += [(line.book, line.id) for line in page.lines]
            after = page.next
            if after is None:
                break
        assert len(found) == len(set(found)) == page.total == 9
        whole = whole or found
        assert found in (whole, whole[::-1])
    with hospital.uow("auditor", readonly=True) as uow, pytest.raises(Invalid):
        audit.listing(uow, Filters(person="senior"), after="bm9uZQ.0000")


def test_the_trail_of_an_imported_record_begins_with_its_import(hospital: Hospital) -> None:
    Desk(hospital, "archivist").run("discharges", discharges({}))
    assert acts(hospital, record="00218647-2") == ["import.run"]


def test_the_trail_of_a_folder_is_its_own(hospital: Hospital, record: int) -> None:
    with hospital.uow("senior") as uow:
        category = hospital.category(uow, "ZY·BL")
        sharing.share(uow, category, principal_id=hospital.people["stranger"], role="reader")
        uuid = str(category.uuid)
    assert acts(hospital, record=uuid) == ["node.shared"]


def test_a_record_that_is_gone_is_followed_by_its_code(hospital: Hospital) -> None:
    gone = Event(
        "node.destroyed", object_kind="node", object_id=999_999, object_ref="H001-ZY·BL·1990·D30-000001"
    )
    hospital.site.record_read(gone, hospital.actor("senior"), Origin())
    assert acts(hospital, record="H001-ZY·BL·1990·D30-000001") == ["node.destroyed"]
    with hospital.uow("auditor", readonly=True) as uow:
        assert not trails.of(uow, "H001-ZY·BL·1990·D30-000001").is_known


def test_everybody_sees_their_own_acts_and_nobody_elses(hospital: Hospital, record: int) -> None:
    for account in ("senior", "archivist"):
        read_by(hospital, account, record)
    for account in CAST:
        with hospital.uow(account, readonly=True) as uow:
            found = audit.own(uow, Filters(person="senior")).lines
        assert {line.actor for line in found} <= {account}
        assert bool(found) == (account in {"senior", "archivist"})


@pytest.mark.parametrize("account", [name for name in CAST if name != "auditor"])
def test_only_the_log_auditor_reads_the_journals(hospital: Hospital, account: str) -> None:
    for look in (
        lambda uow: audit.listing(uow, Filters()), lambda uow: audit.export(uow, Filters()), daybook.today,
        verification.books, verification.latest,
    ):  # fmt: skip
        with hospital.uow(account, readonly=True) as uow, pytest.raises(Forbidden):
            look(uow)
    with hospital.uow(account) as uow, pytest.raises(Forbidden):
        verification.order(uow)


def test_an_export_has_every_event_and_no_more_than_a_spreadsheet_holds(
    hospital: Hospital, record: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hospital.uow("auditor", readonly=True) as uow:
        assert [line.action for line in audit.export(uow, Filters())] == ["node.added"]
        monkeypatch.setattr(audit, "MOST_EXPORTED", 0)
        with pytest.raises(Invalid):
            audit.export(uow, Filters())


# Tampering


def seal(hospital: Hospital) -> None:
    worker.seal(hospital.site, "test")
    worker.checkpoint(hospital.site, "test")


@begins
def seals(hospital: Hospital, record: int) -> None:
    """Some changes and readings, sealed, with a signed checkpoint of each journal."""
    for turn in range(4):
        with hospital.uow("archivist") as uow:
            holdings.register(uow, uow.node(record), barcode=f"X-{turn}77")
        read_by(hospital, "archivist", record)
    seal(hospital)


@pytest.fixture
def sealed(hospital: Hospital, seals: None) -> Hospital:
    """The archive with sealed journals."""
    return hospital


def verified(hospital: Hospital) -> dict[str, verification.Outcome]:
    """What the auditor is told after the job."""
    with hospital.uow("auditor") as uow:
        verification.order(uow)
    worker.take_one(hospital.site, "test")
    with hospital.uow("auditor", readonly=True) as uow:
        outcomes = verification.latest(uow, 1)[0].outcomes
    return {str(outcome.title.message): outcome for outcome in outcomes}


def tampered(hospital: Hospital, book: Journal, harm: Callable[[Any, Journal], None]) -> verification.Outcome:
    """Somebody with the database in their hands does `harm`; then the auditor verifies."""
    opened = hospital.site.session if book is CHANGES else hospital.site.journal
    with opened() as session:
        harm(session, book)
    outcomes = verified(hospital)
    mine = outcomes.pop("Journal of changes" if book is CHANGES else "Journal of readings")
    assert all(other.whole for other in outcomes.values())
    return mine


BOOKS = pytest.mark.parametrize("book", [CHANGES, READS], ids=["changes", "reads"])


def test_untouched_journals_are_whole(sealed: Hospital) -> None:
    outcomes = verified(sealed)
    assert all(outcome.whole for outcome in outcomes.values())
    assert {title: outcome.sealed for title, outcome in outcomes.items()} == {
        "Journal of changes": 5,
        "Journal of readings": 4,
    }
    with sealed.uow("auditor", readonly=True) as uow:
        books = verification.books(uow)
        assert [(book.sealed, book.checkpoint_seq) for book in books] == [(5, 5), (4, 4)]
        assert all(book.checkpoint_at is not None for book in books)


def nth(session: Any, book: Journal, seq: int) -> Any:
    return session.get(book.event, session.get(book.seal, seq).event_id)


@BOOKS
@pytest.mark.parametrize("column", ["actor", "action", "result", "object_ref", "patient_hash", "at"])
def test_a_changed_event_is_named(sealed: Hospital, book: Journal, column: str) -> None:
    touched: list[int] = []

    def harm(session: Any, journal: Journal) -> None:
        event = nth(session, journal, 3)
        setattr(event, column, event.at.replace(year=2020) if column == "at" else "somebody")
        touched.append(event.id)

    found = tampered(sealed, book, harm)
    assert (found.whole, found.event) == (False, touched[0])
    assert "被改动" in found.sentence


@BOOKS
def test_a_deleted_event_is_named(sealed: Hospital, book: Journal) -> None:
    found = tampered(sealed, book, lambda session, journal: session.delete(nth(session, journal, 2)))
    assert not found.whole
    assert "已被删除" in found.sentence
    assert found.event is not None


@BOOKS
def test_a_deleted_event_is_missed_even_with_its_link(sealed: Hospital, book: Journal) -> None:
    def harm(session: Any, journal: Journal) -> None:
        session.delete(nth(session, journal, 2))
        session.delete(session.get(journal.seal, 2))

    assert "第 2 环" in tampered(sealed, book, harm).sentence


@BOOKS
def test_events_in_another_order_are_noticed(sealed: Hospital, book: Journal) -> None:
    def harm(session: Any, journal: Journal) -> None:
        first, second = (session.get(journal.seal, seq).event_id for seq in (2, 3))
        for seq, event in ((2, -1), (3, first), (2, second)):
            session.execute(update(journal.seal).where(journal.seal.seq == seq).values(event_id=event))

    found = tampered(sealed, book, harm)
    assert not found.whole
    assert "第 2 环" in found.sentence


@BOOKS
def test_a_cut_off_end_is_noticed_because_it_was_signed(sealed: Hospital, book: Journal) -> None:
    def harm(session: Any, journal: Journal) -> None:
        session.delete(nth(session, journal, 4))
        session.execute(delete(journal.seal).where(journal.seal.seq >= 4))

    found = tampered(sealed, book, harm)
    assert not found.whole
    assert "末尾缺失" in found.sentence
    assert "第 4 环" in found.sentence


@BOOKS
def test_a_chain_that_was_written_anew_is_not_the_one_that_was_signed(
    sealed: Hospital, book: Journal
) -> None:
    def harm(session: Any, journal: Journal) -> None:
        from archive.journal import GENESIS, line_hash

        nth(session, journal, 2).actor = "somebody"
        session.flush()
        previous = GENESIS
        for link in session.scalars(select(journal.seal).order_by(journal.seal.seq)):
            link.hash = previous = line_hash(previous, link.seq, session.get(journal.event, link.event_id))

    found = tampered(sealed, book, harm)
    assert not found.whole
    assert "整体改写" in found.sentence


def test_words_that_were_erased_leave_the_chain_whole(sealed: Hospital) -> None:
    def harm(session: Any, journal: Journal) -> None:
        session.execute(delete(journal.detail))

    assert tampered(sealed, CHANGES, harm).whole


def test_words_that_were_changed_are_noticed(sealed: Hospital) -> None:
    def harm(session: Any, journal: Journal) -> None:
        session.get(journal.detail, nth(session, journal, 2).id).sealed = b"\x01 other words"

    found = tampered(sealed, CHANGES, harm)
    assert not found.whole
    assert "文字内容被改动" in found.sentence


def forge(path: Path, **changes: Any) -> None:
    signed = [json.loads(line) for line in path.read_text().splitlines()]
    signed[-1] |= changes
    path.write_text("".join(json.dumps(one) + "\n" for one in signed))


@pytest.mark.parametrize(
    "changes",
    [{"hash": "0" * 64}, {"at": "2020-01-01T00:00:00+00:00"}, {"signature": "00" * 64}, {"seq": 400}],
)
def test_a_forged_checkpoint_is_told_and_not_held_against_the_chain(
    sealed: Hospital, changes: dict[str, Any]
) -> None:
    forge(sealed.site.settings.checkpoint_folder / "changes.jsonl", **changes)
    found = verified(sealed)["Journal of changes"]
    assert not found.whole
    assert "检查点是伪造的" in found.sentence


def test_a_checkpoint_of_the_other_journal_is_none_of_this(sealed: Hospital) -> None:
    folder = sealed.site.settings.checkpoint_folder
    (folder / "changes.jsonl").write_text((folder / "reads.jsonl").read_text())
    assert "检查点是伪造的" in verified(sealed)["Journal of changes"].sentence


def test_a_checkpoint_after_a_torn_line_counts_and_the_torn_one_does_not(
    hospital: Hospital, record: int
) -> None:
    folder = hospital.site.settings.checkpoint_folder
    seal(hospital)
    whole = list(checkpoints(folder, CHANGES))
    with (folder / "changes.jsonl").open("a") as file:
        file.write('{"journal":"changes","seq":9')
    with hospital.uow("archivist") as uow:
        holdings.register(uow, uow.node(record), barcode="X-LATE")
    seal(hospital)
    kept = list(checkpoints(folder, CHANGES))
    assert kept[:-1] == whole
    assert last_checkpoint(folder, CHANGES) == kept[-1]
    assert kept[-1].seq > whole[-1].seq


def test_the_first_bad_event_is_named_when_there_are_two(sealed: Hospital) -> None:
    def harm(session: Any, journal: Journal) -> None:
        nth(session, journal, 4).actor = "somebody"
        nth(session, journal, 2).actor = "somebody"

    assert "第 2 环" in tampered(sealed, CHANGES, harm).sentence


def test_verifying_changes_nothing_and_is_itself_an_event(sealed: Hospital) -> None:
    before = list(checkpoints(sealed.site.settings.checkpoint_folder, CHANGES))
    verified(sealed)
    assert list(checkpoints(sealed.site.settings.checkpoint_folder, CHANGES)) == before
    assert "audit.verification_ordered" in acts(sealed, person="auditor")
    with sealed.site.session(readonly=True) as session:
        assert session.scalar(select(Job.state).where(Job.kind == "audit.verify")) == "done"


def test_events_that_are_not_sealed_yet_are_counted_and_wait(sealed: Hospital) -> None:
    with sealed.uow("archivist") as uow:
        holdings.register(uow, uow.node(_first_record(uow)), barcode="X-LATE")
    with audit.reading(sealed.site, CHANGES) as session:
        verdict = verify(session, CHANGES, sealed.site.settings.checkpoint_folder, sealed.site.keys)
    assert (verdict.whole, verdict.waiting) == (True, 1)
    seal(sealed)
    with sealed.uow("auditor", readonly=True) as uow:
        assert [book.waiting for book in verification.books(uow)] == [0, 0]


def _first_record(uow: UnitOfWork) -> int:
    from archive.models import Node

    found = uow.session.scalar(
        select(Node.id).where(Node.type == "medical_record"), execution_options={"scope": "test"}
    )
    assert found is not None
    return found
