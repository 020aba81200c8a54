"""Names of invented patients: rare surnames and common ones, some eight thousand in all; and their numbers."""

from itertools import product

SURNAMES, GIVEN = "舒辛逄訾仝昝妘亓笪赵钱孙李周吴郑王冯陈褚卫", "婉晴若溪小满秋月春苗慕白听雪知夏远航"
NAMES = tuple("".join(parts) for parts in product(SURNAMES, GIVEN, GIVEN))


def name_of(number: int) -> str:
    """The same for the same number; neighbours have different ones."""
    return NAMES[number * 7919 % len(NAMES)]


def mrn_of(node: int) -> str:
    return f"{80_000_000 + node}"


def beginnings(count: int) -> list[str]:
    """Two to seven digits with which numbers of so many nodes begin, the shortest first: most lies behind them."""
    numbers = [mrn_of(node) for node in range(0, count, max(1, count // 100))]
    found = {number[:length] for number in numbers for length in range(2, 8)}
    return sorted(found, key=lambda one: (len(one), one))
