"""Chinese names: their pinyin keys, and how they are masked. Pure."""

import re
from functools import lru_cache

from pypinyin import Style, lazy_pinyin
from pypinyin.contrib.tone_convert import to_normal

SURNAMES = {
    "单": "shan", "仇": "qiu", "曾": "zeng", "解": "xie", "查": "zha", "任": "ren", "区": "ou", "朴": "piao",
    "盖": "ge", "华": "hua", "宁": "ning", "翟": "zhai", "尉迟": "yu chi", "万俟": "mo qi", "召": "shao", "缪": "miao",
    "纪": "ji", "乐": "yue", "员": "yun", "贠": "yun", "黑": "he", "秘": "bi", "折": "she", "种": "chong", "重": "chong",
}  # fmt: skip
"""Characters that are read otherwise as a surname."""


@lru_cache(maxsize=65536)
def syllables(name: str) -> tuple[str, ...]:
    """The reading of a name, a syllable a character, without tones; ü is written v."""
    for length in (2, 1):
        if (surname := SURNAMES.get(name[:length])) and len(name) > length:
            return (*surname.split(), *_read(name[length:]))
    return _read(name)


def _read(text: str) -> tuple[str, ...]:
    parts = lazy_pinyin(text, style=Style.NORMAL, v_to_u=False)
    # In Latin or digits the last digit would be taken for a tone and lost: 张三之子1, 2018年.
    return tuple(
        (part if part.isascii() else to_normal(part) or part).lower() for part in parts if part.strip()
    )


def name_key(name: str) -> str:
    """What a name is found and sorted by: full pinyin, a space, initials: 张三 → `zhangsan zs`."""
    parts = syllables(name.strip())
    return f"{''.join(parts)} {''.join(part[0] for part in parts)}"[:200]


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
