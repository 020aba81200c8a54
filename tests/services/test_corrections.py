"""校对: a person's text of a page counts, the machine's stays beside it, and the image is never touched."""

import pytest
from sqlalchemy import select, update

from archive.actor import Actor
from archive.errors import ArchiveError, Invalid, NotFound, Stale
from archive.journal import CHANGES, words_of
from archive.models import AuditEvent, Node, Page, PageText
from archive.services import corrections, pages, search, viewer
from archive.services.pages import PageView
from tests.archives import begins
from tests.conftest import CAST, Hospital
from tests.services.searching import TEST, archived, component, indexed, written

READ = "诊断：糖尿疒，建议随访"
MEANT = "诊断：糖尿病，建议随访"
LINES = [[100, 50, 300, 90, "诊断：糖尿疒，"], [100, 100, 300, 140, "建议随访"]]


@begins
def item(hospital: Hospital, record: int) -> int:
    """An item of an archived record, with a page on which the machine misread a word."""
    made = component(hospital, record, "出院记录")
    written(hospital, made, READ, "第二页")
    archived(hospital, record)
    with hospital.site.uow(Actor.system("test")) as uow:
        first = select(Page.id).where(Page.node_id == made, Page.ordinal == 1).scalar_subquery()
        uow.session.execute(
            update(PageText).where(PageText.page_id == first).values(boxes=LINES),
            execution_options=TEST | {"synchronize_session": False},
        )
    indexed(hospital)
    return made


def correct(
    hospital: Hospital, item: int, text: str = MEANT, version: int = 0, account: str = "archivist"
) -> None:
    with hospital.uow(account) as uow:
        corrections.correct(uow, uow.node(item), 1, text=text, version=version)
    indexed(hospital)


def restore(hospital: Hospital, item: int, version: int = 1) -> None:
    with hospital.uow("senior") as uow:
        corrections.restore(uow, uow.node(item), 1, version=version)
    indexed(hospital)


def page(hospital: Hospital, item: int) -> PageView:
    with hospital.uow("archivist", readonly=True) as uow:
        return pages.one(uow, uow.node(item), 1)


def is_found(hospital: Hospital, words: str) -> bool:
    with hospital.uow("archivist", readonly=True) as uow:
        return bool(search.find(uow, f'"{words}"').groups)


def test_the_corrected_text_is_the_one_that_is_found_shown_and_drawn(hospital: Hospital, item: int) -> None:
    assert not is_found(hospital, "糖尿病")
    correct(hospital, item)
    assert is_found(hospital, "糖尿病")
    assert not is_found(hospital, "糖尿疒")
    with hospital.uow("archivist", readonly=True) as uow:
        seen = viewer.open_page(uow, uow.node(item), 1, "糖尿病")
    (box,) = seen.boxes
    assert (box.place, box.y, box.height) == (1, 50, 40)
    assert 100 < box.x < box.x + box.width <= 300
    assert seen.paragraphs == [[("诊断：", None), ("糖尿病", 1), ("，建议随访", None)]]


def test_who_corrected_it_and_when_stands_beside_what_the_machine_read(hospital: Hospital, item: int) -> None:
    assert page(hospital, item).correction is None
    correct(hospital, item)
    seen = page(hospital, item)
    assert (seen.kind, seen.text) == ("human", MEANT)
    assert seen.correction
    assert (seen.correction.by, seen.correction.machine, seen.correction.version) == ("archivist甲", READ, 1)
    assert seen.correction.at.date() == hospital.clock().date()


def test_one_goes_back_to_what_the_machine_read(hospital: Hospital, item: int) -> None:
    before = page(hospital, item)
    correct(hospital, item)
    restore(hospital, item)
    assert page(hospital, item) == before
    assert is_found(hospital, "糖尿疒")
    with pytest.raises(Stale):
        restore(hospital, item)
    with pytest.raises(NotFound):
        restore(hospital, item, version=0)


def test_every_text_that_a_person_wrote_is_kept_by_the_journal(hospital: Hospital, item: int) -> None:
    correct(hospital, item)
    correct(hospital, item, "另一种读法", version=1)
    restore(hospital, item, version=2)
    with hospital.site.session(readonly=True) as session:
        told = select(AuditEvent).where(AuditEvent.action.startswith("page.text_")).order_by(AuditEvent.id)
        events = session.scalars(told).all()
        assert [(event.action, event.actor, event.object_id) for event in events] == [
            ("page.text_corrected", "archivist", item), ("page.text_corrected", "archivist", item),
            ("page.text_restored", "senior", item),
        ]  # fmt: skip
        words = [words_of(session, CHANGES, event.id, hospital.site.keys) for event in events]
    assert [(said["page"], said["before"]) for said in words] == [(1, None), (1, MEANT), (1, "另一种读法")]


def test_whoever_saves_second_is_told_and_changes_nothing(hospital: Hospital, item: int) -> None:
    correct(hospital, item)
    with pytest.raises(Stale):
        correct(hospital, item, "我的读法", account="senior")
    assert page(hospital, item).text == MEANT


def test_more_text_than_stands_on_any_page_is_refused(hospital: Hospital, item: int) -> None:
    with pytest.raises(Invalid):
        correct(hospital, item, "病" * (corrections.LONGEST + 1))
    correct(hospital, item, "")
    assert page(hospital, item).text == ""


def test_what_is_read_after_somebody_typed_it_does_not_push_them_aside(hospital: Hospital, item: int) -> None:
    with hospital.site.uow(Actor.system("test")) as uow:
        node = uow.session.get_one(Node, item, execution_options=TEST)
        first = uow.session.scalars(
            select(Page).where(Page.node_id == node.id, Page.ordinal == 1), execution_options=TEST
        ).one()
        machine = uow.session.get_one(PageText, (first.id, "machine"), execution_options=TEST)
        uow.session.delete(machine)
        number, file = first.id, first.representation_id
    correct(hospital, item)
    with hospital.site.uow(Actor.system("test")) as uow:
        assert pages.without_text(uow, file) == [number]
        corrections.add_read(
            uow, PageText(page_id=number, kind="machine", text=READ, boxes=LINES, confidence=0.9, at=uow.now)
        )
    seen = page(hospital, item)
    assert (seen.text, seen.boxes[0][4]) == (MEANT, "诊断：糖尿病，")


def test_whoever_checks_scans_or_describes_corrects_and_nobody_else(hospital: Hospital, item: int) -> None:
    for account in sorted(set(CAST) - {"archivist", "senior"}):
        with pytest.raises(ArchiveError):
            correct(hospital, item, account=account)
        with pytest.raises(ArchiveError), hospital.uow(account) as uow:
            corrections.restore(uow, uow.node(item), 1, version=0)
    assert page(hospital, item).correction is None
    correct(hospital, item, account="senior")
    with hospital.uow("archivist", readonly=True) as uow:
        assert corrections.may(uow, uow.node(item))
