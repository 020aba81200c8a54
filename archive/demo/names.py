"""Invented personal names, some with characters that old systems cannot write."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余"
    "于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷"
    "龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常汤康易乔赖文施洪辛仝亓逄昝笪訾妘"
)
COMPOUND_SURNAMES = ("欧阳", "上官", "司徒", "诸葛", "东方", "尉迟")

WOMEN = "秀芳敏静丽娟艳霞萍红玲燕慧莉琴洁云莲雪琳晶婷茜倩颖露瑶怡婵雁蓓菊岚苑筠柔竹霭凝晓欢霄枫芸菲寒伊亚宜姬荔枝思"
MEN = "伟强磊军勇杰涛明超刚平辉鹏健俊波斌峰浩亮飞凯林松建国志宏海涵博文轩宇晨嘉铭泽睿诚远航哲恒毅安康乐成达信立民"
BABIES = "梓涵一诺沐辰雨泽奕可欣悦子墨若汐语桐浩宇景行知夏星野苡安明禾时雨云舒清和予安青禾言蹊"
RARE = ("㛃", "𬍛", "䶮", "𬸚", "𬭎", "頔", "祎", "翀", "骉", "玥", "㐂", "𬀩")

_RARE_ONE_IN = 24


def surname(rng: Random) -> str:
    """A family name; one in fifty has two characters."""
    return rng.choice(COMPOUND_SURNAMES) if rng.randrange(50) == 0 else rng.choice(SURNAMES)


def given(rng: Random, *, female: bool, infant: bool = False) -> str:
    """A given name of one or two characters, fitting the sex and, for a child, the fashion."""
    pool = BABIES if infant else WOMEN if female else MEN
    first = rng.choice(RARE) if rng.randrange(_RARE_ONE_IN) == 0 else rng.choice(pool)
    if rng.randrange(6) == 0:
        return first
    return first + rng.choice(pool)


def full_name(rng: Random, *, female: bool, infant: bool = False) -> str:
    """A whole invented name, family name first."""
    return surname(rng) + given(rng, female=female, infant=infant)


def names_from(path: Path, rng: Random) -> Iterator[str]:
    """Names of a list on disk, one a line, in an order that the seed decides; each comes once."""
    names = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    rng.shuffle(names)
    yield from names
