"""A page in full detail: drawn once, by office of every page, for a loan of a large one, and gone with its picture."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import func, select, update

from archive import worker
from archive.errors import Conflict, Forbidden, NotFound
from archive.models import AccessGrant, Job, Node, Page
from archive.policy.permissions import P
from archive.services import detail, page_desk, page_map, pages, sharing, viewer
from archive.site import Site
from archive.uow import UnitOfWork
from tests import papers
from tests.archives import begins, once
from tests.conftest import CAST, Clock, Hospital
from tests.services.test_intake import upload
from tests.services.test_page_desk import ids, rescan
from tests.services.test_sharing import shares_of
from tests.services.test_trash import empty, is_there, throw
from tests.storage.test_detail import fine
from tests.storage.test_quality import page as printed

TEST = {"scope": "test"}
READERS = {"archivist", "senior", "scanner"}
"""Of a draft."""


@begins
def strip(hospital: Hospital, record: int) -> int:
    """A record with a strip of half a metre, and a page that has no more than its picture."""
    out = BytesIO()
    fine(6000, 300).save(out, "PNG", dpi=(300, 300))
    upload(hospital, "archivist", record, out.getvalue(), "胎监.png")
    upload(hospital, "archivist", record, papers.pdf("一"), "一.pdf")
    for _file in range(2):
        assert worker.take_one(hospital.site, "test")
    return record


def kept(site: Site) -> list[str]:
    return sorted(file.name for file in (site.settings.var / "derived").rglob("*.detail"))


def drawings(site: Site, state: str) -> int:
    with site.session(readonly=True) as session:
        mine = select(func.count(Job.id)).where(Job.kind == detail.KIND, Job.state == state)
        return session.scalar(mine) or 0


def drawn(hospital: Hospital, node: int, account: str = "archivist", page: int = 1) -> detail.Detail:
    """Looks closer at a page, as the viewer does, until it is drawn."""
    with hospital.uow(account) as uow:
        detail.ask(uow, uow.node(node), page)
    while drawings(hospital.site, "waiting"):
        assert worker.take_one(hospital.site, "test")
    with hospital.uow(account, readonly=True) as uow:
        found = detail.of(uow, uow.node(node), page, rotation=0)
    assert found
    return found


def looked(uow: UnitOfWork, node: int, ticket: str | None = None) -> bytes:
    found = uow.session.get_one(Node, node, execution_options=TEST)
    return detail.square(uow, found, 1, rotation=0, column=1, row=0, ticket=ticket)


LOOKS: list[Callable[[UnitOfWork, Node], object]] = [
    lambda uow, _node: looked(uow, _node.id),
    lambda uow, node: detail.of(uow, node, 1, rotation=0),
    lambda uow, node: detail.ask(uow, node, 1),
]


def test_it_is_drawn_once_however_many_look_and_is_one_line_of_the_journal_for_each(
    site: Site, hospital: Hospital, strip: int
) -> None:
    with hospital.uow("archivist", readonly=True) as uow:
        assert detail.of(uow, uow.node(strip), 1, rotation=0) is None
        assert uow.readings == []
    for account in ("archivist", "senior", "archivist"):
        with hospital.uow(account) as uow:
            detail.ask(uow, uow.node(strip), 1)
    assert drawings(site, "waiting") == 1
    found = drawn(hospital, strip)
    assert (found.width, found.height, found.limited) == (6000, 300, False)
    with hospital.uow("senior") as uow:
        detail.ask(uow, uow.node(strip), 1)
    assert (drawings(site, "waiting"), len(kept(site))) == (0, 1)
    with hospital.uow("archivist", readonly=True) as uow:
        opened = detail.of(uow, uow.node(strip), 1, rotation=0)
        assert opened
        for _square in range(3):
            assert Image.open(BytesIO(looked(uow, strip, opened.ticket))).size == (512, 300)
        assert [(event.action, event.object_id, event.words) for event in uow.readings] == [
            ("page.detail_viewed", strip, {"page": 1})
        ]  # fmt: skip
        looked(uow, strip, pages.ticket(uow, uow.node(strip), 1))
        assert len(uow.readings) == 2, "the ticket of the picture is none of its detail"
        with pytest.raises(NotFound):
            detail.square(uow, uow.node(strip), 1, rotation=0, column=99, row=0)


@once
def test_only_a_page_whose_master_may_hold_more_is_offered_in_detail(hospital: Hospital, strip: int) -> None:
    with hospital.uow("archivist", readonly=True) as uow:
        assert [viewer.open_page(uow, uow.node(strip), number).page.finer for number in (1, 2)] == [
            True,
            False,
        ]


@once
def test_whoever_may_not_read_gets_nothing_and_whoever_reads_by_a_grant_their_name_in_what_is_large(
    site: Site, hospital: Hospital, strip: int
) -> None:
    drawn(hospital, strip)
    with hospital.uow("archivist", readonly=True) as uow:
        bare = looked(uow, strip)
    with site.session() as session:
        session.add(
            AccessGrant(principal_id=hospital.people["clinician"], node_id=strip, permission=P.READ, cause="eread",
                        valid_from=site.clock(), valid_until=site.clock().replace(year=2027), max_level=3)
        )  # fmt: skip
    with hospital.uow("clinician", readonly=True) as uow:
        told = detail.of(uow, uow.session.get_one(Node, strip, execution_options=TEST), 1, rotation=0)
        assert told is not None
        assert Image.open(BytesIO(mine := looked(uow, strip, told.ticket))).size == (512, 300)
        assert mine != bare
        assert [event.action for event in uow.readings] == ["page.detail_viewed"]
    with site.session() as session:  # as if it were an ordinary sheet of 600 dpi
        session.execute(
            update(Page).where(Page.node_id == strip, Page.ordinal == 1).values(width=4900, dpi=300),
            execution_options=TEST,
        )
    for account in sorted(set(CAST) - READERS):
        refused = Forbidden if account == "clinician" else NotFound
        for look in LOOKS:
            with pytest.raises(refused), hospital.uow(account) as uow:
                look(uow, uow.session.get_one(Node, strip, execution_options=TEST))


@once
def test_when_the_right_ends_the_next_square_is_refused(hospital: Hospital, strip: int) -> None:
    with hospital.uow("senior") as uow:
        sharing.share(uow, uow.node(strip), principal_id=hospital.people["clinician2"], role="contributor")
    ticket = drawn(hospital, strip, "clinician2").ticket
    with hospital.uow("clinician2", readonly=True) as uow:
        assert looked(uow, strip, ticket)
    with hospital.uow("senior") as uow:
        sharing.unshare(uow, uow.node(strip), share_id=shares_of(hospital, strip)[0].share_id or 0)
    with hospital.uow("clinician2", readonly=True) as uow, pytest.raises(NotFound):
        looked(uow, strip, ticket)


@once
def test_a_page_that_is_turned_is_drawn_as_it_is_turned(site: Site, hospital: Hospital, strip: int) -> None:
    drawn(hospital, strip)
    with hospital.uow("archivist") as uow:
        node = uow.node(strip)
        page = ids(hospital, strip)[0]
        page_desk.rotate(uow, node, pages=[page], degrees=90, version=page_map.version(uow, node))
    with hospital.uow("archivist", readonly=True) as uow, pytest.raises(Conflict):
        looked(uow, strip)
    with hospital.uow("archivist") as uow:
        detail.ask(uow, uow.node(strip), 1)
    assert worker.take_one(site, "test")
    with hospital.uow("archivist", readonly=True) as uow:
        found = detail.of(uow, uow.node(strip), 1, rotation=90)
    assert found
    assert (found.width, found.height, len(kept(site))) == (300, 6000, 2)
    rescan(hospital, strip, page, papers.pdf("重扫"))
    while worker.take_one(site, "test"):
        pass
    assert kept(site) == [], "nobody is shown the old page any more"


@once
def test_it_goes_with_the_page_and_never_comes_after_it(
    site: Site, hospital: Hospital, strip: int, clock: Clock
) -> None:
    drawn(hospital, strip)
    assert len(kept(site)) == 1
    with site.session(readonly=True) as session:
        late = dict(session.scalars(select(Job.args).where(Job.kind == detail.KIND)).one())
    throw(hospital, strip)
    clock.forward(days=31)
    empty(site)
    assert (is_there(site, strip), kept(site)) == (False, [])
    with site.session() as session:  # as if it had waited behind the purge
        job = session.scalars(select(Job).where(Job.kind == detail.KIND)).one()
        job.state, job.done_at = "waiting", None
        assert job.args == late
    assert worker.take_one(site, "test")
    assert (drawings(site, "done"), kept(site)) == (1, [])


@once
def test_what_was_drawn_long_ago_goes_by_itself_and_comes_again(
    site: Site, hospital: Hospital, strip: int, clock: Clock
) -> None:
    drawn(hospital, strip)
    clock.forward(days=13)
    worker.clean(site, "test")
    assert len(kept(site)) == 1
    clock.forward(days=2)
    worker.clean(site, "test")
    assert (kept(site), drawings(site, "done")) == ([], 0)
    assert drawn(hospital, strip).width == 6000


@once
def test_a_picture_that_was_lost_or_cut_off_is_drawn_again(
    site: Site, hospital: Hospital, strip: int
) -> None:
    drawn(hospital, strip)
    with site.session(readonly=True) as session:
        page = session.scalars(select(Page).order_by(Page.id), execution_options=TEST).first()
        assert page
    file: Path = next((site.settings.var / "derived").rglob("*.detail"))
    file.write_bytes(b"")
    with hospital.uow("archivist", readonly=True) as uow:
        assert detail.of(uow, uow.node(strip), 1, rotation=0) is None
    assert drawn(hospital, strip).width == 6000


@once
def test_of_a_damaged_file_it_is_drawn_from_the_copy_and_of_a_plain_scan_not_at_all(
    site: Site, hospital: Hospital, record: int
) -> None:
    scan, plain = BytesIO(), BytesIO()
    printed(450).crop((0, 0, 1800, 1800)).save(scan, "PDF", resolution=450)
    printed(300).crop((0, 0, 600, 600)).save(plain, "PNG", dpi=(300, 300))
    cut = scan.getvalue()[: scan.getvalue().rindex(b"xref\n0")]
    upload(hospital, "archivist", record, cut, "损坏.pdf")
    upload(hospital, "archivist", record, plain.getvalue(), "平常.png")
    for _file in range(2):
        assert worker.take_one(site, "test")
    assert drawn(hospital, record).width == pytest.approx(1800, abs=2)
    nothing = drawn(hospital, record, page=2)
    assert (nothing.width, nothing.limited, nothing.ticket) == (0, False, "")
