"""Items and their scanned pages below the records of a planted archive, with the text that was read on them."""

from collections.abc import Callable, Sequence
from itertools import chain
from random import Random
from typing import Any

from sqlalchemy import bindparam, select, update

from archive import classes
from archive.actor import Actor
from archive.models import Blob, Node, Page, PageText, Representation, base32
from archive.names import sort_key
from archive.policy.types import TYPES
from archive.services.imports import bulk
from archive.site import Site
from archive.uow import UnitOfWork
from bench import corpus

ITEMS, PAGES, LETTERS = 20, 3, 600
"""Of a record, of an item, and of a page."""
RECORDS_AT_ONCE = 100
TRUSTED: Any = {"scope": "bench"}
COMPONENT = TYPES["component"]
Boxes = list[list[float | str]]
TITLES = ("入院记录", "首次病程记录", "手术记录", "出院记录", "护理记录", "检验报告")


def fill(site: Site) -> int:
    """Puts ITEMS items of PAGES pages into every record; gives how many documents the index will have."""
    pool, random = corpus.pool(), Random(11)
    with site.session(readonly=True) as session:
        records = select(Node.id).where(Node.type == "medical_record").order_by(Node.id)
        numbers = session.scalars(records, execution_options=TRUSTED).all()
    for start in range(0, len(numbers), RECORDS_AT_ONCE):
        with site.uow(Actor.system("bench")) as uow:
            _write(uow, numbers[start : start + RECORDS_AT_ONCE], pool, random)
    return len(numbers) * (ITEMS + 1)


def _write(uow: UnitOfWork, numbers: Sequence[int], pool: str, random: Random) -> None:
    wanted = select(Node).where(Node.id.in_(numbers)).order_by(Node.id)
    files = uow.session.scalars(wanted, execution_options=TRUSTED).all()
    ids = classes.reserve_node_ids(uow.session, len(files) * ITEMS)
    alike: dict[int, Node] = {}
    rows = [
        _item(uow, file, ids[at * ITEMS + place], place, alike)
        for at, file in enumerate(files)
        for place in range(ITEMS)
    ]
    bulk.write(uow, Node, rows)
    write(
        uow,
        [row["id"] for row in rows],
        [[_passages(pool, random) for _page in range(PAGES)] for _row in rows],
    )


def write(
    uow: UnitOfWork,
    nodes: Sequence[int],
    texts: Sequence[Sequence[str]],
    boxes: Callable[[str], Boxes] = lambda _text: [],
) -> None:
    """Gives each of these nodes a scan with a page for each of its texts; `boxes`: where the lines of a text stand."""
    blobs = bulk.write_numbered(uow, Blob, [
        {"record": str(node), "sha256": f"{node:064x}", "size": 1, "mime": "application/pdf", "filename": "a.pdf"}
        for node in nodes
    ])  # fmt: skip
    scans = bulk.write_numbered(uow, Representation, [
        {"node_id": node, "role": "master", "seq": 1, "blob_id": blob, "state": "ready", "created_at": uow.now}
        for node, blob in zip(nodes, blobs, strict=True)
    ])  # fmt: skip
    pages = bulk.write_numbered(uow, Page, [
        {"node_id": node, "ordinal": ordinal, "representation_id": scan, "source_page": ordinal, "width": 1654,
         "height": 2339, "dpi": 200, "image": "none", "thumbnail": "none"}
        for node, scan, said in zip(nodes, scans, texts, strict=True)
        for ordinal in range(1, len(said) + 1)
    ])  # fmt: skip
    bulk.write(uow, PageText, [
        {"page_id": page, "kind": "machine", "text": text, "boxes": boxes(text), "at": uow.now}
        for page, text in zip(pages, chain.from_iterable(texts), strict=True)
    ])  # fmt: skip
    counts = [{"node": node, "pages": len(said)} for node, said in zip(nodes, texts, strict=True)]
    counted = update(Node).where(Node.id == bindparam("node")).values(page_count=bindparam("pages"))
    uow.session.connection().execute(counted, counts)


def _item(uow: UnitOfWork, file: Node, number: int, place: int, alike: dict[int, Node]) -> dict[str, Any]:
    if file.access_class not in alike:
        alike[file.access_class] = _like(uow, file)
    like = alike[file.access_class]
    title = TITLES[place % len(TITLES)]
    return {
        "id": number, "parent_id": file.id, "slug": f"{place:03d}", "path": f"{file.path}{base32(number)}/",
        "depth": file.depth + 1, "type": COMPONENT.name, "workflow": COMPONENT.workflow, "state": file.state,
        "position": place, "title": title, "title_key": sort_key(title), "year": file.year, "dept_id": file.dept_id,
        "data": {}, "inherits": True, "shared": False, "level_own": COMPONENT.level, "level": like.level, "overlay_own": 0,
        "overlay": 0, "policy_id": like.policy_id, "scope_id": like.scope_id, "access_class": like.access_class,
        "hold_count": 0, "page_count": 0, "version": 1, "revision": 1, "created_at": uow.now, "updated_at": uow.now,
    }  # fmt: skip


def _like(uow: UnitOfWork, file: Node) -> Node:
    """An item that is never written, with the class that every item of such a record has."""
    like = Node(
        id=file.id, path=file.path, type=COMPONENT.name, workflow=COMPONENT.workflow, state=file.state,
        level_own=COMPONENT.level, overlay_own=0, shared=False, inherits=True, dept_id=file.dept_id,
    )  # fmt: skip
    classes.classify(uow.session, like, file)
    return like


def _passages(pool: str, random: Random) -> str:
    parts: list[str] = []
    while sum(map(len, parts)) < LETTERS:
        start = random.randrange(len(pool) - 120)
        parts.append(pool[start : start + random.randrange(20, 120)])
    return "\n".join(parts)[:LETTERS]
