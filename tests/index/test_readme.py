import doctest
from pathlib import Path

import index


def test_the_readme_is_true(tmp_path: Path) -> None:
    result = doctest.testfile(
        str(Path(index.__file__).with_name("README.md")),
        module_relative=False,
        globs={"folder": tmp_path / "index"},
    )
    assert result.attempted > 10
    assert not result.failed
