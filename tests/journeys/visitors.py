"""People and programs before a served archive, over plain HTTP: what a browser sends, without the browser."""

import re
from typing import Any
from urllib.parse import urlencode

import requests
from sqlalchemy import select

from archive.actor import Actor
from archive.journal import Event
from archive.models import User
from archive.services import sessions
from tests.conftest import PASSWORD, RECORD, hospital_of
from tests.journeys.conftest import Archive

TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')
FAULT = re.compile(r'<section class="jz-fault".*?</section>', re.DOTALL)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Accept": "application/json"}


class Visitor:
    """Somebody at a browser, signed in."""

    def __init__(self, url: str, account: str) -> None:
        self.url, self.session = url, requests.Session()
        # A refusal that leaves a body unread ends the connection; the next request must not meet its end.
        self.session.headers.update({"Accept": "text/html", "Connection": "close"})
        self.csrf = self._token("/sign-in")
        answer = self.post("/sign-in", {"account": account, "password": PASSWORD})
        assert answer.status_code == 302, answer.text
        self.csrf = self._token("/sessions")

    def _token(self, page: str) -> str:
        found = TOKEN.search(self.get(page).text)
        assert found, page
        return found[1]

    def get(self, path: str, **more: Any) -> requests.Response:
        return self.session.get(self.url + path, timeout=60, **more)

    def post(self, path: str, form: dict[str, Any] | None = None, **more: Any) -> requests.Response:
        """Sends a form with its token; half characters pass, as a broken browser would send them."""
        sent: Any = {"csrf_token": self.csrf, **(form or {})}
        if "files" not in more:
            sent, more["headers"] = urlencode(sent, errors="surrogatepass"), FORM | more.get("headers", {})
        return self.session.post(self.url + path, data=sent, allow_redirects=False, timeout=120, **more)

    def ask(self, path: str, **typed: str) -> requests.Response:
        """Types words into a page that finds something, and follows to what it found."""
        sealed = self.post(path, typed)
        assert sealed.status_code == 302, sealed.status_code
        return self.get(sealed.headers["Location"])

    def upload(self, path: str, name: str, content: bytes, **more: Any) -> requests.Response:
        return self.post(f"{path}/@@upload", files={"file": (name, content)}, **more)


class Program:
    """A program that has a person's token."""

    def __init__(self, archive: Archive, account: str) -> None:
        self.url = f"{archive.url}/api/v1"
        self.headers = {"Authorization": f"Bearer {token_of(archive, account)}"}

    def get(self, path: str, /, **query: Any) -> requests.Response:
        return requests.get(self.url + path, params=query, headers=self.headers, timeout=60)

    def post(self, path: str, body: Any = None, /, **more: Any) -> requests.Response:
        headers = self.headers | more.pop("headers", {})
        return requests.post(self.url + path, json=body, headers=headers, timeout=120, **more)

    def upload(self, node: str, name: str, content: bytes) -> requests.Response:
        return self.post("/uploads", data={"node": node}, files={"file": (name, content)})


def token_of(archive: Archive, account: str) -> str:
    site = archive.site()
    with site.uow(Actor.system("user.token")) as uow:
        user = uow.session.scalars(select(User).where(User.account == account)).one()
        token = sessions.issue_token(uow, user, "program")
        uow.record(Event("token.issued", object_kind="user", object_id=user.id))
    site.close()
    return token


def record_fields(archive: Archive, **other: str) -> dict[str, str]:
    """What the form of a medical record of obstetrics says."""
    site = archive.site()
    ward = hospital_of(site).wards["CK"]
    site.close()
    return RECORD | {"dept": str(ward)} | other


def new_record(archive: Archive, program: Program, mrn: str) -> dict[str, Any]:
    """A draft record, as the API gives it."""
    category = program.get("/nodes", path="/h001/zy-bl").json()
    body = {"parent": category["uuid"], "type": "medical_record", "fields": record_fields(archive, mrn=mrn)}
    made = program.post("/nodes", body)
    assert made.status_code == 201, made.text
    return dict(made.json())


def said(answer: requests.Response) -> str:
    """What a person reads: of a page of refusal its words, of a script's answer its sentence."""
    if "json" in answer.headers.get("Content-Type", ""):
        return str(answer.json().get("message", ""))
    fault = FAULT.search(answer.text)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", fault[0] if fault else answer.text)).strip()
