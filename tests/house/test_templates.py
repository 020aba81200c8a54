"""What every template keeps to: the security policy, escaping, words through gettext, files that exist."""

import hashlib
import re
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"
STATIC = ROOT / "archive" / "static"
NAMES = sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.html"))

INLINE_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>", re.IGNORECASE)
HANDLER = re.compile(r"""\s(?:on[a-z]+|hx-on[\w:.-]*)\s*=\s*["'{]""", re.IGNORECASE)
EVALUATED = re.compile(r"""hx-(?:vals|headers)\s*=\s*["']js:|href\s*=\s*["']javascript:""", re.IGNORECASE)
CHINESE = re.compile(r"[㐀-鿿]+")
ICON = re.compile(r"\bti ti-([a-z0-9-]*[a-z0-9])(?=[\"'\s])")
STATIC_FILE = re.compile(r"filename='([^']+)'")
MACRO_IMPORT = re.compile(r"{%-?\s*(?:import|from)\s.*?%}")
VENDORED = re.compile(r"^\| `([^`]+)` \| [\d,]+ \| `([0-9a-f]{64})` \|$", re.MULTILINE)


def source_of(name: str) -> str:
    """The template without its comments: those speak to us and not to the reader."""
    return re.sub(r"{#.*?#}", "", (TEMPLATES / name).read_text("utf-8"), flags=re.DOTALL)


@pytest.mark.parametrize("name", NAMES)
def test_a_template_compiles(name: str) -> None:
    Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True).get_template(name)


@pytest.mark.parametrize("name", NAMES)
def test_a_template_holds_no_style_and_no_script_of_its_own(name: str) -> None:
    source = source_of(name)
    assert not re.search(r"\sstyle\s*=|<style\b", source, re.IGNORECASE)
    assert not INLINE_SCRIPT.search(source)
    assert not HANDLER.search(source)
    assert not EVALUATED.search(source)


@pytest.mark.parametrize("name", NAMES)
def test_a_template_never_switches_escaping_off(name: str) -> None:
    assert not re.search(r"\|\s*safe\b|autoescape\s+false|\bMarkup\(", source_of(name))


@pytest.mark.parametrize("name", NAMES)
def test_a_template_takes_its_words_from_gettext(name: str) -> None:
    # The name of a language is written in that language, whatever the page speaks.
    assert set(CHINESE.findall(source_of(name))) <= {"中文"}


@pytest.mark.parametrize("name", NAMES)
def test_macros_are_imported_with_the_context_that_they_read(name: str) -> None:
    assert [line for line in MACRO_IMPORT.findall(source_of(name)) if "with context" not in line] == []


@pytest.mark.parametrize("name", NAMES)
def test_files_and_icons_that_a_template_names_exist(name: str) -> None:
    source = source_of(name)
    sheet = (STATIC / "vendor/tabler-icons/tabler-icons.min.css").read_text("utf-8")
    known = set(re.findall(r"\.ti-([a-z0-9-]+):before", sheet))
    assert {icon for icon in ICON.findall(source) if icon not in known} == set()
    assert [file for file in STATIC_FILE.findall(source) if not (STATIC / file).is_file()] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_form_that_posts_carries_the_token(name: str) -> None:
    posting = re.findall(r"<form[^>]*method=\"post\".*?</form>", source_of(name), re.DOTALL | re.IGNORECASE)
    assert [form[:120] for form in posting if "csrf" not in form] == []


def test_vendored_files_are_the_ones_that_were_published() -> None:
    folder = STATIC / "vendor"
    named = VENDORED.findall((folder / "VENDORED.md").read_text("utf-8"))
    changed = [f for f, digest in named if hashlib.sha256((folder / f).read_bytes()).hexdigest() != digest]
    assert changed == []
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert present - {file for file, _ in named} == {"VENDORED.md"}


def test_our_style_sheet_fetches_nothing_from_elsewhere() -> None:
    sheets = [path.read_text("utf-8") for path in STATIC.rglob("*.css")]
    addresses = [address for sheet in sheets for address in re.findall(r"url\([\"']?([^\"')]+)", sheet)]
    assert [address for address in addresses if re.match(r"(?:https?:)?//", address)] == []
