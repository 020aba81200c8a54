"""What is sealed stays, page by page and volume by volume; reading and adding go on. A legal hold beside it keeps all."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select, update

from archive.actor import Actor
from archive.errors import Conflict, Forbidden, Invalid, NotFound
from archive.journal import CHANGES, words_of
from archive.models import AuditEvent, Blob, Hold, Node, Page
from archive.policy.permissions import P
from archive.policy.rights import Overlay
from archive.services import (
    frozen,
    holdings,
    holds,
    legal_holds,
    purge,
    sealed,
    setup,
    staying,
    steps,
    trash,
    tree,
    unsealing,
)
from archive.sight import NodeView
from archive.site import Site
from tests import papers
from tests.archives import begins, once
from tests.conftest import CAST, Clock, Hospital
from tests.services.lending import approved, archive_it, issue, shelf
from tests.services.sealing import HOSPITAL, HUSBAND, NOTARY, OPENED, PACKAGE, release, seal
from tests.services.test_derive import work_off
from tests.services.test_intake import upload

TEST: dict[str, Any] = {"scope": "test"}


pytestmark = pytest.mark.usefixtures("in_english")


@begins
def archived(hospital: Hospital, record: int) -> int:
    """An archived record with an operation note, its volume on a shelf."""
    with hospital.uow("archivist") as uow:
        fields = {"title": "手术记录", "component": "SSJL", "date_from": "2026-11-10"}
        tree.add(uow, uow.node(record), kind="component", fields=fields)
    return archive_it(hospital, record, location=shelf(hospital))


def held(hospital: Hospital, account: str, record: int) -> set[P]:
    with hospital.uow(account, readonly=True) as uow:
        return {permission for permission in P if uow.can(permission, uow.node(record, needs=P.DISCOVER))}


def test_under_a_sealed_original_all_goes_on_but_disposal_and_lending(
    hospital: Hospital, archived: int
) -> None:
    before = {account: held(hospital, account, archived) for account in ("archivist", "senior", "clinician")}
    seal(hospital, archived)
    for account, rights in before.items():
        assert held(hospital, account, archived) == rights - STAYING
    with hospital.uow("clerk", readonly=True) as uow:
        holding, _node = uow.holding("B00218647-2")
        assert "sealed" in (frozen.volume(uow, holding) or "")


STAYING = {P.DISPOSAL_PROPOSE, P.DISPOSAL_APPROVE, P.DISPOSAL_EXECUTE}


def test_what_the_author_adds_late_lies_beside_a_sealed_list_that_stays_and_is_sealed_in_a_supplement(
    hospital: Hospital, archived: int
) -> None:
    """Domain §22.10, for a sealed original."""
    seal(hospital, archived)
    (first,) = slips_of(hospital, archived)
    with hospital.uow("senior") as uow:
        steps.take(uow, uow.node(archived), "correct", reason="病理报告归卷")
        fields = {"title": "病理报告", "component": "SSJL", "date_from": "2026-11-20"}
        tree.add(uow, uow.node(archived), kind="component", fields=fields)
    seal(hospital, archived)
    kept, added = slips_of(hospital, archived)
    assert (kept.seal.digest, kept.is_whole, added.supplement_of) == (
        first.seal.digest,
        True,
        first.seal.number,
    )
    assert [line.title for line in added.lines] == ["病理报告"]
    with pytest.raises(Conflict, match="nothing has been added"):
        seal(hospital, archived)


def test_what_was_added_by_mistake_after_the_seal_may_be_trashed_and_nothing_that_is_listed(
    site: Site, hospital: Hospital, archived: int, clock: Clock
) -> None:
    """Domain §22.10: the seal keeps its list. What is trashed meanwhile is not deleted before the seal is off."""
    made = seal(hospital, archived, kind=holds.COPY)
    with hospital.uow("senior") as uow:
        steps.take(uow, uow.node(archived), "correct", reason="病理报告归卷")
        wrong, right = (
            tree.add(
                uow, uow.node(archived), kind="component", fields={"title": title, "component": "SSJL"}
            ).id
            for title in ("他人的化验单", "病理报告")
        )
    with hospital.uow("archivist") as uow:
        trash.trash(uow, uow.node(wrong))
    seal(hospital, archived, kind=holds.COPY)  # the supplement, which lists what is right
    with hospital.uow("archivist", readonly=True) as uow:
        items = uow.list(uow.nodes(P.DISCOVER).where(Node.parent_id == archived, Node.id != wrong))
        assert right in {item.id for item in items}
        for node in (*items, uow.node(archived)):
            assert "sealed" in (trash.refused(uow, node) or "")
    clock.forward(days=31)
    purge.order(site)
    work_off(site)
    with hospital.uow("archivist") as uow:
        trash.restore(uow, uow.node(wrong))
        frozen_by = legal_holds.freeze(uow, uow.node(archived), **COURT)
        assert "legal hold" in (trash.refused(uow, uow.node(wrong)) or "")
    assert made
    assert frozen_by


def is_known(hospital: Hospital, account: str, record: int) -> bool:
    with hospital.uow(account, readonly=True) as uow:
        try:
            return bool(sealed.over(uow, uow.node(record)))
        except NotFound:
            return False


@pytest.mark.parametrize("account", sorted(CAST))
def test_who_seals_and_who_takes_the_seal_off(hospital: Hospital, archived: int, account: str) -> None:
    try:
        seal(hospital, archived, by=account)
    except (Forbidden, NotFound):
        assert account not in {"archivist", "senior"}
    else:
        assert account in {"archivist", "senior"}
        return
    made = seal(hospital, archived)
    with pytest.raises((Forbidden, NotFound)):
        release(hospital, made, by=account)
    assert not is_known(hospital, account, archived)


def test_nobody_takes_off_what_they_sealed_themselves(hospital: Hospital, archived: int) -> None:
    made = seal(hospital, archived, by="senior")
    with pytest.raises(Conflict, match="another senior archivist"):
        release(hospital, made)
    colleague(hospital)
    release(hospital, made, by="senior2")
    with hospital.uow("senior", readonly=True) as uow:
        assert not uow.node(archived).hold_count


def colleague(hospital: Hospital) -> None:
    """A second senior archivist."""
    with hospital.site.uow(Actor.system("test")) as uow:
        user = setup.enlist(uow, account="senior2", name="senior2甲", staff_no="0099", password=None,
                            roles=("senior",), clearance=3)  # fmt: skip
        hospital.people["senior2"] = user.id


def test_the_archivist_who_did_not_seal_it_does_not_release_it_either(
    hospital: Hospital, archived: int
) -> None:
    made = seal(hospital, archived, by="senior")
    with pytest.raises(Forbidden):
        release(hospital, made, by="archivist")


def test_once_it_is_off_all_is_as_before(hospital: Hospital, archived: int) -> None:
    before = held(hospital, "archivist", archived)
    made = seal(hospital, archived)
    with hospital.uow("senior", readonly=True) as uow:
        assert uow.node(archived).hold_count == 1
    release(hospital, made)
    with hospital.uow("senior", readonly=True) as uow:
        node = uow.node(archived)
        assert (node.hold_count, node.overlay_own) == (0, Overlay.NONE)
        assert sealed.over(uow, node) == []
        (gone,) = sealed.listing(uow, released=True)
        assert (gone.released_by, gone.release_parties) == ("senior甲", OPENED["people"])
    assert held(hospital, "archivist", archived) == before
    with pytest.raises(Conflict, match="already"):
        release(hospital, made)


def test_reason_and_digest_stand_in_the_journal(hospital: Hospital, archived: int) -> None:
    made = seal(hospital, archived)
    release(hospital, made)
    with hospital.site.session(readonly=True) as session:
        digest = session.scalar(select(Hold.digest), execution_options={"scope": "test"})
        events = session.scalars(
            select(AuditEvent).where(AuditEvent.action.startswith("hold.")).order_by(AuditEvent.id)
        ).all()
        assert [(event.action, event.actor, event.object_id) for event in events] == [
            ("hold.applied", "archivist", archived), ("hold.released", "senior", archived)]  # fmt: skip
        words = [words_of(session, CHANGES, event.id, hospital.site.keys) for event in events]
        assert (words[0]["reason"], words[0]["digest"], words[0]["number"]) == (
            PACKAGE["reason"],
            digest,
            "FC2026-0001",
        )
        assert (words[1]["ground"], words[1]["present"]) == ("together", ["何志远", "刘建国"])


# A copy


def test_under_a_sealed_copy_the_original_goes_on(hospital: Hospital, archived: int) -> None:
    before = {account: held(hospital, account, archived) for account in ("archivist", "senior", "clinician")}
    changed = changed_at(hospital, archived)
    seal(hospital, archived, kind=holds.COPY)
    assert changed_at(hospital, archived) == changed, "a date that everybody sees would tell of it"
    for account, rights in before.items():
        assert held(hospital, account, archived) == rights - STAYING
    issue(hospital, approved(hospital, "clinician", archived))


def changed_at(hospital: Hospital, record: int) -> datetime:
    with hospital.uow("clinician", readonly=True) as uow:
        return NodeView(uow, uow.node(record)).updated_at


def test_a_copy_is_sealed_though_the_volume_is_lent(hospital: Hospital, archived: int) -> None:
    issue(hospital, approved(hospital, "clinician", archived))
    with pytest.raises(Conflict, match="lent"):
        seal(hospital, archived)
    seal(hospital, archived, kind=holds.COPY)


def test_what_is_added_later_is_sealed_in_a_supplement_and_the_first_list_stays(
    hospital: Hospital, archived: int
) -> None:
    seal(hospital, archived, kind=holds.COPY)
    with pytest.raises(Conflict, match="nothing has been added"):
        seal(hospital, archived, kind=holds.COPY)
    first = slips_of(hospital, archived)
    with hospital.uow("senior") as uow:
        steps.take(uow, uow.node(archived), "correct", reason="病理报告归卷")
        holdings.register(uow, uow.node(archived), barcode="B00218647-2B", sheets=3)
    seal(hospital, archived, kind=holds.COPY)
    both = slips_of(hospital, archived)
    assert both[0].seal.volumes == first[0].seal.volumes
    assert both[0].is_whole
    assert [volume["barcode"] for volume in both[1].seal.volumes] == ["B00218647-2B"]
    assert both[1].supplement_of == both[0].seal.number
    with hospital.uow("senior", readonly=True) as uow:
        assert uow.node(archived).hold_count == 2


def slips_of(hospital: Hospital, record: int) -> list[sealed.Slip]:
    with hospital.uow("senior", readonly=True) as uow:
        return [sealed.one(uow, seal.uuid) for seal in sealed.over(uow, uow.node(record))]


def test_an_original_is_sealed_over_its_copy_and_the_copy_stays_sealed_when_it_opens(
    hospital: Hospital, archived: int
) -> None:
    seal(hospital, archived, kind=holds.COPY)
    original = seal(hospital, archived)
    release(hospital, original)
    with hospital.uow("senior", readonly=True) as uow:
        node = uow.node(archived)
        assert (node.hold_count, node.overlay_own) == (1, Overlay.KEPT)
        assert frozen.volume(uow, uow.holding("B00218647-2")[0]) is None


def test_a_list_that_was_tampered_with_is_noticed(hospital: Hospital, archived: int) -> None:
    made = seal(hospital, archived, kind=holds.COPY)
    with hospital.site.session() as session:
        hold = session.get_one(Hold, made, execution_options={"scope": "test"})
        hold.manifest = hold.manifest | {"volumes": []}
    assert not slips_of(hospital, archived)[0].is_whole


# What is asked of a seal


@once
@pytest.mark.parametrize(
    ("field", "value"),
    [("reason", "  "), ("reason", "因" * 501), ("people", [HOSPITAL]), ("people", [HUSBAND]), ("people", []),
     ("people", [HOSPITAL, HUSBAND | {"name": ""}]), ("people", [HOSPITAL, HUSBAND | {"office": ""}]),
     ("people", [HOSPITAL, HUSBAND | {"side": "friend"}]), ("people", [HOSPITAL, HUSBAND | {"name": "刘" * 61}]),
     ("people", [HOSPITAL, HUSBAND] * 4), ("kept_at", ""), ("kind", "both"), ("kind", "legal"),
     ("asked_by", "anybody"), ("review_due", "2026-11-20"), ("review_due", "soon")],
)  # fmt: skip
def test_a_seal_needs_its_parties_its_place_its_review_and_its_reason(
    hospital: Hospital, archived: int, field: str, value: Any
) -> None:
    with pytest.raises(Invalid) as refused:
        seal(hospital, archived, **{field: value})
    assert set(refused.value.fields) == {field}


def test_a_notary_stands_in_for_the_patient(hospital: Hospital, archived: int) -> None:
    made = seal(hospital, archived, people=[HOSPITAL, NOTARY])
    with pytest.raises(Invalid) as refused:
        release(hospital, made, people=[HOSPITAL, HUSBAND])
    assert "Notary" in refused.value.fields["people"]
    release(hospital, made, people=[HOSPITAL, NOTARY])


def test_one_side_alone_opens_nothing_unless_it_is_settled_by_a_document(
    hospital: Hospital, archived: int
) -> None:
    """Domain §22.9."""
    made = seal(hospital, archived)
    for people in ([HOSPITAL], [HUSBAND], [HOSPITAL, NOTARY]):
        with pytest.raises(Invalid) as refused:
            release(hospital, made, people=people)
        assert set(refused.value.fields) == {"people"}
    with pytest.raises(Invalid) as refused:
        release(hospital, made, ground="settled", people=[HOSPITAL])
    assert set(refused.value.fields) == {"paper"}
    release(hospital, made, ground="settled", people=[HOSPITAL], paper="（2026）云川医调 12 号")
    with hospital.uow("senior", readonly=True) as uow:
        (gone,) = sealed.listing(uow, released=True)
        assert gone.release_paper == "（2026）云川医调 12 号"


def test_the_hospital_opens_it_alone_only_after_three_years_without_a_claim(
    hospital: Hospital, archived: int, clock: Clock
) -> None:
    made = seal(hospital, archived)
    with pytest.raises(Invalid):
        release(hospital, made, ground="no_claim", people=[HOSPITAL])
    clock.forward(days=3 * 365 + 1)
    release(hospital, made, ground="no_claim", people=[HOSPITAL])


def test_a_seal_is_reviewed_and_kept(hospital: Hospital, archived: int, clock: Clock) -> None:
    made = seal(hospital, archived, review_due="2026-12-01")
    assert reviews(hospital) == ["wait"]
    clock.forward(days=12)
    assert reviews(hospital) == ["bad"]
    with hospital.uow("archivist") as uow:
        hold = uow.session.get_one(Hold, made, execution_options={"scope": "test"})
        with pytest.raises(Invalid):
            holds.review(uow, hold, review_due="2026-12-01", reason="")
    with hospital.uow("archivist") as uow:
        hold = uow.session.get_one(Hold, made, execution_options={"scope": "test"})
        holds.review(uow, hold, review_due="2027-06-01", reason="诉讼未结")
    assert reviews(hospital) == ["ok"]


def reviews(hospital: Hospital) -> list[str]:
    with hospital.uow("archivist", readonly=True) as uow:
        return [seal.review for seal in sealed.listing(uow)]


def test_a_part_of_a_record_is_not_sealed(hospital: Hospital, archived: int) -> None:
    with hospital.uow("archivist", readonly=True) as uow:
        (part,) = [
            node.id for node in uow.session.scalars(uow.nodes(P.HOLD_APPLY).where(Node.parent_id == archived))
        ]
    with pytest.raises(Conflict):
        seal(hospital, part)


def test_an_unfinished_record_is_sealed_as_far_as_it_goes_and_then_not_trashed(
    hospital: Hospital, record: int
) -> None:
    with pytest.raises(Conflict, match="nothing to seal"):
        seal(hospital, record, kind=holds.COPY)
    with hospital.uow("archivist") as uow:
        holdings.register(uow, uow.node(record), sheets=20)
    seal(hospital, record, kind=holds.COPY)
    with hospital.uow("archivist") as uow, pytest.raises(Conflict):
        trash.trash(uow, uow.node(record))
    with hospital.uow("senior") as uow, pytest.raises(Conflict):
        trash.trash(uow, hospital.category(uow, "ZY·BL"))


def test_a_record_above_the_archivists_clearance_shows_its_seal_to_the_senior_alone(
    hospital: Hospital, archived: int
) -> None:
    with hospital.uow("senior") as uow:
        tree.set_level(uow, uow.node(archived), level=3, reason="涉诉")
    seal(hospital, archived, by="senior", kind=holds.COPY)
    with hospital.uow("archivist", readonly=True) as uow:
        assert sealed.listing(uow) == []


def test_a_page_that_is_no_longer_what_was_sealed_is_named_when_it_is_opened(
    site: Site, hospital: Hospital, archived: int
) -> None:
    with hospital.uow("senior") as uow:
        steps.take(uow, uow.node(archived), "correct", reason="补扫")
    upload(hospital, "archivist", archived, papers.pdf("首页", "病程"), "病历.pdf")
    work_off(site)
    made = seal(hospital, archived, kind=holds.COPY)
    assert found_different(hospital, made) == []
    with site.session() as session:
        page = session.scalars(select(Page).order_by(Page.ordinal), execution_options=TEST).first()
        assert page is not None
        page.source_page = 7
    assert found_different(hospital, made) == [(1, "It is another picture.")]
    with site.session() as session:
        session.execute(
            update(Page).where(Page.source_page == 7).values(source_page=1), execution_options=TEST
        )
        session.execute(
            update(Page).where(Page.ordinal == 2).values(node_id=None, aside_of_id=archived),
            execution_options=TEST,
        )
    assert found_different(hospital, made) == [(2, "It does not stand in the record any more.")]
    (master,) = (path for path in site.settings.var.rglob("*") if path.is_file() and is_of(site, path.name))
    master.unlink()
    assert {words for _page, words in found_different(hospital, made)} == {SPOILT}


SPOILT = "The bytes of its file are not those that were sealed."


def is_of(site: Site, name: str) -> bool:
    with site.session(readonly=True) as session:
        return name in set(session.scalars(select(Blob.sha256), execution_options=TEST))


def found_different(hospital: Hospital, made: int) -> list[tuple[int, str]]:
    with hospital.uow("senior", readonly=True) as uow:
        hold = uow.session.get_one(Hold, made, execution_options=TEST)
        return [(one.ordinal, one.words) for one in unsealing.differences(uow, hold)]


# 冻结


COURT = {
    "asked_by": "authority",
    "paper": "（2026）云川民初 318 号",
    "review_due": "2027-05-20",
    "reason": "诉讼保全",
}


def freeze(hospital: Hospital, record: int, **other: str) -> int:
    with hospital.uow("archivist") as uow:
        return legal_holds.freeze(uow, uow.node(record), **COURT | other).id


def test_a_legal_hold_closes_nothing_and_lets_nothing_go(hospital: Hospital, archived: int) -> None:
    before = held(hospital, "senior", archived)
    made = freeze(hospital, archived)
    assert held(hospital, "senior", archived) == before - STAYING
    issue(hospital, approved(hospital, "clinician", archived))
    with hospital.uow("senior", readonly=True) as uow:
        (row,) = staying.reasons(uow, [uow.node(archived)]).values()
        assert row == ["A paper volume is registered; nothing is deleted while there is paper.", "A volume of it is lent.",
                       "Somebody has asked for it.", "It is under a legal hold."]  # fmt: skip
    with pytest.raises(Invalid) as refused:
        release(hospital, made, ground="settled", people=[], reason="结案")
    assert set(refused.value.fields) == {"paper"}
    release(hospital, made, ground="settled", people=[], paper="（2027）云川民终 4 号", reason="结案")
    assert held(hospital, "senior", archived) == before


@once
@pytest.mark.parametrize("field", COURT)
def test_a_legal_hold_needs_its_document_its_review_and_its_reason(
    hospital: Hospital, archived: int, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        freeze(hospital, archived, **{field: " "})
    assert set(refused.value.fields) == {field}


def test_a_draft_under_a_legal_hold_is_not_trashed_and_one_document_holds_once(
    hospital: Hospital, record: int
) -> None:
    freeze(hospital, record)
    with pytest.raises(Invalid):
        freeze(hospital, record)
    with hospital.uow("senior", readonly=True) as uow:
        category = hospital.category(uow, "ZY·BL")
        assert "legal hold" in (staying.held(uow, category) or "")
    with hospital.uow("archivist") as uow, pytest.raises(Conflict):
        trash.trash(uow, uow.node(record))
