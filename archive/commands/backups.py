"""backup, restore."""

import argparse
from contextlib import closing
from pathlib import Path
from typing import Any

from archive import backup
from archive.settings import Settings
from archive.site import Site


def register(commands: Any) -> None:
    save = commands.add_parser(
        "backup", help="write database, files, keys and checkpoints into an empty folder"
    )
    save.add_argument("folder", type=Path)
    save.set_defaults(run=_back_up)
    load = commands.add_parser("restore", help="restore a backup into an empty place and verify it")
    load.add_argument("folder", type=Path)
    load.set_defaults(run=_restore)


def _say(what: str, number: int) -> None:
    print(f"  {what}: {number}", flush=True)


def _back_up(settings: Settings, chosen: argparse.Namespace) -> None:
    with closing(Site(settings)) as site:
        done = backup.back_up(site, chosen.folder, _say)
    print(
        f"backed up {done.databases} databases and {done.files} files; the folder holds the keys too: guard it"
    )


def _restore(settings: Settings, chosen: argparse.Namespace) -> int:
    done = backup.restore(chosen.folder, settings, _say)
    for problem in done.problems:
        print(problem)
    print(f"restored {done.files} files and verified them: {len(done.problems)} problems")
    return 1 if done.problems else 0
