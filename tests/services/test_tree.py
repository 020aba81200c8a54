"""Adding and editing what is described."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from archive import addresses
from archive.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from archive.services import history, steps, tree
from archive.sight import NodeView
from tests.conftest import RECORD, Hospital


def test_a_record_goes_into_the_series_of_its_year_and_belongs_to_its_patient(
    hospital: Hospital, record: int
) -> None:
    with hospital.uow("archivist", readonly=True) as uow:
        node = uow.node(record)
        assert node.title == "00218647-2 · 刘婷婷 · 2026-11-12"
        assert NodeView(uow, node).href.startswith("/a/h001/zy-bl/2026-d30/")
        assert node.level == 1
        assert uow.node(NodeView(uow, node).href.removeprefix("/a/")).id == record


def test_a_record_with_wrong_fields_is_refused_field_by_field(hospital: Hospital) -> None:
    with pytest.raises(Invalid) as refused, hospital.uow("archivist") as uow:
        tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record",
                 fields=RECORD | {"mrn": "12", "sex": "7", "dept": ""})  # fmt: skip
    assert set(refused.value.fields) == {"mrn", "sex", "dept"}


@pytest.mark.parametrize(
    "account", ["clinician", "clerk", "auditor", "sysadmin", "security", "stranger", "inspector"]
)
def test_whoever_does_not_catalogue_cannot_add(hospital: Hospital, account: str) -> None:
    with pytest.raises((Forbidden, NotFound)), hospital.uow(account) as uow:
        tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record", fields=RECORD)


def test_one_stay_has_one_record(hospital: Hospital, record: int) -> None:
    with pytest.raises(Conflict), hospital.uow("archivist") as uow:
        tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record",
                 fields=RECORD | {"dept": str(hospital.wards["CK"])})  # fmt: skip


def test_whoever_saves_second_is_shown_what_the_first_saved(hospital: Hospital, record: int) -> None:
    with hospital.uow("archivist") as uow:
        node = uow.node(record)
        seen = node.version
        fields = RECORD | {"dept": str(hospital.wards["CK"])}
        steps.take(uow, node, "catalogue")
        tree.edit(uow, node, fields=fields | {"diagnosis": "足月妊娠"}, version=node.version)
    with pytest.raises(Stale) as late, hospital.uow("senior") as uow:
        tree.edit(uow, uow.node(record), fields=fields | {"diagnosis": "早产"}, version=seen)
    assert late.value.theirs["diagnosis"] == "足月妊娠"


def test_the_service_desk_adds_service_files_and_no_medical_records(hospital: Hospital) -> None:
    with pytest.raises(Forbidden), hospital.uow("desk") as uow:
        tree.add(uow, hospital.category(uow, "ZY·BL"), kind="medical_record",
                 fields=RECORD | {"dept": str(hospital.wards["CK"])})  # fmt: skip
    with hospital.uow("desk") as uow:
        complaint = {
            "title": "服务态度",
            "date_from": "2026-11-19",
            "service_kind": "complaint",
            "summary": "等候过久",
        }
        made = tree.add(uow, hospital.category(uow, "ZY·TS"), kind="service_file", fields=complaint)
        assert [kind.name for kind in tree.addable(uow, hospital.category(uow, "ZY·TS"))] == ["service_file"]
        assert made.state == "draft"


def test_the_history_says_every_field_in_words(hospital: Hospital, record: int) -> None:
    with hospital.uow("archivist", readonly=True) as uow:
        differences = history.changes(uow, uow.node(record))[0].differences
        said = {difference.label: difference.after for difference in differences}
        assert said["保管期限"] == "末次出院后30年"
        assert said["科室"] == "产科"
        assert not [label for label in said if label.isascii()]


def test_no_two_threads_share_the_names_by_which_a_path_is_looked_up() -> None:
    """SQLAlchemy fills an alias while it is used: shared by the first requests, it left columns out, and nothing was found."""
    with ThreadPoolExecutor(2) as pool:
        barrier = Barrier(2)

        def names(_thread: int) -> list[int]:
            barrier.wait()
            own = [addresses._ANCESTORS.one(above) for above in (0, 1, 2)]
            assert own == [addresses._ANCESTORS.one(above) for above in (0, 1, 2)], "kept"
            return [id(one) for one in own]

        one, other = pool.map(names, range(2))
    assert not set(one) & set(other)
