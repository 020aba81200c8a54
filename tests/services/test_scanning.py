"""A batch from the store through the scanner and back: pages find their records, and nothing is linked that is doubtful."""

from datetime import timedelta
from io import BytesIO
from pathlib import Path
from threading import Event

import pytest
from PIL import Image
from sqlalchemy import event, select

from archive.errors import Conflict, Forbidden, Invalid, NotFound
from archive.journal import Origin
from archive.models import AccessGrant, BatchFile, BatchPage, Blob, HoldingStatus, Job, Node, Page
from archive.policy.permissions import P
from archive.services import (
    filing,
    giving_away,
    guards,
    holdings,
    intake,
    jobs,
    levels,
    masters,
    purge,
    rescans,
    trash,
    tree,
)
from archive.services import pages as record_pages
from archive.services import steps as record_steps
from archive.services.queue import claim, perform
from archive.services.scanning import batches, files, letting_go, pages, quality, sampling, steps, volumes
from archive.services.scanning import leaves as leaf_views
from archive.site import Site
from tests import piles
from tests.archives import begins, once
from tests.conftest import Hospital
from tests.services import lending

TEST = {"scope": "test"}


@begins
def two(hospital: Hospital) -> list[int]:
    """Two records with a volume each."""
    return piles.records(hospital, 2)


@begins
def piled(hospital: Hospital, two: list[int]) -> str:
    """A batch of both, scanned in one pile of two pages each."""
    return scanned(hospital, len(two))


@begins
def sampled(hospital: Hospital, piled: str) -> str:
    """The same batch, linked: its sample is to be looked at."""
    return linked_all(hospital, piled)


def hand_in(
    hospital: Hospital, number: str, content: bytes, name: str = "pile.pdf", who: str = "scanner"
) -> None:
    staged = intake.stage(hospital.site, BytesIO(content))
    with hospital.uow(who) as uow:
        files.take(uow, batches.find(uow, number), staged, filename=name)


def work_off(site: Site) -> None:
    while job := claim(site, "worker"):
        if not job.kind.endswith("recognise"):
            perform(site, job)


def leaves(hospital: Hospital, number: str) -> list[BatchPage]:
    with hospital.uow("scanner", readonly=True) as uow:
        found = pages.of_batch(uow, batches.find(uow, number))
        uow.session.expunge_all()
        return found


def scanned(hospital: Hospital, volumes: int = 2) -> str:
    """A batch of volumes with two pages each, scanned in one pile."""
    number = piles.prepared(hospital, (2,) * volumes)
    hand_in(hospital, number, pile_of_two(hospital, number))
    work_off(hospital.site)
    return number


def step(hospital: Hospital, who: str, number: str, name: str, **words: str) -> None:
    with hospital.uow(who) as uow:
        steps.take(uow, batches.find(uow, number), name, **words)


def confirm_all(hospital: Hospital, number: str) -> None:
    with hospital.uow("scanner") as uow:
        batch = batches.find(uow, number)
        for volume in volumes.listed(uow, batch):
            pages.confirm(uow, batch, volume=volume.id)


def looked_at(hospital: Hospital, number: str, *defects: str) -> None:
    """Somebody looks at every page of the sample, and this is wrong with each of them."""
    with hospital.uow("archivist") as uow:
        batch = batches.find(uow, number)
        for page in quality.drawn(uow, batch):
            quality.look(uow, batch, page=page.id, defects=defects)


def tick_all(hospital: Hospital, number: str) -> None:
    """Says that every defect is mended."""
    with hospital.uow("scanner") as uow:
        batch = batches.find(uow, number)
        for defect in quality.defects(uow, batch):
            quality.mend(uow, batch, defect=defect.id)


def state(hospital: Hospital, number: str) -> str:
    with hospital.uow("archivist", readonly=True) as uow:
        return batches.find(uow, number).state


