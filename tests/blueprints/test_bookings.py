"""预约: an hour at the copying window is booked by telephone, and becomes a slip when somebody comes."""

import re
from collections.abc import Callable

from sqlalchemy import select

from archive import worker
from archive.models import CopyBooking
from archive.site import Site
from tests.archives import begins
from tests.blueprints.conftest import Browser, words_of
from tests.blueprints.test_copying import form_of
from tests.conftest import Hospital
from tests.services.lending import archive_it

Browse = Callable[..., Browser]
TEST = {"scope": "test"}
SAID = {
    "when": "2026-11-23 09:30", "applicant": "agent", "applicant_name": "刘建国", "phone": "13800000000", "number": "00218647",
    "patient_name": "刘婷婷", "note": "周末出差",
}  # fmt: skip
BOOKING = re.compile(r"/copying/bookings/[0-9a-f-]{36}")


@begins
def archived(hospital: Hospital, record: int) -> int:
    return archive_it(hospital, record)


def test_an_hour_is_booked_and_becomes_a_slip_with_one_click(
    hospital: Hospital, site: Site, archived: int, browser: Browse
) -> None:
    desk = browser("desk")
    assert "预约复制" in desk.get("/copying").text
    for wrong in (
        {"when": "2026-11-21 09:30"},
        {"when": "2026-11-23 03:00"},
        {"phone": ""},
        {"applicant": "nobody"},
    ):
        refused = desk.post("/copying/bookings", SAID | wrong)
        assert refused.status_code == 422, wrong
        assert "周末出差" in refused.text, "what was typed stays"
    card = SAID | {"number": "33010619940302482X"}
    unknown = desk.post("/copying/bookings", card, follow_redirects=True)
    assert "已预约" in unknown.text, "nothing is looked up: whoever telephones learns of no record"
    assert "330106********482X" in unknown.text
    assert card["number"] not in unknown.text, "a list has no number of an identity card"
    for _place in range(3):
        assert desk.post("/copying/bookings", SAID).status_code == 302
    full = desk.post("/copying/bookings", SAID)
    assert full.status_code == 409
    assert "已约满" in full.text
    page = desk.get("/copying/bookings?day=2026-11-23")
    assert "刘**" in words_of(page)
    assert "刘建国" not in page.text, "a list names nobody in full"
    with site.session(readonly=True) as session:
        hidden = session.scalars(select(CopyBooking.said_enc), execution_options=TEST).all()
    assert all("刘建国".encode() not in one for one in hidden)

    places = list(dict.fromkeys(BOOKING.findall(page.text)))
    assert len(places) == 4
    assert desk.post(f"{places[1]}/cancel", {"day": "2026-11-23"}).status_code == 302
    assert desk.post(f"{places[1]}/cancel", {}).status_code == 409
    assert desk.post("/copying/bookings", SAID).status_code == 302, "the hour is free again"

    led = desk.get(places[2])
    assert led.status_code == 302
    for word in ("00218647", "%E5%88%98", "刘"):
        assert word not in led.location, "what was said stands sealed in the address"
    window = desk.get(led.location)
    assert "00218647-2" in window.text
    assert 'value="刘建国"' in window.text
    booking = places[2].rpartition("/")[2]
    form = form_of(window.text) | {"booking": booking, f"sheets-{form_of(window.text)['records']}": "12"}
    lost = form | {"booking": places[1].rpartition("/")[2], "note": "要两份"}
    refused = desk.post("/copying/applications", lost)
    assert refused.status_code == 409, "somebody has cancelled it meanwhile"
    assert "要两份" in refused.text
    assert lost["booking"] not in refused.text, "what was typed can be sent again, without the booking"
    made = desk.post("/copying/applications", form)
    assert made.status_code == 302
    listed = desk.get("/copying/bookings?day=2026-11-23").text
    assert made.location in listed, "the list leads to the slip"
    assert desk.get(places[2]).status_code == 404, "it was taken up"
    for account in ("clinician", "clerk", "auditor"):
        assert browser(account).get("/copying/bookings").status_code == 403
        assert browser(account).get(places[0]).status_code == 403
    hospital.clock.forward(days=40)
    worker.expire(site, "a worker")
    with site.session(readonly=True) as session:
        assert session.scalar(select(CopyBooking.id), execution_options=TEST) is None, (
            "what was said is forgotten"
        )
