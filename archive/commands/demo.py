"""demo: an invented hospital in an empty folder."""

import argparse
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from archive.settings import Settings

PROFILES = ("zhongshan",)
BETWEEN = 2.0
"""Seconds between two lines of progress."""


def register(commands: Any) -> None:
    demo = commands.add_parser("demo", help="fill an empty folder with an invented hospital")
    catalogue = "instead of a hospital at work, the catalogue of one hospital's holdings: 41,513 items"
    demo.add_argument("--profile", choices=PROFILES, help=catalogue)
    many = "instead of a hospital at work, so many archived inpatient records, for measuring"
    demo.add_argument("--records", type=_positive, metavar="N", help=many)
    demo.set_defaults(run=_run)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError("give a number above nothing")
    return int(text)


def _run(settings: Settings, chosen: argparse.Namespace) -> None:
    from archive.demo import load
    from archive.demo.diary import Clock

    load.refuse_unless_empty(settings)
    place = load.found(settings, Clock(datetime.now(UTC)))
    print(f"{place.site.hospital_name}: {len(place.cast.people)} people", flush=True)
    if chosen.profile is None and chosen.records is None:
        load.furnish(place, load.Sizes(), _teller("acts"))
    if chosen.records is not None:
        _tell_pace(chosen.records, load.plant_records(place, chosen.records, _teller("records")), "records")
    if chosen.profile is not None:
        _tell_pace(*load.plant_holdings(place, _teller("items")), "items")
    for name, count in load.counts(place.site).items():
        print(f"{count:>9,}  {name}")
    print("juanzong serve tells the accounts and their password.", flush=True)
    place.site.close()


def _teller(what: str) -> Callable[[int, int], None]:
    """Prints how far it is, now and then."""
    last = monotonic()

    def told(done: int, total: int) -> None:
        nonlocal last
        if done == total or monotonic() - last >= BETWEEN:
            last = monotonic()
            print(f"  {done:,} of {total:,} {what}", flush=True)

    return told


def _tell_pace(count: int, seconds: float, what: str) -> None:
    print(f"{count:,} {what} in {seconds:,.1f} s: {count / seconds:,.0f} a second", flush=True)


def accounts(kept: Mapping[str, Any]) -> str:
    """The accounts of the demonstration as a table, and their one password."""
    rows = [f"  {account:<12}{name}  {role}" for account, name, role in kept["accounts"]]
    return "\n".join(("Accounts, all with the password " + kept["password"] + ":", *rows))
