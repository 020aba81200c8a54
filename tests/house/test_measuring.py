"""What the measurements rest on: their questions, their percentiles, and the archives that they plant."""

from importlib import import_module
from pathlib import Path

import pytest

from archive.settings import Settings, load
from bench import kept, served
from bench.figures import most_held, percentiles
from bench.questions import QUESTIONS, Kind, kinds

MODULES = sorted(path.stem for path in Path(kept.__file__).parent.glob("[a-z]*.py"))


@pytest.mark.parametrize("name", MODULES)
def test_every_measurement_finds_what_it_is_made_of(name: str) -> None:
    assert import_module(f"bench.{name}").__doc__


def plant(var: Path) -> None:
    var.mkdir()
    (var / "tree").write_text("planted")


@pytest.mark.parametrize("kind", [*kinds()], ids=lambda kind: kind.name)
def test_every_question_of_a_kind_is_another(kind: Kind) -> None:
    assert len(set(kind.questions)) == QUESTIONS


def test_the_late_one_of_forty_is_the_second_slowest_whatever_their_order() -> None:
    assert percentiles([40.0, *map(float, range(1, 40))]) == (20.5, 39.0)
    assert percentiles([3.0]) == (3.0, 3.0)
    assert percentiles(map(float, range(1, 201)), 99) == (100.5, 199.0)


def test_what_a_process_has_held_does_not_shrink() -> None:
    large = b"x" * 100 * 2**20
    held = most_held()
    assert held >= 100
    del large
    assert most_held() > held - 5  # the system itself counts only about


def test_an_archive_is_planted_once_where_it_is_kept(tmp_path: Path) -> None:
    for turn in range(2):
        with kept.archive(plant, str(tmp_path / "kept")) as var:
            assert (var / "tree").read_text() == ("planted", "grown")[turn]
            (var / "tree").write_text("grown")


def test_an_archive_whose_planting_was_cut_off_is_planted_again(tmp_path: Path) -> None:
    def cut_off(var: Path) -> None:
        plant(var)
        raise KeyboardInterrupt

    folder = tmp_path / "kept"
    folder.mkdir()
    with pytest.raises(KeyboardInterrupt), kept.archive(cut_off, str(folder)):
        pass
    with kept.archive(plant, str(folder)) as var:
        assert [path.name for path in var.iterdir()] == ["tree"]
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_an_archive_that_is_not_kept_is_gone_at_the_end() -> None:
    with kept.archive(plant, "") as var:
        assert (var / "tree").exists()
    assert not var.exists()


def test_the_server_of_a_measurement_is_told_of_the_archive_that_was_planted_alone(tmp_path: Path) -> None:
    developers = {
        "JUANZONG_DATABASE_URL": "postgresql://elsewhere", "JUANZONG_VAR": "var", "PORT": "8000", "PATH": "/bin",
    }  # fmt: skip
    told = served.environment(tmp_path, developers)
    assert load(told, tmp_path) == Settings(var=tmp_path, port=served.PORT)
    assert told["PATH"] == "/bin"
