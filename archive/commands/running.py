"""init, serve, work: bringing an archive up."""

import argparse
from typing import Any

from archive import arenas, server
from archive.actor import Actor
from archive.commands import demo, people
from archive.services import setup
from archive.settings import Settings
from archive.site import Site
from archive.start import prepare


def register(commands: Any) -> None:
    init = commands.add_parser(
        "init", help="make the database, the keys and the first security administrator"
    )
    init.add_argument("--fonds", default="H001", help="number of the fonds, for example H001")
    init.add_argument("--hospital", help="name of the hospital; makes the fonds with all categories")
    init.add_argument(
        "--admin", help="account of the first security administrator; the password is asked for"
    )
    init.set_defaults(run=_init)
    serve = commands.add_parser("serve", help="serve the web pages, with one worker beside")
    serve.add_argument("--no-worker", action="store_true", help="workers run elsewhere")
    serve.set_defaults(run=_serve)
    commands.add_parser("work", help="run one worker: jobs, index, audit seals").set_defaults(run=_work)


def _init(settings: Settings, chosen: argparse.Namespace) -> None:
    site = Site(settings)
    new = prepare(site)
    print("made a new archive" if new else "the archive was there already; brought up to date")
    with site.uow(Actor.system("init")) as uow:
        if chosen.hospital:
            setup.found(uow, code=chosen.fonds, name=chosen.hospital)
            setup.name_hospital(uow, chosen.hospital)
            print(f"made the fonds {chosen.fonds} {chosen.hospital} with its categories")
        if chosen.admin:
            setup.appoint(uow, chosen.admin, people.ask_password(chosen.admin))
            print(f"made the security administrator {chosen.admin}")


def _serve(settings: Settings, chosen: argparse.Namespace) -> None:
    arenas.share()
    site = Site(settings)
    prepare(site)
    if site.demonstration:
        print(demo.accounts(site.demonstration), flush=True)
    site.close()
    print(f"Juanzong 卷宗: http://127.0.0.1:{settings.port}/", flush=True)
    server.serve(settings, with_worker=not chosen.no_worker)


def _work(settings: Settings, _chosen: argparse.Namespace) -> None:
    from archive import worker

    arenas.share()
    worker.work(Site(settings))
