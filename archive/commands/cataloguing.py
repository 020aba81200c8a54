"""catalogue check, catalogue stats, catalogue rebuild: the index is a cache, and this is how it is made true again."""

import argparse
from contextlib import closing
from typing import Any
from zoneinfo import ZoneInfo

from archive.services import catalogue, timings
from archive.settings import Settings
from archive.site import Site
from index import Busy, Damaged


def register(commands: Any) -> None:
    group = commands.add_parser("catalogue", help="the full-text index").add_subparsers(
        dest="what", required=True
    )
    check = group.add_parser("check", help="compare the index with the database")
    check.add_argument("--mend", action="store_true", help="put right what differs")
    check.set_defaults(run=_check)
    group.add_parser("stats", help="how large the index is, and how far behind").set_defaults(run=_stats)
    group.add_parser("rebuild", help="make the index anew beside the old one, then swap").set_defaults(
        run=_rebuild
    )


def _check(settings: Settings, chosen: argparse.Namespace) -> int:
    try:
        found = catalogue.check(Site(settings), mend=chosen.mend)
    except (Busy, Damaged) as error:
        raise OSError(f"the index cannot be compared: {error}") from error
    counts = {"missing": len(found.missing), "stale": len(found.stale), "stray": len(found.stray)}
    said = ", ".join(f"{name} {number}" for name, number in counts.items())
    print(f"{'mended' if chosen.mend else 'compared'}: {said}")
    return 0 if chosen.mend or not any(counts.values()) else 1


def _stats(settings: Settings, _chosen: argparse.Namespace) -> int:
    with closing(Site(settings)) as site:
        behind = catalogue.behind(site)
        today = timings.of_day(site, site.clock().astimezone(ZoneInfo(site.settings.timezone)).date())
        try:
            stats = site.index.stats()
        except Damaged as error:
            print(
                f"the index is {error.reason.value}: juanzong catalogue rebuild makes a new one; {behind} changes wait"
            )
            return 1
    print(f"{stats.documents} documents and {stats.deleted} deleted ones in {stats.segments} segments, "
          f"{stats.size} bytes; {behind} changes wait")  # fmt: skip
    print(
        f"{today.count} searches today; half of them took {today.half} ms at most, 95 of 100 {today.nearly_all} ms"
        if today.count
        else "no searches today"
    )
    return 0


def _rebuild(settings: Settings, _chosen: argparse.Namespace) -> None:
    try:
        count = catalogue.rebuild(Site(settings), _progress)
    except Busy as error:
        raise OSError("somebody else is rebuilding the index") from error
    print(f"rebuilt the index: {count} documents")


def _progress(done: int, total: int) -> None:
    print(f"  {done} / {total}", flush=True)
