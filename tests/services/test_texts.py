"""Texts read closer than the index can: whole, in the order of their pages, and as far as the person holds them."""

import pytest

from archive.models import Node
from archive.policy.permissions import P
from archive.services.entries import texts_of
from index import JOINT
from tests.conftest import CAST, Hospital
from tests.services.searching import component, patient, written

ODD = (
    "“引号” \"and\" 'quotes'",
    "back\\slash \\u0041 \\n",
    "tab\t、\n换行\r\n、\x01、\x1f",
    "𠮷〇\ue000\u2028é",
    "[1, null]",
    "",
)


TEST = {"scope": "test"}
READERS = {"archivist", "scanner", "senior"}
"""Of a draft."""


@pytest.fixture
def item(hospital: Hospital) -> int:
    record = patient(hospital, "00400001", "周一", diagnosis="“前置”\\胎盘")
    number = component(hospital, record, "手术记录")
    written(hospital, number, *ODD)
    return number


def test_texts_come_letter_by_letter_in_the_order_of_their_pages(hospital: Hospital, item: int) -> None:
    with hospital.uow("senior", readonly=True) as uow:
        look = texts_of(uow)
        assert look([item], "text") == {item: JOINT.join(ODD)}
        assert look([item, 999_999], "text") == look([item], "text")
        assert look([], "text") == look([999_999], "text") == {}
        record = uow.node(item).parent_id
        assert record is not None
        assert look([record, item], "diagnosis") == {record: "“前置”\\胎盘"}


def test_no_text_comes_to_whoever_may_not_read_it(hospital: Hospital, item: int) -> None:
    for account in CAST:
        with hospital.uow(account, readonly=True) as uow:
            told, node = (
                texts_of(uow)([item], "text"),
                uow.session.get_one(Node, item, execution_options=TEST),
            )
            assert bool(told) is (account in READERS) is uow.can(P.READ, node), account
