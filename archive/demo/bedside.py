"""Papers of a stay that are tables, from which the charts on the pages are drawn: temperatures, orders, nursing …"""

from datetime import datetime, timedelta
from itertools import cycle
from random import Random

from archive.demo.scene import Scene, minute

_CHART_DAYS = 7
_HOURS = (6, 10, 14, 18)
_INSTRUMENTS = (
    ("手术刀柄", 2),
    ("组织剪", 3),
    ("线剪", 2),
    ("有齿镊", 2),
    ("无齿镊", 2),
    ("止血钳（弯）", 8),
    ("止血钳（直）", 4),
    ("组织钳", 4),
    ("卵圆钳", 3),
    ("持针器", 3),
    ("拉钩", 4),
    ("吸引器头", 1),
    ("缝针", 6),
    ("纱布垫", 10),
    ("小纱布", 10),
    ("刀片", 2),
)
_COUNTED = (
    "手术开始前、关闭体腔前、关闭体腔后及缝合皮肤后由洗手护士与巡回护士共同唱点，数目相符，器械完整，"
    "无菌包灭菌指示合格，指示卡粘贴于背面。体内植入物：无。"
)
_MEASURES = (
    "按级别护理巡视，卧位舒适，呼吸平稳，输液通畅，穿刺处无红肿",
    "遵医嘱给药，观察用药反应，未见不适，协助翻身及口腔护理",
    "复测生命体征，通知值班医师，继续心电监护及吸氧",
    "引流管固定妥当，引流液性状正常，记录出入量，安慰患者",
    "患者诉不适减轻，安静入睡，床栏拉起，交接班已说明重点",
)


def temperatures(scene: Scene, rng: Random) -> str:
    """体温单 of the first week: four readings a day, then one row for each daily count."""
    start, end = scene.stay.admitted_at, scene.stay.discharged_at
    fever = float(scene.case.draws.get("temp_high", 37.2))
    rows, days = ["日期\t时刻\t体温℃\t脉搏\t呼吸"], []
    for n in range(min((end.date() - start.date()).days + 1, _CHART_DAYS)):
        midnight = (start + timedelta(days=n)).replace(hour=0, minute=0)
        days.append(midnight)
        readings = [midnight.replace(hour=hour) for hour in _HOURS]
        rows += [_reading(scene, rng, at, fever) for at in readings if start <= at <= end]
    if len(rows) == 1:
        rows.append(_reading(scene, rng, start, fever))
    return "\n".join((*rows, "", *_daily(scene, rng, days), f"护士签名：{scene.stay.team.nurse.name}"))


def _reading(scene: Scene, rng: Random, at: datetime, fever: float) -> str:
    passed = (at - scene.stay.admitted_at) / timedelta(days=1)
    after_op = (at - scene.op_end) / timedelta(days=1) if scene.case.operation else -1.0
    warm = (
        36.5
        + max(0.0, fever - 36.6) * 0.55**passed
        + (0.7 if 0 < after_op < 1.2 else 0)
        + rng.uniform(-0.2, 0.3)
    )
    pulse = (
        {"woman": 78, "child": 106, "newborn": 134}[scene.group]
        + int((warm - 36.5) * 10)
        + rng.randint(-5, 6)
    )
    breath = {"woman": 18, "child": 26, "newborn": 42}[scene.group] + rng.randint(-2, 3)
    return f"{at:%m-%d}\t{at:%H}\t{warm:.1f}\t{pulse}\t{breath}"


def _daily(scene: Scene, rng: Random, days: list[datetime]) -> list[str]:
    woman = scene.group == "woman"

    def per_day(low: int, high: int, step: int = 1) -> str:
        return "\t".join(str(rng.randrange(low, high + 1, step)) for _ in days)

    after = "\t".join(_since_operation(scene, at) for at in days)
    rows = ["项目\t" + "\t".join(f"{at:%m-%d}" for at in days), f"手术后天数\t{after}"]
    if woman:
        rows.append("血压mmHg\t" + "\t".join(f"{rng.randint(102, 128)}/{rng.randint(62, 82)}" for _ in days))
    scale = 100 if woman else 20
    rows += [
        f"入量ml\t{per_day(12 * scale, 24 * scale, scale)}",
        f"尿量ml\t{per_day(9 * scale, 20 * scale, scale)}",
        f"大便次\t{per_day(0, 2)}",
        f"过敏药物\t{scene.who.allergy}" + "\t" * (len(days) - 1),
    ]
    return rows


