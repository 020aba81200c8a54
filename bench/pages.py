"""Every list as a browser asks for it: a signed-in client of the real application, its statements and its time."""

import re
from dataclasses import dataclass

from flask.testing import FlaskClient
from sqlalchemy import select

from archive import create_app
from archive.actor import Actor
from archive.class_tokens import batched
from archive.models import Node
from archive.server import settle
from archive.services import catalogue
from archive.sight import href
from bench.forest import PASSWORD, TRUSTED, Forest
from bench.gauge import Gauge
from bench.names import mrn_of, name_of
from index import Put

TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')


@dataclass(frozen=True)
class Page:
    """One page of the table."""

    name: str
    account: str
    address: str
    aim: str = "≤ 100 ms"
    typed: str = ""
    """What is typed into the field of this page; its address holds it sealed."""


def pages(gauge: Gauge, forest: Forest) -> list[Page]:
    """What is measured."""
    folder, record = addresses(gauge, forest)
    one = select(Node.id).where(Node.parent_id == forest.folder).order_by(Node.id).offset(7).limit(1)
    with gauge.site.session(readonly=True) as session:
        number = session.scalars(one, execution_options=TRUSTED).one()
    name, mrn = name_of(number), mrn_of(number)
    return [
        Page("folder of 20,000", "senior", folder, "≤ 30 ms, ≤ 12"),
        Page("folder of 20,000", "clinician", folder, "≤ 30 ms, ≤ 12"),
        Page("folder of 20,000, last changed first", "senior", f"{folder}?sort=updated"),
        Page("folder of 20,000, one department and state", "senior", f"{folder}?state=archived&dept=2"),
        Page("record", "senior", record),
        Page("history of a record", "senior", f"{record}/@@history"),
        Page("sharing of a record", "senior", f"{record}/@@sharing"),
        Page("workbench", "senior", "/"),
        Page("workbench", "clinician", "/"),
        Page("worklist of drafts", "senior", "/worklists/draft"),
        Page("search in one folder of 20,000, one word", "senior", "/search", typed="住院病案"),
        Page("search in one folder of 20,000, a name", "clinician", "/search", typed=name),
        Page("requests", "clinician", "/requests"),
        Page("approvals", "senior", "/approvals"),
        Page("desk", "clerk", "/desk"),
        Page("desk: to fetch", "clerk", "/desk/pick-list"),
        Page("desk: out", "clerk", "/desk/out"),
        Page("desk: overdue", "clerk", "/desk/overdue"),
        Page("journal", "auditor", "/audit"),
        Page("journal of one person", "auditor", "/audit?person=u0007"),
        Page("own acts", "clinician", "/audit/mine"),
        Page("jobs", "clinician", "/jobs"),
        Page("everybody's jobs", "sysadmin", "/jobs/all"),
        Page("people", "sysadmin", "/people"),
        Page("whereabouts by number", "senior", "/where", "≤ 2 s", mrn),
        Page("whereabouts by name", "senior", "/where", "≤ 2 s", name),
        Page("whereabouts by the beginning of a pinyin", "senior", "/where", "≤ 2 s", "shu"),
        Page("whereabouts by name", "clinician", "/where", "≤ 2 s", name),
    ]


def measure(gauge: Gauge, forest: Forest) -> None:
    """Each page, by whoever uses it."""
    _index(gauge, forest)
    app, clients = create_app(gauge.site), dict[str, FlaskClient]()
    settle()  # as it is served
    for page in pages(gauge, forest):
        if page.account not in clients:
            clients[page.account] = sign_in(app.test_client(), page.account)
        asked = Asked(clients[page.account], address_of(clients[page.account], page))
        gauge.median(f"page: {page.name}, {page.account}", asked, aim=page.aim)


@dataclass(frozen=True)
class Asked:
    """One page asked for; anything but the page is a fault of the measurement."""

    client: FlaskClient
    address: str

    def __call__(self) -> None:
        response = self.client.get(self.address)
        if response.status_code != 200:
            raise LookupError(f"{self.address} answers {response.status}")


def address_of(client: FlaskClient, page: Page) -> str:
    """Where the browser is sent once the words are typed."""
    if not page.typed:
        return page.address
    form = {"csrf_token": _token(client, page.address), "q": page.typed}
    return str(client.post(page.address, data=form).headers["Location"])


def _token(client: FlaskClient, address: str) -> str:
    found = TOKEN.search(client.get(address).text)
    assert found is not None
    return found[1]


def sign_in(client: FlaskClient, account: str) -> FlaskClient:
    """The same client, signed in."""
    form = {"csrf_token": _token(client, "/sign-in"), "account": account, "password": PASSWORD}
    assert client.post("/sign-in", data=form).status_code == 302
    return client


def addresses(gauge: Gauge, forest: Forest) -> tuple[str, str]:
    with gauge.site.uow(gauge.actor("senior"), readonly=True) as uow:
        folder = uow.node(forest.folder)
        child = select(Node.id).where(Node.parent_id == folder.id).order_by(Node.id.desc()).limit(1)
        record = uow.node(uow.session.scalars(child, execution_options=TRUSTED).one())
        return href(uow, folder), href(uow, record)


def _index(gauge: Gauge, forest: Forest) -> None:
    """Makes a search index of one series."""
    children = select(Node.id).where(Node.parent_id == forest.folder).order_by(Node.id)
    with gauge.site.uow(Actor.system("index"), readonly=True) as uow, uow.unscoped("bench"):
        found = batched(uow.session.scalars(children).all())
        puts = (put for part in found for put in catalogue.documents(uow, part) if isinstance(put, Put))
        gauge.site.index.rebuild(puts)
