"""Searching: what is found, by whom, and that nothing betrays what somebody may not know of."""

from dataclasses import dataclass
from datetime import timedelta
from shutil import rmtree

import pytest
from sqlalchemy import event, select

from archive.actor import Actor
from archive.errors import Invalid, Unavailable
from archive.models import AccessGrant, LocalRole, Node
from archive.policy.permissions import P
from archive.policy.rights import Overlay
from archive.services import search, sharing, trash
from archive.services.findings import Filters, Order, Results, Tally
from tests.archives import begins
from tests.conftest import CAST, Clock, Hospital
from tests.services.searching import TEST, archived, component, indexed, patient, written


@dataclass(frozen=True)
class Shelf:
    """Three patients: one of obstetrics, one of paediatrics, and one of obstetrics whose diagnosis is special (S2)."""

    own: int
    operation: int
    other: int
    special: int


@begins
def shelf(hospital: Hospital) -> Shelf:
    own = patient(hospital, "00218647", "刘婷婷", diagnosis="前置胎盘", diagnosis_code="O44.100")
    operation = component(hospital, own, "手术记录")
    written(hospital, own, "入院记录：孕 36 周，因无痛性阴道流血入院，超声提示完全性前置\n胎盘。")
    written(hospital, operation, "术中诊断：中央性前置胎盘伴植入。", "清点器械无误。")
    other = patient(hospital, "00300001", "陈朵朵", ward="EK", diagnosis="支气管肺炎", diagnosis_code="J18.000",
                    admitted_on="2025-02-01", discharged_on="2025-02-09")  # fmt: skip
    written(hospital, other, "患儿其母曾患前置胎盘。")
    special = patient(
        hospital, "00400001", "毛晓燕", diagnosis="人类免疫缺陷病毒病", diagnosis_code="B20.900"
    )
    written(hospital, special, "合并前置胎盘，余见专科记录。")
    for number in (own, other, special):
        archived(hospital, number)
    indexed(hospital)
    return Shelf(own, operation, other, special)


def find(hospital: Hospital, account: str, text: str, filters: Filters = search.NOTHING) -> Results:
    with hospital.uow(account, readonly=True) as uow:
        return search.find(uow, text, filters)


def files(results: Results) -> set[int]:
    return {group.view.id for group in results.groups} | {view.id for view in results.called}


def said(results: Results) -> str:
    """Every word of what is shown."""
    places = [(place.label, place.href, place.pieces) for group in results.groups for place in group.places]
    heads = [(group.view.label, group.view.fields, group.more) for group in results.groups]
    called = [view.label for view in results.called]
    return repr((heads, places, called, results.total))


def test_words_in_the_text_are_found_and_shown_where_they_stand(hospital: Hospital, shelf: Shelf) -> None:
    with hospital.uow("archivist", readonly=True) as uow:
        results = search.find(uow, "前置胎盘")
        assert files(results) == {shelf.own, shelf.other, shelf.special}
        group = next(group for group in results.groups if group.view.id == shelf.own)
        assert group.view.label == "00218647-1 · 刘婷婷 · 2026-11-12"
        assert {place.label for place in group.places} == {"手术记录 第 1 页", "第 1 页", "主要诊断"}
        pieces = next(place.pieces for place in group.places if place.label == "第 1 页")
        assert [piece for piece, marked in pieces if marked] == ["前置\n胎盘"]
        assert all("++page++1" in place.href for place in group.places if "页" in place.label)
        assert (results.total, results.degraded) == (Tally(4), False)


def test_text_is_found_by_those_who_may_read_it(hospital: Hospital, shelf: Shelf) -> None:
    """And by nobody else of the whole cast: not by the ward itself, which reads by a loan only."""
    for account in CAST:
        expected = {shelf.own, shelf.other, shelf.special} if account in {"archivist", "senior"} else set()
        assert files(find(hospital, account, "前置胎盘")) == expected, account
        for text in ("无痛性阴道流血", "主要诊断:前置胎盘", "患儿其母"):
            assert files(find(hospital, account, text)) <= expected, (account, text)


