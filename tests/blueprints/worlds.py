"""Archives that differ in nothing but what a person may not see: seventy records, and three hundred hidden ones behind them."""

from datetime import date, timedelta
from itertools import cycle, islice
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import select

from archive.actor import Actor
from archive.models import Node, Page, PageText, Patient, Principal, Request
from archive.names import name_key
from archive.policy.rights import Overlay
from archive.policy.types import TYPES
from archive.schema import Type
from archive.services import branches, bundling, inspections, requests, setup, sharing, tree
from archive.sight import href
from archive.site import Site
from archive.uow import UnitOfWork
from tests.archives import START
from tests.conftest import RECORD, Hospital, hospital_of
from tests.services.searching import TEST, indexed, write_on

SEEN, HIDDEN = 70, 300
CLOSED = 3
"""A level above that of everybody who asks."""
NAMES = ("刘婷婷", "陈朵朵", "毛晓燕", "尹春燕", "单雯", "仇一鸣", "曾静", "张三", "欧阳月", "李娜")
UNKNOWN = ("柳青青", "盖世英", "刘婷", "查良月", "张三丰", "解小燕")
"""Names that only hidden patients have; some begin or end like one that is seen."""
CODED, UNKNOWN_CODES = "O34.201", ("O34.202", "O44.100", "O44.900", "B20.901")
"""What the records that are seen are coded as, and what only hidden ones are."""
WORDS = (
    "前置胎盘", "妊娠合并子宫瘢痕", "支气管肺炎", "无痛性阴道流血", "超声提示", "剖宫产术", "青霉素皮试阴性", "急性心肌梗死",
    "血压120/80mmHg", "CT检查未见异常", "新生儿黄疸", "胎膜早破", "产后出血", "母乳喂养", "患儿发热3天",
)  # fmt: skip
SECRET = ("人类免疫缺陷病毒病", "梅毒螺旋体阳性", "代孕协议", "HIVAb阳性")
"""What only hidden texts say, beside what all say."""
WARDS = ("CK", "EK", "ICU")
BY_NUMBER = ("30000071-1", "30000001-1", "30000075-1", "30000003-1", "30000006-2")
"""Hidden ones among those that are seen, so that the slips of these come in between."""


def furnish(site: Site) -> None:
    """What is there in every world: records of two wards with pages, a share, an inspection, some papers."""
    hospital, chance = hospital_of(site), Random(1)
    with site.uow(Actor.system("test")) as uow:
        setup.department(uow, code="ICU", name="重症医学科")
    hospital = hospital_of(site)
    with site.uow(Actor.system("test")) as uow:
        for number in range(SEEN):
            node = _record(uow, hospital, number, chance, WORDS, name=NAMES[number % len(NAMES)],
                           ward=WARDS[number % 5 > 2], left=date(2024, 1, 1) + timedelta(days=14 * number))  # fmt: skip
            _archive(uow, node, level=1)
        for number in range(6):
            _archive(uow, _paper(uow, hospital, f"关于印发前置胎盘诊疗规范的通知（{number}）"), level=0)
    with hospital.uow("senior") as uow:
        top = hospital.category(uow, "ZY·BL")
        sharing.share(uow, top, principal_id=hospital.people["desk"], role="reader", cause="核对")
        who = uow.session.scalars(select(Principal.uuid).where(Principal.id == hospital.people["inspector"]))
        inspections.grant(uow, who=str(who.one()), records="30000007-1\n30000011-1", start="2026-11-20",
                          end="2026-11-22", reason="县卫生健康局病历质量检查")  # fmt: skip
    indexed(hospital)


def hide(site: Site) -> None:
    """Three hundred more that only the record room may know of. They come after all that is seen, so no id differs."""
    hospital, chance = hospital_of(site), Random(2)
    names = list(islice(cycle((*NAMES, *UNKNOWN)), HIDDEN))
    with site.uow(Actor.system("test")) as uow:
        for number in range(HIDDEN - 10):
            # A second stay of somebody who is seen, or somebody else whose number is near to theirs.
            again = number % 6 == 0 and number // 6 < SEEN
            code, left = (
                number // 6 if again else SEEN + number,
                date(2016, 1, 1) + timedelta(days=13 * number),
            )
            node = _record(uow, hospital, code, chance, (*WORDS, *WORDS, *SECRET), ward=WARDS[number % 3], left=left,
                           name=NAMES[code % len(NAMES)] if again else names[number], times=2 if again else 1,
                           coded=UNKNOWN_CODES[number % len(UNKNOWN_CODES)])  # fmt: skip
            _cover(uow, node, number % 4)
        for number in range(10):
            paper = _paper(uow, hospital, f"关于{SECRET[number % len(SECRET)]}的通知（前置胎盘）")
            _archive(uow, paper, level=CLOSED)
    indexed(hospital)


BUNDLED = {"kind": "paper", "purpose": "research", "reason": "产科课题，纸质核对", "declared": "none",
           "originals": "须看原件笔迹"}  # fmt: skip


