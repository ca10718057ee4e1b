"""The lock admits one bulk job, names its holder, and dies with it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from search.errors import LibraryBusyError, LibraryError
from search.lock import JobLock
from search.locks.home import HomeLock

ROOT = Path(__file__).resolve().parents[2]


def job_lock(home: Path) -> JobLock:
    """The lock of a library without a server."""
    return JobLock(home)


def test_a_second_holder_is_told_who_is_first(tmp_path: Path) -> None:
    first, second = job_lock(tmp_path), job_lock(tmp_path)
    message = f"pid {os.getpid()}"
    with first.hold(), pytest.raises(LibraryBusyError, match=message) as caught, second.hold():
        pytest.fail("two holders")
    assert caught.value.remedy
    with job_lock(tmp_path).hold() as fresh:
        assert fresh


def test_the_holding_thread_may_enter_again(tmp_path: Path) -> None:
    lock = job_lock(tmp_path)
    with lock.hold() as first, lock.hold() as second, lock.share() as third:
        assert (first, second, third) == (True, False, False)
    with job_lock(tmp_path).hold():
        pass


def test_another_thread_shares_but_does_not_hold(tmp_path: Path) -> None:
    lock = job_lock(tmp_path)
    outcomes: list[str] = []

    def other() -> None:
        with lock.share():
            outcomes.append("shared")
        try:
            with lock.hold():
                outcomes.append("held")
        except LibraryBusyError:
            outcomes.append("refused")

    with lock.hold():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert outcomes == ["shared", "refused"]


def test_the_lock_is_released_by_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="on purpose"), job_lock(tmp_path).hold():
        raise RuntimeError("on purpose")
    with job_lock(tmp_path).hold():
        pass


def test_a_killed_holder_leaves_no_lock(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from search.locks.home import HomeLock\n"
        "lock = HomeLock(Path(sys.argv[1]))\nprint('held', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"held\n"
    with pytest.raises(LibraryBusyError, match=f"pid {child.pid}"), job_lock(tmp_path).hold():
        pytest.fail("two holders")
    (tmp_path / "index.lock").unlink()
    with pytest.raises(LibraryBusyError, match="of unknown number"), job_lock(tmp_path).hold():
        pytest.fail("a deleted lock file admits a second holder")
    child.kill()
    child.communicate()
    with job_lock(tmp_path).hold():
        assert (tmp_path / "index.lock").read_text() == f"{os.getpid()}\n"


def test_where_folders_cannot_be_locked_the_file_must_do_and_its_loss_is_noticed(tmp_path: Path) -> None:
    first = HomeLock(tmp_path, folder=False)
    with pytest.raises(LibraryBusyError, match=f"pid {os.getpid()}"):
        HomeLock(tmp_path, folder=False)
    first.check()
    (tmp_path / "index.lock").unlink()
    second = HomeLock(tmp_path, folder=False)
    with pytest.raises(LibraryError, match="was deleted"):
        first.check()
    second.check()
    first.release()
    second.release()


@pytest.mark.parametrize("what", ["folder", "link"])
def test_something_else_in_the_place_of_the_lock_file_stops_nobody(tmp_path: Path, what: str) -> None:
    outside = tmp_path / "outside"
    outside.write_text("somebody's")
    home = tmp_path / "home"
    home.mkdir()
    (home / "index.lock").mkdir() if what == "folder" else (home / "index.lock").symlink_to(outside)
    with job_lock(home).hold(), pytest.raises(LibraryBusyError), job_lock(home).hold():
        pytest.fail("two holders")
    assert outside.read_text() == "somebody's"


def test_a_home_that_is_moved_while_held_is_noticed_and_stays_locked(tmp_path: Path) -> None:
    home, moved = tmp_path / "home", tmp_path / "moved"
    home.mkdir()
    lock = job_lock(home)
    with lock.hold():
        lock.check()
        home.rename(moved)
        with pytest.raises(LibraryError, match="moved or replaced"):
            lock.check()
        home.mkdir()
        with pytest.raises(LibraryError, match="moved or replaced"):
            lock.check()
        with pytest.raises(LibraryBusyError), job_lock(moved).hold():
            pytest.fail("two holders")


def test_a_lane_admits_one_job_and_names_it(tmp_path: Path) -> None:
    first = job_lock(tmp_path)
    with first.work("pictures"):
        first.admit_others()
        with pytest.raises(LibraryBusyError, match=f"pid {os.getpid()}"), job_lock(tmp_path).work("pictures"):
            pytest.fail("two jobs in one lane")
        with pytest.raises(LibraryBusyError, match=f"pid {os.getpid()}"), job_lock(tmp_path).hold():
            pytest.fail("alone beside a job")
    with job_lock(tmp_path).hold(), pytest.raises(LibraryBusyError), job_lock(tmp_path).work("captions"):
        pytest.fail("a job beside one that is alone")


def test_jobs_in_lanes_of_their_own_work_side_by_side_once_the_first_has_cleared_away(tmp_path: Path) -> None:
    first = job_lock(tmp_path)
    with first.work("pictures") as mine:
        assert mine.alone
        with pytest.raises(LibraryBusyError), job_lock(tmp_path).work("captions"):
            pytest.fail("beside a job that clears away")
        first.admit_others()
        with job_lock(tmp_path).work("captions") as theirs:
            assert not theirs.alone


def test_a_lane_that_is_taken_over_is_noticed_by_whoever_had_it(tmp_path: Path) -> None:
    asleep, next_one = job_lock(tmp_path), job_lock(tmp_path)
    with asleep.work("pictures"):
        asleep.admit_others()
        with next_one.work("pictures", take_over=True):
            next_one.check()
            with pytest.raises(LibraryError, match="deleted while a job ran"):
                asleep.check()


def test_a_turn_is_waited_for(tmp_path: Path) -> None:
    first, second = job_lock(tmp_path), job_lock(tmp_path)
    order: list[str] = []
    begun = threading.Event()

    def other() -> None:
        with second.work("captions"):
            begun.set()
            with second.turn("texts", lambda: order.append("waits")):
                order.append("second")

    with first.work("pictures"):
        first.admit_others()
        with first.turn("texts", lambda: None):
            thread = threading.Thread(target=other)
            thread.start()
            begun.wait(10)
            while "waits" not in order:
                time.sleep(0.01)
            order.append("first")
        thread.join()
    assert [one for one in order if one != "waits"] == ["first", "second"]