NAMES = (
    ("clinician", "刘婷婷", "own"), ("clinician", "liutingting", "own"), ("clinician", "ltt", "own"),
    ("clinician", "liuting", "own"), ("clinician", "陈朵朵", ""), ("clinician", "chenduoduo", ""),
    ("clinician", "毛晓燕", ""), ("clinician", "mxy", ""), ("clinician2", "刘婷婷", ""),
    ("clinician2", "陈朵朵", "other"), ("head", "毛晓燕", "special"), ("head", "陈朵朵", ""),
    ("archivist", "mao xiao yan", "special"),
    ("clerk", "刘婷婷", ""), ("desk", "刘婷婷", ""), ("stranger", "刘婷婷", ""), ("auditor", "刘婷婷", ""),
    ("sysadmin", "刘婷婷", ""), ("security", "ltt", ""), ("inspector", "刘婷婷", ""), ("scanner", "ltt", ""),
)  # fmt: skip


def test_a_name_finds_only_patients_whom_one_may_identify(hospital: Hospital, shelf: Shelf) -> None:
    for account, text, found in NAMES:
        expected = {getattr(shelf, found)} if found else set()
        assert files(find(hospital, account, text)) == expected, (account, text)


NUMBERS = (
    ("clinician", "00218647", "own"), ("clinician", "218647", "own"), ("clinician", "00218647-1", "own"),
    ("clinician", "00218647-2", ""), ("clinician", "00300001", "other"), ("clinician", "00400001", ""),
    ("head", "00400001", "special"), ("clinician2", "00400001", ""), ("clerk", "00218647", ""),
    ("stranger", "218647", ""),
    ("auditor", "00218647", ""), ("sysadmin", "00218647", ""), ("archivist", "00400001-1", "special"),
    ("archivist", "H001－ZY・BL・2026・D30－000001", "own"),
)  # fmt: skip


def test_an_exact_number_goes_straight_to_what_one_may_know_of(hospital: Hospital, shelf: Shelf) -> None:
    for account, text, found in NUMBERS:
        with hospital.uow(account, readonly=True) as uow:
            view = search.straight(uow, text)
            assert (view.id if view else None) == (getattr(shelf, found) if found else None), (account, text)


def test_a_colleague_of_another_ward_sees_the_number_and_no_name(hospital: Hospital, shelf: Shelf) -> None:
    with hospital.uow("clinician", readonly=True) as uow:
        view = search.straight(uow, "00300001")
        assert view is not None
        assert view.label == "00300001-1"
        assert "陈" not in said(search.find(uow, "00300001"))


WORDS = ("前置胎盘", "手术记录", "00400001", "毛晓燕", "maoxiaoyan", "-肺炎", "年度:2026", "2026")


def test_a_hidden_record_changes_nothing_that_is_shown(hospital: Hospital, shelf: Shelf) -> None:
    """No hit, count, facet, order or passage: as if the record had never been."""
    before = {account: everything_said(hospital, account) for account in CAST if account not in KNOWING}
    with hospital.site.uow(Actor.system("test")) as uow:
        uow.session.get_one(Node, shelf.special, execution_options=TEST).overlay = int(Overlay.TRASHED)
        uow.enqueue_ids("index", [shelf.special])
    indexed(hospital)
    for account, words in before.items():
        assert everything_said(hospital, account) == words, account


KNOWING = {"archivist", "senior", "head"}


def everything_said(hospital: Hospital, account: str) -> list[str]:
    with hospital.uow(account, readonly=True) as uow:
        asked = [
            (text, filters) for text in WORDS for filters in (search.NOTHING, Filters(type="medical_record"))
        ]
        found = [said(search.find(uow, text, filters)) for text, filters in asked]
        return found + [repr(search.counted(uow, text, filters)) for text, filters in asked]


def test_a_share_that_is_taken_away_is_gone_at_once(hospital: Hospital, shelf: Shelf) -> None:
    """Without a word to the index."""
    with hospital.uow("senior") as uow:
        sharing.share(
            uow, uow.node(shelf.own), principal_id=hospital.people["clinician2"], role="reader", cause="会诊"
        )
    assert files(find(hospital, "clinician2", "前置胎盘")) == {shelf.own}
    with hospital.uow("senior") as uow:
        sharing.unshare(uow, uow.node(shelf.own), share_id=uow.session.scalars(select(LocalRole.id)).one())
    gone = find(hospital, "clinician2", "前置胎盘")
    assert gone.is_empty
    assert gone.total == Tally()


def test_a_grant_opens_the_text_until_its_hour(hospital: Hospital, shelf: Shelf, clock: Clock) -> None:
    with hospital.site.uow(Actor.system("test")) as uow:
        until = uow.now + timedelta(hours=2)
        grant = AccessGrant(principal_id=hospital.people["clinician"], node_id=shelf.own, permission=P.READ,
                            cause="eread", max_level=1, valid_from=uow.now, valid_until=until)  # fmt: skip
        uow.session.add(grant)
    assert files(find(hospital, "clinician", "无痛性阴道流血")) == {shelf.own}
    clock.forward(hours=3)
    assert find(hospital, "clinician", "无痛性阴道流血").is_empty


