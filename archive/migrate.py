"""Migrations: two histories, one for the main database and one for the journal of reads."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData

from archive.db import Base, Code, Moment, ReadsBase
from archive.site import Site

FOLDER = Path(__file__).parent / "migrations"


class SchemaMismatch(Exception):
    """The database is ahead of the program or behind it."""


def _render(kind: str, item: Any, _context: Any) -> str | bool:
    """A migration stands alone: it names the database's type, not ours."""
    if kind == "type" and isinstance(item, Moment):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, Code):
        return f"sa.String(length={item.length})"
    return False


@dataclass(frozen=True)
class History:
    """迁移历史: one line of migrations and the tables it answers for."""

    name: str
    metadata: MetaData

    @property
    def version_table(self) -> str:
        return f"version_{self.name}"

    def config(self, connection: Connection | None = None) -> Config:
        config = Config()
        config.set_main_option("script_location", str(FOLDER / self.name))
        config.attributes["history"] = self
        config.attributes["connection"] = connection
        return config

    def head(self) -> str | None:
        return ScriptDirectory.from_config(self.config()).get_current_head()

    def options(self) -> dict[str, Any]:
        return {
            "target_metadata": self.metadata,
            "version_table": self.version_table,
            "render_as_batch": True,
            "compare_type": True,
            "include_object": self._mine,
            "render_item": _render,
        }

    def _mine(self, _object: Any, name: str, kind: str, _reflected: bool, _other: Any) -> bool:
        return kind != "table" or name in self.metadata.tables


MAIN, READS = History("main", Base.metadata), History("reads", ReadsBase.metadata)


def _pairs(site: Site) -> list[tuple[History, Engine]]:
    return [(MAIN, site.engine), (READS, site.journal_engine)]


def upgrade(site: Site) -> None:
    """Brings both schemas to the newest version. Raises SchemaMismatch when one is ahead of the program."""
    for history, engine in _pairs(site):
        with engine.begin() as connection:
            current = MigrationContext.configure(connection, opts=history.options()).get_current_revision()
            known = {
                script.revision for script in ScriptDirectory.from_config(history.config()).walk_revisions()
            }
            if current is not None and current not in known:
                raise SchemaMismatch(f"the {history.name} database is newer than this program")
            if current != history.head():
                command.upgrade(history.config(connection), "head")


def verify(site: Site) -> None:
    """Raises SchemaMismatch unless both schemas are exactly what the program expects."""
    for history, engine in _pairs(site):
        with engine.connect() as connection:
            current = MigrationContext.configure(connection, opts=history.options()).get_current_revision()
        if current != history.head():
            raise SchemaMismatch(
                f"the {history.name} database is at {current}, the program at {history.head()}: run init"
            )


def differences(site: Site) -> list[Any]:
    """What autogenerate would still change; nothing, if models and migrations agree."""
    found: list[Any] = []
    for history, engine in _pairs(site):
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts=history.options())
            found += compare_metadata(context, history.metadata)
    return found