def ask_for(site: Site) -> None:
    """What somebody asks for in every world: by numbers, of which some are there in one world only."""
    with hospital_of(site).uow("clinician") as uow:
        for number in BY_NUMBER:
            requests.ask_by_number(
                uow,
                number=number,
                kind="eread",
                purpose="research",
                days="",
                reason="产科课题",
                declared="none",
            )
        lines = bundling.read(uow, "\n".join(BY_NUMBER))
        bundle = bundling.ask(uow, lines, BUNDLED).bundle
        assert bundle is not None
        bundle.uuid, bundle.created_at = UUID(int=999), START
        for slip in uow.session.scalars(
            select(Request)
        ):  # in every world at the same address and the same moment
            slip.uuid, slip.created_at = UUID(int=int(slip.number[-6:])), START


def _cover(uow: UnitOfWork, node: Node, reason: int) -> None:
    """Hidden for one reason or for several: a draft still, its level, sealed, thrown away."""
    if reason:
        _archive(uow, node, level=CLOSED)
    node.overlay_own = int({2: Overlay.SEALED, 3: Overlay.TRASHED}.get(reason, Overlay.NONE))
    uow.session.flush()
    branches.reclassify(uow, node)


def say_otherwise(site: Site) -> None:
    """The records of the other ward are other people's, with other illnesses; what one may discover of them stays."""
    hospital, chance = hospital_of(site), Random(3)
    with site.uow(Actor.system("test")) as uow:
        others = select(Node).where(Node.dept_id == hospital.wards["EK"], Node.type == "medical_record")
        for node in uow.session.scalars(others.order_by(Node.id), execution_options=TEST).all():
            name, mrn = chance.choice((*NAMES, *UNKNOWN)), node.data["mrn"]
            node.data = node.data | {
                "patient_name": name, "diagnosis": chance.choice(SECRET), "attending": "苗圃", "sex": "1",
                "diagnosis_code": "B20.900", "birth": "1950-05-05",
            }  # fmt: skip
            node.title = node.title.replace(NAMES[int(mrn) % len(NAMES)], name)
            patient = uow.session.scalars(
                select(Patient).where(Patient.mrn == mrn), execution_options=TEST
            ).one()
            patient.name, patient.name_key = name, name_key(name)
            patient.birth, patient.sex = date(1950, 5, 5), "1"
            page = select(PageText).join(Page, Page.id == PageText.page_id).where(Page.node_id == node.id)
            for there in uow.session.scalars(page, execution_options=TEST):
                there.text = _text(chance, SECRET)
            uow.enqueue("index", node)
    indexed(hospital)


def _record(
    uow: UnitOfWork, hospital: Hospital, code: int, chance: Random, words: tuple[str, ...], *, name: str, ward: str,
    left: date, times: int = 1, coded: str = CODED,
) -> Node:  # fmt: skip
    values: dict[str, Any] = RECORD | {
        "mrn": f"{30_000_000 + code}", "patient_name": name, "times": str(times), "dept": str(hospital.wards[ward]),
        "admitted_on": str(left - timedelta(days=chance.randint(1, 9))), "discharged_on": str(left),
        "diagnosis": chance.choice(words), "diagnosis_code": coded, "attending": chance.choice(("周敏", "范可欣", "查良月")),
    }  # fmt: skip
    kind = TYPES["medical_record"]
    checked = tree.checked(uow, kind, values)
    node = tree.plant(uow, _series(uow, hospital, "ZY·BL", kind, checked), kind, checked)
    write_on(uow, node, _text(chance, words), _text(chance, words))
    return node


def _text(chance: Random, words: tuple[str, ...]) -> str:
    return "，".join(chance.choices(words, k=chance.randint(3, 40))) + "。"


def _paper(uow: UnitOfWork, hospital: Hospital, title: str) -> Node:
    kind = TYPES["document"]
    said = {"title": title, "date_from": "2026-11-01", "responsible": "院办公室", "open_status": "open"}
    checked = tree.checked(uow, kind, tree.said_of(kind, said, kind.retention))
    return tree.plant(uow, _series(uow, hospital, "WS", kind, checked), kind, checked)


def _series(uow: UnitOfWork, hospital: Hospital, code: str, kind: Type, values: dict[str, Any]) -> Node:
    category = uow.session.get_one(Node, hospital.categories[code], execution_options=TEST)
    return tree.series_for(uow, category, kind, values)


def _archive(uow: UnitOfWork, node: Node, *, level: int) -> None:
    node.state, node.level_own = "archived", level
    node.archival_no = (
        f"H001-{'ZY·BL' if node.type == 'medical_record' else 'WS'}-{node.year}-D30-{node.id:06d}"
    )
    uow.session.flush()
    branches.reclassify(uow, node)


def places(site: Site) -> dict[str, list[str]]:
    """Where some records are: hidden ones, addresses that lead nowhere in the other world; seen ones, some of the other
    ward; and the uuids of those that are hidden.
    """
    hospital, records = hospital_of(site), select(Node).where(Node.type == "medical_record")
    seen = records.where(Node.level < CLOSED)
    found = {"$hidden": records.where(Node.level == CLOSED), "$seen": seen,
             "$other": seen.where(Node.dept_id == hospital.wards["EK"])}  # fmt: skip
    with hospital.uow("senior", readonly=True) as uow:
        nodes = {
            sign: uow.session.scalars(which.order_by(Node.id).limit(2), execution_options=TEST).all()
            for sign, which in found.items()
        }
        addresses = {
            sign: [href(uow, node).removeprefix("/a/") for node in some] for sign, some in nodes.items()
        }
        return addresses | {"$uuid": [str(node.uuid) for node in nodes["$hidden"]]}
