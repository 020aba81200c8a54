"""The watched folder: what is whole goes to its record, what cannot stays with the reason beside it."""

from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from archive import worker
from archive.errors import Full, NotFound
from archive.services import intake, watched
from archive.services.watched import QUIET, REASON, Watch
from archive.settings import BadSettings, load
from archive.site import Site
from tests import papers
from tests.conftest import Hospital
from tests.services.test_filing import kept, lay

Later = Callable[[float], None]


@pytest.fixture
def scans(site: Site, tmp_path: Path) -> Path:
    folder = tmp_path / "scans"
    folder.mkdir()
    site.settings = site.settings.model_copy(update={"watch": folder, "watch_as": "scanner"})
    return folder


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """Lets the clock of the watch go on: nobody waits ten seconds in a test, and files stay as they are meanwhile."""
    now = [100.0]
    monkeypatch.setattr(watched, "monotonic", lambda: now[0])

    def go_on(seconds: float) -> None:
        now[0] += seconds

    return go_on


def looked_at(watch: Watch, site: Site, later: Later) -> None:
    """At once, and again when all that lies there is whole."""
    watch.look(site)
    later(QUIET)
    watch.look(site)


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_file_is_taken_once_nothing_was_written_for_a_while(
    site: Site, hospital: Hospital, record: int, scans: Path, later: Later
) -> None:
    watch, content = Watch(), papers.pdf("一")
    path = lay(scans, "00218647-2.pdf", content[:500])
    watch.look(site)
    later(QUIET - 1)
    path.write_bytes(content)
    watch.look(site)
    later(QUIET - 1)
    watch.look(site)
    assert kept(hospital, record) == []
    later(1)
    watch.look(site)
    assert (kept(hospital, record), names(scans)) == (["00218647-2.pdf"], [])
    with hospital.uow("scanner", readonly=True) as uow:
        assert intake.files(uow, uow.node(record))[0].size == len(content)


def test_pages_of_one_record_and_piles_of_one_batch_wait_for_each_other(
    site: Site, hospital: Hospital, record: int, scans: Path, later: Later
) -> None:
    watch, piles = Watch(), ["SZ2026-0001 产科/001.pdf", "SZ2026-0001-2.pdf"]
    lay(scans, "00218647-2/002.pdf")
    lay(scans, piles[1])
    watch.look(site)
    later(QUIET)
    lay(scans, "00218647-2/001.pdf")
    lay(scans, piles[0])
    lay(scans, "无号.pdf")
    watch.look(site)
    assert kept(hospital, record) == []
    assert not [name for name in names(scans) if name.endswith(REASON)], "the later pile is not tried alone"
    later(QUIET)
    watch.look(site)
    assert kept(hospital, record) == ["001.pdf", "002.pdf"]
    tried = ["无号.pdf", *piles]
    left = sorted([*tried, *(name + REASON for name in tried), "SZ2026-0001 产科"])
    assert names(scans) == left, "and the folder that is empty is gone"


