"""What the tests of searching share: records with pages, archived at once, and an index that knows them."""

from collections.abc import Iterator, Sequence
from uuid import uuid4

from sqlalchemy import select

from archive import classes
from archive.actor import Actor
from archive.models import Blob, Node, Page, PageText, Representation, base32
from archive.policy.types import TYPES
from archive.services import catalogue, hints, lacking, mismatches, search, steps, tree
from archive.services.records import reach
from archive.uow import UnitOfWork
from tests.conftest import RECORD, Hospital

TEST = {"scope": "test"}
GATES = (("paper", "collected"), ("paper", "arranged"), ("scan", "linked"))


def patient(hospital: Hospital, mrn: str, name: str, *, ward: str = "CK", **more: str) -> int:
    """A draft record of a patient."""
    fields = (
        RECORD | {"mrn": mrn, "patient_name": name, "times": "1", "dept": str(hospital.wards[ward])} | more
    )
    with hospital.uow("archivist") as uow:
        return tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record", fields=fields).id


def component(hospital: Hospital, record: int, title: str, kind: str = "SSJL") -> int:
    with hospital.uow("archivist") as uow:
        return tree.add(
            uow, uow.node(record), kind="component", fields={"title": title, "component": kind}
        ).id


def papers(hospital: Hospital, *titles: str, day: str = "2026-11-01") -> list[int]:
    """Draft documents with these titles, many at once: the archivists see them, and no clinician does."""
    kind = TYPES["document"]
    with hospital.site.uow(Actor.system("test")) as uow:
        category = uow.session.get_one(Node, hospital.categories["WS"], execution_options=TEST)
        said = {"title": titles[0], "date_from": day, "responsible": "院办公室", "open_status": "open"}
        row = tree.checked(uow, kind, tree.said_of(kind, said, kind.retention))
        first = tree.plant(uow, tree.series_for(uow, category, kind, row), kind, row)
        made = [first.id, *_copies(uow, first, titles[1:])]
        uow.enqueue_ids("index", made)
        return made


def _copies(uow: UnitOfWork, node: Node, titles: Sequence[str]) -> Iterator[int]:
    """Rows like that one beside it, which differ in their titles alone."""
    above = uow.session.get_one(Node, node.parent_id, execution_options=TEST)
    shared = {column.name: getattr(node, column.name) for column in Node.__table__.columns}
    for number, title in zip(classes.reserve_node_ids(uow.session, len(titles)), titles, strict=True):
        code = base32(number)
        own = {"id": number, "uuid": uuid4(), "slug": code, "path": f"{above.path}{code}/", "title": title}
        uow.session.add(Node(**shared | own))
        yield number
    uow.session.flush()


def written(hospital: Hospital, number: int, *texts: str) -> None:
    """Gives a node pages on which these texts stand."""
    with hospital.site.uow(Actor.system("test")) as uow:
        write_on(uow, uow.session.get_one(Node, number, execution_options=TEST), *texts)


def write_on(uow: UnitOfWork, node: Node, *texts: str) -> None:
    """The same, for whoever has the node in hand."""
    master = _scan(uow, node)
    known = node.page_count
    for ordinal, text in enumerate(texts, start=known + 1):
        page = Page(node_id=node.id, ordinal=ordinal, representation_id=master.id, source_page=ordinal, width=1200,
                    height=1700, image="p.jpg", thumbnail="t.jpg")  # fmt: skip
        uow.session.add(page)
        uow.session.flush()
        uow.session.add(PageText(page_id=page.id, kind="machine", text=text, at=uow.now))
    node.page_count = known + len(texts)
    uow.enqueue("index", node)


def _scan(uow: UnitOfWork, node: Node) -> Representation:
    known = uow.session.scalar(
        select(Representation).where(Representation.node_id == node.id), execution_options=TEST
    )
    if known is not None:
        return known
    blob = Blob(
        record=str(node.uuid), sha256=f"{node.id:064x}", size=1, mime="image/png", filename="scan.png"
    )
    uow.session.add(blob)
    uow.session.flush()
    made = Representation(
        node_id=node.id, role="master", seq=1, blob_id=blob.id, state="ready", created_at=uow.now
    )
    uow.session.add(made)
    uow.session.flush()
    return made


def archived(hospital: Hospital, number: int) -> None:
    """Takes a draft with pages through its workflow; what it lacks is accounted for."""
    with hospital.site.uow(Actor.system("test")) as uow:
        node = uow.session.get_one(Node, number, execution_options=TEST)
        if node.type == "medical_record":
            for track, step in GATES:
                reach(uow, node, track, step)
    with hospital.uow("senior") as uow:
        for step in ("catalogue", "submit"):
            steps.take(uow, uow.node(number), step)
        for component in lacking.blocking(uow, uow.node(number)):
            mismatches.explain(uow, uow.node(number), component=component, reason="检索的故事里只有几页")
        steps.take(uow, uow.node(number), "archive")


def indexed(hospital: Hospital) -> None:
    """Brings the index up to date, as the worker does all the time."""
    site = hospital.site
    if not (site.settings.var / "index" / "index.json").exists():
        catalogue.rebuild(site)
    while catalogue.drain(site):
        pass


def found(hospital: Hospital, ward: dict[str, int], text: str, account: str = "archivist") -> set[str]:
    """The names of the records of a ward that somebody finds, first page."""
    with hospital.uow(account, readonly=True) as uow:
        groups = search.find(uow, text).groups
    names = {number: name for name, number in ward.items()}
    return {names[group.view.id] for group in groups}


def told(hospital: Hospital, text: str, account: str = "archivist") -> hints.Hints:
    """What is offered beside the hits."""
    with hospital.uow(account, readonly=True) as uow:
        return hints.of(uow, text)
