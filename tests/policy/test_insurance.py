"""医保规则: what is found, what is not, and what cannot be told."""

import pytest

from archive.policy.insurance import NO_CONSENT, NO_NAME, NO_TIME, NOT_MENTIONED, Insurance, Sheet, check
from archive.services import policies

RULES = Insurance(**{name: part for name, part in policies.seeds()["insurance"].items() if name != "source"})
SLIP = "超声检查报告单 姓名：刘 婷婷 2026-11-10 胎盘前置"


def found(*sheets: tuple[str, str]) -> list[tuple[str, str, bool]]:
    """Rule, component and whether it can be told, of sheets given as component and text."""
    made = [Sheet(1, component, ordinal, text) for ordinal, (component, text) in enumerate(sheets, 1)]
    return [(hit.rule, hit.at.component, hit.is_known) for hit in check(RULES, made, "刘婷婷")]


@pytest.mark.parametrize(
    ("sheets", "expected"),
    [
        ([("FZ", SLIP)], []),
        ([("FZ", SLIP.replace("2026-11-10", ""))], [(NO_TIME, "FZ", True)]),
        ([("FZ", "血常规 2026年11月10日")], [(NO_NAME, "FZ", True)]),
        ([("FZ", "")], [(NO_TIME, "FZ", False)]),
        ([("BC", "无日期无姓名")], []),
        ([("YX", f"{SLIP} CT 平扫"), ("BC", "复查 ct 未见异常")], []),
        ([("YX", f"{SLIP} CT 平扫"), ("BC", "一般情况好")], [(NOT_MENTIONED, "YX", True)]),
        ([("YX", f"{SLIP} CT 平扫"), ("BC", "一般情况好"), ("BC", "")], [(NOT_MENTIONED, "YX", False)]),
        ([("YX", f"{SLIP} CT 平扫")], [(NOT_MENTIONED, "YX", False)]),
        ([("YZ", "一次性耗材（自 费）")], [(NO_CONSENT, "YZ", True)]),
        ([("YZ", "一次性耗材（自费）"), ("TSTY", "自费项目同意书")], []),
        ([("YZ", "一次性耗材（自费）"), ("TSTY", "")], [(NO_CONSENT, "YZ", False)]),
        ([("YZ", "一次性耗材（自费）"), ("SSTY", "手术同意书")], [(NO_CONSENT, "YZ", True)]),
    ],
)
def test_what_the_rules_come_to(sheets: list[tuple[str, str]], expected: list[tuple[str, str, bool]]) -> None:
    assert found(*sheets) == expected
