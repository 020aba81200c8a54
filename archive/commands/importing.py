"""import staff|departments|patients|discharges|index FILE: what the page does, for large files and for scripts."""

import argparse
import time
from pathlib import Path
from typing import Any
from uuid import UUID

from archive import worker
from archive.actor import Actor
from archive.errors import NotFound
from archive.journal import Origin
from archive.policy.permissions import P
from archive.services import actors, health, imports, jobs
from archive.services.handlers import LIVE
from archive.services.imports import Plan
from archive.settings import Settings
from archive.site import Site
from archive.uow import UnitOfWork


def register(commands: Any) -> None:
    command = commands.add_parser(
        "import", help="bring in departments, staff, patients, discharges or an old index"
    )
    command.add_argument("kind", choices=("departments", "staff", "patients", "discharges", "index"))
    command.add_argument("file", type=Path, help="an Excel or CSV file")
    command.add_argument(
        "--as", dest="account", required=True, help="the account that imports; its rights decide"
    )
    command.add_argument("--category", help="code of the category, for an old index, for example WS")
    command.add_argument("--dry-run", action="store_true", help="judge every row, write nothing")
    command.set_defaults(run=_import)


def _import(settings: Settings, chosen: argparse.Namespace) -> int:
    site = Site(settings)
    actor = actors.acting(site, chosen.account)
    with chosen.file.open("rb") as stream:
        staged = imports.stage(site, stream)

    def order(uow: UnitOfWork) -> UUID:
        token = imports.keep(uow, staged, chosen.file.name)
        plan = Plan(chosen.kind, token, category=_category(uow, chosen.category))
        return imports.order(uow, plan, dry=chosen.dry_run).uuid

    job = site.run(actor, order, Origin(channel="cli"))
    with site.session(readonly=True) as session:
        alone = not health.worker_is_alive(site.work(session, actor))
    if alone:
        worker.work(site, once=True)
    return _watch(site, actor, job, dry=chosen.dry_run)


def _category(uow: UnitOfWork, code: str | None) -> str | None:
    if code is None:
        return None
    found = next((node for node in uow.list(uow.nodes(P.ADD)) if node.data.get("code") == code), None)
    if found is None:
        raise NotFound(f"there is no category {code} that this account may add to")
    return str(found.uuid)


def _watch(site: Site, actor: Actor, job: UUID, *, dry: bool) -> int:
    """Shows how far it is, until it has ended; then what came of it."""
    while True:
        with site.uow(actor, readonly=True) as uow:
            row, seen = jobs.find(uow, job), imports.one(uow, job)
        if row.state not in LIVE:
            break
        print(f"  {row.progress} / {row.total or '?'}", flush=True)
        time.sleep(1)
    for problem in seen.problems:
        print(f"row {problem.row}: {problem.column}: {problem.text}")
    counted = ", ".join(f"{name} {number}" for name, number in seen.counts.items()) or "nothing"
    print(f"{'would import' if dry else 'imported'} {seen.filename}: {counted}; {seen.wrong} errors")
    return 0 if row.state == "done" and not seen.wrong else 1
