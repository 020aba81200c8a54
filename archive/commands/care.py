"""status, store check, policy show: how the archive is doing."""

import argparse
import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import func, select

from archive import migrate
from archive.actor import Actor
from archive.models import Blob, Job, Node, Session
from archive.services import catalogue, health, policies, purge
from archive.settings import Settings
from archive.site import Site
from archive.uow import UnitOfWork
from storage import Problem, check


def register(commands: Any) -> None:
    commands.add_parser("status", help="numbers and health").set_defaults(run=_status)
    store = commands.add_parser("store", help="the bytes of records").add_subparsers(
        dest="what", required=True
    )
    store.add_parser("check", help="find missing, changed and stray files").set_defaults(run=_check)
    policy = commands.add_parser("policy", help="what the hospital has decided").add_subparsers(
        dest="what", required=True
    )
    show = policy.add_parser("show", help="list the policies in force, or show one")
    show.add_argument("kind", nargs="?")
    show.set_defaults(run=_show)


def _status(settings: Settings, _chosen: argparse.Namespace) -> int:
    site = Site(settings)
    migrate.verify(site)
    with site.uow(Actor.system("status"), readonly=True) as uow, uow.unscoped("status"):
        state = health.check(site, uow)
        print(f"health: {state.status}" + "".join(f"\n  {reason}" for reason in state.reasons))
        print(f"nodes: {_count(uow, Node)}  files: {_count(uow, Blob)}")
        print(
            f"jobs waiting: {_count(uow, Job, Job.state == 'waiting')}  failed: {_count(uow, Job, Job.state == 'failed')}"
        )
        print(f"index behind by: {catalogue.lag(uow).changes} changes")
        print(
            f"open sessions: {_count(uow, Session, Session.ended_at.is_(None), Session.expires_at > uow.now)}"
        )
    return 0 if state.status == "ok" else 1


def _count(uow: UnitOfWork, model: Any, *where: Any) -> int:
    return uow.session.scalar(select(func.count()).select_from(model).where(*where)) or 0


def _check(settings: Settings, _chosen: argparse.Namespace) -> int:
    site, found = Site(settings), 0
    with site.uow(Actor.system("store.check"), readonly=True) as uow, uow.unscoped("store.check"):
        rows = uow.session.execute(
            select(Blob.record, Blob.sha256, Blob.size).order_by(Blob.record, Blob.sha256)
        )
        total = uow.session.scalar(select(func.count(Blob.id))) or 0
        for finding in check(site.store, _register(rows, total)):
            if finding.problem is Problem.MISSING and purge.is_leaving(uow, finding.record, finding.name):
                continue
            found += 1
            print(f"{finding.problem.name.lower()}: {finding.record or ''} {finding.name}")
    print(f"checked {total} files: {found} findings")
    return 1 if found else 0


def _register(rows: Any, total: int) -> Iterator[tuple[str, str, int]]:
    for number, (record, sha256, size) in enumerate(rows, start=1):
        if number % 1_000 == 0:
            print(f"  {number} / {total}", flush=True)
        yield record, sha256, size


def _show(settings: Settings, chosen: argparse.Namespace) -> None:
    with Site(settings).uow(Actor.system("policy.show"), readonly=True) as uow:
        if chosen.kind is None:
            kinds = policies.kinds(uow)
            for kind in kinds:
                print(_line(policies.in_force(uow, kind)))
            print(f"{len(kinds)} policies")
            return
        policy = policies.in_force(uow, chosen.kind)
        print(f"# {_line(policy)}")
        rows = policies.versions(uow, chosen.kind)
        for row in rows:
            since = uow.local(row.valid_from).date()
            print(
                f"#   v{row.version} from {since}, {policies.standing(row, rows, uow.now)}: {policies.said(row.source)}"
            )
        print(json.dumps(policy.body, ensure_ascii=False, indent=2))


def _line(policy: policies.InForce) -> str:
    return f"{policy.kind} v{policy.version}: {policies.said(policy.source)}"
