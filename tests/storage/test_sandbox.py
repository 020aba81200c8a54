"""A foreign file ends as a refusal, whatever it makes of the program that reads it."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storage.limits import MIB, SENTENCES, Limits, Reason, Refused
from storage.sandbox import Child, SandboxFailed, run, walls

ROOT = Path(__file__).resolve().parents[2]
TASKS = (ROOT / "tests",)


def do(
    task: str, *, limits: Limits | None = None, output: Path | None = None, **request: Any
) -> dict[str, Any]:
    return run(f"tests.storage.hostile_tasks:{task}", request, limits=limits, reads=TASKS, output=output)


@pytest.fixture
def needs_calls_wall() -> None:
    if not walls().calls:
        pytest.skip("seccomp does not work on this machine")


@pytest.fixture
def needs_files_wall() -> None:
    if not walls().files:
        pytest.skip("Landlock does not work on this machine")


@pytest.fixture
def attempt() -> Callable[..., dict[str, Any]]:
    def attempt(what: str, thing: Any = None, output: Path | None = None) -> dict[str, Any]:
        return do("attempt", output=output, what=what, **{"with": thing})

    return attempt


def test_a_task_answers():
    assert do("echo", name="王小明", pages=3) == {"name": "王小明", "pages": 3}


def test_a_large_request_and_a_large_answer_pass():
    assert do("echo", words="案" * MIB)["words"] == "案" * MIB


def test_what_a_library_prints_is_no_answer():
    assert do("chatter") == {"honest": True}


def test_progress_is_heard_in_order():
    heard: list[int] = []
    task = "tests.storage.hostile_tasks:count"
    run(task, {"to": 5}, reads=TASKS, on_progress=lambda progress: heard.append(progress["number"]))
    assert heard == [0, 1, 2, 3, 4]


def test_a_job_is_cancelled_from_its_progress():
    class Cancelled(Exception):
        pass

    def cancel(progress: dict[str, Any]) -> None:
        if progress["number"] == 2:
            raise Cancelled

    with Child("tests.storage.hostile_tasks:count", reads=TASKS) as child:
        with pytest.raises(Cancelled):
            child.ask({"to": 1_000_000}, cancel)
        assert not child.is_alive


@pytest.mark.parametrize(
    ("task", "limits", "reason"),
    [
        ("spin", Limits(cpu_seconds=1), Reason.TOO_LONG),
        ("spin", Limits(wall_seconds=1), Reason.TOO_LONG),
        ("sleep", Limits(wall_seconds=1), Reason.TOO_LONG),
        ("sleep", Limits(total_seconds=1), Reason.TOO_LONG),
        ("hoard", Limits(memory_bytes=64 * MIB), Reason.TOO_MUCH_MEMORY),
        ("hoard_and_abort", Limits(memory_bytes=256 * MIB), Reason.TOO_MUCH_MEMORY),
        ("crash", Limits(), Reason.BROKEN),
    ],
)
def test_a_runaway_reader_is_ended_with_the_reason(task: str, limits: Limits, reason: Reason):
    with pytest.raises(Refused) as refused:
        do(task, limits=limits)
    assert refused.value.reason is reason


def test_a_long_job_may_go_on_as_long_as_each_step_is_short():
    assert do("work_in_steps", limits=Limits(cpu_seconds=1), steps=5, seconds=0.5)["worked"] >= 2.5


def test_one_file_cannot_grow_without_bound(tmp_path: Path):
    with pytest.raises(SandboxFailed, match="File too large"):
        do(
            "write",
            limits=Limits(file_bytes=MIB),
            output=tmp_path,
            folder=str(tmp_path),
            files=1,
            size=2 * MIB,
        )
    assert max(file.stat().st_size for file in tmp_path.iterdir()) <= MIB


def test_many_small_files_cannot_fill_the_disk(tmp_path: Path):
    limits = Limits(output_bytes=MIB)
    with pytest.raises(Refused) as refused:
        do("write", limits=limits, output=tmp_path, folder=str(tmp_path), files=64, size=MIB // 32, stay=60)
    assert refused.value.reason is Reason.TOO_MUCH_OUTPUT


def test_an_endless_report_is_not_listened_to():
    with pytest.raises(Refused) as refused:
        do("talk", limits=Limits(message_bytes=MIB), size=4 * MIB)
    assert refused.value.reason is Reason.TOO_MUCH_OUTPUT


def test_our_own_bug_is_not_blamed_on_the_file():
    with pytest.raises(SandboxFailed, match="ZeroDivisionError"):
        do("bug")


def test_a_child_that_leaves_tells_its_last_words():
    with pytest.raises(SandboxFailed, match="goodbye"):
        do("leave")


def test_a_task_that_does_not_exist_is_our_own_fault():
    with pytest.raises(SandboxFailed, match="no_such_task"):
        do("no_such_task")


def test_a_child_lives_on_after_a_refusal_and_not_after_a_crash():
    with Child("tests.storage.hostile_tasks:refuse", reads=TASKS) as child:
        first = child.ask({})["pid"]
        with pytest.raises(Refused) as refused:
            child.ask({"bad": True})
        assert (refused.value.reason, refused.value.page) == (Reason.BROKEN, 7)
        assert child.ask({})["pid"] == first
        os.kill(first, 9)
        with pytest.raises(Refused):
            child.ask({})
        assert not child.is_alive


def test_the_child_inherits_no_secret_and_no_open_file(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("JUANZONG_SECRET", "the key of everything")
    with (tmp_path / "open.txt").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        seen = do("see")
    assert "JUANZONG_SECRET" not in seen["environment"]
    assert len(seen["descriptors"]) == 1  # the pipe on which it answers
    assert seen["priority"] >= 10


def test_the_child_may_have_threads():
    assert do("see")["threads"]


def test_the_child_reaches_no_network(needs_calls_wall, attempt):
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert "denied" in attempt("connect", server.getsockname()[1])


def test_the_child_reaches_no_database_through_a_local_socket(needs_calls_wall, attempt, tmp_path: Path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        server.listen()
        assert "denied" in attempt("connect locally", str(tmp_path / "s"))


@pytest.mark.parametrize("what", ["fork", "run a program"])
def test_the_child_starts_no_process_that_could_outlive_it(needs_calls_wall, attempt, what: str):
    assert attempt(what, sys.executable) == {"denied": "PermissionError"}


def test_the_child_sees_no_file_but_its_own(needs_files_wall, attempt, tmp_path: Path):
    (tmp_path / "patients.txt").write_text("王小明")
    assert attempt("read", str(tmp_path / "patients.txt")) == {"denied": "PermissionError"}
    assert attempt("list", str(tmp_path)) == {"denied": "PermissionError"}
    assert attempt("list", str(ROOT)) == {"denied": "PermissionError"}
    assert attempt("write", str(tmp_path / "planted")) == {"denied": "PermissionError"}


def test_the_child_writes_into_its_output_folder_alone(needs_files_wall, attempt, tmp_path: Path):
    mine, other = tmp_path / "mine", tmp_path / "other"
    mine.mkdir()
    other.mkdir()
    assert "did" in attempt("write", str(mine / "page"), mine)
    assert "denied" in attempt("write", str(other / "page"), mine)
    assert "denied" in attempt("link", [str(other), str(mine / "page")], mine)


def test_the_child_works_from_any_folder(tmp_path: Path):
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfrom storage.sandbox import walls; walls()",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (told.returncode, told.stderr) == (0, "")


def test_every_refusal_tells_a_person_what_to_do():
    assert set(SENTENCES) == set(Reason)
    assert len(set(SENTENCES.values())) == len(Reason)
    assert all(sentence.count(". ") >= 1 and sentence.endswith(".") for sentence in SENTENCES.values())
    assert str(Refused(Reason.ENCRYPTED)) == SENTENCES[Reason.ENCRYPTED]
