"""What is said of a volume as it passes over the desk: whether it is whole, how many sheets were counted, who has come for it."""

import pytest

from archive.errors import Conflict, Invalid, NotFound
from archive.models import Holding, RequestLine
from archive.policy import counting
from archive.policy.counting import Volume
from archive.services import circulation, collectors, desk, desk_answers, loans, policies, sheet_counts, slips
from archive.services.desk import Memo
from archive.services.sheet_counts import Seen
from tests.archives import begins, once
from tests.conftest import CAST, Clock, Hospital
from tests.services import lending
from tests.services.lending import BARCODE, approved, archive_it, issue, state_of

STAFF_NO = {account: f"{number:04d}" for number, account in enumerate(CAST, start=1)}
TEST = {"scope": "test"}


pytestmark = pytest.mark.usefixtures("in_english")


@begins
def archived(hospital: Hospital, record: int) -> int:
    """An archived record of obstetrics on its shelf."""
    return archive_it(hospital, record, location=lending.shelf(hospital))


@begins
def disputed(hospital: Hospital, archived: int) -> str:
    """What the doctor may collect for a dispute."""
    lending.rules(hospital, dispute={"approvers": ["record"]})
    return approved(hospital, "clinician", archived, purpose="dispute")


def scan(hospital: Hospital, typed: str, before: Memo | None = None, *, sheets: str = "", confirmed: bool = False,
         loose: bool = False, at: str = "clerk", because: str = "") -> Memo:  # fmt: skip
    with hospital.uow(at) as uow:
        said = desk.hear(
            uow, typed, before or Memo(), sheets=sheets, confirmed=confirmed, loose=loose, because=because
        )
        return said.memo


def last_line(hospital: Hospital) -> RequestLine:
    with hospital.site.session(readonly=True) as session:
        found = session.query(RequestLine).execution_options(**TEST).order_by(RequestLine.id.desc()).first()
        assert found is not None
        return found


@pytest.mark.parametrize(
    ("volume", "out", "codes"),
    [
        (Volume("treatment", 1, unbound=False, damaged=False), True, []),
        (Volume("dispute", 1, unbound=False, damaged=False), True, ["purpose"]),
        (Volume("outside", 1, unbound=False, damaged=False), False, ["purpose"]),
        (Volume("treatment", 2, unbound=True, damaged=True), True, ["unbound", "damaged"]),
        (Volume("research", 3, unbound=False, damaged=False), False, ["sensitive"]),
    ],
)
def test_the_shipped_rules_say_what_is_counted_and_by_what_source(
    volume: Volume, codes: list[str], *, out: bool
) -> None:
    found = counting.causes(policies.seeds()["counting"], volume, out=out)
    assert [cause.code for cause in found] == codes
    assert all("§4.2" in cause.source for cause in found)


def test_a_rule_counts_on_one_way_only_where_it_says_so() -> None:
    body = policies.seeds()["counting"]
    body = body | {"purposes": {"dispute": {"out": False, "back": True, "source": "院内规定"}}}
    volume = Volume("dispute", 1, unbound=False, damaged=False)
    assert counting.causes(body, volume, out=True) == []
    assert [cause.source for cause in counting.causes(body, volume, out=False)] == ["院内规定"]


@once
def test_for_a_dispute_sheets_are_counted_out_and_back_and_differences_are_confirmed(
    hospital: Hospital, disputed: str
) -> None:
    badge = scan(hospital, STAFF_NO["clinician"])
    due = scan(hospital, BARCODE, badge)
    assert (due.act, state_of(hospital, disputed)) == ("count", "approved")
    assert "lent for: " in due.words
    assert "§4.2" in due.words
    assert scan(hospital, BARCODE, due, sheets="63").act == "differs"
    assert scan(hospital, BARCODE, due, sheets="64").act == "issued"
    assert scan(hospital, BARCODE).act == "count", "nor does it come back uncounted"
    short = scan(hospital, BARCODE, sheets="62")
    assert (short.act, state_of(hospital, disputed)) == ("differs", "lent")
    assert scan(hospital, BARCODE, short, sheets="62", confirmed=True).act == "returned"
    line = last_line(hospital)
    assert (line.sheets_out, line.counted_out, line.sheets_in) == (64, True, 62)


