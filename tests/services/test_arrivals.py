"""Files in pieces: nothing that came is asked for twice, nobody else sees it, and what is whole is what was meant."""

import hashlib
from datetime import timedelta
from io import BytesIO
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from archive import errors, worker
from archive.actor import Actor
from archive.errors import Conflict, Forbidden, Invalid, NotFound, Throttled
from archive.models import Arrival, AuditEvent, Blob, Node
from archive.policy.permissions import P
from archive.services import arrivals, intake, policies
from archive.services.arrivals import PIECE, Begun, Damaged, Elsewhere
from archive.services.intake import AlreadyHere
from archive.site import Site
from storage import StoreFull
from tests.conftest import Hospital

CONTENT = b"%PDF-1.7 " + bytes(range(256)) * 36_864
"""Nine megabytes: two whole pieces and a part of one."""
PIECES = [(offset, CONTENT[offset : offset + PIECE]) for offset in range(0, len(CONTENT), PIECE)]


def begin(hospital: Hospital, account: str, node: int, content: bytes = CONTENT) -> Begun | None:
    with hospital.uow(account) as uow:
        return arrivals.begin(
            uow, "record", _uuid(hospital, node), filename="护理记录.pdf", size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
        )  # fmt: skip


def _uuid(hospital: Hospital, node: int) -> str:
    with hospital.uow("senior", readonly=True) as uow:
        return str(uow.node(node).uuid)


def append(hospital: Hospital, account: str, uuid: UUID, offset: int, piece: bytes) -> int:
    staged = intake.stage(hospital.site, BytesIO(piece))
    try:
        with hospital.uow(account) as uow:
            return arrivals.append(uow, uuid, offset, staged)
    finally:
        intake.discard(hospital.site, staged)


def finish(hospital: Hospital, account: str, uuid: UUID) -> None:
    with hospital.uow(account, readonly=True) as uow:
        arrivals.finish(uow, uuid)


def staging(site: Site) -> list[str]:
    return sorted(path.name for path in (site.settings.var / "staging").iterdir())


def begun(hospital: Hospital, node: int, pieces: int = 0, account: str = "archivist") -> UUID:
    made = begin(hospital, account, node)
    assert made is not None
    for offset, piece in PIECES[:pieces]:
        append(hospital, account, made.uuid, offset, piece)
    return made.uuid


def test_a_file_in_pieces_is_the_file_that_was_sent(site: Site, hospital: Hospital, record: int) -> None:
    uuid = begun(hospital, record, pieces=3)
    finish(hospital, "archivist", uuid)
    with hospital.uow("archivist", readonly=True) as uow:
        assert [(file.name, file.size) for file in intake.files(uow, uow.node(record))] == [
            ("护理记录.pdf", len(CONTENT))
        ]
        blob = uow.session.scalars(select(Blob), execution_options={"scope": "test"}).one()
        events = set(uow.session.scalars(select(AuditEvent.action)))
    with site.store.open(blob.record, blob.sha256) as kept:
        assert kept.read() == CONTENT
    assert "representation.added" in events
    assert staging(site) == []


def test_an_upload_goes_on_where_it_was_cut_off(hospital: Hospital, record: int) -> None:
    uuid = begun(hospital, record, pieces=2)
    assert begin(hospital, "archivist", record) == Begun(uuid, 2 * PIECE)


def test_a_piece_for_another_place_is_told_the_right_one(hospital: Hospital, record: int) -> None:
    uuid = begun(hospital, record, pieces=1)
    for offset in (0, 2 * PIECE, PIECE + 1, -1, len(CONTENT)):
        with pytest.raises(Elsewhere) as told:
            append(hospital, "archivist", uuid, offset, PIECES[1][1])
        assert told.value.received == PIECE
    with pytest.raises(Elsewhere) as told:
        finish(hospital, "archivist", uuid)
    assert told.value.received == PIECE


