"""Items and their scanned pages below the records of a planted archive, with the text that was read on them."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from sqlalchemy import select

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
    blob = {
        "record": str(numbers[0]),
        "sha256": f"{numbers[0]:064d}",
        "size": 1,
        "mime": "application/pdf",
        "filename": "a.pdf",
    }
    (number,) = bulk.write_numbered(uow, Blob, [blob])
    scans = [
        {
            "node_id": row["id"],
            "role": "scan",
            "seq": 1,
            "blob_id": number,
            "state": "ready",
            "created_at": uow.now,
        }
        for row in rows
    ]
    pages = list(_pages(rows, bulk.write_numbered(uow, Representation, scans)))
    texts = [
        {"page_id": page, "kind": "machine", "text": _passages(pool, random), "boxes": [], "at": uow.now}
        for page in bulk.write_numbered(uow, Page, pages)
    ]
    bulk.write(uow, PageText, texts)


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
        "hold_count": 0, "page_count": PAGES, "version": 1, "revision": 1, "created_at": uow.now, "updated_at": uow.now,
    }  # fmt: skip


def _like(uow: UnitOfWork, file: Node) -> Node:
    """An item that is never written, with the class that every item of such a record has."""
    like = Node(
        id=file.id, path=file.path, type=COMPONENT.name, workflow=COMPONENT.workflow, state=file.state,
        level_own=COMPONENT.level, overlay_own=0, shared=False, inherits=True, dept_id=file.dept_id,
    )  # fmt: skip
    classes.classify(uow.session, like, file)
    return like


def _pages(items: Sequence[dict[str, Any]], scans: Sequence[int]) -> Iterator[dict[str, Any]]:
    for item, scan in zip(items, scans, strict=True):
        for ordinal in range(1, PAGES + 1):
            yield {
                "node_id": item["id"], "ordinal": ordinal, "representation_id": scan, "source_page": ordinal,
                "width": 1654, "height": 2339, "dpi": 200, "image": "none", "thumbnail": "none",
            }  # fmt: skip


def _passages(pool: str, random: Random) -> str:
    parts: list[str] = []
    while sum(map(len, parts)) < LETTERS:
        start = random.randrange(len(pool) - 120)
        parts.append(pool[start : start + random.randrange(20, 120)])
    return "\n".join(parts)[:LETTERS]
