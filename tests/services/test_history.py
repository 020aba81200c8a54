"""The history of a description tells each person no more than the page of the record does."""

import pytest

from archive.errors import Forbidden
from archive.policy.permissions import P
from archive.services import history, sharing, tree, typed
from tests.conftest import Hospital
from tests.services.lending import archive_it

NAME, MASKED = "刘婷婷", "刘**"


def shared_with_a_steward(hospital: Hospital, record: int) -> None:
    archive_it(hospital, record)
    with hospital.uow("senior") as uow:
        sharing.share(
            uow, uow.node(record), principal_id=hospital.people["clinician2"], role="steward", cause="会诊"
        )


def told(hospital: Hospital, account: str, record: int) -> str:
    with hospital.uow(account, readonly=True) as uow:
        changes = history.changes(uow, uow.node(record))
        return " ".join(each.before + each.after for change in changes for each in change.differences)


def test_a_name_that_is_masked_on_the_page_is_masked_in_its_history(hospital: Hospital, record: int) -> None:
    shared_with_a_steward(hospital, record)
    with hospital.uow("clinician2", readonly=True) as uow:
        assert not uow.can(P.UNMASK, uow.node(record))
    assert MASKED in told(hospital, "clinician2", record)
    assert NAME not in told(hospital, "clinician2", record)
    assert NAME in told(hospital, "archivist", record)


def test_whoever_sees_a_name_masked_cannot_edit_what_bears_it(hospital: Hospital, record: int) -> None:
    shared_with_a_steward(hospital, record)
    with hospital.uow("clinician2", readonly=True) as uow:
        node = uow.node(record)
        assert typed.form_values(uow, node)["patient_name"] == MASKED
        with pytest.raises(Forbidden):
            tree.edit(uow, node, fields=typed.form_values(uow, node), version=node.version)