def test_a_piece_of_another_length_is_refused(site: Site, hospital: Hospital, record: int) -> None:
    uuid = begun(hospital, record, pieces=2)
    for piece in (b"short", PIECES[2][1] + b"!"):
        with pytest.raises(Invalid):
            append(hospital, "archivist", uuid, 2 * PIECE, piece)
    assert site.store.arriving.received(uuid) == 2 * PIECE


def test_nobody_but_the_sender_sees_an_upload(hospital: Hospital, record: int) -> None:
    uuid = begun(hospital, record, pieces=1)
    for account in ("senior", "scanner"):
        with pytest.raises(NotFound):
            append(hospital, account, uuid, PIECE, PIECES[1][1])
        with pytest.raises(NotFound):
            finish(hospital, account, uuid)
        with hospital.uow(account) as uow, pytest.raises(NotFound):
            arrivals.discard(uow, uuid)
        with hospital.uow(account, readonly=True) as uow:
            assert arrivals.under_way(uow) == []
    for account in ("stranger", "auditor", "sysadmin", "clinician"):
        with pytest.raises(Forbidden):
            append(hospital, account, uuid, PIECE, PIECES[1][1])


def test_two_people_send_the_same_file_each_for_themselves(hospital: Hospital, record: int) -> None:
    first, second = begun(hospital, record, pieces=3), begun(hospital, record, pieces=3, account="senior")
    assert first != second
    finish(hospital, "archivist", first)
    with pytest.raises(AlreadyHere):
        finish(hospital, "senior", second)
    with hospital.uow("senior", readonly=True) as uow:
        assert arrivals.under_way(uow) == []
        assert len(intake.files(uow, uow.node(record))) == 1


def test_a_file_that_is_here_already_is_not_sent_again(hospital: Hospital, record: int) -> None:
    finish(hospital, "archivist", begun(hospital, record, pieces=3))
    assert begin(hospital, "senior", record) is None


def test_whoever_may_not_upload_there_begins_nothing(hospital: Hospital, record: int) -> None:
    for account, wrong in (
        ("clinician", (Forbidden, NotFound)),
        ("stranger", NotFound),
        ("auditor", (Forbidden, NotFound)),
    ):
        with pytest.raises(wrong):
            begin(hospital, account, record)
    with hospital.uow("archivist") as uow:
        for kind, target in (("record", str(uuid4())), ("record", "no uuid"), ("other", str(uuid4()))):
            with pytest.raises(NotFound):
                arrivals.begin(uow, kind, target, filename="a.pdf", size=1, sha256="0" * 64)


def test_a_right_that_ended_meanwhile_ends_the_upload(hospital: Hospital, record: int) -> None:
    uuid = begun(hospital, record, pieces=3)
    with hospital.site.uow(Actor.system("test")) as uow, uow.unscoped("test"):
        node = uow.session.get_one(Node, record)
        node.data = {**node.data, "secrecy": "秘密★10年"}
    with pytest.raises(Conflict):
        finish(hospital, "archivist", uuid)
    with hospital.uow("archivist", readonly=True) as uow:
        (left,) = arrivals.under_way(uow)
        assert (left.href, left.place) == (None, "")


def test_a_file_that_is_not_what_was_meant_is_not_kept(site: Site, hospital: Hospital, record: int) -> None:
    made = begin(hospital, "archivist", record)
    assert made is not None
    for offset, piece in PIECES:
        append(hospital, "archivist", made.uuid, offset, bytes(len(piece)))
    with pytest.raises(Damaged):
        finish(hospital, "archivist", made.uuid)
    assert staging(site) == []
    assert begin(hospital, "archivist", record) != made