def test_what_is_refused_stays_with_the_reason_and_is_tried_again_when_it_changes(
    site: Site, hospital: Hospital, record: int, scans: Path, later: Later, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch, path = Watch(), lay(scans, "99999999-1.pdf")
    reason = scans / f"99999999-1.pdf{REASON}"

    looked_at(watch, site, later)
    assert path.exists()
    assert "99999999-1" in reason.read_text("utf-8")
    with monkeypatch.context() as patched:  # it must not even be tried
        patched.setattr(watched.filing, "file_each", lambda *_given: pytest.fail("it is as it was"))
        looked_at(watch, site, later)
    path.rename(scans / "00218647-2.pdf")
    looked_at(watch, site, later)
    assert (kept(hospital, record), names(scans)) == (["00218647-2.pdf"], [])
    other = lay(scans, "99999999-1.pdf", papers.pdf("另一页"))
    looked_at(watch, site, later)
    assert reason.exists()
    other.rename(scans / "00218647-2-002.pdf")
    looked_at(watch, site, later)
    assert (len(kept(hospital, record)), names(scans)) == (2, [])


def test_nothing_is_lost_or_doubled_when_it_ends_between_taking_and_removing(
    site: Site, hospital: Hospital, record: int, scans: Path, later: Later, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(scans, "00218647-2.pdf")
    watch = Watch()
    watch.look(site)
    later(QUIET)
    # Killed at exactly this place; that it is killed anywhere else is what tests of the store show.
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Watch, "_settle", _killed)
        watch.look(site)
    assert (kept(hospital, record), names(scans)) == (["00218647-2.pdf"], ["00218647-2.pdf"])
    looked_at(Watch(), site, later)
    assert (kept(hospital, record), names(scans)) == (["00218647-2.pdf"], [])


def _killed(*_given: object) -> None:
    raise KeyboardInterrupt


def test_a_file_that_is_written_while_it_is_taken_is_not_removed(
    site: Site, hospital: Hospital, record: int, scans: Path, later: Later, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, watch, discard = lay(scans, "00218647-2.pdf"), Watch(), intake.discard

    def written(*given: object) -> None:
        path.write_bytes(papers.pdf("二，更长的一页"))
        discard(*given)  # type: ignore[arg-type] - what it was given is passed on as it came

    watch.look(site)
    later(QUIET)
    with (
        monkeypatch.context() as patched
    ):  # the last step of taking it is the moment at which the scanner writes again
        patched.setattr(intake, "discard", written)
        watch.look(site)
    assert names(scans) == ["00218647-2.pdf"]
    looked_at(watch, site, later)
    assert (len(kept(hospital, record)), names(scans)) == (2, [])


def test_while_there_is_no_room_everything_stays_and_no_reason_is_written(
    site: Site, hospital: Hospital, record: int, scans: Path, later: Later, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(scans, "00218647-2.pdf")
    watch = Watch()
    watch.look(site)
    later(QUIET)
    # The disk that the tests lie on cannot be filled: the store says so instead.
    with monkeypatch.context() as patched, pytest.raises(Full):
        patched.setattr(site.store, "stage", _full)
        watch.look(site)
    assert names(scans) == ["00218647-2.pdf"]
    watch.look(site)
    assert kept(hospital, record) == ["00218647-2.pdf"]


def _full(*_given: object) -> None:
    raise intake.StoreFull


def test_the_account_decides_what_may_be_taken(
    site: Site, hospital: Hospital, record: int, scans: Path, later: Later
) -> None:
    lay(scans, "00218647-2.pdf")
    for account in ("clinician", "sysadmin", "auditor"):
        site.settings = site.settings.model_copy(update={"watch_as": account})
        (scans / f"00218647-2.pdf{REASON}").unlink(missing_ok=True)
        looked_at(Watch(), site, later)
        assert names(scans) == ["00218647-2.pdf", f"00218647-2.pdf{REASON}"], account
    site.settings = site.settings.model_copy(update={"watch_as": "nobody"})
    (scans / f"00218647-2.pdf{REASON}").unlink()
    watch = Watch()
    watch.look(site)
    later(QUIET)
    with pytest.raises(NotFound):
        watch.look(site)
    assert kept(hospital, record) == []


def test_a_watched_folder_needs_an_account(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="watch_as"):
        load({"JUANZONG_WATCH": "/scans"}, tmp_path)
    assert load({"JUANZONG_WATCH": "/scans", "JUANZONG_WATCH_AS": "scanner"}, tmp_path).watch == Path(
        "/scans"
    )


def test_the_worker_looks_and_where_nothing_is_watched_nothing_happens(
    site: Site, hospital: Hospital
) -> None:
    chores = {chore.name: chore for thread in worker.rounds(Event()) for chore in thread}
    assert chores["watch"].alone
    chores["watch"].act(site, "test")


def test_what_lies_there_is_told_to_the_account_that_takes_it_in_and_counted_for_the_system(
    site: Site, hospital: Hospital, record: int, scans: Path, later: Later
) -> None:
    assert watched.counted(site) == "0 个等待，0 个未收入"
    lay(scans, "99999999-9.pdf", papers.pdf("谁的"))
    looked_at(Watch(), site, later)
    lay(scans, "00218647-2.pdf", papers.pdf("一"))
    assert watched.counted(site) == "1 个等待，1 个未收入"
    with hospital.uow("scanner", readonly=True) as uow:
        refused, waiting = sorted(watched.mine(uow), key=lambda one: one.reason, reverse=True)
        assert (refused.name, waiting.name, waiting.reason) == ("99999999-9.pdf", "00218647-2.pdf", "")
        assert refused.reason
    for account in ("archivist", "sysadmin", "auditor"):
        with hospital.uow(account, readonly=True) as uow:
            assert watched.mine(uow) == []
    scans.rename(scans.with_name("gone"))
    assert watched.counted(site) == "无法读取"