def test_a_block_shuts_out_those_above_at_once(hospital: Hospital, shelf: Shelf) -> None:
    with hospital.uow("senior") as uow:
        sharing.share(
            uow,
            hospital.category(uow, "ZY·BL"),
            principal_id=hospital.people["desk"],
            role="reader",
            cause="核对",
        )
    assert files(find(hospital, "desk", "前置胎盘")) == {shelf.own, shelf.other}
    with hospital.uow("senior") as uow:
        sharing.set_inheritance(uow, uow.node(shelf.own), inherits=False)
    assert files(find(hospital, "desk", "前置胎盘")) == {shelf.other}


def test_facets_and_filters_narrow_what_was_found(hospital: Hospital, shelf: Shelf) -> None:
    with hospital.uow("archivist", readonly=True) as uow:
        drawn = search.counted(uow, "前置胎盘")
    counts = {facet.name: {count.label: count.count for count in facet.counts} for facet in drawn.facets}
    assert counts["year"] == {"2026": 3, "2025": 1}
    assert counts["dept"] == {"产科": 3, "儿科": 1}
    assert files(find(hospital, "archivist", "前置胎盘", Filters(year=2025))) == {shelf.other}
    assert files(find(hospital, "archivist", "前置胎盘", Filters(dept=hospital.wards["EK"]))) == {shelf.other}
    assert files(find(hospital, "archivist", "", Filters(dept=hospital.wards["EK"]))) == {shelf.other}
    assert find(hospital, "archivist", "前置胎盘", Filters(type="document")).is_empty


def test_what_lies_in_the_trash_is_not_found_until_it_is_restored(hospital: Hospital, shelf: Shelf) -> None:
    draft = patient(hospital, "00500001", "袁静", diagnosis="羊水过少")
    component(hospital, draft, "出院记录")
    indexed(hospital)
    assert files(find(hospital, "archivist", "袁静")) == {draft}
    assert files(find(hospital, "archivist", "出院记录")) == {draft}
    with hospital.uow("archivist") as uow:
        trash.trash(uow, uow.node(draft))
    indexed(hospital)
    for text in ("袁静", "羊水过少", "出院记录", "00500001"):
        assert find(hospital, "archivist", text).is_empty
    with hospital.uow("archivist") as uow:
        trash.restore(uow, uow.node(draft))
    indexed(hospital)
    assert files(find(hospital, "archivist", "出院记录")) == {draft}


def test_lists_go_on_by_a_cursor_that_is_good_for_one_search_of_one_person(
    hospital: Hospital, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "PAGE", 2)
    for order in Order:
        with hospital.uow("archivist", readonly=True) as uow:
            first = search.find(uow, "前置胎盘", order=order)
            second = search.find(uow, "前置胎盘", order=order, after=first.next)
            assert second.next is None
            assert files(first) | files(second) == {shelf.own, shelf.other, shelf.special}
            with pytest.raises(Invalid):
                search.find(uow, "胎盘", order=order, after=first.next)
        with hospital.uow("senior", readonly=True) as uow, pytest.raises(Invalid):
            search.find(uow, "前置胎盘", order=order, after=first.next)


def test_sorting_by_date_and_number_goes_by_what_one_may_discover(hospital: Hospital, shelf: Shelf) -> None:
    with hospital.uow("archivist", readonly=True) as uow:
        by_date = [group.view.id for group in search.find(uow, "胎盘", order=Order.DATE).groups]
        by_number = [group.view.id for group in search.find(uow, "胎盘", order=Order.NUMBER).groups]
        assert by_date[-1] == shelf.other
        assert by_number == [shelf.own, shelf.other, shelf.special]


def test_what_cannot_be_understood_says_why(hospital: Hospital) -> None:
    indexed(hospital)
    for text in ("(胎盘", "“胎盘", "题名:", "胎盘 OR", "year:去年"):
        with pytest.raises(Invalid) as refused:
            find(hospital, "archivist", text)
        assert str(refused.value)


