"""The keying desk: what stands on a front page is keyed; number, name and dates by two people who do not see each other's."""

from typing import Any

import pytest
from sqlalchemy import select

from archive.actor import Actor
from archive.errors import ArchiveError, Conflict, Forbidden, Invalid, NotFound, Stale
from archive.models import Keying, NodeVersion, PolicyVersion
from archive.services import keying, keying_desk, steps, tree
from archive.sight import href
from archive.site import Site
from tests import papers
from tests.archives import Clock, begins
from tests.conftest import CAST, RECORD, Hospital
from tests.services.test_intake import upload
from tests.services.test_page_checks import drawn
from tests.services.test_patients import edited
from tests.services.test_trash import empty, is_there, throw

TEST: dict[str, Any] = {"scope": "test"}
AGAIN = {
    "mrn": "00218647", "patient_name": "刘婷婷", "birth": "19940302", "admitted_on": "20261108", "discharged_on": "20261112",
}  # fmt: skip
"""What the second person keys of the record of the tests."""


@begins
def paged(hospital: Hospital, record: int) -> int:
    """A draft with two pages."""
    upload(hospital, "scanner", record, papers.pdf("住院病案首页", "入院记录"))
    drawn(hospital.site)
    return record


def first(hospital: Hospital, record: int, account: str = "archivist", **said: str) -> str:
    """Keys a record from its first field to its last: what is there already is left as it stands."""
    with hospital.uow(account) as uow:
        node = uow.node(record)
        shown = keying_desk.shown(uow, node)
        names = [field.name for field in keying.rules(uow, node).fields]
        return keying.key(uow, node, said={name: shown[name] for name in names} | said, version=node.version)


def again(hospital: Hospital, record: int, account: str = "senior", **said: str) -> str:
    with hospital.uow(account) as uow:
        return keying.key_again(uow, uow.node(record), said=AGAIN | said)


def decided(hospital: Hospital, record: int, account: str = "senior", **said: str) -> None:
    with hospital.uow(account) as uow:
        node = uow.node(record)
        keying.decide(uow, node, said=said, version=node.version)


def says(hospital: Hospital, record: int) -> dict[str, str]:
    with hospital.uow("archivist", readonly=True) as uow:
        return keying.now(uow, uow.node(record))


def task(hospital: Hospital, record: int, account: str) -> str:
    with hospital.uow(account, readonly=True) as uow:
        return keying_desk.task_of(uow, uow.node(record))


def listed(hospital: Hospital, account: str) -> list[tuple[int, str]]:
    with hospital.uow(account, readonly=True) as uow:
        return [(row.node.id, row.task) for row in keying_desk.waiting(uow)]


def another(hospital: Hospital, mrn: str) -> int:
    with hospital.uow("archivist") as uow:
        fields = RECORD | {"mrn": mrn, "dept": str(hospital.wards["CK"])}
        return tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record", fields=fields).id


def adopt(hospital: Hospital, **changes: Any) -> None:
    """Another rule of the keying desk, in force at once."""
    with hospital.site.uow(Actor.system("test")) as uow:
        row = uow.session.scalars(select(PolicyVersion).where(PolicyVersion.kind == "keying")).one()
        row.body = row.body | changes


# One person, two people


def test_what_is_keyed_once_stands_in_the_record_and_what_is_keyed_twice_waits(
    hospital: Hospital, paged: int
) -> None:
    state = first(hospital, paged, attending="李明", admitted_on="20261107", patient_name="刘亭亭")
    assert state == keying.ONCE
    now = says(hospital, paged)
    assert now["attending"] == "李明"
    assert (now["admitted_on"], now["patient_name"]) == ("2026-11-08", "刘婷婷"), (
        "these wait for the second person"
    )


