"""Two passes of one pile: sheet by sheet, front and back, and nothing of the files is touched."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import Conflict, Forbidden, NotFound
from archive.models import AuditEvent
from archive.services import collation, page_desk, page_map
from archive.services.collation import interleaved
from archive.site import Site
from tests import papers
from tests.archives import begins
from tests.conftest import Hospital
from tests.services.test_derive import work_off
from tests.services.test_intake import upload
from tests.services.test_page_desk import do, ids, masters, told


@given(st.integers(1, 60), st.booleans(), st.booleans())
def test_both_passes_give_the_pages_in_their_order(sheets: int, backwards: bool, last_is_blank: bool) -> None:  # noqa: FBT001
    last_is_blank = last_is_blank and sheets > 1
    pages = list(range(1, 2 * sheets + 1 - last_is_blank))
    fronts, backs = pages[::2], pages[1::2]
    assert interleaved(fronts, backs[::-1] if backwards else backs, backwards=backwards) == pages


@pytest.mark.parametrize(("fronts", "backs"), [(3, 1), (2, 3), (1, 0), (0, 0), (5, 9)])
def test_what_does_not_fit_is_not_guessed(fronts: int, backs: int) -> None:
    with pytest.raises(Conflict):
        interleaved(range(fronts), range(backs), backwards=True)


@begins
def pile(hospital: Hospital, record: int) -> int:
    """A record with a cover sheet, then three fronts, then their backs from the last to the first."""
    for content in (papers.pdf("封面"), papers.pdf("一", "三", "五"), papers.pdf("六", "四", "二")):
        upload(hospital, "scanner", record, content)
    work_off(hospital.site)
    return record


def collate(hospital: Hospital, record: int, account: str = "archivist", **said: Any) -> None:
    with hospital.uow("archivist", readonly=True) as uow:
        files = [number for number, _name in collation.choices(uow, uow.node(record))]
    do(hospital, collation.collate, record, account,
       **{"fronts": files[-2], "backs": files[-1], "last": files[-1], "backwards": True} | said)  # fmt: skip


def test_a_pile_is_put_in_order_in_its_place_and_the_files_stay(
    site: Site, hospital: Hospital, pile: int
) -> None:
    before = masters(site)
    collate(hospital, pile)
    assert told(hospital, pile) == ["封面", "一", "二", "三", "四", "五", "六"]
    assert masters(site) == before
    with site.session(readonly=True) as session:
        assert session.query(AuditEvent).filter_by(action="page.collated").count() == 1
    do(hospital, page_desk.undo, pile)
    assert told(hospital, pile) == ["封面", "一", "三", "五", "六", "四", "二"]


def test_pages_that_are_files_of_their_own_are_collated_too(
    site: Site, hospital: Hospital, record: int
) -> None:
    for words in ("一", "三", "四", "二"):
        upload(hospital, "scanner", record, papers.pdf(words))
    work_off(site)
    with hospital.uow("archivist", readonly=True) as uow:
        files = [number for number, _name in collation.choices(uow, uow.node(record))]
    collate(hospital, record, fronts=files[0], backs=files[2])
    assert told(hospital, record) == ["一", "二", "三", "四"]


def test_a_blank_page_that_was_taken_out_is_not_counted(site: Site, hospital: Hospital, pile: int) -> None:
    do(hospital, page_desk.set_aside, pile, pages=[ids(hospital, pile)[4]])
    collate(hospital, pile)
    assert told(hospital, pile) == ["封面", "一", "二", "三", "四", "五"]


def test_who_may_not_arrange_pages_collates_nothing(hospital: Hospital, pile: int) -> None:
    for account in ("clinician", "auditor", "sysadmin", "stranger"):
        with pytest.raises((Forbidden, NotFound)):
            collate(hospital, pile, account)


def test_files_in_the_wrong_order_or_an_old_order_are_refused(hospital: Hospital, pile: int) -> None:
    with hospital.uow("archivist", readonly=True) as uow:
        files = [number for number, _name in collation.choices(uow, uow.node(pile))]
    for wrong in (
        {"fronts": files[2], "backs": files[1]},
        {"fronts": files[0], "backs": files[1]},
        {"backs": 10**6},
        {"version": 77},
    ):
        with pytest.raises(Conflict):
            collate(hospital, pile, **wrong)
    with hospital.uow("archivist", readonly=True) as uow:
        assert page_map.version(uow, uow.node(pile)) == 0
