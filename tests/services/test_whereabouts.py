"""Where is it: any number, name, pinyin, mother or identity number, within what one may identify."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event, select, update

from archive.actor import Actor
from archive.errors import Forbidden
from archive.models import HoldingStatus, Location, Node, Patient, PatientAlias
from archive.names import name_key
from archive.services import holdings, places, records, trash, tree, whereabouts
from archive.services.tracers import Trace
from archive.services.whereabouts import File, Found
from archive.site import Site
from tests.archives import begins
from tests.conftest import RECORD, Clock, Hospital
from tests.services.lending import SHELF, approved, archive_it, issue, merged, shelf

MRN, IDENTITY = "00218647", "11010519491231002X"
TEST = {"scope": "test"}


pytestmark = pytest.mark.usefixtures("in_english")


def stay(
    hospital: Hospital, mrn: str = MRN, times: int = 1, *, name: str = "刘婷婷", ward: str = "CK"
) -> int:
    """A draft record of a stay, long before that of `record`."""
    fields = RECORD | {"mrn": mrn, "patient_name": name, "times": str(times), "dept": str(hospital.wards[ward]),
                       "admitted_on": "2024-02-01", "discharged_on": "2024-02-05"}  # fmt: skip
    with hospital.uow("archivist") as uow:
        return tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record", fields=fields).id


def learn(hospital: Hospital, mrn: str = MRN, **columns: object) -> None:
    """What the patient index says besides."""
    with hospital.site.uow(Actor.system("test")) as uow:
        uow.session.execute(
            update(Patient).where(Patient.mrn == mrn).values(**columns), execution_options=TEST
        )


def born_of(hospital: Hospital, mrn: str, mother: str) -> None:
    learn(hospital, mrn, mother=mother, mother_key=name_key(mother))


def identified(hospital: Hospital) -> None:
    """Gives 刘婷婷 an identity number and an old record number."""
    learn(hospital, id_hash=hospital.site.keys.identity_hash(IDENTITY))
    with hospital.site.uow(Actor.system("test")) as uow:
        patient = uow.session.scalars(
            select(Patient.id).where(Patient.mrn == MRN), execution_options=TEST
        ).one()
        uow.session.add(PatientAlias(patient_id=patient, kind="old_number", value="L-1977"))


@begins
def archived(hospital: Hospital, record: int) -> int:
    """An archived second stay of 刘婷婷 in obstetrics, on its shelf."""
    return archive_it(hospital, record, location=shelf(hospital))


def look(hospital: Hospital, account: str, typed: str) -> Found:
    with hospital.uow(account, readonly=True) as uow:
        return whereabouts.find(uow, typed)


def stays(hospital: Hospital, account: str, typed: str) -> list[str | None]:
    return [file.node.stay for person in look(hospital, account, typed).people for file in person.files]


def names(hospital: Hospital, account: str, typed: str) -> list[str | None]:
    return [person.name for person in look(hospital, account, typed).people]


def the_file(hospital: Hospital, account: str, typed: str = MRN) -> File:
    (person,) = look(hospital, account, typed).people
    (file,) = person.files
    return file


def the_volume(hospital: Hospital, account: str, typed: str = MRN) -> Trace:
    (volume,) = the_file(hospital, account, typed).volumes
    return volume


@pytest.mark.each_on_both
@pytest.mark.parametrize("typed", [
    "00218647", "218647", "００２１８６４７", " 0021 8647 ", "00218647-2", "B00218647-2", "b00218647-2", "L-1977",
    "刘婷婷", "刘婷", "刘", "liutingting", "Liu Ting", "liut", "ltt", "LTT", "11010519491231002x", IDENTITY,
])  # fmt: skip
def test_whatever_is_known_leads_to_every_file_of_the_patient(
    hospital: Hospital, archived: int, typed: str
) -> None:
    stay(hospital, times=1)
    stay(hospital, "00990001", name="陈静")
    identified(hospital)
    found = look(hospital, "archivist", typed)
    (person,) = found.people
    assert (person.mrn, person.name, person.birth, person.sex) == (MRN, "刘婷婷", "1994-03-02", "female")
    assert [file.node.stay for file in person.files] == ["00218647-2", "00218647-1"]
    assert not found.is_capped


def test_an_archival_number_is_found_whichever_dot_was_typed(hospital: Hospital, archived: int) -> None:
    with hospital.uow("archivist", readonly=True) as uow:
        number = uow.node(archived).archival_no
    assert number is not None
    for typed in (number, number.lower(), number.replace("·", "•"), number.replace("·", ".")):
        assert stays(hospital, "archivist", typed) == ["00218647-2"], typed


def test_the_very_file_whose_number_was_typed_stands_out(hospital: Hospital, archived: int) -> None:
    stay(hospital, times=1)
    expected = {"00218647-1": [False, True], "B00218647-2": [True, False], "00218647": [False, False]}
    for typed, meant in expected.items():
        (person,) = look(hospital, "archivist", typed).people
        assert [file.is_meant for file in person.files] == meant, typed


@pytest.mark.parametrize("typed", [
    "", "   ", "99999999", "王", "w", "zz", "%", "_", "' OR 1=1", "B", "刘" * 200, "\u202e", "9" * 40,
])  # fmt: skip
def test_what_leads_nowhere_is_answered_with_nothing(hospital: Hospital, archived: int, typed: str) -> None:
    assert look(hospital, "archivist", typed) == Found([], is_capped=False)


def test_a_rare_surname_is_read_as_a_surname(hospital: Hospital) -> None:
    stay(hospital, "00217311", name="单小敏")
    stay(hospital, "00216029", name="仇英")
    for typed in ("单小敏", "shanxiaomin", "shan", "sxm", "danxiaomin", "dxm"):
        assert names(hospital, "archivist", typed) == ["单小敏"], typed
    for typed in ("仇", "qiuying", "qy", "chouying", "cy"):
        assert names(hospital, "archivist", typed) == ["仇英"], typed
    for typed in ("chanxiaomin", "qiuxiaomin", "sy", "danying"):
        assert names(hospital, "archivist", typed) == [], typed


def test_a_child_is_found_by_its_mother(hospital: Hospital, archived: int) -> None:
    stay(hospital, "00219002", name="刘婷婷之子", ward="EK")
    stay(hospital, "00219003", name="高天", ward="EK")
    born_of(hospital, "00219003", "刘婷婷")
    people = look(hospital, "archivist", "刘婷婷").people
    assert [(person.name, person.mother) for person in people] == [
        ("刘婷婷", None), ("刘婷婷之子", None), ("高天", "刘婷婷"),
    ]  # fmt: skip
    assert names(hospital, "archivist", "liutingting")[-1] == "高天"


def test_the_name_as_it_was_typed_comes_first(hospital: Hospital) -> None:
    for number, name in enumerate(("王芳芳", "王芳", "汪方")):
        stay(hospital, f"0033000{number}", name=name)
    assert names(hospital, "archivist", "王芳") == ["王芳", "王芳芳"]
    by_sound = names(hospital, "archivist", "wangfang")
    assert (set(by_sound[:2]), by_sound[2]) == ({"王芳", "汪方"}, "王芳芳")


def test_too_many_namesakes_are_cut_and_it_is_said(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whereabouts, "MOST", 2)
    for number, name in enumerate(("王甲", "王乙", "王丙")):
        stay(hospital, f"0033000{number}", name=name)
    found = look(hospital, "archivist", "wang")
    assert (len(found.people), found.is_capped) == (2, True)
    assert not look(hospital, "archivist", "王甲").is_capped


def test_paper_is_on_its_shelf_or_in_its_box(hospital: Hospital, archived: int) -> None:
    volume = the_volume(hospital, "archivist")
    assert (volume.status.name, volume.place, volume.container, volume.holder) == (
        "shelved",
        SHELF,
        None,
        None,
    )
    with hospital.uow("senior") as uow:
        places.add_container(uow, barcode="H2026-117", kind="box", location=SHELF)
        holdings.pack(uow, uow.holding("B00218647-2")[0], container="H2026-117")
    volume = the_volume(hospital, "clerk")
    assert (volume.place, volume.container) == (SHELF, "H2026-117")


def test_a_box_takes_its_volumes_along(hospital: Hospital, archived: int) -> None:
    with hospital.uow("senior") as uow:
        box = places.add_container(uow, barcode="H2026-117", kind="box", location=SHELF)
        holdings.pack(uow, uow.holding("B00218647-2")[0], container="H2026-117")
        places.add(uow, code="R02", title="二库", kind="room")
        box.location_id = uow.session.scalars(select(Location.id).where(Location.code == "R02")).one()
    assert the_volume(hospital, "archivist").place == "R02"


def test_paper_is_in_somebodys_hands_until_it_is_due(hospital: Hospital, archived: int, clock: Clock) -> None:
    number = approved(hospital, "clinician", archived)
    issue(hospital, number)
    for account in ("archivist", "clerk"):
        volume = the_volume(hospital, account)
        assert (volume.status.name, volume.holder, volume.number) == ("lent", "clinician甲", number)
        assert volume.since is not None
        assert timedelta(0) <= clock.now - volume.since < timedelta(minutes=1)
        assert (str(volume.due_at)[:10], volume.is_overdue, volume.place) == ("2026-11-25", False, None)
    clock.forward(days=14)
    assert the_volume(hospital, "clerk").is_overdue


@pytest.mark.parametrize("status", [HoldingStatus.WARD, HoldingStatus.PROCESSING, HoldingStatus.MISSING])
def test_paper_is_on_the_ward_being_processed_or_lost_since_it_was_moved(
    hospital: Hospital, record: int, clock: Clock, status: HoldingStatus
) -> None:
    before = HoldingStatus.WARD if status is not HoldingStatus.WARD else HoldingStatus.PROCESSING
    with hospital.uow("archivist") as uow:
        holdings.register(uow, uow.node(record), status=before)
    clock.forward(days=2)
    with hospital.uow("archivist") as uow:
        holdings.move(uow, uow.holding("B00218647-2")[0], to=status)
    moved = clock.now
    clock.forward(days=1)
    volume = the_volume(hospital, "clerk")
    assert volume.since is not None
    assert abs(volume.since - moved) < timedelta(minutes=1)
    assert (volume.status.name, volume.ward) == (status, "产科" if status is HoldingStatus.WARD else None)


def test_what_is_at_the_scanner_says_so(hospital: Hospital, record: int) -> None:
    with hospital.uow("archivist") as uow:
        node = uow.node(record)
        holdings.register(uow, node)
        records.mark(uow, node, track="paper", step="collected")
    with hospital.site.uow(Actor.system("test")) as uow:
        records.reach(uow, uow.session.get_one(Node, record, execution_options=TEST), "scan", "scanning")
    for account in ("archivist", "clerk"):
        volume = the_volume(hospital, account)
        assert (volume.status.name, volume.step) == ("processing", "Scanning")


def test_each_of_several_volumes_is_somewhere_else(hospital: Hospital, archived: int) -> None:
    with hospital.uow("archivist") as uow:
        holdings.register(uow, uow.node(archived))
    file = the_file(hospital, "archivist")
    assert [(volume.barcode, volume.status.name) for volume in file.volumes] == [
        ("B00218647-2", "shelved"), ("B00218647-2-V2", "processing"),
    ]  # fmt: skip
    assert (file.carrier, file.pages) == ("dual", 64)


def test_pages_that_lie_in_the_items_of_a_file_are_counted_too(hospital: Hospital, record: int) -> None:
    with hospital.uow("archivist") as uow:
        item = tree.add(
            uow, uow.node(record), kind="component", fields={"title": "手术记录", "component": "SSJL"}
        )
        item.page_count = 3
    file = the_file(hospital, "archivist")
    assert (file.carrier, file.pages, file.first_page) == ("electronic", 3, None)


def test_a_document_is_found_by_its_number_and_is_nobodys(hospital: Hospital) -> None:
    told = {
        "title": "关于病案管理的通知",
        "date_from": "2026-03-01",
        "responsible": "院办",
        "open_status": "open",
    }
    with hospital.uow("archivist") as uow:
        node = tree.add(uow, hospital.category(uow, "WS"), kind="document", fields=told)
        holdings.register(uow, node, barcode="WS-0001")
    (person,) = look(hospital, "archivist", "ws-0001").people
    assert (person.mrn, person.name, str(person.files[0].left_on)) == (
        None,
        "关于病案管理的通知",
        "2026-03-01",
    )
    (person,) = look(hospital, "clerk", "WS-0001").people
    assert (person.name, person.files[0].href, len(person.files[0].volumes)) == (None, None, 1)
    assert look(hospital, "clinician", "WS-0001").people == []


# Everyone tries

NUMBERS = (MRN, "00218647-2", "B00218647-2", "L-1977")
EVERY_WAY = (*NUMBERS, "刘婷婷", "liutingting", "ltt", "刘婉", "liuwan", IDENTITY)


@begins
def known(hospital: Hospital, archived: int) -> int:
    """刘婷婷 with everything by which somebody is found."""
    born_of(hospital, MRN, "刘婉")
    identified(hospital)
    return archived


@pytest.mark.each_on_both
@pytest.mark.parametrize(("account", "ways", "shown"), [
    ("archivist", EVERY_WAY, "刘婷婷"), ("senior", EVERY_WAY, "刘婷婷"),
    ("clinician", EVERY_WAY, "刘**"), ("head", EVERY_WAY, "刘**"),
    ("clerk", NUMBERS, None),
    ("clinician2", (), None), ("scanner", (), None), ("desk", (), None),
])  # fmt: skip
def test_everybody_finds_within_what_they_may_identify(
    hospital: Hospital, known: int, account: str, ways: tuple[str, ...], shown: str | None
) -> None:
    for typed in EVERY_WAY:
        assert names(hospital, account, typed) == ([shown] if typed in ways else []), typed


@pytest.mark.parametrize("account", ["stranger", "auditor", "security", "sysadmin", "inspector"])
def test_it_is_not_for_those_who_have_nothing_to_do_with_records(
    hospital: Hospital, known: int, account: str
) -> None:
    with pytest.raises(Forbidden):
        look(hospital, account, MRN)


def test_a_clerk_reads_numbers_and_places_and_nothing_else(hospital: Hospital, known: int) -> None:
    (person,) = look(hospital, "clerk", MRN).people
    (file,) = person.files
    assert (person.mrn, person.name, person.birth, person.sex, person.mother) == (MRN, None, None, "", None)
    assert (file.node.stay, file.href, file.left_on, file.dept, file.pages) == (
        "00218647-2",
        None,
        None,
        "",
        0,
    )
    assert [volume.place for volume in file.volumes] == [SHELF]
    assert not look(hospital, "clerk", MRN).is_described


def test_the_mothers_name_is_masked_where_the_patients_is(hospital: Hospital, known: int) -> None:
    (person,) = look(hospital, "clinician", "刘婉").people
    assert (person.name, person.mother) == ("刘**", "刘*")


def test_a_more_sensitive_stay_leaves_no_gap(hospital: Hospital, archived: int) -> None:
    archive_it(hospital, stay(hospital, times=1), level=2)
    assert stays(hospital, "clinician", "刘婷婷") == stays(hospital, "clinician", MRN) == ["00218647-2"]
    assert stays(hospital, "head", "ltt") == ["00218647-2", "00218647-1"]


def test_a_patient_whose_only_stay_is_too_sensitive_is_not_there(hospital: Hospital) -> None:
    archive_it(hospital, stay(hospital, "00219003", name="夏梦"), level=2)
    for typed in ("00219003", "00219003-1", "B00219003-1", "夏梦", "xiameng", "xm"):
        assert stays(hospital, "clinician", typed) == [], typed
        assert stays(hospital, "head", typed) == ["00219003-1"], typed


def test_a_ward_does_not_find_its_own_draft(hospital: Hospital, record: int) -> None:
    assert stays(hospital, "archivist", "刘婷婷") == ["00218647-2"]
    assert stays(hospital, "clinician", "刘婷婷") == []


def test_what_lies_in_the_trash_is_not_there(hospital: Hospital, record: int) -> None:
    with hospital.uow("archivist") as uow:
        trash.trash(uow, uow.node(record))
    assert stays(hospital, "archivist", MRN) == []


def test_a_ward_learns_that_paper_is_out_and_no_shelf(hospital: Hospital, archived: int) -> None:
    file = the_file(hospital, "clinician")
    assert (file.volumes, file.carrier, file.may_ask) == ([], "dual", True)
    issue(hospital, approved(hospital, "clinician2", archived))
    volume = the_volume(hospital, "clinician")
    assert (volume.status.name, volume.holder, volume.number, volume.barcode, volume.place) == (
        "lent",
        *[None] * 4,
    )
    assert volume.due_at is not None
    assert the_volume(hospital, "head").holder == "clinician2甲"


def test_whoever_has_the_volume_themselves_reads_their_own_slip(hospital: Hospital, archived: int) -> None:
    number = approved(hospital, "clinician", archived)
    issue(hospital, number)
    volume = the_volume(hospital, "clinician")
    assert (volume.holder, volume.number) == ("clinician甲", number)


def test_a_search_is_written_with_its_words_and_whom_it_showed(hospital: Hospital, known: int) -> None:
    stay(hospital, times=1, ward="EK")
    written = []
    for account, typed in (
        ("clinician", " 刘婷 "),
        ("clerk", MRN),
        ("archivist", IDENTITY.lower()),
        ("desk", "王"),
    ):
        with hospital.uow(account, readonly=True) as uow:
            whereabouts.find(uow, typed)
            written += [(reading.action, len(reading.shown), reading.words) for reading in uow.readings]
    assert written == [
        ("whereabouts.searched", 1, {"query": "刘婷", "found": 1}),
        ("whereabouts.searched", 0, {"query": MRN, "found": 1}),
        ("whereabouts.searched", 2, {"query": "110105********002X", "found": 1}),
        ("whereabouts.searched", 0, {"query": "王", "found": 0}),
    ]


OLD = "00111111"


def test_a_number_that_was_merged_leads_to_the_one_that_counts_and_says_so(
    hospital: Hospital, archived: int
) -> None:
    first = archive_it(hospital, stay(hospital, OLD), location=SHELF)
    merged(hospital, OLD, MRN)
    for typed in (OLD, MRN, "liutingting", f"B{OLD}-1", f"{OLD}-1"):
        for account in ("archivist", "clinician"):
            (person,) = look(hospital, account, typed).people
            assert (person.mrn, person.merged) == (MRN, (OLD,)), typed
            assert {file.node.id for file in person.files} == {first, archived}
    (person,) = look(hospital, "clerk", OLD).people
    assert (person.mrn, person.name, person.merged) == (MRN, None, (OLD,))
    assert look(hospital, "clinician2", OLD).people == look(hospital, "desk", OLD).people == []


def test_whoever_may_know_the_old_number_alone_is_not_told_the_new_one(
    hospital: Hospital, record: int
) -> None:
    archive_it(hospital, stay(hospital, OLD), location=shelf(hospital))
    archive_it(hospital, record, location=SHELF, level=3)
    merged(hospital, OLD, MRN)
    (person,) = look(hospital, "clinician", OLD).people
    assert (person.mrn, person.merged) == (OLD, ())


@contextmanager
def statements(site: Site) -> Iterator[list[str]]:
    told: list[str] = []

    def note(*arguments: object) -> None:
        told.append(str(arguments[2]))

    event.listen(site.engine, "before_cursor_execute", note)
    yield told
    event.remove(site.engine, "before_cursor_execute", note)


def test_more_patients_cost_no_more_statements(hospital: Hospital, archived: int) -> None:
    def cost() -> int:
        actor = hospital.actor("archivist")
        with statements(hospital.site) as told, hospital.site.uow(actor, readonly=True) as uow:
            assert whereabouts.find(uow, "liu").people
        return len(told)

    few = cost()
    for number, name in enumerate(("刘甲", "刘乙", "刘丙")):
        archive_it(hospital, stay(hospital, f"0077000{number}", name=name), location=SHELF)
    assert cost() == few
