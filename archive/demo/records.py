"""Papers of a stay that are prose: the holes of a template filled with the facts of the stay."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random

from archive.demo.filling import Facts, fill
from archive.demo.hospital import HOSPITAL, Sex
from archive.demo.names import full_name
from archive.demo.people import id_number
from archive.demo.scene import BOOKS, Scene, day, minute, phrase_book

_NEEDS = {
    "operation": ("SQTL", "SSTY", "MZTY", "MZSQ", "AQHC", "SSJL", "MZSH", "SHBC"),
    "birth": ("CK", "XSE", "CSZ"),
    "special": ("TSTY",),
    "consult": ("HZ",),
    "imaging": ("YX",),
    "critical": ("BWTZ",),
    "transfusion": ("SXTY",),
    "death": ("SW", "SWTL"),
}


def prose(code: str, scene: Scene, rng: Random) -> str:
    """The text of a component that is prose. Raises LookupError if the stay has no such component."""
    for what, codes in _NEEDS.items():
        if code in codes and not getattr(scene.case, what):
            raise LookupError(f"{code}: the case {scene.case.key} has no {what}")
    if code == "BL" and not (scene.case.operation and scene.case.operation.specimen):
        raise LookupError(f"BL: the case {scene.case.key} sends no specimen")
    return fill(_template(code, scene, rng), Facts(_facts(scene), scene.bank(), rng))


def _template(code: str, scene: Scene, rng: Random) -> str:
    if code == "CK" and scene.case.birth:
        code = "CK_caesarean" if scene.case.birth.caesarean else "CK_vaginal"
    for book in BOOKS:
        entry = phrase_book(book).get(code)
        if entry:
            return str(rng.choice(entry["texts"]) if "texts" in entry else entry["text"])
    raise LookupError(f"no component {code}")


def _facts(scene: Scene) -> dict[str, object]:
    who, stay, case = scene.who, scene.stay, scene.case
    chance = scene.own("people")
    facts: dict[str, object] = {
        "who": who,
        "stay": stay,
        "case": case,
        "team": stay.team,
        "op": case.operation,
        "birth": case.birth,
        "special": case.special,
        "consult": case.consult,
        "imaging": case.imaging,
        "hospital": HOSPITAL,
        "age": scene.age,
        "diagnoses": scene.diagnoses,
        "first_diagnoses": scene.first_diagnoses,
        "days": max(case.days, 1),
        "allergy": who.allergy,
        "town": who.address[3:6],
        "id_no": who.id_no or "—",
        "phone": who.phone or who.contact_phone,
        "guardian": who.contact if scene.group != "woman" else who.name,
        "vitals": scene.vitals,
        "bp": scene.pressure,
        "whole_course": "".join(case.course),
        "cause": f"{case.death}。",
        **_notes(scene),
        "operation_line": _operation_line(scene),
        "products": case.transfusion,
        "autopsy": "已告知尸检的意义，家属拒绝并签字。",
        "consultant": full_name(chance, female=chance.random() < 0.5),
    }
    return {
        **facts,
        **_moments(scene),
        **_birth_facts(scene),
        **_operation_facts(scene),
        **_report_facts(scene),
    }


def _moments(scene: Scene) -> Mapping[str, str]:
    stay = scene.stay
    talk = scene.op_start - timedelta(minutes=90)
    meeting = scene.op_start - timedelta(hours=1, minutes=40)
    monitored = scene.after(3)
    return {
        "admitted": minute(stay.admitted_at),
        "admitted_on": day(stay.admitted_at),
        "discharged": minute(stay.discharged_at),
        "discharged_on": day(stay.discharged_at),
        "note_at": minute(scene.after(4)),
        "first_note_at": minute(scene.after(2.2)),
        "attending_round_at": minute(_morning(scene, 1)),
        "discuss_at": minute(max(meeting, scene.after(0.4))),
        "consent_at": minute(max(talk, scene.after(0.5))),
        "visit_at": minute(max(talk, scene.after(0.6))),
        "op_date": day(scene.op_start),
        "op_start": minute(scene.op_start),
        "op_end": minute(scene.op_end),
        "op_clock": f"{scene.op_start:%H:%M}",
        "op_end_clock": f"{scene.op_end:%H:%M}",
        "check_at": minute(scene.op_start - timedelta(minutes=20)),
        "post_visit_at": minute(min(scene.op_end + timedelta(hours=20), stay.discharged_at)),
        "labour_at": minute(scene.labour_at),
        "full_at": minute(scene.full_at),
        "born_at": minute(scene.born_at),
        "placenta_at": minute(
            scene.born_at + timedelta(minutes=scene.case.birth.stages[2] if scene.case.birth else 0)
        ),
        "monitor_at": minute(monitored),
        "critical_at": minute(scene.after(1)),
        "received_on": day(scene.op_end),
        "reported_on": day(scene.op_end + timedelta(days=4)),
        "discussion_on": day(stay.discharged_at + timedelta(days=4)),
        "issued_on": day(stay.discharged_at),
    }


def _morning(scene: Scene, days: int) -> datetime:
    at = (scene.stay.admitted_at + timedelta(days=days)).replace(hour=8, minute=40)
    return min(at, scene.stay.discharged_at - timedelta(minutes=40))


def _notes(scene: Scene) -> Mapping[str, str]:
    """The progress notes as signed paragraphs: before and after the attending's first round, and after an operation."""
    doctor, round_at = scene.stay.team.resident.name, _morning(scene, 1)

    def signed(at: datetime, note: str) -> str:
        return f"{minute(at)}\n{note}\n医师签名：{doctor}　{minute(at)}"

    notes = scene.notes(after_operation=False)
    return {
        "early_notes": "".join(f"{signed(at, note)}\n" for at, note in notes if at < round_at),
        "late_notes": "\n".join(signed(at, note) for at, note in notes if at >= round_at),
        "post_notes": "\n".join(signed(at, note) for at, note in scene.notes(after_operation=True)),
    }


