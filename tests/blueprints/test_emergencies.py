"""Break-glass as pages: nothing of a record before the act is written, a bar that ends it, and a judgement."""

import pytest
from sqlalchemy import select

from archive.models import Emergency, Node
from archive.sight import href
from tests.archives import begins
from tests.blueprints.conftest import Browse, words_of
from tests.conftest import Hospital
from tests.services.lending import archive_it
from tests.services.test_breakglass import ASKED


@begins
def archived(hospital: Hospital, record: int) -> int:
    """A restricted record of obstetrics."""
    return archive_it(hospital, record, level=2)


@pytest.fixture
def place(hospital: Hospital, archived: int) -> str:
    with hospital.uow("senior", readonly=True) as uow:
        return href(uow, uow.session.get_one(Node, archived, execution_options={"scope": "test"}))


def test_it_is_asked_for_opened_ended_by_hand_and_judged(
    hospital: Hospital, archived: int, place: str, browser: Browse
) -> None:
    doctor, head = browser("clinician2"), browser("head")
    assert doctor.get(place).status_code == 404
    again = doctor.post("/break-glass", ASKED | {"reason": "急", "password": "x"})
    assert again.status_code == 422
    assert "刘婷婷" in again.text, "what was typed is there again"
    assert ASKED["password"] not in again.text
    opened = doctor.post("/break-glass", ASKED)
    assert opened.status_code == 302
    assert "刘婷婷" not in opened.text
    assert "no-store" in opened.headers["Cache-Control"]
    page = doctor.get(opened.location)
    assert "00218647-2" in words_of(page)
    assert place in page.text
    record = doctor.get(place)
    assert "JJ2026-0001" in words_of(record)
    assert head.get("/notices").text.count("JJ2026-0001") == 1
    assert "待审查的紧急调阅" in words_of(head.get("/"))
    assert doctor.post(f"{opened.location}/end").status_code == 302
    assert doctor.get(place).status_code == 404
    assert "00218647-2" not in doctor.get(opened.location).text
    assert head.post(f"{opened.location}/judge", {"verdict": "justified", "note": ""}).status_code == 422
    assert (
        head.post(f"{opened.location}/judge", {"verdict": "justified", "note": "抢救属实"}).status_code == 302
    )
    assert "抢救属实" in words_of(doctor.get(opened.location))


def test_a_number_that_fits_nothing_is_answered_like_one_that_is_sealed(
    hospital: Hospital, archived: int, browser: Browse
) -> None:
    doctor = browser("clinician2")
    answers = [words_of(doctor.post("/break-glass", ASKED | {"mrn": mrn, "patient_name": "不是"}))
               for mrn in ("00218647", "99999999")]  # fmt: skip
    assert answers[0] == answers[1]
    assert "没有打开任何内容" in answers[0]
    with hospital.site.session(readonly=True) as session:
        assert not list(session.scalars(select(Emergency), execution_options={"scope": "test"}))


def test_security_and_auditor_see_codes_and_no_word(
    hospital: Hospital, archived: int, browser: Browse
) -> None:
    opened = browser("clinician2").post("/break-glass", ASKED)
    for account in ("security", "auditor"):
        watching = browser(account)
        for page in (watching.get("/emergencies"), watching.get(opened.location), watching.get("/notices")):
            assert page.status_code == 200
            for word in ("刘婷婷", "00218647", ASKED["reason"]):
                assert word not in page.text, account
        assert "JJ2026-0001" in watching.get("/emergencies").text
        assert (
            watching.post(f"{opened.location}/judge", {"verdict": "justified", "note": "x"}).status_code
            == 403
        )
        assert watching.post(f"{opened.location}/end").status_code == 403
