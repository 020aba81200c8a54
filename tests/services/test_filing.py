"""Files that say by their names whose pages they are: each to its record, none to two, and none lost."""

from pathlib import Path
from string import ascii_letters

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from archive import cli, filed_names, worker
from archive.errors import Full
from archive.journal import Origin
from archive.models import AuditEvent, Page
from archive.services import filing, intake, tree
from archive.services.filing import Filed, State
from archive.site import Site
from tests import papers
from tests.conftest import CAST, RECORD, Hospital

TEST = {"scope": "test"}
UPLOADING = {"archivist", "senior", "scanner"}


def lay(folder: Path, name: str, content: bytes = b"") -> Path:
    """A file as a scanner leaves it; unless told otherwise like no other."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content or papers.pdf(name))
    return path


def filed(
    hospital: Hospital, folder: Path, account: str = "archivist", into: str | None = None
) -> list[Filed]:
    return list(
        filing.file_each(hospital.site, hospital.actor(account), filing.found([folder]), Origin(), into)
    )


def kept(hospital: Hospital, record: int) -> list[str]:
    with hospital.uow("senior", readonly=True) as uow:
        return [file.name for file in intake.files(uow, uow.node(record))]


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Where the scanner leaves what it made."""
    folder = tmp_path / "scans"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(("path", "expected"), [
    ("H001-ZY·BL·2026·D30-000001.pdf", ["H001-ZY·BL·2026·D30-000001"]),
    ("H001-ZY·BL·2026·D30-000001-0001.tif", ["H001-ZY·BL·2026·D30-000001-0001", "H001-ZY·BL·2026·D30-000001"]),
    ("00218647-2.pdf", ["00218647-2"]),
    ("00218647-2-001.jpg", ["00218647-2-001", "00218647-2"]),
    ("00218647-2 (012).jpg", ["00218647-2 (012)", "00218647-2"]),
    ("00218647-2_0001.jpg", ["00218647-2_0001", "00218647-2"]),
    ("00218647-2/001.jpg", ["00218647-2"]),
    ("00218647-2/IMG_0001.jpg", ["00218647-2"]),
    ("00218647-2/手术记录.pdf", ["00218647-2"]),
    ("00218647-2-001/手术记录.pdf", ["00218647-2-001"]),
    ("外包第3批/001.jpg", []),
    ("20261122/001.jpg", []),
    ("20261122_0001.jpg", ["20261122_0001"]),
    ("手术记录.pdf", []),
])  # fmt: skip
def test_a_name_says_a_number_or_leaves_it_to_its_folder(path: str, expected: list[str]) -> None:
    assert list(filed_names.numbers(Path("/scans") / path)) == expected


@given(
    st.lists(st.text(alphabet=f"{ascii_letters}0123456789-_ ·（）年", min_size=1, max_size=12), max_size=20)
)
def test_any_name_has_a_place_in_the_order(names: list[str]) -> None:
    paths = [Path("/scans") / name for name in names]
    ordered = filed_names.in_order(paths)
    assert sorted(ordered) == sorted(paths)
    assert ordered == filed_names.in_order(reversed(ordered)) or len(set(map(str.casefold, names))) < len(
        names
    )


def test_pages_come_in_the_order_of_their_numbers(
    site: Site, hospital: Hospital, record: int, scans: Path
) -> None:
    names = [f"{number}.pdf" for number in (1, 2, 10, 11)]
    for name in reversed(names):
        lay(scans, f"00218647-2/{name}")
    lay(scans, "00218647-2/.DS_Store", b"litter")
    lay(scans, "00218647-2/Thumbs.db", b"litter")
    assert [one.state for one in filed(hospital, scans)] == [State.TAKEN] * 4
    assert kept(hospital, record) == names
    worker.work(site, once=True)
    with site.session(readonly=True) as session:
        made = (
            select(Page.ordinal, Page.representation_id).where(Page.node_id == record).order_by(Page.ordinal)
        )
        pages = session.execute(made, execution_options=TEST).all()
    assert [ordinal for ordinal, _file in pages] == [1, 2, 3, 4]
    assert [file for _ordinal, file in pages] == sorted(file for _ordinal, file in pages)


def test_offered_again_nothing_comes_twice(hospital: Hospital, record: int, scans: Path) -> None:
    lay(scans, "00218647-2-001.pdf")
    assert [one.state for one in filed(hospital, scans)] == [State.TAKEN]
    lay(scans, "00218647-2-002.pdf")
    assert [one.state for one in filed(hospital, scans)] == [State.HERE, State.TAKEN]
    assert len(kept(hospital, record)) == 2


