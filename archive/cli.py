"""The command `juanzong`. Each command says what it did and how many; an error is one sentence and a non-zero exit."""

import argparse
import os
import sys
from collections.abc import Sequence

from archive import settings
from archive.commands import REGISTER
from archive.errors import ArchiveError
from archive.keys import WeakSecret
from archive.migrate import SchemaMismatch
from archive.settings import BadSettings
from storage import StorageError

PRIVATE = 0o077
"""What the archive writes, databases and backups before all, is for its own account alone."""


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="juanzong", description="Juanzong 卷宗: archive management for hospitals"
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for register in REGISTER:
        register(commands)
    return top


def program() -> int:
    """`juanzong` as it is installed: a process of its own."""
    os.umask(PRIVATE)
    return main()


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; gives the exit status."""
    chosen = parser().parse_args(arguments)
    try:
        result: int | None = chosen.run(settings.load(), chosen)
    except (
        ArchiveError,
        BadSettings,
        WeakSecret,
        SchemaMismatch,
        StorageError,
        LookupError,
        OSError,
    ) as error:
        print(f"juanzong: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return result or 0


if __name__ == "__main__":
    sys.exit(program())
