"""audit verify, audit export: the proof that nothing was changed, and the journals for keeping elsewhere."""

import argparse
import os
from pathlib import Path
from typing import Any

from sqlalchemy import select

from archive import journal
from archive.db import canonical
from archive.journal import CHAINED, JOURNALS, Journal
from archive.services.audit import reading
from archive.settings import Settings
from archive.site import Site

WORDS = {
    "missing": "an event is missing",
    "deleted": "the event was deleted",
    "changed": "the event was changed",
    "detail_changed": "the words of the event were changed",
    "rewritten": "the chain was rewritten: it differs from a signed checkpoint",
    "truncated": "the end was cut off: a signed checkpoint lies beyond it",
    "checkpoint_forged": "the signature of a checkpoint is not ours",
}


def register(commands: Any) -> None:
    audit = commands.add_parser("audit", help="the journals").add_subparsers(dest="what", required=True)
    audit.add_parser("verify", help="walk both chains, name the first bad event").set_defaults(run=_verify)
    export = audit.add_parser("export", help="write every sealed event, with its link, and the signed head")
    export.add_argument("folder", type=Path)
    export.set_defaults(run=_export)


def _verify(settings: Settings, _chosen: argparse.Namespace) -> int:
    site, bad = Site(settings), 0
    for book in JOURNALS:
        with reading(site, book) as session:
            verdict = journal.verify(session, book, settings.checkpoint_folder, site.keys, _progress)
        print(
            f"{book.name}: {verdict.sealed} sealed, {verdict.waiting} waiting, {verdict.checkpoints} checkpoints: ",
            end="",
        )
        if verdict.whole:
            print("whole")
            continue
        bad += 1
        where = f"number {verdict.bad_seq}" + (f", event {verdict.bad_event}" if verdict.bad_event else "")
        print(f"NOT whole at {where}: {WORDS[verdict.reason or '']}")
    return 1 if bad else 0


def _progress(done: int, total: int) -> None:
    if done % 20_000 == 0:
        print(f"  {done} / {total}", flush=True)


def _export(settings: Settings, chosen: argparse.Namespace) -> None:
    site = Site(settings)
    chosen.folder.mkdir(parents=True, exist_ok=True)
    for book in JOURNALS:
        path = chosen.folder / f"{book.name}.jsonl"
        with path.open("x", encoding="utf-8") as file:
            count = _write(site, book, file)
            file.flush()
            os.fsync(file.fileno())
        print(f"exported {count} events to {path}")
    print(f"key to verify the heads with: {site.keys.verify_key}")


def _write(site: Site, book: Journal, file: Any) -> int:
    count, last = 0, journal.Checkpoint(book.name, 0, journal.GENESIS, "")
    statement = (
        select(book.seal, book.event).join(book.event, book.event.id == book.seal.event_id).order_by(book.seal.seq)
    )  # fmt: skip
    with reading(site, book) as session:
        for link, event in session.execute(statement.execution_options(yield_per=1_000)):
            columns = {name: journal.plain(getattr(event, name)) for name in CHAINED}
            file.write(canonical({"seq": link.seq, "hash": link.hash, "event": columns}) + "\n")
            count, last = count + 1, journal.Checkpoint(book.name, link.seq, link.hash, event.at.isoformat())
    file.write(
        canonical({"head": last.__dict__ | {"signature": site.keys.signer.sign(last.text()).hex()}}) + "\n"
    )
    return count
