"""Being away, as a page: a head names a deputy, who reads on the list for whom they give an opinion."""

from datetime import timedelta

from archive.actor import Actor
from archive.models import Principal
from archive.services import setup, slips
from tests.archives import START, once
from tests.blueprints.conftest import Browse, words_of
from tests.conftest import Hospital
from tests.services.lending import archive_it, ask
from tests.services.test_approvals import move


@once
def test_a_head_names_a_deputy_who_gives_the_opinion_and_gives_it_back(
    hospital: Hospital, record: int, browser: Browse
) -> None:
    archive_it(hospital, record)
    with hospital.site.uow(Actor.system("test")) as uow:
        made = setup.enlist(uow, account="affairs", name="苏文", staff_no="0098", password=None, roles=("medical_affairs",),
                            clearance=2)  # fmt: skip
        # The password of everybody else.
        made.password = uow.session.get_one(type(made), hospital.people["head"]).password
        hospital.people["affairs"] = made.id
        uuid = str(uow.session.get_one(Principal, made.id).uuid)
    move(hospital, "affairs", "CK")
    number = ask(hospital, "clinician", record, purpose="research")
    head, deputy = browser("head"), browser("affairs")
    page = head.get("/me/absence")
    assert "暂无代理" in words_of(page)
    assert 'href="/me/absence"' in page.text
    assert "苏文" in words_of(page)
    today = START.date()
    typed = {"deputy": uuid, "start": str(today), "end": str(today - timedelta(1)), "because": "外出进修"}
    wrong = head.post("/me/absence", typed)
    assert wrong.status_code == 422
    assert "外出进修" in wrong.text, "what was typed is there again"
    assert head.post("/me/absence", typed | {"end": str(today)}).status_code == 302
    assert head.post("/me/absence", typed | {"end": str(today)}).status_code == 409
    assert "代理head甲" in words_of(deputy.get("/approvals")).replace(" ", "")
    assert number in deputy.get("/approvals").text
    with hospital.uow("affairs", readonly=True) as uow:
        ref = slips.one(uow, number).uuid
    assert deputy.post(f"/requests/{ref}/endorse").status_code == 302
    assert "代head甲" in words_of(browser("clinician").get(f"/requests/{ref}")).replace(" ", "")
    ended = deputy.get("/me/absence").text.split('action="/me/absence/')[1].split("/end")[0]
    assert deputy.post(f"/me/absence/{ended}/end").status_code == 302
    assert deputy.post(f"/me/absence/{ended}/end").status_code == 302
    assert "已经结束" in words_of(deputy.get("/me/absence"))
    assert 'href="/me/absence"' not in browser("clinician").get("/").text