def test_without_an_index_titles_numbers_and_dates_are_still_found(hospital: Hospital, shelf: Shelf) -> None:
    rmtree(hospital.site.settings.var / "index")
    for account, text, expected in (
        ("archivist", "刘婷婷", {shelf.own}), ("archivist", "00300001", {shelf.other}),
        ("archivist", "2025-02", {shelf.other}),
        ("clinician", "陈朵朵", set()), ("clinician", "2025-02", {shelf.other}), ("clinician", "毛晓燕", set()),
        ("clinician", "00400001", set()), ("stranger", "2025", set()), ("sysadmin", "刘婷婷", set()),
        ("archivist", "姓名:刘婷婷", {shelf.own}), ("archivist", "姓名:=刘婷", set()), ("archivist", "刘婷婷 -姓名:婷", set()),
        ("archivist", "刘婷婷 OR 陈朵朵", {shelf.own, shelf.other}), ("archivist", "2025 (科室:儿科 -刘)", {shelf.other}),
        ("archivist", "病案号:300001", {shelf.other}), ("archivist", "年份:2024..2025", {shelf.other}),
        ("archivist", "出院日期:2025-02", {shelf.other}), ("clinician", "姓名:陈朵朵", set()),
        ("clinician", "2025 -陈", set()), ("clinician2", "2025 -陈", set()), ("clinician2", "2025 -刘", {shelf.other}),
    ):  # fmt: skip
        results = find(hospital, account, text)
        assert results.degraded
        assert files(results) == expected, (account, text)


def test_what_only_the_index_could_tell_is_refused_in_words_without_it(
    hospital: Hospital, shelf: Shelf
) -> None:
    rmtree(hospital.site.settings.var / "index")
    for text in ("主要诊断:前置胎盘", "全文:胎盘", "-主要诊断:前置胎盘"):
        with pytest.raises(Unavailable) as refused:
            find(hospital, "archivist", text)
        assert "题名" in str(refused.value)


def test_a_search_leaves_one_line_with_its_words_and_whom_it_showed(hospital: Hospital, shelf: Shelf) -> None:
    with hospital.uow("clinician", readonly=True) as uow:
        search.find(uow, "ltt", Filters(year=2026))
        search.find(uow, "00300001")
        (named, numbered) = uow.readings
    assert (named.action, named.shown) == ("search.run", (shelf.own,))
    assert named.words["query"] == "ltt"
    assert named.words["filters"] == {"year": 2026}
    assert numbered.shown == ()


def test_a_new_record_is_found_by_number_before_the_index_has_it(hospital: Hospital, shelf: Shelf) -> None:
    fresh = patient(hospital, "00600001", "柳青")
    assert files(find(hospital, "archivist", "柳青")) == {fresh}
    assert files(find(hospital, "archivist", "600001")) == {fresh}


def test_a_page_of_hits_asks_the_database_no_more_often_than_one_hit(
    hospital: Hospital, shelf: Shelf
) -> None:
    """No statement for each row."""
    few = statements(hospital, "无痛性阴道流血")
    assert (
        statements(hospital, "胎盘") <= few + 1
    )  # whether two characters stand together is looked up in the text


def statements(hospital: Hospital, text: str) -> int:
    count = 0

    def note(*_: object) -> None:
        nonlocal count
        count += 1

    find(hospital, "archivist", text)  # what is read once a process is read now
    event.listen(hospital.site.engine, "before_cursor_execute", note)
    with hospital.uow("archivist", readonly=True) as uow:
        said(search.find(uow, text))
    event.remove(hospital.site.engine, "before_cursor_execute", note)
    return count


def test_what_nobody_wrote_in_these_words_leads_to_what_is_like_it(hospital: Hospital, shelf: Shelf) -> None:
    typed = "阴道流血的完全前置胎盘"
    assert find(hospital, "archivist", typed).is_empty
    with hospital.uow("archivist", readonly=True) as uow:
        like = search.alike(uow, typed)
        assert like[0].view.id == shelf.own, "it says most of it"
        assert any(marked for place in like[0].places for _piece, marked in place.pieces)
        assert shelf.other not in {group.view.id for group in search.alike(uow, typed, Filters(year=2026))}
        assert search.alike(uow, "前置放大电路的故障") == [], "two characters in common are no likeness"
        for exact in (
            "“阴道流血的完全前置胎盘”",
            "前置",
            "阴道流血的 -完全前置胎盘",
            "主要诊断:胎盘前置状态",
        ):
            assert search.alike(uow, exact) == []
    with hospital.uow("clinician2", readonly=True) as uow:
        assert shelf.own not in {group.view.id for group in search.alike(uow, typed)}
    with hospital.uow("stranger", readonly=True) as uow:
        assert search.alike(uow, typed) == []
