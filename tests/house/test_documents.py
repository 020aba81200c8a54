"""What the documents say is so: the words on the page, the commands, the settings, the files."""

import re
from pathlib import Path

import pytest

from archive import i18n
from archive.cli import parser
from archive.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
GUIDES = sorted((ROOT / "docs").glob("*.md"))


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_a_guide_quotes_words_that_stand_on_the_page(guide: Path) -> None:
    said = {form for forms in i18n.catalogue("zh_CN").values() for form in forms}
    quoted = set(re.findall(r"「([^」]+)」", guide.read_text(encoding="utf-8")))
    assert quoted <= said, quoted - said


def test_the_commands_of_the_guide_are_understood() -> None:
    text = (ROOT / "docs" / "administrator.md").read_text(encoding="utf-8")
    lines = [line.partition("#")[0].split()[1:] for line in text.splitlines() if line.startswith("juanzong ")]
    assert lines
    for arguments in lines:
        parser().parse_args(arguments)


def test_every_command_is_in_the_guide() -> None:
    text = (ROOT / "docs" / "administrator.md").read_text(encoding="utf-8") + (ROOT / "README.md").read_text(
        encoding="utf-8"
    )
    commands = parser()._subparsers._group_actions[0].choices  # type: ignore[union-attr]
    assert not [name for name in commands or () if f"juanzong {name}" not in text]


def test_the_settings_of_the_guide_exist() -> None:
    text = (ROOT / "docs" / "administrator.md").read_text(encoding="utf-8")
    named = {name.lower() for name in re.findall(rf"{PREFIX}([A-Z_]+)", text)}
    assert named <= set(Settings.model_fields)


def test_the_files_that_the_architecture_names_are_there() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    paths = re.findall(r"`((?:archive|templates|tests|index|storage|docs)/[\w/.]+)`", text)
    assert paths
    assert not [path for path in paths if not (ROOT / path).exists()]