def _operation_line(scene: Scene) -> str:
    op = scene.case.operation
    return f"于{day(scene.op_start)}在{op.anaesthesia}下行{op.name}，过程顺利。" if op else ""


def _birth_facts(scene: Scene) -> Mapping[str, object]:
    birth, rng = scene.case.birth, scene.own("birth")
    if birth is None:
        return {"birth_line": "", **_monitoring(scene)}
    sex = "女" if birth.female else "男"
    apgar = "-".join(map(str, birth.apgar)) + "分"
    first, total = birth.stages[0], sum(birth.stages)
    father = scene.who.contact if scene.who.relation == "配偶" else full_name(rng, female=False)
    return {
        "baby_sex": sex,
        "baby_name": f"{scene.who.name}之{'女' if birth.female else '子'}",
        "mother_name": scene.who.name,
        "apgar": apgar,
        "position": "臀位" if scene.case.key == "breech" else "头位",
        "stage1": f"{first // 60}小时{first % 60}分",
        "total": f"{total // 60}小时{total % 60}分",
        "labour_rows": _labour(scene),
        "cord": rng.randint(45, 62),
        "parity": rng.choice("一一二二三"),
        "perineum": "会阴侧切口以可吸收线分层缝合。"
        if "侧切" in birth.mode
        else "会阴Ⅰ度裂伤，缝合一针，对合好。",
        "tone": "好" if birth.blood_ml < 500 else "乏力，经按摩及用药后转好",
        "rooming": "外观无畸形",
        "certificate": f"Z{rng.randrange(10**9):09d}",
        "father": father,
        "father_id": id_number(rng, scene.who.born - timedelta(days=rng.randint(-900, 1500)), Sex.MALE),
        "birth_line": f"于{minute(scene.born_at)}{birth.mode}娩出一{sex}婴，体重{birth.weight_g}g，Apgar评分{apgar}。",
        **_monitoring(scene),
    }


def station(depth: int) -> str:
    """先露高低: centimetres below the spines with their sign, as the ward writes them."""
    return f"{depth:+d}" if depth else "0"


def _labour(scene: Scene) -> str:
    """The rows that the partogram 产程图 is drawn from: dilatation rises to ten while the head comes down."""
    rng, begins, opened = scene.own("labour"), scene.stay.admitted_at, scene.case.draws.get("cervix", 1)
    lasts = scene.full_at - begins
    steps = max(4, min(9, round(lasts.total_seconds() / 3600)))
    rows = []
    for n in range(steps + 1):
        share = n / steps
        width = round(opened + (10 - opened) * share**1.6)
        at = begins + lasts * share
        rows.append(f"{at:%H:%M}\t{width}\t{station(round(-2 + 4 * share))}\t{rng.randint(132, 152)}")
    return "\n".join(rows)


def _monitoring(scene: Scene) -> Mapping[str, object]:
    draws, rng = scene.case.draws, scene.own("monitoring")
    normal = "fhr" in draws
    return {
        "fhr_base": draws.get("fhr", rng.randint(112, 128)),
        "variability": f"{rng.randint(8, 18)}次/分",
        "accelerations": rng.randint(2, 6),
        "deceleration": "无" if normal else "可疑",
        "contraction": rng.choice(("无", "偶有，20秒", "30秒/5分钟")),
        "movement": rng.randint(3, 9),
        "ctg_result": "符合正常" if normal else "需结合临床复查",
        "follow": "按孕周定期复查监护" if normal else "左侧卧位后复查，必要时超声评分",
        "gestation": f"{draws.get('weeks', 38)}+{draws.get('wd', 0)}周",
    }


def _operation_facts(scene: Scene) -> Mapping[str, object]:
    op = scene.case.operation
    reason = f"{scene.case.diagnosis}，急性失血或血液成分缺乏"
    if op is None:
        return {"transfusion_reason": reason}
    general = op.anaesthesia.startswith(("全身", "静脉"))
    blood = f"输注{scene.case.transfusion}，无输血反应" if scene.case.transfusion else "未输血"
    care = {"腰": "患者清醒，双下肢感觉恢复中", "局": "患者清醒，无不适"}.get(
        op.anaesthesia[0], "患者清醒，自主呼吸好"
    )
    return {
        "specimen_line": f"{op.specimen}送病理检查" if op.specimen else "无标本送检",
        "anaesthesia_minutes": op.minutes + 25,
        "urine": scene.own("urine").randint(10, 40) * 10,
        "transfused_line": blood,
        "ward_back": scene.stay.ward,
        "extra_risk": "因个体差异导致的其他不可预见的情况",
        "anaesthesia_care": care,
        "transfusion_reason": reason,
        "complication": "未见误吸、喉痛等并发症" if general else "未见头痛、神经损伤等并发症",
    }


def _report_facts(scene: Scene) -> Mapping[str, object]:
    op, rng = scene.case.operation, scene.own("reports")
    xray = scene.case.imaging is not None and "X线" in scene.case.imaging.kind
    return {
        "report_no": f"{'DR' if xray else 'US'}{scene.stay.admitted_at:%y%m%d}{rng.randrange(1000):03d}",
        "device": "数字化X线摄影系统" if xray else "彩色多普勒超声诊断仪（3号机）",
        "pathology_no": f"B{scene.stay.admitted_at:%Y}-{rng.randrange(1, 9000):05d}",
        "micro_short": op.micro if op else "",
        "pathologist_senior": full_name(rng, female=rng.random() < 0.5),
    }
