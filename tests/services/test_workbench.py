"""What each person finds on coming in."""

from archive.services import sharing, workbench
from tests.conftest import Hospital


def test_whoever_was_given_a_record_finds_it_on_their_workbench_until_it_is_taken_away(
    hospital: Hospital, record: int
) -> None:
    def found() -> list[int]:
        with hospital.uow("inspector", readonly=True) as uow:
            return [view.id for view in workbench.readable_now(uow)]

    assert found() == []
    with hospital.uow("senior") as uow:
        sharing.share(uow, uow.node(record), principal_id=hospital.people["inspector"], role="contributor")
    assert found() == [record]
    with hospital.uow("senior") as uow:
        share = next(iter(hospital.actor("inspector").local_roles))
        sharing.unshare(uow, uow.node(record), share_id=share)
    assert found() == []
