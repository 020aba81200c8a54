"""`make bench-find`: words in one record of 500 pages of 1,500 characters, as the service and as the browser ask for it."""

import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from sqlalchemy import insert, select

from archive import create_app
from archive.actor import Actor
from archive.models import Blob, Node, Page, PageText, Representation
from archive.policy.types import TYPES
from archive.server import settle
from archive.services import setup, tree, viewer
from archive.settings import Settings
from archive.sight import href
from archive.site import Site
from archive.start import prepare
from archive.uow import UnitOfWork
from bench import corpus
from bench.forest import PASSWORD, TRUSTED
from bench.gauge import Gauge
from bench.pages import TOKEN, sign_in

PAGES, ITEMS = 500, 20
QUERIES = 60
COMMON = ("患者", "治疗", "检查", "的", "CT", "血压", "医院", "可以", "3", "高血压 治疗 检查")
FIELDS = {"mrn": "70000001", "patient_name": "模型", "times": 1, "sex": "2", "admitted_on": "2020-01-01",
          "discharged_on": "2020-01-05"}  # fmt: skip


def main() -> int:
    if not corpus.is_here():
        print(
            f"NOT RUN: the texts are not at {corpus.DATA.name}/qa and {corpus.DATA.name}/laws beside the project."
        )
        return 1
    with tempfile.TemporaryDirectory(prefix="juanzong-bench-") as name:
        site = Site(Settings(var=Path(name)))
        texts = [one.text for one in islice(corpus.documents(PAGES), PAGES)]
        _measure(site, write(site, texts), _words(texts))
        site.close()
    return 0


def write(site: Site, texts: list[str]) -> int:
    """A record of ITEMS items with these pages; gives the id of its first item."""
    prepare(site)
    with site.uow(Actor.system("bench")) as uow:
        setup.enlist(
            uow,
            account="senior",
            name="senior",
            staff_no="1",
            password=PASSWORD,
            roles=("senior",),
            clearance=3,
        )
        ward = setup.department(uow, code="CK", name="产科")
        setup.found(uow, code="H001", name="测量医院")
        category = uow.session.scalars(
            select(Node).where(Node.slug == "zy-bl"), execution_options=TRUSTED
        ).one()
        record = tree.plant(uow, category, TYPES["medical_record"], FIELDS | {"dept": str(ward)})
        size = len(texts) // ITEMS
        items = [_item(uow, record, nth, texts[nth * size : (nth + 1) * size]) for nth in range(ITEMS)]
        return items[0]


def _item(uow: UnitOfWork, record: Node, nth: int, texts: list[str]) -> int:
    item = tree.plant(uow, record, TYPES["component"], {"title": f"病程记录 {nth + 1}", "component": "SSJL"})
    blob = Blob(
        record=str(record.uuid), sha256=f"{item.id:064x}", size=1, mime="image/png", filename="scan.png"
    )
    uow.session.add(blob)
    uow.session.flush()
    scan = Representation(
        node_id=item.id, role="master", seq=1, blob_id=blob.id, state="ready", created_at=uow.now
    )
    uow.session.add(scan)
    uow.session.flush()
    for ordinal, text in enumerate(texts, start=1):
        page = Page(node_id=item.id, ordinal=ordinal, representation_id=scan.id, source_page=ordinal, width=1654,
                    height=2339, image="p.jpg", thumbnail="t.jpg")  # fmt: skip
        uow.session.add(page)
        uow.session.flush()
        lines = [text[at : at + 40] for at in range(0, len(text), 40)]
        boxes = [[150, 100 + 50 * line, 1500, 140 + 50 * line, said] for line, said in enumerate(lines)]
        row = {"page_id": page.id, "kind": "machine", "text": "\n".join(lines), "boxes": boxes, "at": uow.now}
        uow.session.execute(insert(PageText).values(row), execution_options=TRUSTED)
    item.page_count = len(texts)
    return item.id


def _words(texts: list[str]) -> list[str]:
    """What stands everywhere, and what stands once."""
    rare = corpus.phrases(texts, 4, QUERIES - len(COMMON))
    return [*COMMON, *rare]


def _measure(site: Site, item: int, words: list[str]) -> None:
    gauge = Gauge(site)

    def ask(word: str) -> Callable[[], object]:
        def once() -> object:
            with site.uow(gauge.actor("senior"), readonly=True) as uow:
                return viewer.find(uow, uow.node(item), 1, word)

        return once

    with site.uow(gauge.actor("senior"), readonly=True) as uow:
        target = href(uow, uow.node(item))
    client = sign_in(create_app(site).test_client(), "senior")
    settle()  # as it is served
    found = TOKEN.search(client.get("/sessions").text)
    assert found is not None
    token = found[1]

    def post(word: str) -> Callable[[], object]:
        return lambda: client.post(f"{target}/@@find", data={"csrf_token": token, "from": "1", "q": word})

    def page(word: str) -> Callable[[], object]:
        address = client.post(f"{target}/@@find", data={"csrf_token": token, "from": "1", "q": word}).location
        return lambda: client.get(address)

    print(
        f"\nA record of {PAGES} pages of {corpus.LETTERS:,} characters in {ITEMS} items, {len(words)} questions\n"
    )
    print(f"| {'milliseconds':<52} |     p50 |     p95 | p95 of CPU |")
    print(f"|{'-' * 54}|--------:|--------:|-----------:|")
    _row("all places of what was typed: the service", [ask(word) for word in words])
    _row("… the answer to the form, over HTTP", [post(word) for word in words])
    _row("the page with its places, list, marks and boxes", [page(word) for word in words])
    _row(
        "the same page without words, for comparison",
        [lambda: client.get(f"{target}/++page++1")] * len(words),
    )


def _row(name: str, acts: list[Callable[[], object]]) -> None:
    acts[0]()  # what is kept is warm
    took, worked = list[float](), list[float]()
    for act in acts:
        begin, cpu = time.perf_counter(), time.process_time()
        act()
        took.append((time.perf_counter() - begin) * 1000)
        worked.append((time.process_time() - cpu) * 1000)
    late = int(len(acts) * 0.95)
    print(
        f"| {name:<52} | {sorted(took)[len(acts) // 2]:>7.1f} | {sorted(took)[late]:>7.1f} | {sorted(worked)[late]:>10.1f} |"
    )


if __name__ == "__main__":
    sys.exit(main())
