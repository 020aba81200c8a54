"""Names of invented patients: rare surnames and common ones, some eight thousand in all."""

from itertools import product

SURNAMES, GIVEN = "舒辛逄訾仝昝妘亓笪赵钱孙李周吴郑王冯陈褚卫", "婉晴若溪小满秋月春苗慕白听雪知夏远航"
NAMES = tuple("".join(parts) for parts in product(SURNAMES, GIVEN, GIVEN))


def name_of(number: int) -> str:
    """The same for the same number; neighbours have different ones."""
    return NAMES[number * 7919 % len(NAMES)]
