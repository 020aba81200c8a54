"""Chinese names: their pinyin keys, and how they are masked. Pure."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import islice, product

from pypinyin import Style, lazy_pinyin
from pypinyin.contrib.tone_convert import to_normal

SURNAMES = {
    "单": "shan dan", "單": "shan dan", "仇": "qiu chou", "曾": "zeng ceng", "解": "xie jie", "查": "zha cha",
    "任": "ren", "区": "ou qu", "區": "ou qu", "朴": "piao pu", "盖": "ge gai", "蓋": "ge gai", "翟": "zhai di",
    "召": "shao zhao", "缪": "miao mou", "繆": "miao mou", "纪": "ji", "乐": "yue le", "樂": "yue le", "员": "yun yuan",
    "員": "yun yuan", "贠": "yun yuan", "黑": "he hei", "秘": "bi mi", "折": "she zhe", "种": "chong zhong",
    "種": "chong zhong", "重": "chong zhong", "卜": "bu bo", "覃": "qin tan", "阚": "kan han", "闞": "kan han",
    "薄": "bo bao", "郇": "xun huan", "隗": "wei kui", "佴": "nai er", "能": "nai neng", "洗": "xian xi", "句": "gou ju",
    "都": "du dou", "角": "jue jiao", "祭": "zhai ji", "乜": "nie mie", "繁": "po fan", "牟": "mou mu", "柏": "bai bo",
    "郗": "xi chi", "宓": "mi fu", "郄": "qie xi", "褚": "chu zhu", "逄": "pang feng", "尉": "wei yu",
    "盛": "sheng cheng",
}  # fmt: skip
"""Characters that are read otherwise as a surname, or by some: the usual reading first, then what others type."""
COMPOUND = {
    "尉迟": ("yu chi", "wei chi"), "尉遲": ("yu chi", "wei chi"), "万俟": ("mo qi", "wan si"), "萬俟": ("mo qi", "wan si"),
    "单于": ("chan yu", "dan yu"), "單于": ("chan yu", "dan yu"), "长孙": ("zhang sun", "chang sun"),
    "長孫": ("zhang sun", "chang sun"), "澹台": ("tan tai", "dan tai"), "澹臺": ("tan tai", "dan tai"),
}  # fmt: skip
"""复姓, likewise."""
SPOKEN: Mapping[str, tuple[str, ...]] = {
    one: tuple(ways.split()) for one, ways in SURNAMES.items()
} | COMPOUND
GIVEN = {
    "茜": "qian xi", "乐": "le yue", "樂": "le yue", "行": "xing hang", "朝": "zhao chao", "长": "chang zhang",
    "長": "chang zhang", "重": "zhong chong", "晟": "sheng cheng", "娜": "na nuo", "颉": "jie xie", "頡": "jie xie",
    "奇": "qi ji", "传": "chuan zhuan", "傳": "chuan zhuan", "隽": "jun juan", "雋": "jun juan", "莎": "sha suo",
    "莞": "wan guan", "仔": "zai zi", "炅": "jiong gui", "蔚": "wei yu", "拓": "tuo ta", "参": "can shen",
    "參": "can shen", "盛": "sheng cheng", "校": "xiao jiao", "单": "dan shan", "單": "dan shan", "柏": "bai bo",
    "宿": "su xiu", "解": "jie xie", "卜": "bu bo", "佛": "fo fu", "会": "hui kuai", "曾": "zeng ceng",
}  # fmt: skip
"""Characters of given names that one person reads so and another otherwise."""
MOST_READINGS = 8
"""So many readings of one name are kept; more than three or four nobody tries."""


@lru_cache(maxsize=65536)
def syllables(name: str) -> tuple[str, ...]:
    """The reading of a name, a syllable a character, without tones; ü is written v."""
    if (surname := surname_of(name)) in SPOKEN and len(name) > len(surname):
        return (*SPOKEN[surname][0].split(), *_read(name[len(surname) :]))
    return _read(name)


def _read(text: str) -> tuple[str, ...]:
    parts = lazy_pinyin(text, style=Style.NORMAL, v_to_u=False)
    # In Latin or digits the last digit would be taken for a tone and lost: 张三之子1, 2018年.
    return tuple(
        (part if part.isascii() else to_normal(part) or part).lower() for part in parts if part.strip()
    )


def name_key(name: str) -> str:
    """What a name is found and sorted by: full pinyin, a space, initials: 张三 → `zhangsan zs`."""
    return _key(syllables(name.strip()))


def _key(parts: Iterable[str]) -> str:
    """The dot between parts of a name, and the spaces of a foreign one, are nothing that people type."""
    words = [word for part in parts for word in re.findall(r"[^\W_]+", part)]
    return f"{''.join(words)} {''.join(word[0] for word in words)}"[:200]


def readings(name: str) -> tuple[str, ...]:
    """What a name is found by in the index: the usual reading, its initials, then what others may type."""
    name = name.strip()
    surname = surname_of(name)
    heads = SPOKEN.get(surname) or _read(surname) or ("",)
    ways = [GIVEN[one].split() if one in GIVEN else _read(one) or ("",) for one in name[len(surname) :]]
    keys = [name_key(name), *(_key(way) for way in islice(product(heads, *ways), MOST_READINGS))]
    return tuple(dict.fromkeys(reading for key in keys for reading in key.split()))


def surname_of(name: str) -> str:
    """The characters of a surname that has readings of its own, else the first character."""
    return next((name[:length] for length in (2, 1) if name[:length] in SPOKEN), name[:1])


def sort_key(text: str) -> str:
    """Sorts Chinese by pinyin and leaves digits and Latin in their order."""
    return " ".join(syllables(text[:60]))[:200]


def masked(name: str) -> str:
    """张三丰 → 张**: for whoever may identify but not unmask (domain §12)."""
    return name[:1] + "*" * max(1, len(name) - 1) if name else name


def masked_id(number: str) -> str:
    """110105********002X: six, eight stars, four."""
    return re.sub(r"^(.{6}).+(.{4})$", lambda m: f"{m[1]}{'*' * (len(number) - 10)}{m[2]}", number)


def masked_phone(number: str) -> str:
    return re.sub(r"^(.{3}).+(.{4})$", r"\1****\2", number)
