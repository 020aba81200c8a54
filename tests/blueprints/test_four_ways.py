"""A pile that comes by the watched folder, the command, the interface for programs or the drop zone ends up alike."""

import hashlib
import shutil
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
import requests
from sqlalchemy import select

from archive import cli, create_app, worker
from archive.actor import Actor
from archive.models import BatchPage, BatchVolume, Holding, User
from archive.services import arrivals, policies, sessions, watched
from archive.services.scanning import batches, sheets
from archive.services.watched import QUIET, Watch
from archive.settings import Settings
from archive.site import Site
from tests import piles
from tests.blueprints.conftest import Browser
from tests.conftest import hospital_of
from tests.services.test_scanning import work_off

PIECE = 2**18
LEAVES = 22
"""Of the mixed pile: three records with a blank page, one upside down, one scanned twice, and a separator."""
Way = Callable[[Site, str, Path, pytest.MonkeyPatch], None]


def by_folder(site: Site, number: str, pile: Path, patch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    patch.setattr(watched, "monotonic", lambda: now[0])
    folder = pile.parent / "watched" / number
    folder.mkdir(parents=True)
    shutil.copy(pile, folder)
    site.settings = site.settings.model_copy(update={"watch": folder.parent, "watch_as": "scanner"})
    watch = Watch()
    watch.look(site)
    now[0] += QUIET
    watch.look(site)
    assert not list(folder.parent.rglob("*.pdf"))


def by_command(site: Site, number: str, pile: Path, patch: pytest.MonkeyPatch) -> None:
    worker.beat(site, "another")  # the command would do the jobs itself else, and read the texts
    patch.setenv("JUANZONG_VAR", str(site.settings.var))
    assert cli.main(["ingest", str(pile), "--into", number, "--as", "scanner"]) == 0


def by_program(site: Site, number: str, pile: Path, _patch: pytest.MonkeyPatch) -> None:
    with site.uow(Actor.system("user.token")) as uow:
        user = uow.session.scalars(select(User).where(User.account == "scanner")).one()
        token = sessions.issue_token(uow, user, "program")
    # Put together here: the test client keeps a body of megabytes in a file that it does not close.
    sent = requests.Request(
        "POST", "http://archive/", files={"file": (pile.name, pile.read_bytes())}
    ).prepare()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": sent.headers["Content-Type"]}
    client = create_app(site).test_client()
    answer = client.post(f"/api/v1/batches/{number}/files", data=sent.body, headers=headers)
    assert answer.status_code == 202, answer.text


def by_drop_zone(site: Site, number: str, pile: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(arrivals, "PIECE", PIECE)
    content, who = pile.read_bytes(), Browser(create_app(site).test_client())
    assert who.sign_in("scanner").status_code == 302
    with hospital_of(site).uow("scanner", readonly=True) as uow:
        target = str(batches.find(uow, number).uuid)
    form = {"kind": "batch", "target": target, "name": pile.name, "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest()}  # fmt: skip
    begun = who.post("/uploads", form).get_json()
    for offset in range(0, len(content), PIECE):
        part = {"offset": offset, "piece": (BytesIO(content[offset : offset + PIECE]), "piece")}
        who.post(f"/uploads/{begun['uuid']}/piece", part, content_type="multipart/form-data")
    assert who.post(f"/uploads/{begun['uuid']}/finish").get_json()["state"] == "wait"


WAYS: dict[str, Way] = {
    "watched folder": by_folder, "command": by_command, "program": by_program, "drop zone": by_drop_zone,
}  # fmt: skip


def test_a_mixed_pile_ends_up_alike_whichever_way_it_comes(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, pile = _prepared(sqlite_template, tmp_path)
    ends = {}
    for place, (name, way) in enumerate(WAYS.items()):
        var = tmp_path / str(place)
        shutil.copytree(tmp_path / "var", var)
        site = Site(Settings(var=var))
        with monkeypatch.context() as patch:
            way(site, number, pile, patch)
            work_off(site)
        ends[name] = _where(site)
        site.close()
    first = ends["watched folder"]
    assert len(first) == LEAVES
    assert {aside for *_, aside, _doubts in first} == {None, "cover", "blank", "separator"}
    assert len({volume for volume, *_ in first}) == 3
    assert ends == dict.fromkeys(WAYS, first)


def _prepared(template: Path, folder: Path) -> tuple[str, Path]:
    shutil.copytree(template, folder / "var")
    site = Site(Settings(var=folder / "var"))
    hospital = hospital_of(site)
    piles.records(hospital, 6)
    number = piles.prepared(hospital, [sum(parts.values()) for parts in piles.BELONGS])
    with hospital.uow("scanner", readonly=True) as uow:
        separator = piles.pages_of(sheets.separators(uow))[
            list(policies.vocabulary(uow, "component")).index("FZ")
        ]
    pile = folder / "产科 十月.pdf"
    pile.write_bytes(piles.pile(piles.mixed(piles.covers(hospital, number), separator)[:LEAVES]))
    site.close()
    return number, pile


def _where(site: Site) -> list[tuple[str, str | None, str | None, list[str]]]:
    """Of each page in its order: the barcode of its volume, its component, why it is set aside, and what is doubtful."""
    with site.session(readonly=True) as session:
        rows = session.execute(
            select(Holding.barcode, BatchPage.component, BatchPage.aside, BatchPage.doubts)
            .join(BatchVolume, BatchVolume.id == BatchPage.volume_id)
            .join(Holding, Holding.id == BatchVolume.holding_id)
            .order_by(BatchPage.ordinal),
            execution_options={"scope": "test"},
        )
        return [tuple(row) for row in rows]