def test_two_people_who_key_the_same_have_it_written_with_one_version_more(
    hospital: Hospital, paged: int
) -> None:
    first(hospital, paged, admitted_on="20261107")
    assert again(hospital, paged, admitted_on="2026.11.07") == keying.DONE
    assert says(hospital, paged)["admitted_on"] == "2026-11-07"
    with hospital.site.session(readonly=True) as session:
        versions = session.scalars(
            select(NodeVersion).where(NodeVersion.node_id == paged), execution_options=TEST
        ).all()
        row = session.get_one(Keying, paged, execution_options=TEST)
    assert [one.snapshot["admitted_on"] for one in versions if "admitted_on" in one.snapshot][
        -1
    ] == "2026-11-07"
    assert len(versions) == 2
    assert (row.first, row.second, row.before) == ({}, {}, {}), "the values are the record's now"
    assert (row.first_by_id, row.second_by_id) == (hospital.people["archivist"], hospital.people["senior"])


def test_what_agrees_with_the_record_makes_no_version(hospital: Hospital, paged: int) -> None:
    first(hospital, paged)
    assert again(hospital, paged) == keying.DONE
    with hospital.site.session(readonly=True) as session:
        versions = session.scalars(
            select(NodeVersion).where(NodeVersion.node_id == paged), execution_options=TEST
        ).all()
    assert len(versions) == 1


def test_a_difference_is_shown_side_by_side_with_its_characters_and_a_person_chooses(
    hospital: Hospital, paged: int
) -> None:
    first(hospital, paged, mrn="00218674")
    assert again(hospital, paged, patient_name="刘停停") == keying.DIFFERS
    assert says(hospital, paged)["mrn"] == "00218647", "until somebody has chosen the record stays as it was"
    with hospital.uow("archivist", readonly=True) as uow:
        number, name = keying_desk.differences(uow, uow.node(paged))
    assert [(side.whose, side.by, side.value) for side in number.sides] == [
        ("first", "archivist甲", "00218674"), ("second", "senior甲", "00218647"),
    ]  # fmt: skip
    assert "".join(text for text, differs in name.sides[1].parts if differs) == "停停"
    with pytest.raises(Invalid) as refused:
        decided(hospital, paged, mrn="00218647")
    assert set(refused.value.fields) == {"patient_name"}
    decided(hospital, paged, mrn="00218674", patient_name="刘亭婷")
    now = says(hospital, paged)
    assert (now["mrn"], now["patient_name"]) == ("00218674", "刘亭婷")
    with pytest.raises(Conflict):
        decided(hospital, paged, mrn="00218647", patient_name="刘婷婷")


def test_what_both_keyed_and_the_record_does_not_take_is_decided_by_a_person(
    hospital: Hospital, paged: int
) -> None:
    another(hospital, "00300009")
    first(hospital, paged, mrn="00300009", patient_name="陈红")
    assert again(hospital, paged, mrn="00300009", patient_name="陈红") == keying.DIFFERS
    with hospital.uow("senior", readonly=True) as uow:
        number, _name = keying_desk.differences(uow, uow.node(paged))
    assert [side.value for side in number.sides] == ["00300009", "00300009", "00218647"]
    with pytest.raises(Invalid):
        decided(hospital, paged, mrn="00300009", patient_name="陈红")
    decided(hospital, paged, mrn="00218647", patient_name="刘婷婷")
    assert task(hospital, paged, "archivist") == keying_desk.FIRST, "it is done, and may be keyed anew"


def test_a_name_written_wrong_is_put_right_where_nothing_else_is_known_of_the_patient(
    hospital: Hospital, paged: int
) -> None:
    first(hospital, paged, patient_name="刘亭亭")
    assert again(hospital, paged, patient_name="刘亭亭") == keying.DONE
    assert says(hospital, paged)["patient_name"] == "刘亭亭"
    with hospital.uow("archivist") as uow:
        fields = RECORD | {"times": "3", "patient_name": "刘亭亭", "dept": str(hospital.wards["CK"])}
        tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record", fields=fields)
    first(hospital, paged, patient_name="刘婷婷")
    assert again(hospital, paged) == keying.DIFFERS, (
        "two stays have this name: it is not one record's to change"
    )
    assert says(hospital, paged)["patient_name"] == "刘亭亭"


def test_whoever_keyed_first_is_not_the_second_unless_the_hospital_says_so(
    hospital: Hospital, paged: int
) -> None:
    first(hospital, paged)
    assert task(hospital, paged, "archivist") == keying_desk.OWN
    assert task(hospital, paged, "senior") == keying_desk.AGAIN
    with pytest.raises(Conflict):
        again(hospital, paged, "archivist")
    adopt(hospital, second={"other_person": False})
    assert task(hospital, paged, "archivist") == keying_desk.AGAIN
    assert again(hospital, paged, "archivist") == keying.DONE