def test_sizes_and_hashes_that_cannot_be_are_refused(hospital: Hospital, record: int) -> None:
    here = _uuid(hospital, record)
    limit = hospital.site.settings.upload_limit
    with hospital.uow("archivist") as uow:
        for size, sha256, wrong in (
            (0, "0" * 64, Invalid), (-5, "0" * 64, Invalid), (1, "../../etc", Invalid), (1, "A" * 64, Invalid),
            (limit + 1, "0" * 64, errors.TooLarge),
        ):  # fmt: skip
            with pytest.raises(wrong):
                arrivals.begin(uow, "record", here, filename="a.pdf", size=size, sha256=sha256)


def test_one_person_leaves_only_so_much_lying(hospital: Hospital, record: int) -> None:
    here = _uuid(hospital, record)
    with hospital.uow("archivist", readonly=True) as uow:
        limits = policies.in_force(uow, "uploads").body["limits"]
    with hospital.uow("archivist") as uow:
        for number in range(limits["unfinished_files"]):
            arrivals.begin(uow, "record", here, filename=f"{number}.pdf", size=1, sha256=f"{number:064x}")
        with pytest.raises(Throttled):
            arrivals.begin(uow, "record", here, filename="more.pdf", size=1, sha256="f" * 64)
    with hospital.uow("senior") as uow:
        arrivals.begin(uow, "record", here, filename="hers.pdf", size=1, sha256="f" * 64)
        with pytest.raises(Throttled):
            arrivals.begin(uow, "record", here, filename="large.pdf", size=2**31, sha256="e" * 64)
            for number in range(20):
                arrivals.begin(uow, "record", here, filename="l.pdf", size=2**31, sha256=f"{number:064x}")


def test_a_full_disk_costs_no_piece_that_was_acknowledged(
    site: Site, hospital: Hospital, record: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    uuid = begun(hospital, record, pieces=3)
    with monkeypatch.context() as full:
        full.setattr(type(site.store.arriving), "joined", _no_room)
        with pytest.raises(errors.Full):
            finish(hospital, "archivist", uuid)
    finish(hospital, "archivist", uuid)
    assert staging(site) == []


def _no_room(*_given: object) -> None:
    raise StoreFull


def test_what_nobody_goes_on_with_is_cleaned_away(site: Site, hospital: Hospital, record: int) -> None:
    old = begun(hospital, record, pieces=1)
    hospital.clock.now += timedelta(days=5)
    fresh = begun(hospital, record, pieces=1, account="senior")
    site.store.arriving.keep(uuid4(), 0, intake.stage(site, BytesIO(b"of nobody")))
    hospital.clock.now += timedelta(days=3)
    worker.clean(site, "test")
    assert staging(site) == [f"{fresh}.arriving"]
    with hospital.uow("archivist", readonly=True) as uow:
        assert set(uow.session.scalars(select(Arrival.uuid), execution_options={"scope": "test"})) == {fresh}
    with pytest.raises(NotFound):
        append(hospital, "archivist", old, PIECE, PIECES[1][1])


def test_a_discarded_upload_leaves_nothing(site: Site, hospital: Hospital, record: int) -> None:
    uuid = begun(hospital, record, pieces=2)
    with hospital.uow("archivist") as uow:
        assert [(one.filename, one.percent) for one in arrivals.under_way(uow)] == [("护理记录.pdf", 88)]
        arrivals.discard(uow, uuid)
    assert staging(site) == []


def test_pieces_that_a_power_cut_took_are_sent_again(site: Site, hospital: Hospital, record: int) -> None:
    uuid = begun(hospital, record, pieces=3)
    (site.settings.var / "staging" / f"{uuid}.arriving" / "000001").unlink()
    with pytest.raises(Elsewhere) as told:
        finish(hospital, "archivist", uuid)
    assert told.value.received == PIECE
    for offset, piece in PIECES[1:2]:
        append(hospital, "archivist", uuid, offset, piece)
    finish(hospital, "archivist", uuid)
    with hospital.uow("archivist", readonly=True) as uow:
        assert intake.is_here(uow, uow.node(record, P.READ), hashlib.sha256(CONTENT).hexdigest())