def test_a_mixed_pile_goes_from_the_store_to_its_records_and_back(hospital: Hospital, two: list[int]) -> None:
    shelf = lending.shelf(hospital)
    with hospital.uow("archivist") as uow:
        holdings.move(uow, uow.holding(piles.barcode(0))[0], to=HoldingStatus.SHELVED, location=shelf)
    number = scanned(hospital)
    assert volume_at(hospital, 0) == HoldingStatus.PROCESSING
    assert [(page.aside, page.component, page.doubts) for page in leaves(hospital, number)] == [
        ("cover", None, []), (None, "RY", []), (None, "CY", []), ("cover", None, []), (None, "RY", []), (None, "RY", []),
    ]  # fmt: skip
    step(hospital, "scanner", number, "finish")
    assert state(hospital, number) == "self_check"
    with pytest.raises(Conflict, match=r"confirm|核对|确认"):
        step(hospital, "scanner", number, "link")
    confirm_all(hospital, number)
    step(hospital, "scanner", number, "link")
    work_off(hospital.site)
    assert state(hospital, number) == "sampling"
    assert linked(hospital, two[0]) == [("RY", 1), ("CY", 1)]
    assert linked(hospital, two[1]) == [("RY", 2)]
    with pytest.raises(Forbidden):
        step(hospital, "scanner", number, "accept")
    looked_at(hospital, number)
    step(hospital, "archivist", number, "accept")
    step(hospital, "archivist", number, "rebind")
    step(hospital, "archivist", number, "check_in")
    assert volume_at(hospital, 0) == HoldingStatus.SHELVED
    assert volume_at(hospital, 1) == HoldingStatus.PROCESSING, "it had no place, and lies on the table"


def volume_at(hospital: Hospital, number: int) -> str:
    with hospital.uow("archivist", readonly=True) as uow:
        return uow.holding(piles.barcode(number))[0].status


def linked(hospital: Hospital, record: int) -> list[tuple[str, int]]:
    """The components of a record, with how many pages each has."""
    with hospital.uow("archivist", readonly=True) as uow:
        node = uow.node(record)
        items = select(Node).where(Node.parent_id == node.id).order_by(Node.position)
        return [
            (item.data["component"], item.page_count)
            for item in uow.session.scalars(items, execution_options=TEST)
        ]


@once
def test_whose_cover_sheet_cannot_be_read_waits_for_a_person(hospital: Hospital, two: list[int]) -> None:
    number = piles.prepared(hospital, (1, 1))
    first, _second = piles.covers(hospital, number)
    spoilt = piles.sheet("分卷页", "JUANZONG SHEET", "30000001-1")
    hand_in(hospital, number, piles.pile([
        first, piles.sheet(piles.form(0, "入院记录")), spoilt, piles.sheet(piles.form(1, "入院记录"))
    ]))  # fmt: skip
    work_off(hospital.site)
    found = leaves(hospital, number)
    assert [page.doubts for page in found] == [[], [], ["unread"], ["loose"]]
    step(hospital, "scanner", number, "finish")
    with pytest.raises(Conflict):
        step(hospital, "scanner", number, "link")
    with hospital.uow("scanner") as uow:
        batch = batches.find(uow, number)
        second = volumes.listed(uow, batch)[1]
        pages.set_aside(uow, batch, [found[2].id], why="cover", volume=second.id)
    assert [(page.volume_id, page.doubts) for page in leaves(hospital, number)[2:]] == [
        (second.id, []),
        (second.id, []),
    ]


@once
def test_a_page_of_a_patient_outside_the_batch_stops_it(hospital: Hospital, two: list[int]) -> None:
    number = piles.prepared(hospital, (2, 1))
    first, second = piles.covers(hospital, number)
    stray = piles.sheet("检验报告单", "姓名：陌生人  病案号：99999999")
    hand_in(hospital, number, piles.pile([
        first, piles.sheet(piles.form(0, "入院记录")), stray, second, piles.sheet(piles.form(1, "入院记录"))
    ]))  # fmt: skip
    work_off(hospital.site)
    found = leaves(hospital, number)
    assert found[2].doubts == ["stranger"]
    step(hospital, "scanner", number, "finish")
    with hospital.uow("scanner") as uow, pytest.raises(Conflict):
        batch = batches.find(uow, number)
        pages.confirm(uow, batch, volume=volumes.listed(uow, batch)[0].id)
    with hospital.uow("scanner") as uow:
        pages.set_aside(uow, batches.find(uow, number), [found[2].id], why="foreign")
    confirm_all(hospital, number)
    with pytest.raises(Conflict, match="2"):
        step(hospital, "scanner", number, "link")
    with hospital.uow("scanner") as uow:
        batch = batches.find(uow, number)
        pages.explain(uow, batch, volume=volumes.listed(uow, batch)[0].id, because="多数了一页，系他人报告单")
    step(hospital, "scanner", number, "link")
    work_off(hospital.site)
    assert linked(hospital, two[0]) == [("RY", 1)]


