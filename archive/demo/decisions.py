"""What the hospital decided in these weeks: when a record may be archived, and who inspects some of them."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from archive.demo.cast import Cast
from archive.demo.diary import Diary
from archive.demo.lives import NEW_GATE, WEEKS, Life, Lot
from archive.models import Principal
from archive.services import adoption, inspections, policies
from archive.uow import UnitOfWork

BEFORE = "《病案归档管理办法（试行）》：纸质病案签收、整理后归档，存量病案随后扫描"
SINCE = "《病案归档管理办法》修订：新归档病案须完成扫描挂接（纸质、电子双套）"
INSPECTED = 3


def note(diary: Diary, cast: Cast, lives: Sequence[Life]) -> None:
    """Paper was enough at first; then the shipped gate, which asks for the pages too. And an inspection this week."""
    days, gate = diary.days, policies.seeds()["gates"]
    on_paper = [step for step in gate["archive"]["medical_record"] if step[0] == "paper"]
    start = days.on(days.today - timedelta(weeks=WEEKS, days=3))
    diary.note(
        start,
        7.0,
        "sysadmin",
        partial(_adopt, body=gate | {"archive": {"medical_record": on_paper}}, source=BEFORE),
    )
    diary.note(days.ago(NEW_GATE), 7.0, "sysadmin", partial(_adopt, body=gate, source=SINCE))
    shown = [life for life in lives if life.lot is Lot.SCANNED][:INSPECTED]
    diary.note(
        days.ago(1), 10.5, "senior", partial(_open_to, lives=shown, inspector=cast.people["inspector"])
    )


def _adopt(uow: UnitOfWork, body: dict[str, Any], source: str) -> None:
    content = {name: part for name, part in body.items() if name != "source"}
    after = adoption.newest(uow, "gates").version
    drawn = adoption.propose(uow, "gates", body=content, source=source, day=str(uow.today), after=after)
    adoption.adopt(uow, drawn)


def _open_to(uow: UnitOfWork, lives: Sequence[Life], inspector: int) -> None:
    who = uow.session.get_one(Principal, inspector).uuid
    inspections.grant(uow, who=str(who), records="\n".join(life.barcode for life in lives), start=uow.today,
                      end=uow.today + timedelta(days=14), reason="县卫生健康局病历质量检查")  # fmt: skip
