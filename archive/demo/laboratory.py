"""辅助检查报告单: the laboratory's tables, with the values that fit the case."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from random import Random
from typing import Any

from archive.demo.filling import value
from archive.demo.scene import Scene, minute, phrase_book


def report(scene: Scene, rng: Random) -> str:
    """All panels of a stay on one sheet: a small table each, what is out of range marked ↑ or ↓."""
    taken = scene.after(1.5)
    head = [
        f"标本号\t{taken:%y%m%d}{scene.own('laboratory').randrange(10_000):04d}\t标本类型\t静脉血等\t采样时间\t{minute(taken)}",
        f"送检科室\t{scene.stay.dept.zh}\t送检医师\t{scene.stay.team.resident.name}\t临床诊断\t{scene.first_diagnoses}",
    ]
    panels = [_panel(phrase_book("laboratory")[name], scene.case.abnormal, rng) for name in scene.case.labs]
    team = scene.stay.team
    return "\n".join(
        (
            *head,
            *panels,
            "此结果仅对本次标本负责，如有疑问请于三日内与检验科联系。",
            f"检验者签名：{team.technician.name}　{minute(taken + timedelta(minutes=70))}",
            f"审核者签名：{team.lab_senior.name}",
        )
    )


def _panel(panel: Mapping[str, Any], known: Mapping[str, float | str], rng: Random) -> str:
    rows = [_row(item, known, rng) for item in panel["items"]]
    return "\n".join((f"【{panel['title']}】", "代号\t项目\t结果\t提示\t参考区间\t单位", *rows))


def _row(item: Sequence[Any], known: Mapping[str, float | str], rng: Random) -> str:
    code, name, *rest = item
    found = known.get(code)
    if len(rest) == 1:
        return f"{code}\t{name}\t{found or rest[0]}\t\t\t"
    unit, low, high = rest
    if found is None:
        found = value(rng, low, high)
    mark = "↑" if float(found) > high else "↓" if float(found) < low else ""
    return f"{code}\t{name}\t{found}\t{mark}\t{low}～{high}\t{unit}"
