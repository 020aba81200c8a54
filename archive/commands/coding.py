"""codes import: a classification of diagnoses or operations in the version by which the hospital codes."""

import argparse
from contextlib import closing
from pathlib import Path
from typing import Any

from archive.journal import Origin
from archive.services import actors, codes, imports
from archive.settings import Settings
from archive.site import Site
from archive.uow import UnitOfWork


def register(commands: Any) -> None:
    group = commands.add_parser(
        "codes", help="codes of diagnoses and operations, and their terms"
    ).add_subparsers(dest="what", required=True)
    command = group.add_parser("import", help="load a version in the place of the one before")
    command.add_argument(
        "file", type=Path, help="an Excel or CSV file with the columns 编码 (code) and 名称 (term)"
    )
    command.add_argument("--as", dest="account", required=True, help="a system administrator")
    command.add_argument(
        "--system",
        default=codes.SYSTEM,
        choices=list(codes.SYSTEMS),
        help=f"the classification; {codes.SYSTEM} if left out, ICD-9-CM-3 for operations",
    )
    command.add_argument("--version", required=True, help="for example 国家临床版 2.0")
    command.add_argument("--source", required=True, help="who published it, by which notice")
    command.set_defaults(run=_import)


def _import(settings: Settings, chosen: argparse.Namespace) -> None:
    with closing(Site(settings)) as site:

        def load(uow: UnitOfWork) -> int:
            with chosen.file.open("rb") as stream:
                table = imports.receive(uow, stream, chosen.file.name)
            try:
                terms = list(codes.told(row for _number, row in table.rows()))
            finally:
                table.discard()
            return codes.load(uow, codes.Loading(chosen.system, chosen.version, chosen.source, terms))

        count = site.run(actors.acting(site, chosen.account), load, Origin(channel="cli"))
    print(f"loaded {chosen.system} {chosen.version}: {count} codes")
