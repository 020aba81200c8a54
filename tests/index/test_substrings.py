"""Every substring of real texts is found in its text, and nowhere where it does not stand; folded here by rules of our own."""

import csv
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
import pytest

from index import FieldSpec, Index, Kind, Limits, Masks, Phrase, Put, Query, parse
from tests.soaking import how_many

from . import naive

DATA = Path(__file__).parents[3] / "shared" / "data"
TABLE = Path(__file__).parents[2] / "index" / "simplified.txt"
LONGEST = 6
PATIENT = Limits(texts=100_000, seconds=600)
"""Nothing is left unjudged: what is proven is what is found, not how soon."""
END = "\0"


def corpus() -> list[str]:
    """Questions with their answers, and statutes, whole."""
    with (DATA / "qa" / "medical_qa.csv").open(encoding="utf-8-sig") as file:
        answers = ["；".join(line.values()) for line in csv.DictReader(file)]
    return answers + [path.read_text("utf-8") for path in sorted((DATA / "laws").glob("*.md"))]


# The same rules as in index/README.md, written a second time and otherwise: letter by letter, by the names of Unicode.


@cache
def simplified() -> Mapping[str, str]:
    lines = [line for line in TABLE.read_text("utf-8").splitlines() if not line.startswith("#")]
    return {line[0]: line[1] for line in lines}


@cache
def folded(letter: str) -> str:
    """One letter as it is compared: nothing of what is invisible, a blank of any white space."""
    if unicodedata.category(letter) in {"Cf", "Cs"} or 0xFE00 <= ord(letter) <= 0xFE0F:
        return ""
    if letter in "‐‑‒–—―−":  # dashes are one dash
        return "-"
    if letter in "•‧∙⋅・":
        return "·"
    plain = unicodedata.normalize("NFKC", letter).casefold()
    return "".join(simplified().get(one, one) for one in plain)


@cache
def kind(letter: str) -> str:
    if letter.isspace():
        return " "
    if "CJK" in unicodedata.name(letter, "") or letter in "々〇":
        return "han" if unicodedata.category(letter)[0] in "LN" else "sign"
    if letter.isdecimal():
        return "digit"
    return "letter" if letter.isalnum() else "sign"


def units(text: str) -> list[str]:
    """Chinese characters, words, numbers and signs, one after the other."""
    found: list[str] = []
    before = ""
    for letter in "".join(map(folded, unicodedata.normalize("NFC", text))):
        now = kind(letter)
        if now == before and now in {"letter", "digit"}:
            found[-1] += letter
        elif now != " ":
            found.append(letter)
        before = now
    return found


def strung(found: Sequence[str]) -> str:
    """The units of a text as one string, in which a run of units is found only at their bounds."""
    return END + END.join(found) + END


def spoken(found: Sequence[str]) -> list[str]:
    """Without the signs at either end, which nobody can look for."""
    words = [at for at, unit in enumerate(found) if kind(unit[0]) != "sign"]
    return list(found[words[0] : words[-1] + 1]) if words else []


@pytest.fixture(scope="module")
def texts() -> list[str]:
    if not (DATA / "qa").is_dir():
        pytest.skip("the collection of texts lies beside the project, and is not here")
    return corpus()


@pytest.fixture(scope="module")
def searched(texts: list[str], tmp_path_factory: pytest.TempPathFactory) -> Index:
    """Several segments, some of what is in them replaced."""
    index = Index(tmp_path_factory.mktemp("substrings") / "index", [FieldSpec("body", Kind.TEXT)])
    puts = [Put(number, 2, {"body": text}) for number, text in enumerate(texts)]
    index.rebuild([Put(put.number, 1, {"body": "旧文" * 9}) if put.number % 5 == 0 else put for put in puts])
    index.apply([put for put in puts if put.number % 10 == 0])
    index.apply([put for put in puts if put.number % 10 == 5])
    return index


def drawn(texts: Sequence[str], count: int) -> Iterator[tuple[int, str]]:
    """So many substrings of 1 to 6 characters that say something, with the text each is of; always the same ones."""
    random, given = Random(20261122), 0
    while given < count:
        number, length = random.randrange(len(texts)), random.randint(1, LONGEST)
        text = texts[number]
        start = random.randrange(len(text) - length + 1)
        words = spoken(units(text[start : start + length]))
        # «t 检» out of «CT 检查» cuts a word, and words are found whole: it is drawn again.
        if words and END.join(("", *words, "")) in strung(
            units(text[max(0, start - 40) : start + length + 40])
        ):
            yield number, text[start : start + length]
            given += 1


def query_of(words: str) -> Query:
    """As somebody types it, in quotation marks; what has some in it is asked without the language."""
    return Phrase(words) if set(words) & set('"“”＂「」『』') else parse(f'"{words}"', {})


def all_are_found(index: Index, texts: Sequence[str], count: int) -> int:
    """Every substring in its own text, and everywhere else just where it stands; gives how many hits were compared."""
    known, everyone = [strung(units(text)) for text in texts], np.ones(len(texts), np.bool_)
    compared = 0

    def texts_of(numbers: Sequence[int], _field: str) -> dict[int, str]:
        return {number: texts[number] for number in numbers}

    for number, words in drawn(texts, count):
        query, wanted = query_of(words), strung(spoken(units(words)))
        only = np.arange(len(texts)) == number
        alone = index.search(query, Masks(only, only, only), texts_of=texts_of, limit=2)
        assert [hit.number for hit in alone.hits] == [number], words
        who = Masks(everyone, everyone, everyone)
        page = index.search(query, who, texts_of=texts_of, limit=50, limits=PATIENT)
        assert [hit.number for hit in page.hits if wanted not in known[hit.number]] == [], words
        standing = sum(wanted in text for text in known)
        assert page.total.count == min(standing, PATIENT.total), words
        assert page.total.exact == (standing <= PATIENT.total), words
        assert len(page.hits) == min(standing, 50), words
        compared += len(page.hits)
    return compared


def test_every_substring_of_the_texts_is_found_where_it_stands_and_nowhere_else(
    searched: Index, texts: list[str]
) -> None:
    assert all_are_found(searched, texts, 1_000) > 1_000


@pytest.mark.soak
def test_ten_thousand_substrings_are_found(
    searched: Index, texts: list[str], record_property: Callable[[str, object], None]
) -> None:
    count = how_many("substrings", usual=10_000)
    compared = all_are_found(searched, texts, count)
    record_property(
        "soak",
        f"{count:,} substrings of 1 to {LONGEST} characters out of {len(texts):,} texts: each found in its own, "
        f"none of {compared:,} hits looked at and no total but where it stands",
    )


def test_two_foldings_written_apart_agree_on_what_a_text_holds(texts: list[str]) -> None:
    differing = [text[:80] for text in texts if units(text) != naive.units(text)]
    assert differing == []