def _since_operation(scene: Scene, at: datetime) -> str:
    if scene.case.operation is None:
        return "—"
    since = (at.date() - scene.op_start.date()).days
    return "手术" if since == 0 else str(since) if since > 0 else "—"


def orders(scene: Scene, rng: Random) -> str:
    """医嘱单: standing orders with their end, then the orders given once."""
    start, end, team = scene.stay.admitted_at, scene.stay.discharged_at, scene.stay.team
    standing = [
        f"{start:%m-%d %H:%M}\t{order}\t{team.resident.name}\t{team.nurse.name}\t{end:%m-%d %H:%M}"
        for order in (*scene.case.long_orders, "测体温、脉搏、呼吸 4次/日")
    ]
    given, last = scene.case.once_orders, "尸体料理" if scene.case.death else "今日出院"
    times = [
        start + timedelta(minutes=rng.randint(10, 30)) + (end - start) * 0.8 * (n / len(given)) ** 1.5
        for n in range(len(given))
    ]
    once = [
        f"{at:%m-%d %H:%M}\t{order}\t{team.resident.name}\t{at + timedelta(minutes=12):%H:%M}\t{team.nurse.name}"
        for order, at in zip((*given, last), (*times, end - timedelta(minutes=50)), strict=True)
    ]
    return "\n".join(
        (
            "【长期医嘱】",
            "开始时间\t医嘱\t医师\t护士\t停止时间",
            *standing,
            "【临时医嘱】",
            "下达时间\t医嘱\t医师\t执行时间\t护士",
            *once,
            f"核对护士签名：{team.head_nurse.name}　{minute(end)}",
        )
    )


def nursing(scene: Scene, rng: Random) -> str:
    """病重（病危）患者护理记录: a row every few hours. Raises LookupError if nobody was critical."""
    if not scene.case.critical:
        raise LookupError(f"HL: the case {scene.case.key} was never critical")
    base = {"woman": 96, "child": 138, "newborn": 152}[scene.group]
    rows, measures, at = [], cycle(_MEASURES), scene.after(1)
    for n in range(8):
        pressure = f"{94 + 4 * n + rng.randint(-3, 3)}/{56 + 2 * n + rng.randint(-3, 3)}"
        warm, pulse = 37.4 - n * 0.08 + rng.uniform(-0.1, 0.1), base - 2 * n + rng.randint(-3, 3)
        measured = (
            f"{at:%m-%d %H:%M}",
            f"{warm:.1f}",
            pulse,
            rng.randint(19, 26),
            pressure if scene.group == "woman" else "—",
            rng.randint(93, 99),
            next(measures),
            scene.stay.team.nurse.name,
        )
        rows.append("\t".join(map(str, measured)))
        at += timedelta(minutes=rng.choice((60, 120, 120)))
    return "\n".join(
        (
            f"【病情】{scene.case.critical}。",
            "时间\t体温\t脉搏\t呼吸\t血压\t血氧%\t病情观察及护理措施\t签名",
            *rows,
            f"护士签名：{scene.stay.team.nurse.name}　{minute(at)}",
            f"护士长签名：{scene.stay.team.head_nurse.name}",
        )
    )


