"""Every word that a person sees is said in Chinese too."""

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir

from archive import i18n

ROOT = Path(__file__).parents[2]
METHODS = [("**.py", "python"), ("**.html", "jinja2.ext:babel_extract")]
KEYWORDS = {"_": None, "_l": None, "gettext": None, "ngettext": (1, 2)}
PLACES = re.compile(r"%\((\w+)\)")


def extracted() -> set[str]:
    found: set[str] = set()
    options = {"**.html": {"trimmed": "true"}}
    for folder in ("archive", "templates"):
        for _file, _line, message, _comments, _context in extract_from_dir(
            str(ROOT / folder), method_map=METHODS, options_map=options, keywords=KEYWORDS,
            directory_filter=lambda path: "static" not in path,
        ):  # fmt: skip
            found.add(message[0] if isinstance(message, tuple) else message)
    return found - {""}


def test_every_word_is_said_in_chinese() -> None:
    missing = sorted(extracted() - set(i18n.catalogue("zh_CN")))
    assert not missing, f"{len(missing)} ids without Chinese: {missing}"


def test_a_translation_keeps_the_places_of_its_values() -> None:
    for message, forms in i18n.catalogue("zh_CN").items():
        wanted = set(PLACES.findall(message))
        for form in forms:
            assert set(PLACES.findall(form)) <= wanted | {"num", "n"}, message
            assert wanted - set(PLACES.findall(form)) <= {"num", "n"}, message


@pytest.mark.parametrize(
    "path", sorted((ROOT / "archive/translations/zh_CN").glob("*.po")), ids=lambda path: path.stem
)
def test_no_id_is_translated_twice(path: Path) -> None:
    others = "\n".join(other.read_text() for other in path.parent.glob("*.po") if other != path)
    twice = [line for line in path.read_text().splitlines() if line.startswith('msgid "') and line != 'msgid ""'
             and f"{line}\n" in others]  # fmt: skip
    assert not twice