def test_what_could_go_to_two_records_goes_to_none(hospital: Hospital, record: int, scans: Path) -> None:
    with hospital.uow("archivist") as uow:
        fields = RECORD | {"dept": str(hospital.wards["CK"]), "times": "3"}
        other = tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record", fields=fields).id
    lay(scans, "00218647.pdf")
    lay(scans, "00218647-002.pdf")
    lay(scans, "99999999.pdf")
    lay(scans, "无号.pdf")
    lay(scans, "00218647-2.docx", b"words")
    lay(scans, "00218647-3.pdf", papers.pdf("三"))
    lay(scans, "00218647-3/empty.pdf").write_bytes(b"")
    told = {str(one.path.relative_to(scans)): one for one in filed(hospital, scans)}
    refused = {name for name, one in told.items() if one.state is State.REFUSED}
    assert refused == set(told) - {"00218647-3.pdf"}
    assert "00218647-2" in told["00218647.pdf"].reason
    assert "00218647-3" in told["00218647-002.pdf"].reason
    assert "99999999" in told["99999999.pdf"].reason
    assert all(one.reason for one in told.values() if one.state is State.REFUSED)
    assert (kept(hospital, record), kept(hospital, other)) == ([], ["00218647-3.pdf"])
    assert list((hospital.site.settings.var / "staging").iterdir()) == []


def test_whoever_may_not_upload_files_nothing_and_learns_nothing(
    hospital: Hospital, record: int, scans: Path
) -> None:
    lay(scans, "00218647-2.pdf")
    nowhere = lay(scans / "none", "99999999-9.pdf")
    for account in sorted(set(CAST) - UPLOADING):
        one, other = filed(hospital, scans, account)
        assert (one.state, other.state) == (State.REFUSED, State.REFUSED), account
        with hospital.uow(account, readonly=True) as uow:
            known = bool(uow.list(uow.nodes(filing.P.DISCOVER).where(tree.Node.id == record)))
        if not known:
            assert one.reason.replace("00218647-2", "N") == other.reason.replace("99999999-9", "N"), account
    assert nowhere.exists()
    assert kept(hospital, record) == []


def test_all_files_of_a_folder_can_be_told_their_record(hospital: Hospital, record: int, scans: Path) -> None:
    lay(scans, "手术.pdf")
    lay(scans, "20261122_0001.pdf")
    assert [one.state for one in filed(hospital, scans, into="00218647-2")] == [State.TAKEN] * 2
    assert kept(hospital, record) == ["20261122_0001.pdf", "手术.pdf"]
    assert [one.state for one in filed(hospital, scans, into="99999999")] == [State.REFUSED] * 2


def test_where_there_is_no_room_the_rest_waits(
    hospital: Hospital, record: int, scans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(scans, "00218647-2.pdf")

    def full(*_given: object) -> None:
        raise Full

    monkeypatch.setattr(intake, "stage", full)  # the disk that the tests lie on cannot be filled
    with pytest.raises(Full):
        filed(hospital, scans)


def test_the_command_says_where_each_file_goes_and_ends_with_the_sum(
    site: Site, hospital: Hospital, record: int, scans: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    # The command reads its settings from its environment, as an administrator gives them.
    for name, value in site.settings.model_dump(exclude_defaults=True).items():
        monkeypatch.setenv(f"JUANZONG_{name.upper()}", str(value))
    lay(scans, "00218647-2-001.pdf")
    lay(scans, "00218647-9-001.pdf")
    (scans / "00218647-2-002.pdf").symlink_to(scans / "00218647-2-001.pdf")
    asked = ["ingest", str(scans), "--as", "archivist"]
    assert cli.main([*asked, "--dry-run"]) == 1
    assert "2 files: 1 would be taken in, 0 here already, 1 refused" in capsys.readouterr().out
    assert kept(hospital, record) == []
    assert cli.main(asked) == 1
    told = capsys.readouterr().out
    assert "00218647-2-001.pdf: → 00218647-2" in told
    assert "2 files: 1 taken in, 0 here already, 1 refused" in told
    with hospital.uow("archivist", readonly=True) as uow:
        assert [(file.kind, file.pages) for file in intake.files(uow, uow.node(record))] == [("ok", 1)]
        added = select(AuditEvent).where(AuditEvent.action == "representation.added")
        assert (
            uow.session.scalars(added, execution_options=TEST).one().actor_id == hospital.people["archivist"]
        )
    assert cli.main([*asked[:1], str(scans / "gone"), *asked[2:]]) == 1