def test_whoever_keyed_first_may_correct_themselves_until_the_second_person_comes(
    hospital: Hospital, paged: int
) -> None:
    first(hospital, paged, birth="19940203")
    with hospital.uow("archivist", readonly=True) as uow:
        assert keying_desk.shown(uow, uow.node(paged))["birth"] == "1994-02-03"
    first(hospital, paged, birth="19940302")
    assert again(hospital, paged) == keying.DONE


def test_the_second_person_is_shown_the_record_and_never_the_first_keying(
    hospital: Hospital, paged: int
) -> None:
    first(hospital, paged, birth="19940203")
    with hospital.uow("senior", readonly=True) as uow:
        node = uow.node(paged)
        assert keying_desk.shown(uow, node)["birth"] == "1994-03-02"
        assert keying_desk.differences(uow, node) == []


def test_two_who_open_the_same_record_at_once_are_first_and_second(hospital: Hospital, paged: int) -> None:
    with hospital.uow("senior", readonly=True) as uow:
        opened = uow.node(paged).version
    first(hospital, paged, attending="李明")
    with hospital.uow("senior") as uow:
        state = keying.key(
            uow, uow.node(paged), said=RECORD | {"dept": str(hospital.wards["CK"])}, version=opened
        )
    assert state == keying.DIFFERS
    with hospital.uow("senior", readonly=True) as uow:
        (only,) = keying_desk.differences(uow, uow.node(paged))
    assert [side.value for side in only.sides] == ["李明", RECORD["attending"]], (
        "nothing that was typed is dropped"
    )
    decided(hospital, paged, attending="李明")
    assert says(hospital, paged)["attending"] == "李明"


# What others do meanwhile


def test_a_record_that_somebody_else_has_saved_meanwhile_is_not_written_over(
    hospital: Hospital, paged: int
) -> None:
    with hospital.uow("archivist", readonly=True) as uow:
        opened = uow.node(paged).version
    edited(hospital, paged, attending="王芳")
    with hospital.uow("archivist") as uow, pytest.raises(Stale):
        keying.key(uow, uow.node(paged), said={"attending": "李明"}, version=opened)
    first(hospital, paged, mrn="00218674")
    again(hospital, paged)
    with hospital.uow("senior", readonly=True) as uow:
        opened = uow.node(paged).version
    edited(hospital, paged, attending="陈伟")
    with hospital.uow("senior") as uow, pytest.raises(Stale):
        keying.decide(uow, uow.node(paged), said={"mrn": "00218647"}, version=opened)


def test_what_a_third_person_saved_between_the_two_keyings_is_decided_too(
    hospital: Hospital, paged: int
) -> None:
    first(hospital, paged, birth="19940203")
    edited(hospital, paged, birth="1994-04-02")
    assert again(hospital, paged, birth="19940203") == keying.DIFFERS
    with hospital.uow("senior", readonly=True) as uow:
        (birth,) = keying_desk.differences(uow, uow.node(paged))
    assert [side.value for side in birth.sides] == ["1994-02-03", "1994-02-03", "1994-04-02"]
    decided(hospital, paged, birth="1994-04-02")
    assert says(hospital, paged)["birth"] == "1994-04-02"


def test_what_has_not_the_right_form_is_kept_nowhere(hospital: Hospital, paged: int) -> None:
    for name, value in (("mrn", "21"), ("admitted_on", "20261332"), ("sex", "7"), ("diagnosis_code", "妊娠")):
        with pytest.raises(Invalid) as refused:
            first(hospital, paged, **{name: value})
        assert set(refused.value.fields) == {name}
    assert task(hospital, paged, "senior") == keying_desk.FIRST


def test_a_record_that_has_gone_for_review_is_keyed_no_more(hospital: Hospital, paged: int) -> None:
    first(hospital, paged)
    with hospital.uow("archivist") as uow:
        steps.take(uow, uow.node(paged), "catalogue")
        steps.take(uow, uow.node(paged), "submit")
    assert listed(hospital, "senior") == []
    with pytest.raises(ArchiveError):
        again(hospital, paged)


