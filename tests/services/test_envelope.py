"""What travels sealed in an address opens for whom it was sealed, for a day's work, and nowhere else."""

from dataclasses import replace

import pytest

from archive import cursor, envelope
from archive.errors import Invalid
from tests.conftest import Clock, Hospital

WORDS = {"q": "刘婷婷"}


def test_words_open_in_the_session_in_which_they_were_sealed(hospital: Hospital) -> None:
    actor = replace(hospital.actor("archivist"), session_id=7)
    with hospital.site.uow(actor, readonly=True) as uow:
        token = envelope.seal(uow, WORDS)
        assert envelope.opened(uow, token) == WORDS
        assert token.isascii()
        assert "?" not in token
    others = (replace(actor, session_id=8), replace(hospital.actor("senior"), session_id=7))
    for other in (*others, hospital.actor("auditor"), hospital.actor("sysadmin"), hospital.actor("stranger")):
        with hospital.site.uow(other, readonly=True) as uow:
            assert envelope.opened(uow, token) is None


def test_words_are_forgotten_after_a_day_of_work(hospital: Hospital, clock: Clock) -> None:
    with hospital.uow("archivist", readonly=True) as uow:
        token = envelope.seal(uow, WORDS)
    clock.forward(hours=13)
    with hospital.uow("archivist", readonly=True) as uow:
        assert envelope.opened(uow, token) is None


@pytest.mark.parametrize("made_up", ["", "x", "刘婷婷", "A" * 80, "====", "\udcff"])
def test_what_was_not_sealed_here_opens_nothing(hospital: Hospital, made_up: str) -> None:
    with hospital.uow("archivist", readonly=True) as uow:
        assert envelope.opened(uow, made_up) is None


def test_a_cursor_says_nothing_and_leads_on_in_its_own_list_only(hospital: Hospital) -> None:
    keys = hospital.site.keys
    made = cursor.pack(keys, "people", ["liutingting", 7])
    assert cursor.unpack(keys, "people", made) == ["liutingting", 7]
    assert made != cursor.pack(keys, "people", ["liutingting", 7])
    for wrong in (made[:-2] + "AA", "刘", ""):
        if wrong:
            with pytest.raises(Invalid):
                cursor.unpack(keys, "people", wrong)
    with pytest.raises(Invalid):
        cursor.unpack(keys, "folder:1", made)
