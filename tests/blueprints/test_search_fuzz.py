"""Whatever is typed into a page that finds: an answer in time or a sentence, never a fault of ours."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from archive.models import Node
from archive.sight import href
from tests import naughty
from tests.archives import once
from tests.blueprints.conftest import Browse, Browser
from tests.conftest import PASSWORD, Hospital
from tests.services.searching import TEST, archived, component, indexed, patient, written
from tests.soaking import how_many

FIND, VIEWED = "@@find", "++page++1"
"""Below the address of the record that is written."""
PAGES = {
    "/search": ("q", "type", "dept", "year", "state", "sort"), "/search/suggestions": ("q",), "/where": ("q",),
    "/keying/codes/diagnosis": ("q",),
    "/find-patient": ("mrn", "patient_name", "birth", "discharged_on", "purpose"),
    "/break-glass": ("mrn", "patient_name", "birth", "discharged_on", "cause", "reason", "password"),
    "/copying": ("number", "patient_name", "birth", "discharged_on", "applicant"),
    "/search/facets": ("q", "type", "dept", "year", "state"), "/search/advanced": ("q", "dept", "under"),
    "/search/advanced/compose": ("value", "q", "join", "field", "way", "to", "act", "year", "under"),
    "/search/front-page": ("diagnosis", "operation", "attending", "outcome", "dept", "sex", "age_from", "age_to", "age_unit",
                           "days_from", "admitted_from", "discharged_to", "sample", "seed", "cursor"),
    "/search/front-page/export": ("diagnosis", "age_from", "discharged_to", "sample", "seed"),
    "/disputes/new": ("records", "title", "date_from", "claimant", "retention", "complaint_no"),
    "/approvals": ("act", "ids", "bundles", "reason"), "/requests/many": ("records", "act", "kind", "purpose", "days", "reason"),
    "/requests": ("number", "kind", "purpose", "days", "reason", "declared"),
    FIND: ("q",), VIEWED: ("q",), "/searches/figures": ("ran",), "/basket": ("act", "ids", "back"),
    "/basket/request": ("act", "ids", "kind", "purpose", "days", "reason"),
    "/basket/all": ("s", "type", "dept", "year", "sort", "under", "back"),
}  # fmt: skip
"""Every page that finds or keeps what was found, and what it is asked for by name."""
GOOD = {
    "type": "medical_record", "dept": "3", "year": "2026", "state": "archived", "sort": "date", "q": "前置胎盘",
    "value": "前置胎盘", "to": "2026", "join": "or", "field": "year", "way": "span", "act": "more", "under": "x",
    "diagnosis": "O44", "operation": "剖宫产术", "attending": "周敏", "outcome": "1", "sex": "2", "age_from": "20",
    "age_to": "40", "age_unit": "months", "days_from": "1", "admitted_from": "2026-01-01", "discharged_to": "2026-12-31",
    "sample": "5", "seed": "2026", "cursor": "e30.AAAA", "ids": "00000000-0000-0000-0000-000000000000", "back": "/search?q=1",
    "mrn": "00218647", "patient_name": "刘婷婷", "birth": "1994-03-02", "discharged_on": "2026-11-12", "purpose": "treatment",
    "s": "x", "ran": "x", "cause": "rescue", "reason": "产后大出血，昏迷送入院", "password": PASSWORD,
    "number": "00218647", "applicant": "agent",
    "records": "00218647-2 B00218647-2", "title": "产后纠纷", "date_from": "2026-11-18", "claimant": "刘婷婷", "retention": "D30",
    "complaint_no": "TS-1", "kind": "eread", "days": "3", "declared": "none",
    "bundles": "00000000-0000-0000-0000-000000000000",
}  # fmt: skip
WORDED = ("q", "value", "diagnosis")
"""What words are typed into, more than values."""
LED = ("/search", "/search/facets", "/search/front-page")
"""Pages that are led to with what was typed sealed in their address."""
BLANK = {"join": "and", "field": "", "way": "has", "to": ""}
"""A row of the advanced search is asked for whole."""
FORM = "application/x-www-form-urlencoded"
PEOPLE = ("archivist", "clinician")
FEW = 80
"""Questions made up in a usual run, on each database."""

texts = st.sampled_from(naughty.QUERIES) | st.sampled_from(naughty.VALUES) | st.text(max_size=60)
parts = st.sampled_from(["前置", "胎盘", " ", " OR ", "-", "科室:", "year:", '"', "(", ")", "2026..", "血"])
words = texts | st.lists(parts, min_size=1, max_size=30).map("".join)


@dataclass
class Asker:
    """Somebody at a page that finds, who follows to where its answer leads."""

    browser: Browser
    csrf: str
    read: str
    """Where the record is that is written."""

    def ask(self, address: str, form: dict[str, str]) -> list[TestResponse]:
        address = address if address.startswith("/") else f"{self.read}/{address}"
        body = urlencode({"csrf_token": self.csrf, **form}, errors="surrogatepass")
        answers = [self.browser.client.post(address, data=body, content_type=FORM)]
        while answers[-1].status_code in {302, 303} and len(answers) < 3:
            answers.append(self.browser.get(answers[-1].location))
        return answers

    def open(self, address: str, query: dict[str, str]) -> TestResponse:
        return self.browser.get(f"{address}?{urlencode(query, errors='surrogatepass', quote_via=quote)}")


@pytest.fixture
def askers(hospital: Hospital, browser: Browse) -> list[Asker]:
    number = patient(hospital, "00218647", "刘婷婷", diagnosis="前置胎盘", diagnosis_code="O44.100")
    report = component(hospital, number, "手术记录")
    written(
        hospital,
        report,
        "术中诊断：中央性前置胎盘伴植入。" * 40,
        "清点器械无误，血压120/80mmHg。",
    )
    archived(hospital, number)
    indexed(hospital)
    with hospital.uow("archivist", readonly=True) as uow:
        read = href(uow, uow.session.get_one(Node, report, execution_options=TEST))
    own = [browser(account) for account in PEOPLE]
    return [Asker(one, one.token("/sessions"), read) for one in own]


def fits(answers: list[TestResponse], asked: object, log: str) -> None:
    """No fault, and nothing that took longer than its limit: that would be a 503."""
    for answer in answers:
        assert answer.status_code < 500, f"{answer.status_code}: {str(asked)[:1500]}\n{log[-3000:]}"
        assert "Traceback" not in answer.get_data(as_text=True)


def test_every_naughty_question_gets_an_answer_or_a_sentence(
    askers: list[Asker], caplog: pytest.LogCaptureFixture
) -> None:
    every = (*naughty.QUERIES, *naughty.VALUES)
    for turn, typed in enumerate(every):
        asker = askers[turn // 8 % 2]
        address = ("/search", "/search/suggestions", "/search/facets", FIND, "/search/front-page", "/search/advanced/compose",
                   VIEWED, "/where")[turn % 8]  # fmt: skip
        asked = {name: typed for name in PAGES[address] if name in WORDED}
        fits(asker.ask(address, asked | BLANK), typed, caplog.text)


def made_up(askers: list[Asker], caplog: pytest.LogCaptureFixture, count: int) -> None:
    def ask(data: st.DataObject) -> None:
        asker, address = data.draw(st.sampled_from(askers)), data.draw(st.sampled_from(sorted(PAGES)))
        names = PAGES[address]
        form = {
            name: data.draw(words if name in WORDED else st.just(GOOD[name]) | texts) for name in names[:1]
        } | {
            name: data.draw(st.just(GOOD[name]) | st.just(GOOD[name]) | texts)
            for name in data.draw(st.lists(st.sampled_from(names), max_size=4, unique=True))
        }
        form = form if "value" not in form else BLANK | form
        caplog.clear()
        answers = asker.ask(address, form)
        fits(answers, (address, form), caplog.text)
        if address in LED:
            beside = {name: value[:300] for name, value in form.items() if name not in WORDED}
            torn = {name: data.draw(texts)[:300] for name in ("cursor", "s")}
            fits([asker.open(address, beside | torn)], (beside, torn), caplog.text)

    unhurried = settings(
        max_examples=count, derandomize=count <= FEW, database=None,
        phases=(Phase.explicit, Phase.generate), suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    unhurried(given(st.data())(ask))()


@once
def test_a_question_that_is_made_up_gets_an_answer_or_a_sentence(
    askers: list[Asker], caplog: pytest.LogCaptureFixture
) -> None:
    made_up(askers, caplog, FEW)


@pytest.mark.soak
def test_questions_that_are_made_up_for_long_get_an_answer_or_a_sentence(
    askers: list[Asker], hospital: Hospital, caplog: pytest.LogCaptureFixture,
    record_property: Callable[[str, object], None],
) -> None:  # fmt: skip
    count = how_many("questions", usual=10_000)
    made_up(askers, caplog, count)
    record_property(
        "soak",
        f"{count:,} questions made up for the pages that find ({hospital.site.engine.dialect.name}): no fault, none "
        "over its limit of time",
    )
