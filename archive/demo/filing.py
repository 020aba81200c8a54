"""Records through the house: taken up, collected, described, scanned, reviewed, archived, shelved."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from archive.demo import storeroom, wording
from archive.demo.cast import Cast
from archive.demo.diary import Diary
from archive.demo.lives import Life, Lot
from archive.demo.scene import Scene
from archive.models import HoldingStatus, Node
from archive.services import (
    disputes,
    holdings,
    holds,
    legal_holds,
    patients,
    records,
    steps,
    trash,
    tree,
    volumes,
)
from archive.uow import UnitOfWork

OUTCOMES = {"医嘱离院": "1", "医嘱转院": "2", "非医嘱离院": "4", "死亡": "5"}
ON_ADMISSION = frozenset({"RY", "RC24", "TSTY", "SXTY", "TW", "YZ", "TJ", "YX", "BWTZ", "HZ"})
AT_OPERATION = frozenset(
    {"SQTL", "SSTY", "MZTY", "MZSQ", "AQHC", "QDJL", "MZJL", "SSJL", "MZSH", "SHBC", "BL", "CK", "XSE", "CSZ"}
)
MOTHERS = "传染性疾病（母婴阻断）病历，按院内特殊病案目录调整"


@dataclass(frozen=True)
class Filing:
    """What every act of filing needs: the people, the department codes, the category of the records."""

    cast: Cast
    category: int

    def note(self, diary: Diary, life: Life) -> None:
        """The whole life of a record into the diary."""
        diary.note(life.registered, 17.5, "archivist", self._act(life, self.register))
        steps_of_life: tuple[tuple[date | None, float, str, Callable[[UnitOfWork, Life], object]], ...] = (
            (life.collected, 8.5, "clerk", collect),
            (life.described, 9.5, "archivist", describe),
            (life.described, 16.0, "senior", protect),
            (life.arranged, 11.0, "archivist", arrange),
            (life.submitted, 14.5, "archivist", lambda uow, it: steps.take(uow, uow.node(it.node), "submit")),
            (life.archived, 16.0, "senior", lambda uow, it: steps.take(uow, uow.node(it.node), "archive")),
            (life.shelved, 15.0, "clerk", lambda uow, it: storeroom.shelve(uow, it.barcode, it.stay.who.mrn)),
        )
        for day, hour, account, act in steps_of_life:
            if day is not None:
                diary.note(day, hour, account, self._act(life, act))
        self._note_accident(diary, life)

    def _act(self, life: Life, act: Callable[[UnitOfWork, Life], object]) -> Callable[[UnitOfWork], object]:
        return lambda uow: act(uow, life)

    def _note_accident(self, diary: Diary, life: Life) -> None:
        days = diary.days
        if life.lot is Lot.TRASHED:
            diary.note(days.after(life.registered, 1), 9.5, "archivist", self._act(life, discard))
        elif life.lot is Lot.SEALED:
            diary.note(days.ago(1), 10.5, "archivist", self._act(life, seal))
        elif life.lot is Lot.CORRECTED:
            diary.note(days.ago(4), 10.5, "senior", self._act(life, correct))
        elif life.lot is Lot.LOST:
            diary.note(days.ago(6), 15.0, "clerk", self._act(life, miss))
        elif life.lot is Lot.LOCKED:
            diary.note(days.ago(8), 10.5, "senior", self._act(life, lock))
            diary.note(days.ago(8), 11.0, "senior", self._act(life, seal_copy))
            diary.note(days.ago(8), 11.5, "senior", self._act(life, freeze))
            diary.note(days.ago(7), 9.5, "senior", self._act(life, open_case))

    def register(self, uow: UnitOfWork, life: Life) -> None:
        """The record begins with the discharge list; its paper is still on the ward, or long in the house."""
        who = life.stay.who
        patients.enrol(uow, patients.Person(who.mrn, who.name, who.sex, who.born, who.id_no or None, who.phone or None,
                                            who.mother or None))  # fmt: skip
        node = tree.add(uow, uow.node(self.category), kind="medical_record", fields=self._fields(life))
        life.node = node.id
        on_ward = life.lot is not Lot.BACKLOG
        status = HoldingStatus.WARD if on_ward else HoldingStatus.PROCESSING
        holdings.register(uow, node, sheets=life.count() if life.stay.is_over else None, status=status)

    def _fields(self, life: Life) -> dict[str, object]:
        who, stay, case = life.stay.who, life.stay.encounter, life.stay.case
        fields: dict[str, object] = {
            "mrn": who.mrn, "patient_name": who.name, "times": stay.times, "dept": self.cast.depts[case.dept],
            "sex": who.sex.value, "birth": who.born, "admitted_on": stay.admitted_at.date(),
            "attending": stay.team.attending.name,
        }  # fmt: skip
        if not life.stay.is_over:
            return fields
        operations = "；".join(done.term for done in case.procedures)
        return fields | {
            "discharged_on": life.stay.left_on, "outcome": OUTCOMES[case.leaves], "diagnosis": case.diagnosis,
            "diagnosis_code": case.code, "operations": operations,
            "operation_codes": "；".join(done.code for done in case.procedures),
        }  # fmt: skip


def collect(uow: UnitOfWork, life: Life) -> None:
    """签收: the clerk takes the volume in from the ward."""
    holding, _node = uow.holding(life.barcode)
    holdings.move(uow, holding, to=HoldingStatus.PROCESSING)


def describe(uow: UnitOfWork, life: Life) -> None:
    """著录: every component becomes an item of the record."""
    node = uow.node(life.node)
    steps.take(uow, node, "catalogue")
    if life.lot is Lot.BACKLOG:
        records.mark(uow, node, track="paper", step="collected")
    for code in life.components:
        life.items[code] = tree.add(uow, node, kind="component", fields=_component(life, code)).id


def _component(life: Life, code: str) -> dict[str, object]:
    stay, scene = life.stay, Scene(life.stay.who, life.stay.encounter, life.stay.case)
    on = stay.left_on
    if code in ON_ADMISSION:
        on = stay.encounter.admitted_at.date()
    elif code in AT_OPERATION:
        on = min(stay.left_on, (scene.op_start if stay.case.operation else scene.born_at).date())
    author = stay.encounter.team.nurse if code in {"TW", "HL"} else stay.encounter.team.resident
    return {
        "title": wording.title(code, stay.case),
        "component": code,
        "date_from": on,
        "author": author.name,
    }


def protect(uow: UnitOfWork, life: Life) -> None:
    """What the hospital counts among the special records beyond its list of codes is raised to S2 by hand."""
    node: Node = uow.node(life.node)
    if life.stay.case.level > node.level:
        tree.set_level(uow, node, level=life.stay.case.level, reason=MOTHERS)


def arrange(uow: UnitOfWork, life: Life) -> None:
    """整理、装订."""
    node = uow.node(life.node)
    for step in ("arranged", "bound"):
        records.mark(uow, node, track="paper", step=step)


def discard(uow: UnitOfWork, life: Life) -> None:
    trash.trash(uow, uow.node(life.node))


def lock(uow: UnitOfWork, life: Life) -> None:
    tree.set_level(uow, uow.node(life.node), level=3, reason="医疗损害责任纠纷诉讼期间锁定，医务科通知")


def seal(uow: UnitOfWork, life: Life) -> None:
    """封存原件: the family asks, both sides sign, the package lies in the sealing cupboard."""
    who = life.stay.who
    asked = "患者母亲" if who.mother else "患者本人"
    people = [_present("hospital", "何志远", "医务科科员"), _present("hospital", "田静", "病案室值班人员"),
              _present("patient", who.mother or who.name, asked)]  # fmt: skip
    holds.apply(uow, uow.node(life.node), kind=holds.ORIGINAL, asked_by="patient", people=people,
                kept_at="病案室封存柜 F-02", key_no="F02-17", review_due=holds.first_review(uow),
                reason="患方申请封存病历原件，双方到场核对签封（封存清单一式两份）")  # fmt: skip


def seal_copy(uow: UnitOfWork, life: Life) -> None:
    """封存复制件: the hospital asks too; the original stays with the court's papers and goes on being used."""
    people = [_present("hospital", "何志远", "医务科科员"), _present("patient", "刘建国", "患者配偶")]
    holds.apply(uow, uow.node(life.node), kind=holds.COPY, asked_by="hospital", people=people, kept_at="病案室封存柜 F-03",
                review_due=uow.today + timedelta(days=30), reason="医疗损害责任纠纷诉讼，双方共同封存病历复制件")  # fmt: skip


