"""The whole main job without a browser: programs with tokens, over HTTP, against an archive that is served."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import requests

from archive.services import actors, holdings
from archive.site import Site
from tests import papers
from tests.conftest import RECORD
from tests.journeys.conftest import Archive, wait_for
from tests.journeys.visitors import token_of

SHARED = Path(__file__).parents[3] / "shared" / "data"
MRN, NAME = "00219777", "林知夏"
WORDS = "子宫下段剖宫产术"
SCAN = "术中见子宫下段菲薄"
BARCODE = "B00219777-1"


@dataclass
class Program:
    """A program that has a person's token."""

    url: str
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, /, **query: object) -> requests.Response:
        return requests.get(f"{self.url}/api/v1{path}", params=query, headers=self.headers, timeout=60)  # type: ignore[arg-type]

    def post(self, path: str, body: Any = None, /, **more: Any) -> requests.Response:
        return requests.post(f"{self.url}/api/v1{path}", json=body, headers=self.headers, timeout=60, **more)

    def done(self, job: str) -> None:
        """Waits until a job is done."""
        wait_for(lambda: self.get(f"/jobs/{job}").json()["state"] in {"done", "failed"}, "the job", 120)
        assert self.get(f"/jobs/{job}").json()["state"] == "done", self.get(f"/jobs/{job}").json()


Programs = Callable[[str], Program]


@pytest.fixture(scope="module")
def programs(archive: Archive) -> Programs:
    known: dict[str, Program] = {}

    def of(account: str) -> Program:
        if account not in known:
            token = token_of(archive, account)
            known[account] = Program(archive.url, {"Authorization": f"Bearer {token}"})
        return known[account]

    return of


def register_volume(site: Site, uuid: str) -> None:
    """The paper itself, which lies in the archivist's hand: no program takes it up."""
    with site.session(readonly=True) as session:
        archivist = actors.by_account(session, "archivist", site.clock())
    assert archivist
    with site.uow(archivist) as uow:
        holdings.register(uow, uow.node(UUID(uuid)), barcode=BARCODE, sheets=3)
    site.close()


@pytest.fixture(scope="module")
def uuid(archive: Archive, programs: Programs) -> str:
    """A record that the archivist's program has added with three files, described and archived."""
    archivist = programs("archivist")
    category = archivist.get("/nodes", path="/h001/zy-bl").json()
    assert "medical_record" in category["addable"]
    fields = RECORD | {"mrn": MRN, "patient_name": NAME, "times": "1", "dept": ward(archive)}
    made = archivist.post(
        "/uploads", data={"parent": category["uuid"], "type": "medical_record", "fields": json.dumps(fields)},
        files={"file": ("手术记录.pdf", papers.pdf(f"手术记录\n行{WORDS}", "术后第一日\n拔除导尿管"))},
    )  # fmt: skip
    assert made.status_code == 201, made.text
    uuid = str(made.json()["uuid"])
    archivist.done(made.json()["job"])
    for name, content in further_files().items():
        more = archivist.post("/uploads", data={"node": uuid}, files={"file": (name, content)})
        assert more.status_code == 201, more.text
        archivist.done(more.json()["job"])
    register_volume(archive.site(), uuid)
    for step in ("collected", "arranged"):
        assert (
            archivist.post(f"/nodes/{uuid}/milestones", {"track": "paper", "step": step}).status_code == 200
        )
    for step in ("catalogue", "submit", "archive"):
        taken = archivist.post(f"/nodes/{uuid}/transitions/{step}")
        assert taken.status_code == 200, taken.text
    return uuid


def ward(archive: Archive) -> str:
    site = archive.site()
    with site.session(readonly=True) as session:
        names = actors.department_names(session)
    site.close()
    return next(str(number) for number, name in names.items() if name == "产科")


def further_files() -> dict[str, bytes]:
    """A scan without text, and a file of the collection where it is at hand."""
    found = {"扫描.png": papers.scan(SCAN)}
    whole = SHARED / "pdf" / "pdflatex-4-pages.pdf"
    if whole.exists():
        found[whole.name] = whole.read_bytes()
    return found


def test_the_archivist_reads_back_what_was_uploaded_and_archived(programs: Programs, uuid: str) -> None:
    archivist = programs("archivist")
    node = archivist.get(f"/nodes/{uuid}")
    seen = node.json()
    assert (seen["state"], seen["archival_no"]) == ("archived", "H001-ZY·BL·2026·D30-000001")
    assert node.headers["ETag"] == f'"{seen["version"]}"'
    assert seen["page_count"] in {3, 7}
    assert NAME in seen["title"]
    assert [carrier["barcode"] for carrier in seen["carriers"]] == [BARCODE]
    by_path = archivist.get("/nodes", path=seen["path"]).json()
    assert by_path["uuid"] == uuid
    text = archivist.get(f"/nodes/{uuid}/pages/1", format="text")
    assert text.headers["Content-Type"].startswith("text/plain")
    assert WORDS in text.text
    image = archivist.get(f"/nodes/{uuid}/pages/1")
    assert image.content.startswith(b"\xff\xd8")
    assert archivist.get(f"/nodes/{uuid}/pages/99").status_code == 404
    scanned = f"/nodes/{uuid}/pages/3"
    wait_for(lambda: "菲薄" in archivist.get(scanned, format="text").text, "the scan to be recognised", 120)