def anaesthesia(scene: Scene, rng: Random) -> str:
    """麻醉记录: pressure, pulse and saturation every few minutes. Raises LookupError without an operation."""
    op = scene.case.operation
    if op is None:
        raise LookupError(f"MZJL: the case {scene.case.key} has no operation")
    begins, lasts = scene.op_start - timedelta(minutes=20), op.minutes + 30
    step = 5 if lasts <= 70 else 10 if lasts <= 140 else 15
    rows = [_observed(begins + timedelta(minutes=m), m / lasts, rng) for m in range(0, lasts + 1, step)]
    team = scene.stay.team
    drugs, leaves = _drugs(op.anaesthesia), begins + timedelta(minutes=lasts)
    given, urine = scene.case.transfusion or "未输血", scene.own("urine").randint(10, 40) * 10
    fluids = f"晶体液{rng.randint(8, 14) * 100}ml，胶体液500ml，{given}；出血{op.blood_ml}ml，尿量{urine}ml。"
    story = (
        f"入室核对身份，开放静脉，常规监测。{_INDUCTION[op.anaesthesia[0]]}手术历时{op.minutes}分钟，{_AWAKE}"
    )
    return "\n".join(
        (
            f"术前诊断\t{scene.first_diagnoses}\t实施手术\t{op.name}",
            f"麻醉方式\t{op.anaesthesia}\tASA分级\tⅡ级\t入室\t{begins:%H:%M}\t出室\t{leaves:%H:%M}",
            "时间\t收缩压\t舒张压\t心率\t血氧%",
            *rows,
            f"【麻醉用药】{drugs}",
            f"【输液与出血】{fluids}",
            f"【经过】{story}",
            f"麻醉医师签名：{team.anaesthetist.name}　{minute(leaves)}",
            f"手术医师签名：{team.chief.name}",
        )
    )


_AWAKE = "术中循环平稳，无麻醉意外。术毕清醒，Steward评分6分，送复苏室观察后安返病房。"
_INDUCTION = {
    "腰": "取右侧卧位，于L3-4间隙穿刺，见脑脊液流出通畅后注药，置硬膜外导管4cm，测平面T6～S5，效果满意。",
    "全": "快速诱导，明视下经口气管插管一次成功，深22cm，双肺呼吸音对称，接呼吸机控制通气。",
    "静": "面罩吸氧，缓慢静推诱导，睫毛反射消失后开始手术，保留自主呼吸，托下颌维持气道通畅。",
    "局": "术野局部浸润，效果满意，全程监护。",
}


def _drugs(kind: str) -> str:
    return {
        "腰": "0.5%罗哌卡因2.4ml蛛网膜下腔注射；去氧肾上腺素50μg静推两次；术后镇痛泵：舒芬太尼100μg配至100ml。",
        "全": "丙泊酚120mg、舒芬太尼20μg、罗库溴铵40mg诱导；七氟烷吸入、瑞芬太尼泵注维持；新斯的明拮抗。",
        "静": "丙泊酚150mg、芬太尼50μg，分次静推，必要时追加。",
    }.get(kind[0], "1%利多卡因10ml局部浸润。")


def _observed(at: datetime, share: float, rng: Random) -> str:
    dip = 18 if 0.15 < share < 0.45 else 0
    return (
        f"{at:%H:%M}\t{126 - dip + rng.randint(-6, 6)}\t{76 - dip // 2 + rng.randint(-5, 5)}"
        f"\t{84 + dip // 3 + rng.randint(-6, 6)}\t{rng.randint(97, 100)}"
    )


def counts(scene: Scene, rng: Random) -> str:
    """手术清点记录: every number the same before closing as at the start. Raises LookupError without an operation."""
    op = scene.case.operation
    if op is None:
        raise LookupError(f"QDJL: the case {scene.case.key} has no operation")
    rows = []
    for name, number in _INSTRUMENTS:
        more = rng.choice((0, 5)) if name in ("纱布垫", "小纱布", "缝针") else 0
        total = number + more
        rows.append(f"{name}\t{number}\t{more or '—'}\t{total}\t{total}")
    team = scene.stay.team
    return "\n".join(
        (
            f"手术名称\t{op.name}\t手术日期\t{scene.op_start:%Y-%m-%d}",
            "物品名称\t术前清点\t术中加数\t关体腔前\t关体腔后",
            *rows,
            f"【说明】{_COUNTED}",
            f"洗手护士签名：{team.theatre_nurse.name}　{minute(scene.op_end)}",
            f"巡回护士签名：{team.nurse.name}",
        )
    )