def _present(side: str, name: str, office: str) -> dict[str, str]:
    return {"side": side, "name": name, "office": office}


def freeze(uow: UnitOfWork, life: Life) -> None:
    """冻结: the court asks that nothing be destroyed."""
    legal_holds.freeze(uow, uow.node(life.node), asked_by="authority", paper="（2026）云川民初 318 号",
                       review_due=holds.first_review(uow), reason="云川县人民法院诉讼保全，结案前不得销毁")  # fmt: skip


def open_case(uow: UnitOfWork, life: Life) -> None:
    """纠纷立案: what is sealed, frozen and copied of the record stands on one page from now on."""
    fields = {"title": "产后出血救治争议", "date_from": uow.today.isoformat(), "claimant": "刘建国",
              "retention": "D30", "dispute_way": "litigation", "complaint": "家属认为抢救不及时，诉请赔偿",
              "court_no": "（2026）云川民初 318 号"}  # fmt: skip
    disputes.open_case(uow, records=f"{life.stay.who.mrn}-{life.stay.encounter.times}", fields=fields)


def correct(uow: UnitOfWork, life: Life) -> None:
    steps.take(uow, uow.node(life.node), "correct", reason="迟到的病理报告归卷，医务科同意补正")


def miss(uow: UnitOfWork, life: Life) -> None:
    """清点: the volume is not where it should stand."""
    holding, _node = uow.holding(life.barcode)
    volumes.lose(uow, holding, because="季度清点")
