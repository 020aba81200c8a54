"""The API for programs: who gets in, what is refused and how, and that its description says what it does."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select

from archive import create_app
from archive.actor import Actor
from archive.errors import CODES
from archive.journal import Event
from archive.models import AuditEvent, ReadEvent, User
from archive.policy.permissions import P
from archive.services import holdings, sessions
from archive.settings import Settings
from archive.site import Site
from tests import papers
from tests.blueprints.conftest import Browse
from tests.conftest import RECORD, Hospital
from tests.services import lending, searching

V1 = "/api/v1"
Answer = Any
"""A response, whose JSON is what the test says it is."""
FILLED = {"uuid": str(uuid4()), "number": "1", "name": "approve"}
"""Something harmless for each part of an address."""


@dataclass
class Program:
    """A program with the token of a person, and no cookies."""

    client: FlaskClient
    token: str

    def get(self, path: str, /, **query: object) -> Answer:
        return self.client.get(f"{V1}{path}", query_string=query, headers=self.headers())

    def post(self, path: str, body: object = None, /, **headers: str) -> Answer:
        data = None if body is None else json.dumps(body)
        return self.client.post(f"{V1}{path}", data=data, headers=self.headers() | headers)

    def upload(self, **form: object) -> Answer:
        return self.client.post(f"{V1}/uploads", data=form, headers=self.headers())

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


Programs = Callable[[str], Program]


def token_of(site: Site, account: str) -> str:
    """What `juanzong user token` gives."""
    with site.uow(Actor.system("user.token")) as uow:
        user = uow.session.scalars(select(User).where(User.account == account)).one()
        token = sessions.issue_token(uow, user, "test")
        uow.record(Event("token.issued", object_kind="user", object_id=user.id))
        return token


@pytest.fixture
def programs(app: Flask, site: Site) -> Programs:
    return lambda account: Program(app.test_client(use_cookies=False), token_of(site, account))


@pytest.fixture(scope="module")
def described(sqlite_template: Any) -> dict[str, Any]:
    """openapi.json, as anybody gets it."""
    site = Site(Settings(var=sqlite_template))
    got = create_app(site).test_client().get(f"{V1}/openapi.json")
    site.close()
    assert got.status_code == 200
    assert isinstance(got.json, dict)
    return got.json


def operations(described: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def uuid_of(hospital: Hospital, record: int) -> str:
    with hospital.uow("senior", readonly=True) as uow:
        return str(uow.node(record).uuid)


def code_of(got: Answer) -> str:
    """The code of a refusal, whose shape is the same everywhere."""
    assert got.json is not None
    assert set(got.json) in ({"error", "message"}, {"error", "message", "fields"})
    assert got.json["error"] in CODES
    assert any("\u4e00" <= letter <= "\u9fff" for letter in got.json["message"]), got.json
    return str(got.json["error"])


# The description


def test_every_route_is_described_and_nothing_else(app: Flask, described: dict[str, Any]) -> None:
    served = {
        (rule.endpoint.removeprefix("api."), method)
        for rule in app.url_map.iter_rules() if rule.endpoint.startswith("api.")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }  # fmt: skip
    assert served == {
        (operation["operationId"], method) for _path, method, operation in operations(described)
    }


def test_every_reference_leads_somewhere_and_every_part_of_an_address_is_named(
    described: dict[str, Any],
) -> None:
    known = described["components"]["schemas"]

    def follow(value: Any) -> None:
        if isinstance(value, dict):
            if "$ref" in value:
                assert value["$ref"].removeprefix("#/components/schemas/") in known
            for inner in value.values():
                follow(inner)
        elif isinstance(value, list):
            for inner in value:
                follow(inner)

    follow(described)
    for path, _method, operation in operations(described):
        parts = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"}
        assert parts == {piece[1:-1] for piece in path.split("/") if piece.startswith("{")}
        assert operation["summary"]
    assert known["Failure"]["properties"]["error"]["enum"] == sorted(CODES)


def test_the_statuses_that_an_operation_may_give_are_documented(described: dict[str, Any]) -> None:
    for path, method, operation in operations(described):
        wanted = {"401", "403", "404", "422"} | ({"409", "413"} if method == "POST" else set())
        if not path.endswith("openapi.json"):
            assert wanted <= set(operation["responses"]), path
        assert {"200", "201", "202"} & set(operation["responses"]), path


# Who gets in


def every(described: dict[str, Any]) -> list[tuple[str, str]]:
    found = operations(described)
    return [
        (path.format(**FILLED), method) for path, method, operation in found if "security" not in operation
    ]


@pytest.mark.parametrize(
    "header", [None, "Bearer", "Bearer nonsense", "Bearer jz_\u00fcnsinn", "Basic YTpi", "bearer  "], ids=str
)
def test_without_a_token_that_is_valid_nothing_is_said_but_how_to_get_in(
    app: Flask, described: dict[str, Any], header: str | None
) -> None:
    client = app.test_client()
    for path, method in every(described):
        got: Answer = client.open(path, method=method, headers={"Authorization": header} if header else {})
        assert got.status_code == 401, (method, path)
        assert code_of(got) == "sign_in_needed"
        assert "bearer token" in got.json["message"]
        assert got.headers["WWW-Authenticate"] == "Bearer"


def test_a_browser_session_does_not_open_the_api_and_a_token_opens_no_page(
    browser: Browse, programs: Programs, described: dict[str, Any]
) -> None:
    own = browser("archivist")
    for path, method in every(described):
        assert own.client.open(path, method=method, json={}).status_code == 401, path
    program = programs("archivist")
    for page in ("/", "/a/h001", "/jobs", "/requests"):
        assert program.client.get(page, headers=program.headers()).status_code in {302, 401}
    assert program.get("/nodes", path="/h001").status_code == 200
    assert "Set-Cookie" not in program.get("/nodes", path="/h001").headers


def test_a_disabled_person_and_an_ended_token_are_out_at_once(programs: Programs, site: Site) -> None:
    program = programs("archivist")
    assert program.get("/requests").status_code == 200
    with site.uow(Actor.system("test")) as uow:
        user = uow.session.scalars(select(User).where(User.account == "archivist")).one()
        sessions.end_all(uow, user.id)
        uow.record(Event("test.ended"))
    assert program.get("/requests").status_code == 401


# What is refused


@pytest.mark.parametrize("account", ["archivist", "clinician", "clerk", "auditor", "sysadmin", "stranger"])
def test_what_nobody_knows_is_not_there_for_anybody(
    programs: Programs, described: dict[str, Any], account: str
) -> None:
    program = programs(account)
    for path, method in every(described):
        if FILLED["uuid"] in path:
            got = program.client.open(
                path, method=method, headers=program.headers(), json={"barcode": "B000"}
            )
            assert (got.status_code, code_of(got)) == (404, "not_found"), path


@pytest.mark.parametrize(
    "account", ["clinician", "clinician2", "clerk", "auditor", "security", "sysadmin", "stranger"]
)
def test_what_is_hidden_answers_like_what_never_was(
    programs: Programs, hospital: Hospital, record: int, address: str, account: str
) -> None:
    program, hidden = programs(account), uuid_of(hospital, record)
    for end in ("", "/pages/1", "/pages/1?format=text"):
        never = program.client.get(f"{V1}/nodes/{FILLED['uuid']}{end}", headers=program.headers())
        found = program.client.get(f"{V1}/nodes/{hidden}{end}", headers=program.headers())
        assert (found.status_code, found.data) == (404, never.data) == (never.status_code, never.data)
    for end in ("/transitions/catalogue", "/milestones"):
        assert (
            program.post(f"/nodes/{hidden}{end}", {"track": "paper", "step": "collected"}).status_code == 404
        )
    assert program.get("/nodes", path=address.removeprefix("/a")).status_code == 404
    assert program.get("/nodes", path="/h001/zy-bl/2026-d30/zzzzz").status_code == 404


JUNK: tuple[tuple[str, bytes], ...] = (
    ("cut off", b'{"kind": "ere'), ("a list", b"[1, 2]"), ("null", b"null"), ("a number", b"7"),
    ("no text", b"\xff\xfe"), ("deep", b"[" * 100_000),
)  # fmt: skip


@pytest.mark.parametrize("junk", [junk for _what, junk in JUNK], ids=[what for what, _junk in JUNK])
def test_a_body_that_is_no_json_object_is_refused_everywhere(
    programs: Programs, hospital: Hospital, record: int, described: dict[str, Any], junk: bytes
) -> None:
    program, tried = programs("senior"), 0
    mine = {"number": "1", "name": "approve", "uuid": uuid_of(hospital, record)}
    for path, method, operation in operations(described):
        if "application/json" in operation.get("requestBody", {}).get("content", {}):
            got = program.client.open(
                path.format(**mine), method=method, data=junk, headers=program.headers()
            )
            assert (got.status_code, code_of(got)) == (422, "invalid"), path
            tried += 1
    assert tried >= 5


def test_a_body_larger_than_any_is_not_read(programs: Programs) -> None:
    got = programs("archivist").post("/requests", {"reason": "多" * 2**20})
    assert (got.status_code, code_of(got)) == (413, "too_large")


def test_unknown_fields_and_unknown_parameters_are_refused_by_name(
    programs: Programs, hospital: Hospital, record: int, described: dict[str, Any]
) -> None:
    program, uuid = programs("senior"), uuid_of(hospital, record)
    mine = {"number": "1", "name": "catalogue", "uuid": uuid}
    for path, method, operation in operations(described):
        where = path.format(**mine)
        if "security" in operation:
            continue
        if "application/json" in operation.get("requestBody", {}).get("content", {}):
            got: Answer = program.client.open(
                where, method=method, json={"nonsense": 1}, headers=program.headers()
            )
            assert (got.status_code, got.json["fields"]["nonsense"]) == (422, "这里没有此项。"), path
        got = program.client.open(where + "?nonsense=1", method=method, headers=program.headers())
        if got.status_code == 422:
            assert got.json["fields"]["nonsense"] == "这里没有此项。", path
        else:  # refused earlier, for want of a right or of such a thing
            assert got.status_code in {403, 404}, path
    assert program.get(f"/nodes/{uuid}").json["state"] == "draft"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "loan"}, "kind"), ({"days": "many"}, "days"), ({"days": 10**30}, "days"), ({"days": -1}, "days"),
        ({"node": "B00218647"}, "node"), ({"reason": {"a": 1}}, "reason"), ({"reason": "a\0b"}, "reason"),
        ({"reason": "\ud800"}, "reason"), ({"purpose": "fun"}, "purpose"), ({"purpose": None}, "purpose"),
        ({"declared": ...}, "declared"), ({"declared": ""}, "declared"),
    ],
    ids=str,
)  # fmt: skip
def test_a_wrong_value_is_named(
    programs: Programs, hospital: Hospital, record: int, body: dict[str, Any], field: str
) -> None:
    lending.archive_it(hospital, record)
    right = {
        "kind": "paper",
        "node": uuid_of(hospital, record),
        "purpose": "discussion",
        "days": 3,
        "declared": "none",
    }
    sent = {name: value for name, value in (right | body).items() if value is not ...}
    got = programs("clinician").post("/requests", sent)
    assert (got.status_code, code_of(got), list(got.json["fields"])) == (422, "invalid", [field])


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/nodes", {"path": "/h001/\0"}, 422), ("/nodes", {}, 422), ("/search", {"q": "\0"}, 422),
        ("/search", {"q": '"'}, 422), ("/search", {"year": "x"}, 422),
        ("/search", {"q": "光", "cursor": "made-up"}, 422),
        ("/search", {"sort": "price"}, 422), ("/search", {"dept": 10**40}, 422), ("/search", {"q": "光" * 5000}, 422),
        ("/search", {"q": "", "type": "nonsense"}, 200), ("/requests", {"show": "all"}, 422), ("/audit", {}, 403),
    ],
    ids=str,
)  # fmt: skip
def test_a_wrong_parameter_is_refused_in_words(
    programs: Programs, path: str, query: dict[str, object], status: int
) -> None:
    got = programs("archivist").get(path, **query)
    assert got.status_code == status
    if status != 200:
        code_of(got)


def test_an_address_or_a_method_that_is_not_there_is_told_apart(programs: Programs) -> None:
    program = programs("archivist")
    assert code_of(program.get("/nonsense")) == "not_found"
    wrong = program.client.delete(f"{V1}/requests", headers=program.headers())
    assert (wrong.status_code, code_of(wrong)) == (405, "wrong_method")


# What is done


def test_a_record_is_added_with_its_file_and_taken_on_by_version(
    programs: Programs, hospital: Hospital, site: Site
) -> None:
    program = programs("archivist")
    fields = RECORD | {"dept": str(hospital.wards["CK"])}
    got = program.upload(parent="/h001/zy-bl", type="medical_record", fields=json.dumps(fields),
                         file=(BytesIO(papers.pdf("出院记录")), "出院记录.pdf"))  # fmt: skip
    assert got.status_code == 201, got.json
    uuid = got.json["uuid"]
    assert program.get(f"/jobs/{got.json['job']}").json["state"] == "waiting"
    node = program.get(f"/nodes/{uuid}")
    assert node.headers["ETag"] == f'"{node.json["version"]}"'
    assert (node.json["state"], node.json["fields"]["mrn"]) == ("draft", "00218647")
    assert [step["name"] for step in node.json["transitions"]] == ["catalogue"]
    stale = program.post(f"/nodes/{uuid}/transitions/catalogue", **{"If-Match": '"99"'})
    assert (stale.status_code, code_of(stale)) == (409, "stale")
    nonsense = program.post(
        f"/nodes/{uuid}/transitions/catalogue", **{"If-Match": '"Ⅸ"'.encode().decode("latin-1")}
    )
    assert (nonsense.status_code, code_of(nonsense)) == (422, "invalid")
    moved = program.post(f"/nodes/{uuid}/transitions/catalogue", **{"If-Match": node.headers["ETag"]})
    assert (moved.status_code, moved.json["state"]) == (200, "cataloguing")
    assert moved.headers["ETag"] != node.headers["ETag"]
    again = program.post(f"/nodes/{uuid}/transitions/catalogue")
    assert (again.status_code, code_of(again)) == (409, "conflict")
    for milestone, status in (("collected", 200), ("in_hospital", 409), ("nonsense", 409)):
        assert (
            program.post(f"/nodes/{uuid}/milestones", {"track": "paper", "step": milestone}).status_code
            == status
        )


def test_an_upload_says_what_is_wrong_and_leaves_nothing(
    programs: Programs, hospital: Hospital, record: int
) -> None:
    program, uuid = programs("archivist"), uuid_of(hospital, record)

    def sent(**form: object) -> Answer:
        return program.upload(**({"file": (BytesIO(papers.pdf("一")), "a.pdf")} | form))

    assert program.upload(node=uuid).json["fields"] == {"file": "请以名为 file 的部分发送文件。"}
    assert sent().status_code == 422
    assert sent(node=uuid, parent="/h001").status_code == 422
    assert list(sent(node=uuid, colour="red").json["fields"]) == ["colour"]
    for junk in ("{", "[]", "7", "[" * 100_000):
        assert list(sent(parent="/h001/zy-bl", type="medical_record", fields=junk).json["fields"]) == [
            "fields"
        ]
    unknown = sent(parent="/h001/zy-bl", type="medical_record", fields=json.dumps({"colour": "red"}))
    assert (unknown.status_code, list(unknown.json["fields"])) == (422, ["colour"])
    wrong = sent(parent="/h001/zy-bl", type="medical_record", fields=json.dumps({"mrn": ["a"]}))
    assert (wrong.status_code, "patient_name" in wrong.json["fields"]) == (422, True)
    assert code_of(sent(parent="/h001/zy-bl", type="nonsense")) == "conflict"
    assert code_of(sent(node=str(uuid4()))) == "not_found"
    assert sent(node=uuid).status_code == 201
    assert code_of(sent(node=uuid)) == "conflict"
    assert programs("clinician").upload(node=uuid, file=(BytesIO(b"x"), "x")).status_code == 403


def test_another_persons_job_and_request_are_not_there(
    programs: Programs, hospital: Hospital, record: int
) -> None:
    lending.archive_it(hospital, record)
    asked = programs("clinician").post(
        "/requests",
        {
            "kind": "paper",
            "node": uuid_of(hospital, record),
            "purpose": "discussion",
            "days": 3,
            "declared": "none",
        },
    )
    assert asked.status_code == 201
    where = f"/requests/{asked.json['uuid']}/transitions/"
    assert asked.json["transitions"] == ["cancel"]
    assert asked.headers["ETag"] == f'"{asked.json["version"]}"'
    assert programs("clinician").post(where + "approve").status_code == 403
    assert programs("clinician2").post(where + "cancel").status_code == 404
    waiting = programs("head").get("/requests", show="to_decide").json["items"]
    assert [one["uuid"] for one in waiting] == [asked.json["uuid"]]
    assert code_of(programs("head").post(where + "approve", **{"If-Match": '"77"'})) == "stale"
    assert programs("head").post(where + "approve").json["state"] == "approved"
    assert code_of(programs("head").post(where + "approve")) == "conflict"
    job = programs("auditor").post("/audit/verifications").json["job"]
    assert programs("archivist").get(f"/jobs/{job}").status_code == 404


def test_a_volume_comes_back_on_its_own_request_only(
    programs: Programs, hospital: Hospital, record: int
) -> None:
    lending.archive_it(hospital, record)
    other = lending.another(hospital, mrn="00218648")
    with hospital.uow("clerk", readonly=True) as uow:
        volumes = [
            holdings.volumes(uow, uow.node(number, P.HOLDING_VIEW))[0].barcode for number in (record, other)
        ]
    clerk, wheres = programs("clerk"), []
    for number, barcode in zip((record, other), volumes, strict=True):
        asked = (
            programs("clinician")
            .post(
                "/requests",
                {
                    "kind": "paper",
                    "node": uuid_of(hospital, number),
                    "purpose": "discussion",
                    "days": 3,
                    "declared": "none",
                },
            )
            .json
        )
        wheres.append(f"/requests/{asked['uuid']}/transitions")
        assert programs("head").post(f"{wheres[-1]}/approve").status_code == 200
        assert list(clerk.post(f"{wheres[-1]}/issue").json["fields"]) == ["barcode"]
        assert code_of(clerk.post(f"{wheres[-1]}/issue", {"barcode": "B-NONE"})) == "not_found"
        assert clerk.post(f"{wheres[-1]}/issue", {"barcode": barcode}).json["state"] == "lent"
    assert code_of(clerk.post(f"{wheres[0]}/return", {"barcode": volumes[1]})) == "conflict"
    assert code_of(clerk.post(f"{wheres[0]}/return", {"barcode": volumes[0], "sheets": 60})) == "conflict"
    back = clerk.post(f"{wheres[0]}/return", {"barcode": volumes[0], "sheets": 60, "confirmed": True})
    assert back.json["state"] == "returned"


def test_a_search_gives_each_what_they_may_know(programs: Programs, hospital: Hospital) -> None:
    number = searching.patient(hospital, "00300001", "柳如烟")
    searching.written(hospital, number, "术中见中央性前置胎盘，出血约八百毫升。", "术后平稳。")
    searching.archived(hospital, number)
    searching.indexed(hospital)
    found = programs("archivist").get("/search", q="前置胎盘").json
    assert (found["total"], found["capped"], found["label"], found["degraded"]) == (1, False, "1", False)
    hit = found["items"][0]
    assert set(hit) == {"uuid", "file", "archival_no", "title", "url", "snippet"}
    assert "前置胎盘" in hit["snippet"]
    assert "柳如烟" in hit["title"]
    assert programs("clinician").get("/search", q="前置胎盘").json["items"] == []
    ward = programs("clinician").get("/search", q="00300001").json["items"]
    assert [(one["uuid"], one["snippet"]) for one in ward] == [(hit["uuid"], "")]
    assert [one["title"] for one in programs("clinician2").get("/search", q="00300001").json["items"]] == [
        None
    ]
    for account in ("stranger", "sysadmin", "auditor"):
        assert programs(account).get("/search", q="00300001").status_code == 403


# What is written down


def test_a_reading_over_the_api_leaves_its_event(programs: Programs, hospital: Hospital, record: int) -> None:
    program, uuid = programs("archivist"), uuid_of(hospital, record)
    program.get(f"/nodes/{uuid}")
    programs("stranger").get(f"/nodes/{uuid}")
    program.post(f"/nodes/{uuid}/transitions/catalogue")
    site = hospital.site
    with site.session(readonly=True) as session:
        acts = session.scalars(select(AuditEvent).where(AuditEvent.action == "node.catalogue")).all()
    with site.journal_engine.connect() as connection:
        reads = connection.execute(select(ReadEvent.__table__).order_by(ReadEvent.id.desc()).limit(2)).all()
    assert [act.object_ref for act in acts] == [uuid]
    assert [(read.action, read.result, read.object_ref) for read in reversed(reads)] == [
        ("tree_view.viewed", "ok", uuid), ("api_by_uuid.refused", "hidden", uuid),
    ]  # fmt: skip


def test_the_auditor_follows_a_record_and_verifies_the_journals(
    programs: Programs, hospital: Hospital, record: int
) -> None:
    programs("archivist").get(f"/nodes/{uuid_of(hospital, record)}")
    auditor = programs("auditor")
    trail = auditor.get("/audit", record=uuid_of(hospital, record)).json
    assert [line["action"] for line in trail["items"]] == ["node.added", "tree_view.viewed"]
    assert trail["total"] == 2
    assert "刘婷婷" not in json.dumps(trail, ensure_ascii=False)
    assert auditor.get("/audit", record="00000000-9").json["unknown"] == "00000000-9"
    assert auditor.get("/audit", action="audit.viewed").json["total"] == 2
    assert code_of(auditor.get("/audit", start="yesterday")) == "invalid"
    begun = auditor.post("/audit/verifications")
    assert begun.status_code == 202
    run = auditor.get("/audit/verifications").json["items"][0]
    assert (run["job"], run["state"], run["whole"]) == (begun.json["job"], "waiting", None)
    assert auditor.get(f"/jobs/{begun.json['job']}").json["kind"] == "audit.verify"
    for account in ("archivist", "senior", "sysadmin", "stranger"):
        assert programs(account).get("/audit").status_code == 403
        assert programs(account).post("/audit/verifications").status_code == 403


def test_a_longer_list_of_requests_asks_no_more_of_the_database(
    hospital: Hospital, record: int, programs: Programs
) -> None:
    own = programs("clinician")

    def statements() -> int:
        asked: list[str] = []

        def listen(*call: object) -> None:
            asked.append(str(call[2]))

        event.listen(hospital.site.engine, "before_cursor_execute", listen)
        items = own.get("/requests").json["items"]
        event.remove(hospital.site.engine, "before_cursor_execute", listen)
        assert all(item["transitions"] == ["cancel"] for item in items)
        return len(asked)

    lending.ask(hospital, "clinician", lending.archive_it(hospital, record))
    few = statements()
    for number in range(3):
        lending.ask(hospital, "clinician", lending.another(hospital, mrn=f"0021616{number}"))
    assert statements() == few
