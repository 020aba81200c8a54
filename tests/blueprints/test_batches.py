"""The pages of a batch: each role sees what it may, and nobody else knows that there is a batch."""

from collections.abc import Callable

from tests import piles
from tests.archives import begins
from tests.blueprints.conftest import Browser
from tests.conftest import Hospital


@begins
def two(hospital: Hospital) -> list[int]:
    """Two records with a volume each."""
    return piles.records(hospital, 2)


def test_the_board_shows_where_a_batch_waits(
    hospital: Hospital, two: list[int], browser: Callable[[str], Browser]
) -> None:
    number = piles.prepared(hospital, (2, 2))
    page = browser("scanner").get("/batches")
    assert page.status_code == 200
    assert number in page.text
    assert browser("scanner").get(f"/batches/{number}").status_code == 200
    assert browser("scanner").get(f"/batches/{number}/pages").status_code == 200