def test_a_search_in_chinese_finds_it_for_whoever_may_read_it(programs: Programs, uuid: str) -> None:
    archivist = programs("archivist")
    wait_for(lambda: bool(archivist.get("/search", q=WORDS).json()["items"]), "the index to know it")
    found = archivist.get("/search", q=WORDS).json()
    assert (found["items"][0]["uuid"], found["items"][0]["file"]) == (uuid, uuid)
    assert WORDS in found["items"][0]["snippet"]
    assert programs("clinician").get("/search", q=WORDS).json()["items"] == []
    assert [hit["archival_no"] for hit in programs("clinician").get("/search", q=NAME).json()["items"]] == [
        "H001-ZY·BL·2026·D30-000001"
    ]
    assert programs("clinician2").get("/search", q=NAME).json()["items"] == []


def test_a_clinician_asks_reads_marked_pages_and_no_more(programs: Programs, uuid: str) -> None:
    clinician, head = programs("clinician"), programs("head")
    seen = clinician.get(f"/nodes/{uuid}").json()
    assert seen["archival_no"] == "H001-ZY·BL·2026·D30-000001"
    assert "diagnosis" not in seen["fields"]
    refused = clinician.get(f"/nodes/{uuid}/pages/1")
    assert (refused.status_code, refused.json()["error"]) == (403, "forbidden")
    asked = clinician.post(
        "/requests", {"kind": "eread", "node": uuid, "purpose": "discussion", "days": 3, "declared": "none"}
    )
    assert (asked.status_code, asked.json()["state"]) == (201, "requested")
    assert clinician.get(f"/nodes/{uuid}/pages/1").status_code == 403
    where = f"/requests/{asked.json()['uuid']}/transitions/approve"
    assert clinician.post(where).status_code == 403
    assert head.post(where).json()["state"] == "active"
    assert head.post(where).status_code == 409
    assert WORDS in clinician.get(f"/nodes/{uuid}/pages/1", format="text").text
    marked = clinician.get(f"/nodes/{uuid}/pages/1")
    assert marked.status_code == 200
    assert marked.content != programs("archivist").get(f"/nodes/{uuid}/pages/1").content
    assert [hit["uuid"] for hit in clinician.get("/search", q=WORDS).json()["items"]] == [uuid]
    assert clinician.get("/requests").json()["items"][0]["until"]


def test_the_paper_goes_out_and_comes_back_by_barcode(programs: Programs, uuid: str) -> None:
    clinician, clerk = programs("clinician"), programs("clerk")
    asked = clinician.post(
        "/requests", {"kind": "paper", "node": uuid, "purpose": "discussion", "days": 3, "declared": "none"}
    ).json()
    where = f"/requests/{asked['uuid']}/transitions"
    early = clerk.post(f"{where}/issue", {"barcode": BARCODE})
    assert (early.status_code, early.json()["error"]) == (409, "conflict")
    assert programs("head").post(f"{where}/approve").json()["state"] == "approved"
    assert clerk.post(f"{where}/issue", {"barcode": "B00000000-9"}).status_code == 404
    assert clinician.post(f"{where}/issue", {"barcode": BARCODE}).status_code in {403, 404}
    out = clerk.post(f"{where}/issue", {"barcode": BARCODE, "sheets": 3}).json()
    assert (out["state"], out["overdue"]) == ("lent", False)
    assert out["due_at"]
    assert clerk.post(f"{where}/issue", {"barcode": BARCODE}).status_code == 409
    assert clerk.post(f"{where}/return", {"barcode": "B00000000-9"}).status_code == 404
    assert clerk.post(f"{where}/return", {"barcode": BARCODE, "sheets": 3}).json()["state"] == "returned"
    assert clerk.post(f"{where}/return", {"barcode": BARCODE}).status_code == 409


@pytest.mark.parametrize("account", ["stranger", "sysadmin", "security", "auditor"])
def test_whoever_has_nothing_to_do_with_it_finds_nothing(programs: Programs, uuid: str, account: str) -> None:
    other = programs(account)
    for path in (f"/nodes/{uuid}", f"/nodes/{uuid}/pages/1", "/nodes?path=/h001/zy-bl"):
        assert other.get(path).status_code == 404, path
    assert other.post(f"/nodes/{uuid}/transitions/correct", {"reason": "x"}).status_code == 404
    assert other.get("/requests").json() == {"items": []}


def test_the_auditor_sees_the_whole_trail_and_that_nothing_was_changed(programs: Programs, uuid: str) -> None:
    auditor = programs("auditor")
    trail, cursor = [], None
    while True:
        page = auditor.get("/audit", record=uuid, **({"cursor": cursor} if cursor else {})).json()
        trail += page["items"]
        if not (cursor := page["next"]):
            break
    done = [line["action"] for line in trail]
    for wanted in (
        "node.added", "representation.added", "holding.registered", "record.step_reached", "node.archive",
        "tree_view.viewed", "page.text_viewed", "page.viewed", "request.asked", "request.approve", "loan.issued",
        "loan.returned",
    ):  # fmt: skip
        assert wanted in done, wanted
    assert {line["result"] for line in trail} >= {"ok", "denied", "hidden"}
    assert [line["at"] for line in trail] == sorted(line["at"] for line in trail)
    assert NAME not in json.dumps(trail, ensure_ascii=False)
    auditor.done(auditor.post("/audit/verifications").json()["job"])
    found = auditor.get("/audit/verifications").json()["items"][0]
    assert (found["state"], found["whole"]) == ("done", True)
    assert all(book["sealed"] > 0 for book in found["journals"])


def test_the_description_is_served_to_anybody(archive: Archive) -> None:
    found = requests.get(f"{archive.url}/api/v1/openapi.json", timeout=60).json()
    assert found["openapi"].startswith("3.1")
    assert "/api/v1/requests/{uuid}/transitions/{name}" in found["paths"]
