"""`make bench-find`: words in one record of many pages of 1,500 characters, as the service and as the browser ask for it."""

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

from sqlalchemy import select

from archive import create_app
from archive.actor import Actor
from archive.models import Node
from archive.policy.types import TYPES
from archive.server import settle
from archive.services import setup, tree, viewer
from archive.settings import Settings
from archive.sight import href
from archive.site import Site
from archive.start import prepare
from bench import corpus, forest, papers
from bench.figures import Table, percentiles, size
from bench.forest import TRUSTED
from bench.gauge import Gauge
from bench.pages import TOKEN, sign_in

PAGES, ITEMS = size("PAGES", 500), 20
QUERIES = 60
COMMON = ("患者", "治疗", "检查", "的", "CT", "血压", "医院", "可以", "3", "高血压 治疗 检查")
FIELDS = {"mrn": "70000001", "patient_name": "模型", "times": 1, "sex": "2", "admitted_on": "2020-01-01",
          "discharged_on": "2020-01-05"}  # fmt: skip


def main() -> int:
    corpus.required()
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
        forest.enlist(uow, "senior", "senior")
        ward = setup.department(uow, code="CK", name="产科")
        setup.found(uow, code="H001", name="测量医院")
        category = uow.session.scalars(
            select(Node).where(Node.slug == "zy-bl"), execution_options=TRUSTED
        ).one()
        record = tree.plant(uow, category, TYPES["medical_record"], FIELDS | {"dept": str(ward)})
        each = len(texts) // ITEMS
        items = [
            tree.plant(
                uow, record, TYPES["component"], {"title": f"病程记录 {nth + 1}", "component": "SSJL"}
            ).id
            for nth in range(ITEMS)
        ]
        papers.write(
            uow, items, [_lines(texts[nth * each : (nth + 1) * each]) for nth in range(ITEMS)], _boxes
        )
        return items[0]


def _lines(texts: list[str]) -> list[str]:
    """As recognition gives them: lines of forty characters."""
    return ["\n".join(text[at : at + 40] for at in range(0, len(text), 40)) for text in texts]


def _boxes(text: str) -> papers.Boxes:
    lines = enumerate(text.split("\n"))
    return [[150, 100 + 50 * line, 1500, 140 + 50 * line, said] for line, said in lines]


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
        f"\nA record of {PAGES} pages of {corpus.LETTERS:,} characters in {ITEMS} items, {len(words)} questions"
    )
    table = Table("milliseconds", "p50", "p95", "p95 of CPU")
    for name, acts in (
        ("all places of what was typed: the service", [ask(word) for word in words]),
        ("… the answer to the form, over HTTP", [post(word) for word in words]),
        ("the page with its places, list, marks and boxes", [page(word) for word in words]),
        (
            "the same page without words, for comparison",
            [lambda: client.get(f"{target}/++page++1")] * len(words),
        ),
    ):
        table.row(name, *_timed(acts))


def _timed(acts: Sequence[Callable[[], object]]) -> tuple[float, float, float]:
    """The percentiles by the clock, and the late one of CPU."""
    acts[0]()  # what is kept is warm
    took, worked = list[float](), list[float]()
    for act in acts:
        begin, cpu = time.perf_counter(), time.process_time()
        act()
        took.append((time.perf_counter() - begin) * 1000)
        worked.append((time.process_time() - cpu) * 1000)
    return *percentiles(took), percentiles(worked)[1]


if __name__ == "__main__":
    sys.exit(main())