def test_what_was_keyed_goes_with_the_record(
    site: Site, hospital: Hospital, paged: int, clock: Clock
) -> None:
    first(hospital, paged, patient_name="刘亭亭")
    throw(hospital, paged)
    clock.forward(days=400)
    empty(site)
    assert not is_there(site, paged)
    with site.session(readonly=True) as session:
        assert session.scalars(select(Keying), execution_options=TEST).all() == []


# Who may, and what is next


@pytest.mark.parametrize("account", sorted(CAST))
def test_whoever_may_edit_and_read_keys_and_nobody_else(hospital: Hospital, paged: int, account: str) -> None:
    if account in {"archivist", "senior"}:
        assert first(hospital, paged, account) == keying.ONCE
        return
    with pytest.raises((Forbidden, NotFound)):
        first(hospital, paged, account)
    adopt(hospital, second={"other_person": True})
    first(hospital, paged)
    with pytest.raises((Forbidden, NotFound)):
        again(hospital, paged, account)


def test_the_list_has_what_nobody_has_keyed_first_and_never_what_has_no_page(
    site: Site, hospital: Hospital, paged: int
) -> None:
    fresh, bare = another(hospital, "00300001"), another(hospital, "00300002")
    upload(hospital, "scanner", fresh, papers.pdf("住院病案首页 2"))
    drawn(site)
    first(hospital, paged)
    assert listed(hospital, "senior") == [(fresh, "first"), (paged, "again")]
    assert listed(hospital, "archivist") == [(fresh, "first"), (paged, "own")]
    assert bare not in dict(listed(hospital, "senior"))
    for account in ("clinician", "auditor", "sysadmin", "stranger"):
        assert listed(hospital, account) == []
    with hospital.uow("senior", readonly=True) as uow:
        following = keying_desk.next_after(uow, uow.node(fresh), task="first")
        assert following is not None
        assert following.id == paged
    with hospital.uow("archivist", readonly=True) as uow:
        assert keying_desk.next_after(uow, uow.node(fresh), task="first") is None, (
            "one's own waits for another person"
        )
        assert keying_desk.counts(uow) == {"first": 1, "again": 0, "decide": 0, "own": 1}


def test_the_front_page_is_shown_wherever_it_stands_and_its_reading_is_written_down(
    site: Site, hospital: Hospital, paged: int
) -> None:
    with hospital.uow("archivist") as uow:
        fields = {"title": "住院病案首页", "component": "SY"}
        front = tree.add(uow, uow.node(paged), kind="component", fields=fields).id
    upload(hospital, "scanner", front, papers.pdf("病案首页", "首页背面"))
    drawn(site)
    with hospital.uow("archivist", readonly=True) as uow:
        found = keying_desk.sheets(uow, uow.node(paged))
        assert [sheet.page.ordinal for sheet in found] == [1, 2]
        assert found[0].href != href(uow, uow.node(paged))
        assert [(event.action, event.object_id) for event in uow.readings] == [("page.viewed", front)]
    with hospital.uow("archivist", readonly=True) as uow, pytest.raises(Conflict):
        keying_desk.sheets(uow, uow.node(another(hospital, "00300003")))


def test_every_step_tells_who_did_what_and_no_value_that_the_other_must_not_see(
    hospital: Hospital, paged: int
) -> None:
    events = []
    for act in (first, again):
        account = "archivist" if act is first else "senior"
        with hospital.uow(account) as uow:
            node = uow.node(paged)
            if act is first:
                keying.key(uow, node, said=AGAIN | {"patient_name": "刘亭亭"}, version=node.version)
            else:
                keying.key_again(uow, node, said=AGAIN)
            events += [(event.action, event.object_id, str(event.words)) for event in uow.events]
    assert [name for name, _about, _words in events] == ["keying.keyed", "keying.keyed_again"]
    assert {about for _name, about, _words in events} == {paged}
    assert "刘" not in events[0][2]
    assert "patient_name" in events[1][2]
