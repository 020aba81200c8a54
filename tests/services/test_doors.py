"""The door to the data: nobody asks across content without saying for whom, and nobody changes anything unseen."""

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError

from archive import migrate
from archive.db import Base
from archive.guard import GUARDED, UnscopedQuery, WriteWhileReading
from archive.models import Node, Page, Patient, Setting
from archive.site import Site
from archive.uow import UnauditedChange
from tests.conftest import Hospital


@pytest.mark.parametrize("statement", [select(Node), select(Node.title), select(Page), select(Patient.name),
                                       update(Node).values(title="x"), delete(Page),
                                       select(Setting).where(Setting.name.in_(select(Node.title)))])  # fmt: skip
def test_a_statement_on_content_without_a_scope_is_refused(hospital: Hospital, statement: object) -> None:
    with pytest.raises(UnscopedQuery), hospital.uow("senior") as uow:
        uow.session.execute(statement)


def test_a_scope_that_is_written_down_nowhere_is_refused(hospital: Hospital) -> None:
    with pytest.raises(UnscopedQuery, match="has no scope 'mine'"), hospital.uow("senior") as uow:
        uow.session.execute(select(Node.title), execution_options={"scope": "mine"})


def test_everything_that_hangs_on_a_node_is_guarded() -> None:
    hanging = {table.name for table in Base.metadata.tables.values()
               if any(key.column.table.name == "node" for key in table.foreign_keys)}  # fmt: skip
    work = {"job", "local_role", "access_grant", "request", "request_part", "hold", "hold_node"}
    assert hanging - work <= GUARDED


def test_a_reading_cannot_write(hospital: Hospital) -> None:
    with pytest.raises(WriteWhileReading), hospital.uow("senior", readonly=True) as uow:
        uow.session.execute(update(Setting).values(value="x"))
    with pytest.raises(WriteWhileReading), hospital.uow("senior", readonly=True) as uow:
        uow.session.add(Setting(name="x", value=1))
        uow.session.flush()


def test_the_database_itself_refuses_what_slips_past_the_guard(hospital: Hospital) -> None:
    with pytest.raises(DBAPIError), hospital.uow("senior", readonly=True) as uow:
        uow.session.connection().execute(text("DELETE FROM setting"))


def test_a_change_that_no_action_told_the_journal_is_refused(hospital: Hospital) -> None:
    with pytest.raises(UnauditedChange), hospital.uow("senior") as uow:
        uow.session.add(Setting(name="x", value=1))
    with hospital.uow("senior", readonly=True) as uow:
        assert uow.session.get(Setting, "x") is None


def test_models_and_migrations_agree(site: Site) -> None:
    assert migrate.differences(site) == []


def test_a_schema_that_is_ahead_of_the_program_stops_the_start(site: Site) -> None:
    with site.engine.begin() as connection:
        connection.execute(text("UPDATE version_main SET version_num = '9999'"))
    with pytest.raises(migrate.SchemaMismatch, match="newer"):
        migrate.upgrade(site)
    with pytest.raises(migrate.SchemaMismatch):
        migrate.verify(site)
