"""ingest PATH…: files from a scanner or another company, taken into the records that their names say."""

import argparse
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from archive import worker
from archive.actor import Actor
from archive.journal import Origin
from archive.services import actors, filing, health
from archive.services.filing import State
from archive.settings import Settings
from archive.site import Site


def register(commands: Any) -> None:
    command = commands.add_parser(
        "ingest", help="take files into the records that their names, or their folders' names, say"
    )
    command.add_argument("path", type=Path, nargs="+", help="a file, or a folder with all that is in it")
    command.add_argument(
        "--into", help="a number of a record or scan batch: whatever the files are called, they belong to it"
    )
    command.add_argument(
        "--as", dest="account", required=True, help="the account that uploads; its rights decide"
    )
    command.add_argument("--dry-run", action="store_true", help="say where each would go, take nothing")
    command.set_defaults(run=_ingest)


def _ingest(settings: Settings, chosen: argparse.Namespace) -> int:
    if missing := [path for path in chosen.path if not path.exists()]:
        raise FileNotFoundError(f"there is no {missing[0]}")
    with closing(Site(settings)) as site:
        return _file(site, actors.acting(site, chosen.account), chosen)


def _file(site: Site, actor: Actor, chosen: argparse.Namespace) -> int:
    paths = filing.found(path.resolve() for path in chosen.path)
    count = Counter[State]()
    for one in filing.file_each(site, actor, paths, Origin(channel="cli"), chosen.into, dry=chosen.dry_run):
        count[one.state] += 1
        print(f"{one.path}: {f'→ {one.number}' if one.state is State.TAKEN else one.reason}", flush=True)
    taken = f"{count[State.TAKEN]} {'would be taken in' if chosen.dry_run else 'taken in'}"
    print(f"{len(paths)} files: {taken}, {count[State.HERE]} here already, {count[State.REFUSED]} refused")
    if count[State.TAKEN] and not chosen.dry_run:
        _make_pages(site, actor)
    return 1 if count[State.REFUSED] else 0


def _make_pages(site: Site, actor: Actor) -> None:
    """Does at once what a worker would do, where none is running."""
    with site.session(readonly=True) as session:
        alone = not health.worker_is_alive(site.work(session, actor))
    if alone:
        worker.work(site, once=True)
