"""A record is taken away as a searchable PDF: when its first page leaves, what it costs, and what it holds in memory."""

import sys
import tempfile
import time
from io import BytesIO
from itertools import islice
from pathlib import Path

from sqlalchemy import select, update

from archive.models import Blob, Node, Page, Representation
from archive.services import downloads
from archive.settings import Settings
from archive.site import Site
from bench import corpus, finding
from bench.figures import Table, most_held, size
from bench.forest import TRUSTED
from bench.gauge import Gauge
from bench.sheets import sheets

PAGES = size("TAKEN", 360)


def main() -> int:
    corpus.required()
    table = Table(
        "a record as a searchable PDF", "page 1, ms", "whole, s", "CPU s", "MB of file", "MB more", width=9
    )
    for pages in (2 * finding.ITEMS, PAGES - PAGES % finding.ITEMS):
        with tempfile.TemporaryDirectory(prefix="juanzong-bench-") as name:
            site = Site(Settings(var=Path(name)))
            texts = [one.text for one in islice(corpus.documents(pages), pages)]
            record = _scanned(site, finding.write(site, texts))
            table.row(f"{pages} pages of 200 dpi", *_taken(site, record))
            site.close()
    return 0


def _scanned(site: Site, item: int) -> int:
    """Gives the pages pictures, four different ones in turn; gives the id of the record."""
    four = [sheet.jpeg for sheet in islice(sheets(8), 4, 8)]
    with site.session() as session:
        nodes = session.execute(
            select(Node.id, Node.uuid, Node.parent_id).where(Node.page_count > 0), execution_options=TRUSTED
        ).all()
        for number, uuid, _parent in nodes:
            staged = site.store.stage(BytesIO(b"scan of " + str(uuid).encode()), 100)
            site.store.place(staged, uuid)
            pages = session.scalars(select(Page).where(Page.node_id == number), execution_options=TRUSTED)
            for page in pages:
                page.image = f"p{page.ordinal:05}.jpg"
                site.store.put_derivative(uuid, page.image, four[page.ordinal % 4])
            scan = select(Representation.blob_id).where(Representation.node_id == number).scalar_subquery()
            session.execute(
                update(Blob).where(Blob.id == scan).values(record=str(uuid)), execution_options=TRUSTED
            )
    return next(parent for number, _uuid, parent in nodes if number == item)


def _taken(site: Site, record: int) -> tuple[float, float, float, float, float]:
    Path("/proc/self/clear_refs").write_text("5")  # the most that was held is counted anew
    held, begin, worked = most_held(), time.perf_counter(), time.process_time()
    with site.uow(Gauge(site).actor("senior"), readonly=True) as uow:
        made = downloads.searchable(uow, uow.node(record))
    first, weight = 0.0, 0
    for piece in made.pieces:
        weight += len(piece)
        if not first and b"/DCTDecode" in piece:
            first = (time.perf_counter() - begin) * 1000
    whole, cpu = time.perf_counter() - begin, time.process_time() - worked
    return first, whole, cpu, weight / 2**20, most_held() - held


if __name__ == "__main__":
    sys.exit(main())
