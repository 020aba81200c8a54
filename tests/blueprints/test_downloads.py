"""A record is taken away as a file: the journal has it before the first byte."""

import pypdfium2
from flask import Flask
from sqlalchemy import select

from archive.journal import READS, words_of
from archive.models import ReadEvent
from archive.sight import href
from archive.site import Site
from tests import papers
from tests.conftest import PASSWORD, Hospital
from tests.services.test_derive import work_off
from tests.services.test_intake import upload


def test_it_is_told_before_the_first_byte(app: Flask, site: Site, hospital: Hospital, record: int) -> None:
    upload(hospital, "archivist", record, papers.pdf("住院病案首页", "体温单"))
    work_off(site)
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    client.post("/sign-in", data={"account": "archivist", "password": PASSWORD})
    with hospital.uow("archivist", readonly=True) as uow:
        target = href(uow, uow.node(record))
    assert f'href="{target}/@@pdf"' in client.get(target).text
    answer = client.get(f"{target}/@@pdf", buffered=False)
    with hospital.site.journal() as journal:
        event = journal.scalars(select(ReadEvent).order_by(ReadEvent.id.desc()).limit(1)).one()
        assert (event.action, event.actor, event.object_id) == ("record.downloaded", "archivist", record)
        assert words_of(journal, READS, event.id, hospital.site.keys) == {"pages": 2}
    assert answer.mimetype == "application/pdf"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert len(pypdfium2.PdfDocument(answer.data)) == 2