@once
def test_pages_lie_in_their_records_as_they_were_scanned_with_their_text(
    hospital: Hospital, two: list[int], sampled: str
) -> None:
    with hospital.uow("archivist", readonly=True) as uow:
        items = uow.session.scalars(
            select(Node).where(Node.parent_id == two[0]).order_by(Node.position), execution_options=TEST
        )
        texts = [record_pages.one(uow, item, 1).text for item in items]
        assert ["主诉：停经39周" in text for text in texts] == [True, False]
        whole = uow.node(two[0])
        assert [file.pages for item in uow.session.scalars(select(Node).where(Node.parent_id == whole.id), execution_options=TEST)
                for file in intake.files(uow, item)] == [1, 1]  # fmt: skip
    pile = [page for page in leaves(hospital, sampled) if page.aside is None]
    assert all(page.page_id for page in pile), "every page that belongs somewhere is linked"
    assert len({page.page_id for page in pile}) == len(pile), "and none twice"


def accepted_so_far(hospital: Hospital) -> str:
    return linked_all(hospital, scanned(hospital))


def linked_all(hospital: Hospital, number: str) -> str:
    to_be_linked(hospital, number)
    work_off(hospital.site)
    return number


def to_be_linked(hospital: Hospital, number: str) -> str:
    step(hospital, "scanner", number, "finish")
    confirm_all(hospital, number)
    step(hospital, "scanner", number, "link")
    return number


