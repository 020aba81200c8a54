"""住院病案首页: the statistical front page of a stay, in the groups of its national form."""

from datetime import timedelta

from archive.demo.cases import Diagnosis
from archive.demo.hospital import HOSPITAL
from archive.demo.scene import Scene, day, minute

_ORG_CODE = "99000100-1"
_FEES = ("综合医疗服务", "诊断", "治疗", "康复", "中医", "西药", "中药", "血液及制品", "耗材", "其他")
_PAYERS = ("1 城镇职工基本医疗保险", "2 城乡居民基本医疗保险", "2 城乡居民基本医疗保险", "7 全自费")
_WAYS = {"医嘱离院": "1", "医嘱转院": "2", "非医嘱离院": "4", "死亡": "5"}


def front_page(scene: Scene) -> str:
    """The whole form as rows of cells; what is empty is a dash, as the rule of the form demands."""
    return "\n".join(
        (
            *_person(scene),
            *_stay(scene),
            *_diagnoses(scene),
            *_procedures(scene),
            *_outcome(scene),
            f"编码员签名：{scene.stay.team.coder.name}　{day(scene.stay.discharged_at + timedelta(days=1))}",
        )
    )


def _person(scene: Scene) -> list[str]:
    who, birth = scene.who, scene.case.birth
    payer = scene.own("payer").choice(_PAYERS)
    grams = scene.case.draws.get("bw", birth.weight_g if birth else 0)
    weight = f"{grams}克" if grams else "-"
    return [
        f"医疗机构\t{HOSPITAL}\t组织机构代码\t{_ORG_CODE}",
        f"医疗付费方式\t{payer}\t健康卡号\t-",
        f"第{scene.stay.times}次住院\t病案号 {who.mrn}\t住院号 {scene.stay.admit_no}",
        f"姓名\t{who.name}\t性别\t{who.sex} {who.sex.zh}\t出生日期\t{who.born:%Y-%m-%d}\t年龄\t{_age(scene)}",
        f"国籍\t中国\t民族\t汉族\t婚姻\t{who.marital}\t职业\t{who.occupation}",
        f"新生儿出生体重\t{weight}\t新生儿入院体重\t{weight if scene.group == 'newborn' else '-'}",
        f"身份证号\t{who.id_no or '-'}\t电话\t{who.phone or '-'}",
        "出生地\t云川县\t籍贯\t云川县\t邮编\t990000",
        f"现住址\t{who.address}",
        f"户口地址\t{who.address}",
        f"联系人\t{who.contact}\t关系\t{who.relation}\t电话\t{who.contact_phone}",
    ]


def _age(scene: Scene) -> str:
    """Below a year the form wants months as a mixed fraction of thirtieths (domain §7)."""
    days = (scene.stay.admitted_at.date() - scene.who.born).days
    if days >= 365:
        return scene.age
    months, rest = divmod(days, 30)
    return f"{months or ''}{' ' if months else ''}{rest}/30月"


def _stay(scene: Scene) -> list[str]:
    stay, case = scene.stay, scene.case
    emergency = bool(case.critical or (case.operation and case.operation.urgent))
    route = "1 急诊" if emergency else "3 其他医疗机构转入" if scene.group == "newborn" else "2 门诊"
    return [
        f"入院途径\t{route}\t入院时间\t{minute(stay.admitted_at)}",
        f"入院科别\t{stay.dept.zh}\t病房\t{stay.ward}\t转科科别\t-",
        f"出院时间\t{minute(stay.discharged_at)}\t出院科别\t{stay.dept.zh}\t实际住院\t{max(case.days, 1)}天",
        f"门（急）诊诊断\t{scene.first_diagnoses}",
    ]


def _diagnoses(scene: Scene) -> list[str]:
    case = scene.case
    late = ("Z37", "O82", "O70", "O72", "D62", "O62")
    rows = [
        _diagnosed(
            "主要诊断", Diagnosis(case.code, case.diagnosis), "4 无" if case.code[:3] in late else "1 有"
        )
    ]
    rows += [
        _diagnosed("其他诊断", other, "4 无" if other.code[:3] in late else "1 有") for other in case.others
    ]
    op = case.operation
    pathology = op.specimen if op else ""
    return [
        "类别\t出院诊断\t疾病编码\t入院病情",
        *rows,
        "损伤、中毒的外部原因\t-\t编码\t-",
        f"病理诊断\t{case.diagnosis if pathology else '-'}\t编码\t{case.code if pathology else '-'}",
        f"药物过敏\t{scene.who.allergy}\t血型\t{scene.who.blood}\tRh\t阳性\t死亡尸检\t{'2 否' if case.death else '-'}",
    ]


def _diagnosed(kind: str, diagnosis: Diagnosis, on_admission: str) -> str:
    return f"{kind}\t{diagnosis.term}\t{diagnosis.code}\t{on_admission}"


def _procedures(scene: Scene) -> list[str]:
    op, team = scene.case.operation, scene.stay.team
    when = scene.op_start if op else scene.born_at
    level, cut, sleep = (str(op.level), op.incision, op.anaesthesia) if op else ("1", "-", "-")
    given = team.anaesthetist.name if op and not sleep.startswith("局") else "-"
    rows = [
        f"{done.code}\t{day(when)}\t{level}\t{done.term}\t{team.chief.name}\t{team.attending.name}\t{cut}\t{sleep}\t{given}"
        for done in scene.case.procedures
    ]
    checked = f"质控护士\t{team.head_nurse.name}\t质控日期\t{day(scene.stay.discharged_at)}"
    return [
        f"科主任\t{team.head.name}\t主任（副主任）医师\t{team.chief.name}\t主治医师\t{team.attending.name}",
        f"住院医师\t{team.resident.name}\t责任护士\t{team.nurse.name}\t编码员\t{team.coder.name}",
        f"病案质量\t甲\t质控医师\t{team.attending.name}\t{checked}",
        "手术及操作编码\t日期\t级别\t手术及操作名称\t术者\t助手\t切口/愈合\t麻醉\t麻醉医师",
        *(rows or ["\t".join("-" * 9)]),
    ]


def _outcome(scene: Scene) -> list[str]:
    rng, case = scene.own("fees"), scene.case
    per_day = 900 if case.operation or case.critical else 480
    shares = [
        rng.uniform(0.2, 1.0) if name not in ("康复", "中医", "中药", "血液及制品") else 0.0 for name in _FEES
    ]
    if case.transfusion:
        shares[_FEES.index("血液及制品")] = 0.7
    total = per_day * max(case.days, 1) + (4200 if case.operation else 1100)
    fees = [round(total * share / sum(shares), 2) for share in shares]
    cells = [f"{name}费\t{fee:.2f}" for name, fee in zip(_FEES, fees, strict=True)]
    paid = sum(fees)
    leaves = _WAYS[case.leaves]
    return [
        f"离院方式\t{leaves} {case.leaves}\t拟接收机构\t-\t31天内再住院计划\t1 无",
        "颅脑损伤患者昏迷时间\t入院前 0天0小时0分\t入院后 0天0小时0分",
        f"住院总费用（元）\t{paid:.2f}\t其中自付\t{paid * rng.uniform(0.25, 0.6):.2f}",
        *("\t".join(cells[n : n + 5]) for n in range(0, len(cells), 5)),
    ]
