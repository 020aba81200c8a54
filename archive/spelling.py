"""拼音: what people type for the sound of a name, and which other letters may mean the same sound. Pure."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations

from archive.names import GIVEN, SPOKEN

SYLLABLES = re.compile(r"(?:[a-z]+[1-5]?)(?:[' ]*[a-z]+[1-5]?)*")
TONED = re.compile(r"(?<![a-z])(?![a-z]*[aeiouv])[a-z]+[1-5]")
"""A figure after letters that are no syllable is no tone: CT2, H1."""
SHORTEST = 2
"""One letter alone means nobody."""
CONFUSED = (
    ("zh", "z(?!h)"), ("ch", "c(?!h)"), ("sh", "s(?!h)"), ("ang", "an(?!g)"), ("eng", "en(?!g)"), ("ing", "in(?!g)"),
    ("l(?=[aeiouv])", "n(?=[aeiouv])"), ("(?<![zcs])h(?=[aeiouv])", "f(?=[aeou])"), ("r(?=[aeiou])", "l(?=[aeou])"),
)  # fmt: skip
"""模糊音: sounds that sound alike in many a mouth, and are typed for one another; as patterns, each with its letters."""


@dataclass(frozen=True)
class Spelling:
    """Letters as names are kept by; with `holding`, only of names that have this character, at their beginning or later."""

    letters: str
    holding: str = ""
    leads: bool = False


def letters(typed: str) -> str | None:
    """The bare letters of typed pinyin, ü as v; nothing for what is no pinyin. Tones may be signs or figures."""
    bare = _bare(typed)
    if SYLLABLES.fullmatch(bare) is None or TONED.search(bare):
        return None
    solid = re.sub(r"(?<=[jqxy])v", "u", re.sub(r"[^a-z]", "", bare))
    return solid if len(solid) >= SHORTEST else None


def _bare(typed: str) -> str:
    """zhāng·sān, LÜ bù, lu:3 → zhang san, lv bu, lv3."""
    apart = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", typed).strip().lower())
    umlaut = re.sub("u(?:(?P<tone>[\u0300-\u036f])?\u0308|:)", "v", apart)
    plain = "".join(sign for sign in umlaut if not unicodedata.combining(sign))
    return re.sub("[’‘`·\\-]", "'", plain)


def spellings(written: str) -> tuple[Spelling, ...]:
    """The letters as they are, then the same name as others spell or read it: lu for lv, dan for the surname shan."""
    found = [Spelling(written), *_umlauts(written), *_surnames(written), *_given(written)]
    return tuple(dict.fromkeys(found))


def initials(written: str) -> tuple[Spelling, ...]:
    """The letters as initials, then with the other readings of surnames: cgf and zgf are both 曾国藩."""
    found = [Spelling(written)]
    for part, (usual, *others) in SPOKEN.items():
        if any(way[0] == written[0] for way in others) and usual[0] != written[0]:
            found.append(Spelling(usual[0] + written[1:], part, leads=True))
    return tuple(found)


def alike(written: str) -> tuple[str, ...]:
    """Other letters that sound alike, each one confusion away: zhangshan → zangshan, zhangsan, …"""
    found: dict[str, None] = {}
    for pair in CONFUSED:
        for one, other in permutations(pair):
            said = re.sub(r"\(.*?\)", "", other)
            for place in re.finditer(one, written):
                found[written[: place.start()] + said + written[place.end() :]] = None
    return tuple(found)


def _umlauts(written: str) -> Iterator[Spelling]:
    """吕 is lü in a dictionary, lv on a keyboard, lyu in a passport, and lu to whoever does not care."""
    everywhere = re.sub(r"(?<=[ln])(?:yu|u)", "v", written)
    passport = re.sub(r"(?<=[ln])yu", "v", written)
    single = [
        written[: place.start()] + "v" + written[place.end() :]
        for place in re.finditer(r"(?<=[ln])(?:yu|u)", written)
    ]
    yield from (Spelling(way) for way in (everywhere, passport, *single) if way != written)


def _surnames(written: str) -> Iterator[Spelling]:
    """A surname is kept by its usual reading."""
    for part, (usual, *others) in SPOKEN.items():
        for way in others:
            if written.startswith(solid := way.replace(" ", "")):
                yield Spelling(usual.replace(" ", "") + written[len(solid) :], part, leads=True)


def _given(written: str) -> Iterator[Spelling]:
    """A given name is kept by the reading that it has among its neighbours: it may be either."""
    for character, ways in GIVEN.items():
        for way, other in permutations(ways.split(), 2):
            for at in (place.start() for place in re.finditer(way, written) if place.start()):
                yield Spelling(written[:at] + other + written[at + len(way) :], character)
