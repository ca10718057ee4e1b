"""One bulk job at a time on a library, whatever is done to its files meanwhile: real processes, both databases."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select
from stock import Stock, facts

from search.db.schema import LibraryMark, Model
from search.errors import LibraryBusyError, LibraryError
from search.library import Library

ROOT = Path(__file__).resolve().parents[2]

# Holds the library; on each line that it is sent it commits something, and says how that went.
HOLDER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from stock import Stock
from search.library import Library
from vision.errors import DeixisError

with Library.open(Path(sys.argv[1]), sys.argv[2] or None, create=True) as library:
    try:
        with library.exclusive():
            stock = Stock(library)
            print("held", flush=True)
            for number, line in enumerate(sys.stdin):
                stock.add_pictures(2, seed=int(line))
                print("committed", flush=True)
    except DeixisError as error:
        print(type(error).__name__, str(error).replace(chr(10), " "), flush=True)
"""


class Holder:
    """Another process with the library's lock."""

    def __init__(self, home: Path, url: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(home), url, str(ROOT / "tests" / "search")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        )
        self.first = self.read()

    def read(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def commit(self, seed: int) -> str:
        """Let it commit pictures; returns what came of it."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{seed}\n")
        self.process.stdin.flush()
        return self.read()


@contextmanager
def holder(home: Path, url: str) -> Iterator[Holder]:
    """A holder that is killed at the end."""
    other = Holder(home, url)
    try:
        yield other
    finally:
        other.process.kill()
        other.process.communicate()


def refused(home: Path, url: str) -> str:
    """Try to hold the library in this process; returns why that was refused."""
    with Library.open(home, url) as library, pytest.raises(LibraryBusyError) as caught, library.exclusive():
        pytest.fail("two bulk jobs")
    return str(caught.value)


def test_a_deleted_lock_file_admits_nobody(home: Path, database_url: str) -> None:
    with holder(home, database_url) as other:
        assert other.first == "held"
        assert f"pid {other.process.pid}" in refused(home, database_url)
        (home / "index.lock").unlink()
        refused(home, database_url)
        (home / "index.lock").write_text("1\n")
        refused(home, database_url)
        assert other.commit(1) == "committed"


def test_a_home_by_another_path_is_the_same_home(home: Path, database_url: str, tmp_path: Path) -> None:
    with holder(home, database_url) as other:
        assert other.first == "held"
        (tmp_path / "link").symlink_to(home)
        assert f"pid {other.process.pid}" in refused(tmp_path / "link", database_url)
        assert f"pid {other.process.pid}" in refused(home / ".." / "home", database_url)


def test_a_home_by_a_bind_mount_is_the_same_home(home: Path, database_url: str, tmp_path: Path) -> None:
    with holder(home, database_url) as other:
        assert other.first == "held"
        mounted = tmp_path / "mounted"
        mounted.mkdir()
        if subprocess.run(["mount", "--bind", str(home), str(mounted)], capture_output=True, check=False).returncode:
            pytest.skip("needs the right to mount")
        try:
            assert f"pid {other.process.pid}" in refused(mounted, database_url)
        finally:
            subprocess.run(["umount", str(mounted)], check=True)


def test_a_home_that_is_renamed_under_a_job_stays_locked_and_the_job_ends(
    home: Path, database_url: str, tmp_path: Path
) -> None:
    moved = tmp_path / "moved"
    url = database_url.replace(str(home), str(moved))
    with holder(home, database_url) as other:
        assert other.commit(1) == "committed"
        home.rename(moved)
        refused(moved, url)
        assert "moved or replaced" in other.commit(2)
        other.process.communicate()
    with Library.open(moved, url) as library, library.exclusive(), library.read() as session:
        assert session.scalar(select(LibraryMark.home)) == str(moved)


def test_two_processes_that_race_are_one_holder_and_one_refusal(home: Path, database_url: str) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(home), database_url, str(ROOT / "tests" / "search")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        )
        for _ in range(3)
    ]  # fmt: skip
    try:
        # A holder says so and stays; whoever is refused says so and ends.
        said = sorted(racer.stdout.readline().split()[0] for racer in racers if racer.stdout is not None)
    finally:
        for racer in racers:
            racer.kill()
            racer.communicate()
    assert said == ["LibraryBusyError", "LibraryBusyError", "held"]


def test_a_killed_holder_leaves_the_library_free(home: Path, database_url: str) -> None:
    for seed in range(3):
        with holder(home, database_url) as other:
            assert other.commit(seed) == "committed"
        with Library.open(home, database_url) as library, library.exclusive():
            pass


@pytest.fixture
def postgres_url(postgres_cluster: object) -> Iterator[str]:
    yield from postgres_cluster.database(template="deixis_template")  # type: ignore[attr-defined]


def test_one_lock_holds_for_every_home_of_a_postgres_library(home: Path, postgres_url: str, tmp_path: Path) -> None:
    with holder(home, postgres_url) as other:
        assert other.first == "held"
        # Without vectors another home may open it, and is refused as soon as it wants to write.
        said = refused_elsewhere(tmp_path / "second", postgres_url)
        assert f"pid {other.process.pid} on {os.uname().nodename[:30]}" in said


def refused_elsewhere(home: Path, url: str) -> str:
    """The same from a home that is made for it."""
    Library.open(home, url, create=True).close()
    return refused(home, url)


def test_a_lost_connection_ends_the_job_before_its_next_commit(home: Path, postgres_url: str) -> None:
    with Library.open(home, postgres_url, create=True) as library:
        with pytest.raises(LibraryError, match="lock was lost"), library.exclusive():
            stock = Stock(library)
            stock.add_pictures(1)
            _end_lock_connection(postgres_url)
            stock.add_pictures(2, seed=5)
        with library.exclusive(), library.read() as session:
            assert session.query(Model).count() == 1
            assert len(library.vectors.fetch(list(stock.vectors))) == 1


def _end_lock_connection(url: str) -> None:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        ended = connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name LIKE 'deixis job%' "
            "AND datname = current_database()"
        ).fetchall()
    assert ended == [(True,)]


def test_a_second_home_that_takes_over_ends_the_job_of_the_first(tmp_path: Path) -> None:
    """Two homes, one SQLite file: no lock can know, so the claim in the database is looked at before each commit."""
    url = f"sqlite:///{tmp_path}/shared.db"
    with Library.open(tmp_path / "a", url, create=True) as first, Library.open(tmp_path / "b", url, create=True) as two:
        with pytest.raises(LibraryError, match="taken over"), first.exclusive():
            with two.exclusive(), two.write() as session:
                two.register_model(session, facts())
            Stock(first)
        with first.exclusive():
            Stock(first).add_pictures(1)
        with pytest.raises(LibraryError, match="is a copy of it"), two.exclusive():
            pytest.fail("the vectors lie in the other home")
        with first.exclusive():
            pass
