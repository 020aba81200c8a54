"""A reading that takes too long is given up, and the transaction in which it stood goes on."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from archive import patience
from archive.site import Site

ENDLESS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    "postgresql": "SELECT pg_sleep(60)",
}


def test_what_takes_too_long_is_given_up_and_the_transaction_goes_on(site: Site) -> None:
    with site.session(readonly=True) as session:
        for _turn in range(2):
            with pytest.raises(patience.TookTooLong), patience.at_most(session, 0.2):
                session.connection().execute(text(ENDLESS[site.engine.dialect.name]))
            assert session.connection().scalar(text("SELECT 1")) == 1


def test_the_limit_ends_with_its_block(site: Site) -> None:
    slow = {"sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3000000) SELECT count(*) FROM n",
            "postgresql": "SELECT count(pg_sleep(0.4))"}[site.engine.dialect.name]  # fmt: skip
    with site.session(readonly=True) as session:
        with patience.at_most(session, 0.2):
            assert session.connection().scalar(text("SELECT 1")) == 1
        assert session.connection().scalar(text(slow))


def test_another_fault_stays_what_it_is(site: Site) -> None:
    with (
        site.session(readonly=True) as session,
        pytest.raises(Exception, match="nowhere") as wrong,
        patience.at_most(session, 5),
    ):
        session.connection().execute(text("SELECT 1 FROM nowhere"))
    assert not isinstance(wrong.value, patience.TookTooLong)
    if isinstance(wrong.value, OperationalError):
        assert not patience.is_given_up(wrong.value)