def test_a_worker_that_leaves_ends_the_part_that_it_is_at_and_the_next_one_goes_on(
    hospital: Hospital, two: list[int]
) -> None:
    number, leaving = to_be_linked(hospital, scanned(hospital)), Event()
    leaving.set()
    linking = claimed(hospital)
    perform(hospital.site, linking, leaving)
    assert (linked(hospital, two[0]), linked(hospital, two[1])) == ([("RY", 1)], [])
    statements: list[str] = []
    event.listen(hospital.site.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    work_off(hospital.site)
    assert state(hospital, number) == "sampling"
    assert (linked(hospital, two[0]), linked(hospital, two[1])) == ([("RY", 1), ("CY", 1)], [("RY", 2)])
    assert sum("INSERT INTO page " in each for each in statements) == 2, "the pages of a part in one go"


def claimed(hospital: Hospital) -> Job:
    """The job that links, in the hands of a worker."""
    while (job := claim(hospital.site, "worker")) and job.kind != "batch.link":
        pass
    assert job is not None
    return job


@once
def test_linking_waits_for_a_file_whose_pages_are_being_made(
    site: Site, hospital: Hospital, two: list[int]
) -> None:
    number = to_be_linked(hospital, scanned(hospital))
    with hospital.uow("archivist") as uow:
        fields = {"title": "入院记录", "component": "RY"}
        part = tree.add(uow, uow.node(two[0]), kind="component", fields=fields)
        intake.upload(uow, part, intake.stage(site, BytesIO(piles.sheet("门诊病历"))), filename="先到.pdf")
    perform(site, claimed(hospital))
    assert linked(hospital, two[0]) == [("RY", 0)]
    work_off(site)
    hospital.clock.forward(minutes=1)
    work_off(site)
    assert state(hospital, number) == "sampling"
    with hospital.uow("archivist", readonly=True) as uow:
        texts = [record_pages.one(uow, uow.node(part.id), place).text for place in (1, 2)]
    assert "门诊病历" in texts[0]
    assert "主诉" in texts[1]


def test_whoever_scanned_does_not_judge_and_a_wrong_patient_fails_the_batch(
    hospital: Hospital, sampled: str
) -> None:
    looked_at(hospital, sampled, "patient")
    with pytest.raises(Conflict):
        step(hospital, "archivist", sampled, "accept")
    step(hospital, "archivist", sampled, "send_back", reason="错挂他人页面")
    with pytest.raises(Conflict):
        step(hospital, "scanner", sampled, "mended")
    mend_all(hospital, sampled)
    assert state(hospital, sampled) == "sampling"
    with hospital.uow("archivist", readonly=True) as uow:
        batch = batches.find(uow, sampled)
        assert batch.rounds == 2
        again = {page.id for page in quality.drawn(uow, batch)}
        assert {defect.page for defect in quality.defects(uow, batch)} <= again, (
            "what was sent back is looked at again"
        )


def mend_all(hospital: Hospital, number: str) -> None:
    """Says that every defect is mended, and has the batch linked and sampled again."""
    tick_all(hospital, number)
    step(hospital, "scanner", number, "mended")
    work_off(hospital.site)


@once
def test_a_page_that_was_scanned_anew_or_given_to_its_record_is_judged_as_it_is_now(
    site: Site, hospital: Hospital, two: list[int], sampled: str
) -> None:
    with hospital.uow("archivist") as uow:
        batch = batches.find(uow, sampled)
        for page in quality.drawn(uow, batch):
            quality.look(uow, batch, page=page.id, defects=["blurred"])
        spoilt = quality.drawn(uow, batch)[0]
        before = leaf_views.picture(uow, batch, spoilt.ordinal)
    place = int(spoilt.ordinal > 3)
    strange = leaves(hospital, sampled)[1 if place else 5]
    step(hospital, "archivist", sampled, "send_back", reason="模糊")
    with hospital.uow("scanner") as uow:
        home, staged = uow.node(two[place]), intake.stage(site, BytesIO(piles.sheet("清楚的一页")))
        rescans.replace(uow, home, staged, filename="重扫.pdf", page=spoilt.page_id or 0, version=0)
    with hospital.uow("archivist") as uow:
        to, home = uow.node(two[place]), uow.node(two[1 - place])
        giving_away.order(uow, home, pages=[strange.page_id or 0], to=to, version=0)
    work_off(site)
    mend_all(hospital, sampled)
    with hospital.uow("archivist", readonly=True) as uow:
        batch = batches.find(uow, sampled)
        assert spoilt.id in {page.id for page in quality.drawn(uow, batch)}
        assert leaf_views.picture(uow, batch, spoilt.ordinal) != before
        assert leaf_views.picture(uow, batch, strange.ordinal)
        given = leaves(hospital, sampled)[strange.ordinal - 1].page_id
        assert uow.session.get_one(Page, given, execution_options=TEST).node_id == two[place]


@once
def test_the_archivist_who_scanned_a_pile_may_not_look_at_its_sample(
    hospital: Hospital, two: list[int]
) -> None:
    number = piles.prepared(hospital, (1, 1))
    first, second = piles.covers(hospital, number)
    form = [piles.sheet(piles.form(n, "入院记录")) for n in range(2)]
    hand_in(hospital, number, piles.pile([first, form[0], second, form[1]]), who="archivist")
    work_off(hospital.site)
    step(hospital, "scanner", number, "finish")
    confirm_all(hospital, number)
    step(hospital, "scanner", number, "link")
    work_off(hospital.site)
    with hospital.uow("archivist") as uow, pytest.raises(Conflict):
        batch = batches.find(uow, number)
        quality.look(uow, batch, page=quality.drawn(uow, batch)[0].id)


def test_the_same_seed_draws_the_same_sample() -> None:
    ids = list(range(100, 400))
    drawn = sampling.drawn_from(ids, 10, 4711)
    assert len(drawn) == 30
    assert drawn == sampling.drawn_from(ids, 10, 4711)
    assert drawn != sampling.drawn_from(ids, 10, 4712)
    assert sampling.drawn_from([7], 1, 1) == {7}, "one at least, where there is one"


@once
def test_a_volume_is_in_one_batch_at_a_time(hospital: Hospital, two: list[int]) -> None:
    number = piles.prepared(hospital, (1, 1))
    with hospital.uow("archivist") as uow:
        other = batches.make(uow)
        with pytest.raises(Conflict, match=number):
            volumes.put_in(uow, other, barcode=piles.barcode(0))


def test_a_batch_is_hidden_from_whoever_may_not_see_all_its_records(
    hospital: Hospital, two: list[int]
) -> None:
    number = piles.prepared(hospital, (1, 1))
    with hospital.uow("senior") as uow:
        levels.change(uow, uow.node(two[1]), level=3, reason="涉密")
    for account in ("scanner", "archivist", "clinician", "auditor", "sysadmin", "stranger"):
        with hospital.uow(account, readonly=True) as uow, pytest.raises(NotFound):
            batches.find(uow, number, pages=True)
    with hospital.uow("senior", readonly=True) as uow:
        assert batches.find(uow, number, pages=True).number == number
    with hospital.uow("clerk", readonly=True) as uow:
        batch = batches.find(uow, number)
        assert [volume.node.title for volume in volumes.listed(uow, batch)] == [None, None], (
            "numbers, and no name"
        )


@once
def test_a_pile_that_cannot_be_read_holds_the_batch_up_until_it_is_set_aside(
    hospital: Hospital, piled: str
) -> None:
    hand_in(hospital, piled, b"this is no picture", "broken.pdf")
    work_off(hospital.site)
    with pytest.raises(Conflict):
        step(hospital, "scanner", piled, "finish")
    with hospital.uow("scanner") as uow:
        batch = batches.find(uow, piled)
        broken = next(file for file in files.listed(uow, batch) if file.state == "failed")
        files.withdraw(uow, batch, file=broken.id)
    step(hospital, "scanner", piled, "finish")


@once
def test_the_same_file_twice_is_told_and_adds_nothing(hospital: Hospital, two: list[int]) -> None:
    number = piles.prepared(hospital, (1, 1))
    pile = piles.sheet("入院记录")
    hand_in(hospital, number, pile)
    with pytest.raises(intake.AlreadyHere):
        hand_in(hospital, number, pile, "again.pdf")


@once
def test_a_pile_in_a_folder_named_by_its_batch_goes_there_as_by_hand(
    hospital: Hospital, two: list[int], tmp_path: Path
) -> None:
    number = piles.prepared(hospital, (2, 2))
    folder = tmp_path / f"{number} 产科"
    folder.mkdir()
    (folder / "0001.pdf").write_bytes(pile_of_two(hospital, number))
    origin = Origin(channel="cli")
    (told,) = filing.file_each(hospital.site, hospital.actor("scanner"), filing.found([folder]), origin)
    assert (told.state, told.number) == (filing.State.TAKEN, number)
    (again,) = filing.file_each(
        hospital.site, hospital.actor("scanner"), filing.found([folder]), origin, into=number
    )
    assert again.state is filing.State.HERE
    (refused,) = filing.file_each(hospital.site, hospital.actor("clinician"), filing.found([folder]), origin)
    assert refused.state is filing.State.REFUSED
    work_off(hospital.site)
    assert [(page.aside, page.component) for page in leaves(hospital, number)] == [
        ("cover", None), (None, "RY"), (None, "CY"), ("cover", None), (None, "RY"), (None, "RY"),
    ]  # fmt: skip


def pile_of_two(hospital: Hospital, number: str) -> bytes:
    first, second = piles.covers(hospital, number)
    return piles.pile([
        first, piles.sheet(piles.form(0, "入院记录", "主诉：停经39周")), piles.sheet(piles.form(0, "出院记录", "诊断：略")),
        second, piles.sheet(piles.form(1, "入院记录", "主诉：发热")), piles.sheet("续页，没有标题"),
    ])  # fmt: skip


@once
def test_a_record_is_not_archived_while_it_is_being_scanned(hospital: Hospital, two: list[int]) -> None:
    number = piles.prepared(hospital, (1, 1))
    with hospital.uow("archivist", readonly=True) as uow:
        assert number in (guards.not_being_scanned(uow, uow.node(two[0])) or "")
    with hospital.uow("archivist", readonly=True) as uow:
        assert guards.not_being_scanned(uow, hospital.category(uow, "ZY·BL")) is None
    with hospital.uow("archivist") as uow, uow.act("test.prepared", None):
        uow.node(two[0]).state = "correcting"
    with pytest.raises(Conflict, match=number), hospital.uow("archivist") as uow:
        record_steps.take(uow, uow.node(two[0]), "finish")


def checked_in(hospital: Hospital) -> str:
    number = accepted_so_far(hospital)
    looked_at(hospital, number)
    for name in ("accept", "rebind", "check_in"):
        step(hospital, "archivist", number, name)
    return number


def test_the_pile_goes_when_its_batch_has_long_been_back_and_the_records_keep_their_pages(
    site: Site, hospital: Hospital, two: list[int]
) -> None:
    number = checked_in(hospital)
    letting_go.due(site)
    with hospital.uow("archivist", readonly=True) as uow:
        assert leaf_views.picture(uow, batches.find(uow, number, pages=True), 1), (
            "kept for as long as the policy says"
        )
    hospital.clock.forward(days=31)
    letting_go.due(site)
    with hospital.uow("archivist", readonly=True) as uow, pytest.raises(NotFound):
        leaf_views.picture(uow, batches.find(uow, number, pages=True), 1)
    with hospital.uow("archivist", readonly=True) as uow:
        assert leaf_views.picture(uow, batches.find(uow, number, pages=True), 2), "it stands in its record"
    hospital.clock.forward(days=91)
    purge.order(site)
    work_off(site)
    with hospital.uow("archivist", readonly=True) as uow:
        batch = batches.find(uow, number)
        kept = select(Blob.id).where(Blob.record == str(batch.uuid))
        assert uow.session.scalars(kept, execution_options=TEST).all() == []
        assert [(file.name, file.pages) for file in files.listed(uow, batch)] == [(f"{number}-1.pdf", 6)], (
            "what was scanned is still told, and no name"
        )
        item = uow.session.scalars(
            select(Node).where(Node.parent_id == two[0]), execution_options=TEST
        ).first()
        assert item is not None
        assert record_pages.image(uow, item, 1)


@once
def test_a_picture_of_a_pile_that_was_lost_is_drawn_again(site: Site, hospital: Hospital, piled: str) -> None:
    with hospital.uow("scanner", readonly=True) as uow:
        batch = batches.find(uow, piled, pages=True)
        before = leaf_views.picture(uow, batch, 2)
        page = pages.of_batch(uow, batch)[1]
        site.store.remove_derivatives(batch.uuid, [page.image, page.thumbnail])
        assert leaf_views.picture(uow, batch, 2) == before


@once
def test_consents_are_all_looked_at_whatever_the_sample_draws(hospital: Hospital, two: list[int]) -> None:
    number = piles.prepared(hospital, (12, 1))
    first, second = piles.covers(hospital, number)
    others = [piles.sheet(piles.form(0, "病程记录", f"第{day}日病情平稳")) for day in range(11)]
    consent = piles.sheet(piles.form(0, "手术同意书"))
    hand_in(
        hospital,
        number,
        piles.pile([first, *others, consent, second, piles.sheet(piles.form(1, "入院记录"))]),
    )
    work_off(hospital.site)
    with hospital.uow("scanner") as uow:
        batch = batches.find(uow, number)
        doubtful = [page.id for page in pages.of_batch(uow, batch) if page.doubts]
        if doubtful:
            pages.keep(uow, batch, doubtful)
    step(hospital, "scanner", number, "finish")
    confirm_all(hospital, number)
    step(hospital, "scanner", number, "link")
    work_off(hospital.site)
    with hospital.uow("archivist", readonly=True) as uow:
        drawn = quality.drawn(uow, batches.find(uow, number))
        assert "SSTY" in {page.component for page in drawn}
        assert len(drawn) <= 3, "two of twelve at ten per cent, and the consent"


@once
def test_supervision_of_another_company_is_written_down_beside_the_steps(
    hospital: Hospital, two: list[int]
) -> None:
    with hospital.uow("archivist") as uow:
        batch = batches.make(uow, vendor="云川数字化公司", contract="2026-17")
        batches.remark(uow, batch, text="现场检查：保密室门禁正常")
        with pytest.raises(Invalid):
            batches.remark(uow, batch, text=" ")
    with hospital.uow("archivist", readonly=True) as uow:
        found = batches.steps(uow, batches.find(uow, batch.number))
        assert found[0].reason == "现场检查：保密室门禁正常"


def test_a_page_whose_component_is_closed_later_is_closed_in_its_batch_too(
    hospital: Hospital, two: list[int], sampled: str
) -> None:
    with hospital.uow("senior") as uow:
        item = uow.session.scalars(
            select(Node).where(Node.parent_id == two[0]).order_by(Node.position), execution_options=TEST
        ).first()
        assert item is not None
        levels.change(uow, item, level=3, reason="涉及隐私")
    for account, seen in (("scanner", [1, 3, 4, 5, 6]), ("senior", [1, 2, 3, 4, 5, 6])):
        with hospital.uow(account, readonly=True) as uow:
            batch = batches.find(uow, sampled, pages=True)
            assert [leaf.ordinal for leaf in leaf_views.listed(uow, batch, show="all").leaves] == seen
    with hospital.uow("scanner", readonly=True) as uow, pytest.raises(NotFound):
        leaf_views.picture(uow, batches.find(uow, sampled, pages=True), 2)


@once
def test_each_picture_is_told_unless_a_listing_told_of_this_very_page(
    hospital: Hospital, two: list[int], piled: str
) -> None:
    with hospital.uow("scanner", readonly=True) as uow:
        batch = batches.find(uow, piled, pages=True)
        ticket = leaf_views.ticket(uow, batch, 2)
        leaf_views.picture(uow, batch, 2, ticket=ticket)
        assert uow.readings == []
        leaf_views.picture(uow, batch, 3, ticket=ticket)
        leaf_views.one(uow, batch, 4)
        leaf_views.listed(uow, batch, show="all")
        assert [(event.action, event.object_ref, event.words) for event in uow.readings] == [
            ("batch.picture_viewed", piled, {"page": 3}),
            ("batch.page_viewed", piled, {"page": 4}),
            ("batch.pages_viewed", piled, {"pages": [1, 2, 3, 4, 5, 6]}),
        ]
        assert two[0] in uow.seen


@once
def test_whoever_reads_a_record_by_a_loan_sees_their_name_on_its_pages_in_a_batch_too(
    hospital: Hospital, two: list[int], piled: str
) -> None:
    number, site = piled, hospital.site
    reader, until = hospital.people["clinician"], site.clock() + timedelta(days=3)
    with site.session() as session:
        session.add_all(
            AccessGrant(principal_id=reader, node_id=record, permission=permission, cause="eread",
                        valid_from=site.clock(), valid_until=until, max_level=3)
            for record in two for permission in (P.DISCOVER, P.READ, P.SCAN_QC)
        )  # fmt: skip
    ink = {}
    for account in ("scanner", "clinician"):
        with hospital.uow(account, readonly=True) as uow:
            picture = leaf_views.picture(uow, batches.find(uow, number, pages=True), 2, width=800)
        ink[account] = sum(Image.open(BytesIO(picture)).convert("L").histogram()[:250])
    assert ink["clinician"] > 3 * ink["scanner"]


@once
def test_whoever_looks_at_a_page_of_which_nobody_knows_whose_it_is_was_shown_all_of_the_batch(
    hospital: Hospital, two: list[int]
) -> None:
    number = piles.prepared(hospital, (1, 1))
    hand_in(hospital, number, piles.sheet("没有封面的一页"))
    work_off(hospital.site)
    with hospital.uow("scanner", readonly=True) as uow:
        leaf_views.listed(uow, batches.find(uow, number, pages=True), show="doubts")
        assert set(two) <= uow.seen


@once
def test_an_empty_batch_is_its_makers_alone(hospital: Hospital, two: list[int]) -> None:
    with hospital.uow("archivist") as uow:
        number = batches.make(uow, note="外三科").number
    for account in ("scanner", "desk", "clerk", "senior"):
        with hospital.uow(account, readonly=True) as uow, pytest.raises(NotFound):
            batches.find(uow, number)
    with hospital.uow("archivist", readonly=True) as uow:
        assert [card.number for card in batches.board(uow)] == [number]


@once
def test_what_a_pile_was_called_is_told_in_no_record(hospital: Hospital, two: list[int]) -> None:
    number = piles.prepared(hospital, (2, 2))
    hand_in(hospital, number, pile_of_two(hospital, number), "王一一 李二二.pdf")
    work_off(hospital.site)
    step(hospital, "scanner", number, "finish")
    confirm_all(hospital, number)
    step(hospital, "scanner", number, "link")
    work_off(hospital.site)
    with hospital.uow("archivist", readonly=True) as uow:
        items = select(Node).where(Node.parent_id.in_(two))
        names = [
            file.name
            for item in uow.session.scalars(items, execution_options=TEST)
            for file in intake.files(uow, item)
        ]
        assert len(names) == 3
        assert all(name.startswith(number) and name.endswith(".pdf") for name in names)


@once
def test_a_pile_that_was_stopped_is_not_gone_on_with_behind_a_later_one(
    hospital: Hospital, two: list[int]
) -> None:
    number = piles.prepared(hospital, (2, 2))
    hand_in(hospital, number, piles.sheet("第一摞"), "first.pdf")
    first = claim(hospital.site, "worker")
    assert first is not None
    with hospital.uow("scanner") as uow:
        jobs.cancel(uow, uow.session.get_one(Job, first.id))
    perform(hospital.site, first)
    hand_in(hospital, number, pile_of_two(hospital, number), "second.pdf")
    work_off(hospital.site)
    with hospital.uow("scanner") as uow:
        jobs.retry(uow, uow.session.get_one(Job, first.id))
    work_off(hospital.site)
    with hospital.uow("scanner") as uow:
        batch = batches.find(uow, number)
        assert [(file.state, file.pages) for file in files.listed(uow, batch)] == [
            ("failed", 0),
            ("ready", 6),
        ]
        files.withdraw(uow, batch, file=files.listed(uow, batch)[0].id)


def test_a_record_in_a_batch_is_not_trashed_and_a_linked_component_can_be_afterwards(
    site: Site, hospital: Hospital, two: list[int], sampled: str
) -> None:
    with hospital.uow("archivist") as uow, pytest.raises(Conflict):
        trash.trash(uow, uow.node(two[0]))
    with hospital.uow("archivist") as uow:
        item = uow.session.scalars(
            select(Node).where(Node.parent_id == two[0]).order_by(Node.position), execution_options=TEST
        ).first()
        assert item is not None
        trash.trash(uow, item)
    hospital.clock.forward(days=31)
    purge.order(site)
    work_off(site)
    page = leaves(hospital, sampled)[1]
    assert (page.page_id, page.linked_at is not None) == (None, True), (
        "it was linked, and is never linked again"
    )


@once
def test_a_batch_that_is_given_up_lets_its_volumes_go(hospital: Hospital, two: list[int]) -> None:
    with hospital.uow("archivist") as uow:
        batch = batches.make(uow)
        volumes.put_in(uow, batch, barcode=piles.barcode(0))
        steps.take(uow, batch, "check_out")
    with pytest.raises(Forbidden):
        step(hospital, "scanner", batch.number, "cancel", reason="错建")
    step(hospital, "archivist", batch.number, "cancel", reason="错建")
    with hospital.uow("archivist") as uow:
        other = batches.make(uow)
        assert volumes.put_in(uow, other, barcode=piles.barcode(0)).open


@once
def test_linking_that_failed_takes_the_batch_back_to_the_self_check_with_the_reason(
    site: Site, hospital: Hospital, two: list[int]
) -> None:
    number = to_be_linked(hospital, scanned(hospital))
    with hospital.uow("senior") as uow:
        levels.change(uow, uow.node(two[1]), level=3, reason="涉及隐私")
    work_off(site)
    assert interrupted(hospital, number)
    with hospital.uow("senior") as uow:
        levels.change(uow, uow.node(two[1]), level=1, reason="不涉及")
        failed = uow.session.scalars(select(Job).where(Job.kind == "batch.link")).one()
    with hospital.uow("scanner") as uow:
        jobs.retry(uow, uow.session.get_one(Job, failed.id))
    work_off(site)
    assert linked(hospital, two[1]) == [], "nothing is made for pages that are not linked"
    assert state(hospital, number) == "self_check"
    with site.session(readonly=True) as session:
        pile = session.scalars(
            select(Blob).join(BatchFile, BatchFile.blob_id == Blob.id), execution_options=TEST
        ).one()
    site.store.remove(pile.record, pile.sha256)
    step(hospital, "scanner", number, "link")
    work_off(site)
    assert interrupted(hospital, number) == masters.GONE.message


def interrupted(hospital: Hospital, number: str) -> str | None:
    """Why linking was stopped."""
    with hospital.uow("senior", readonly=True) as uow:
        batch = batches.find(uow, number)
        assert batch.state == "self_check"
        return batches.steps(uow, batch)[0].reason
