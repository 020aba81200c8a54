"""Backup and restore.

Checkpoints are copied before the database snapshot, so that none is ahead of it; blobs after it, so that every file
that the snapshot names is there.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, select
from sqlalchemy.engine import URL, make_url

from archive import journal, migrate
from archive.actor import Actor
from archive.models import Blob
from archive.services import purge
from archive.settings import Settings
from archive.site import Site
from storage import Problem, check

MANIFEST = "manifest.json"
BEFORE, AFTER = ("keys", "checkpoints"), ("blobs",)
Progress = Callable[[str, int], None]


class BackupFailed(OSError):
    """The backup or restore cannot go on; the sentence says why."""


@dataclass(frozen=True)
class Outcome:
    """What a backup holds, or what a restore has verified."""

    databases: int
    files: int
    problems: tuple[str, ...] = ()


def back_up(site: Site, target: Path, progress: Progress) -> Outcome:
    """Writes a backup into `target`, which must be new or empty."""
    _require_empty(target)
    target.mkdir(parents=True, exist_ok=True)
    sums: dict[str, str] = {}
    files = _copy(site.settings.var, target, BEFORE, sums, progress)
    for name, engine in _databases(site):
        path = _snapshot(engine, target / name)
        sums[path.name] = _sha256(path)
        progress(path.name, 1)
    files += _copy(site.settings.var, target, AFTER, sums, progress)
    os.sync()  # all of it is on the disk before the manifest says that it is whole
    (target / MANIFEST).write_text(json.dumps(sums, indent=1, sort_keys=True), encoding="utf-8")
    return Outcome(len(_databases(site)), files)


def _copy(var: Path, target: Path, folders: tuple[str, ...], sums: dict[str, str], progress: Progress) -> int:
    count = 0
    for source in (path for folder in folders for path in _files(var / folder)):
        name = str(source.relative_to(var))
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target / name)
        sums[name] = _sha256(target / name)
        count += 1
        if count % 500 == 0:
            progress("files", count)
    return count


def restore(source: Path, settings: Settings, progress: Progress) -> Outcome:
    """Brings a backup into the empty place that `settings` name, and verifies sums, schema, store and audit chain."""
    manifest = source / MANIFEST
    if not manifest.exists():
        raise BackupFailed(f"{source} is no whole backup: it has no manifest")
    _require_empty(settings.var)
    sums: dict[str, str] = json.loads(manifest.read_text(encoding="utf-8"))
    for number, (name, sha256) in enumerate(sums.items(), start=1):
        path = source / name
        if not path.exists() or _sha256(path) != sha256:
            raise BackupFailed(f"the backup is damaged: {name}")
        if not name.startswith("database."):
            (settings.var / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, settings.var / name)
        if number % 500 == 0:
            progress("files", number)
    _load(source, settings)
    with closing(Site(settings)) as site:
        return verify(site, len(sums))


def verify(site: Site, files: int) -> Outcome:
    """Whether what was restored is whole."""
    migrate.verify(site)
    problems: list[str] = []
    with site.uow(Actor.system("restore"), readonly=True) as uow, uow.unscoped("restore"):
        rows = uow.session.execute(
            select(Blob.record, Blob.sha256, Blob.size).order_by(Blob.record, Blob.sha256)
        )
        register = ((record, sha256, size) for record, sha256, size in rows)
        problems += [
            f"{found.problem.name.lower()}: {found.name}"
            for found in check(site.store, register)
            if found.problem is not Problem.MISSING or not purge.is_leaving(uow, found.record, found.name)
        ]
        problems += _chain(
            journal.verify(uow.session, journal.CHANGES, site.settings.checkpoint_folder, site.keys)
        )
    with site.journal() as session:
        problems += _chain(journal.verify(session, journal.READS, site.settings.checkpoint_folder, site.keys))
    return Outcome(2, files, tuple(problems))


def _chain(verdict: journal.Verdict) -> list[str]:
    return [] if verdict.whole else [f"{verdict.journal}: {verdict.reason} at {verdict.bad_seq}"]


def _databases(site: Site) -> list[tuple[str, Engine]]:
    found = [("database.main", site.engine)]
    if site.settings.journal_url != site.settings.main_url:
        found.append(("database.reads", site.journal_engine))
    return found


def _snapshot(engine: Engine, target: Path) -> Path:
    if engine.dialect.name == "sqlite":
        path = target.with_name(f"{target.name}.sqlite3")
        with sqlite3.connect(str(engine.url.database)) as live, sqlite3.connect(path) as copy:
            live.backup(copy)
        return path
    path = target.with_name(f"{target.name}.pgdump")
    _run(["pg_dump", "--format=custom", f"--file={path}"], engine.url)
    return path


def _load(source: Path, settings: Settings) -> None:
    for name, url in (("database.main", settings.main_url), ("database.reads", settings.journal_url)):
        if (kept := source / f"{name}.sqlite3").exists():
            place = Path(str(make_url(url).database))
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(kept, place)
        elif (dump := source / f"{name}.pgdump").exists():
            _run(["pg_restore", "--exit-on-error", "--no-owner", str(dump)], make_url(url))


def _with_password(url: URL) -> dict[str, str]:
    """The environment of PostgreSQL's programs: among their arguments everybody on the machine could read it.

    They need what is there already: the path, and the variables of PostgreSQL that name certificates and the like.
    """
    given = {"PGPASSWORD": str(url.password)} if url.password else {}
    return {**os.environ, **given}


def _run(command: list[str], url: URL) -> None:
    """Runs one of PostgreSQL's programs on a database."""
    if shutil.which(command[0]) is None:
        raise BackupFailed(f"{command[0]} is not installed: it comes with PostgreSQL's client programs")
    reached = url.set(drivername="postgresql", password=None).render_as_string()
    done = subprocess.run(
        [*command, f"--dbname={reached}"],
        capture_output=True,
        text=True,
        check=False,
        env=_with_password(url),
    )
    if done.returncode:
        raise BackupFailed(
            f"{command[0]} failed: {done.stderr.strip().splitlines()[-1] if done.stderr else ''}"
        )


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file()) if folder.exists() else iter(())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _require_empty(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise BackupFailed(f"{folder} is not empty")
