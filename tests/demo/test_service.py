from datetime import datetime, timedelta, timezone
from random import Random

import pytest

from archive.demo import service
from archive.demo.hospital import DEPARTMENTS

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=timezone(timedelta(hours=8)))
KINDS = ("投诉", "建议", "表扬", "咨询", "求助", "举报")


def tickets(count: int = 60) -> list[service.Ticket]:
    rng = Random(4)
    return [service.ticket(rng, number=f"GD20261120-{n:04d}", received_at=NOW) for n in range(count)]


def test_the_same_seed_gives_the_same_tickets() -> None:
    assert tickets() == tickets()


def test_there_is_a_ticket_of_every_kind_and_its_papers_are_whole() -> None:
    for kind in KINDS:
        ticket = service.ticket(Random(1), number="GD20261120-0001", received_at=NOW, kind=kind)
        assert ticket.kind == kind
        assert ticket.dept in DEPARTMENTS
        assert service.ticket_title("register", ticket) == f"{kind}登记表"
        for paper in service.TICKET_PAPERS:
            text = service.ticket_text(paper, ticket)
            assert 150 < len(text) < 900
            assert ticket.number in text
            assert not set("{}") & set(text)


def test_an_anonymous_letter_names_nobody() -> None:
    ticket = next(one for one in tickets() if one.anonymous)
    assert (ticket.complainant, ticket.phone, ticket.channel) == ("匿名", "", "来信")


def test_answers_come_after_the_question_and_the_revisit_after_the_answer() -> None:
    assert all(one.received_at < one.feedback_at < one.revisit_at for one in tickets())


def test_somebody_who_is_not_content_is_heard_again() -> None:
    unhappy = next(one for one in tickets() if one.satisfaction <= 2)
    assert "重新办理" in service.ticket_text("revisit", unhappy)


@pytest.mark.parametrize("seed", range(12))
def test_a_follow_up_says_what_came_of_it(stay_of, seed: int) -> None:
    scene = stay_of("CK", "scar")
    call = service.follow_up(Random(seed), scene.who, scene.stay, scene.case)
    assert (call.at.date() - scene.stay.discharged_at.date()).days == 7
    assert scene.who.name in call.text
    assert ("切口/会阴愈合情况" in call.text) == (call.result == "完成")
    assert call.result == "完成" or f"【结果】{call.result}" in call.text


def test_a_survey_has_a_score_for_every_question() -> None:
    answers = service.survey(Random(1), NOW)
    assert len(answers.scores) == 10
    assert all(1 <= score <= 5 for score in answers.scores.values())
    assert f"{sum(answers.scores.values()) / 10:.2f}" in answers.text