@once
def test_what_is_not_whole_is_counted_now_and_the_next_time(hospital: Hospital, archived: int) -> None:
    approved(hospital, "clinician", archived)
    badge = scan(hospital, STAFF_NO["clinician"])
    due = scan(hospital, BARCODE, badge, loose=True)
    assert (due.act, due.loose) == ("count", True)
    assert "not whole" in due.words
    assert scan(hospital, BARCODE, badge).act == "issued"
    with pytest.raises(sheet_counts.MustCount), hospital.uow("clerk") as uow:
        loans.take_back(uow, BARCODE, seen=Seen(intact=False))
    assert scan(hospital, BARCODE, loose=True, sheets="64").act == "returned"
    assert (last_line(hospital).intact_out, last_line(hospital).intact_in) == (True, False)
    approved(hospital, "clinician2", archived)
    second = scan(hospital, STAFF_NO["clinician2"])
    assert scan(hospital, BARCODE, second).act == "count", "it was loose when it came back"
    assert scan(hospital, BARCODE, second, sheets="64").act == "issued"
    with hospital.uow("senior") as uow:
        holding: Holding = uow.holding(BARCODE)[0]
        holding.damaged_at = uow.now
        uow.record(lending.Event("test.damaged"))
    assert "damaged" in scan(hospital, BARCODE).words


@once
def test_that_a_record_is_sensitive_is_not_told_to_whoever_may_not_find_it(
    hospital: Hospital, archived: int
) -> None:
    lending.rules(hospital, discussion={"level_to": 3})
    approved(hospital, "clinician", archived)
    with hospital.uow("senior") as uow:
        lending.tree.set_level(uow, uow.node(archived), level=3, reason="涉诉")
    badge = scan(hospital, STAFF_NO["clinician"])
    told = {at: scan(hospital, BARCODE, badge, at=at) for at in ("clerk", "senior")}
    assert {memo.act for memo in told.values()} == {"count"}
    assert "S3" in told["senior"].words
    assert told["clerk"].words == "The rules want it for this volume"


@once
def test_a_badge_after_a_slip_collects_and_the_borrower_stays_responsible(
    hospital: Hospital, archived: int, clock: Clock
) -> None:
    number = approved(hospital, "clinician", archived)
    slip = scan(hospital, number)
    shown = scan(hospital, STAFF_NO["head"], slip)
    assert (shown.borrower, shown.collector) == (STAFF_NO["clinician"], STAFF_NO["head"])
    with hospital.uow("clerk", readonly=True) as uow:
        who = desk_answers.borrower(uow, shown)
        assert who is not None
        assert (who.name, who.collector) == ("clinician甲", "head甲")
    out = scan(hospital, BARCODE, shown)
    assert (out.act, out.borrower, out.collector) == ("issued", STAFF_NO["clinician"], STAFF_NO["head"])
    with hospital.uow("clerk", readonly=True) as uow:
        (loan,) = circulation.out(uow)
        assert (loan.borrower, loan.collector) == ("clinician甲", "head甲")
    with hospital.uow("clinician2", readonly=True) as uow, pytest.raises(NotFound):
        slips.one(uow, number)
    next_one = scan(hospital, STAFF_NO["clinician2"], out)
    assert (next_one.borrower, next_one.collector) == (STAFF_NO["clinician2"], "")
    clock.forward(minutes=11)
    assert scan(hospital, STAFF_NO["head"], slip).collector == "", "a slip of a while ago is somebody else's"


@once
def test_who_is_not_of_the_house_collects_by_name_and_telephone(
    hospital: Hospital, archived: int, clock: Clock
) -> None:
    number = approved(hospital, "clinician", archived)
    issue(hospital, number)
    with hospital.uow("archivist") as uow, pytest.raises(Conflict, match="ten minutes"):
        collectors.name(uow, BARCODE, who="王秀英", phone="13900010002")
    with hospital.uow("clerk") as uow, pytest.raises(Conflict, match="the borrower"):
        collectors.name(uow, BARCODE, who=STAFF_NO["clinician"], phone="")
    with hospital.uow("clerk") as uow, pytest.raises(Invalid) as wrong:
        collectors.name(uow, BARCODE, who="9999", phone="")
    assert set(wrong.value.fields) == {"who", "phone"}
    with hospital.uow("clerk") as uow:
        collectors.name(uow, BARCODE, who="王秀英", phone="13900010002")
    with hospital.uow("clerk", readonly=True) as uow:
        assert [loan.collector for loan in circulation.out(uow)] == ["王秀英 13900010002"]
    assert b"13900010002" not in (last_line(hospital).collector_phone_enc or b"13900010002")
    with hospital.uow("clerk") as uow:
        collectors.name(uow, BARCODE, who=STAFF_NO["head"], phone="")
    assert (last_line(hospital).collector_name, last_line(hospital).collector_phone_enc) == (None, None)
    clock.forward(minutes=11)
    with hospital.uow("clerk") as uow, pytest.raises(Conflict, match="ten minutes"):
        collectors.name(uow, BARCODE, who="王秀英", phone="13900010002")
