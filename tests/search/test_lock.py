"""The lock admits one bulk job, names its holder, and dies with it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from search.errors import LibraryBusyError
from search.lock import HomeLock

ROOT = Path(__file__).resolve().parents[2]


def test_a_second_holder_is_told_who_is_first(tmp_path: Path) -> None:
    first, second = HomeLock(tmp_path), HomeLock(tmp_path)
    message = f"pid {os.getpid()}"
    with first.hold(), pytest.raises(LibraryBusyError, match=message) as caught, second.hold():
        pytest.fail("two holders")
    assert caught.value.remedy
    with HomeLock(tmp_path).hold() as fresh:
        assert fresh


def test_the_holding_thread_may_enter_again(tmp_path: Path) -> None:
    lock = HomeLock(tmp_path)
    with lock.hold() as first, lock.hold() as second, lock.share() as third:
        assert (first, second, third) == (True, False, False)
    with HomeLock(tmp_path).hold():
        pass


def test_another_thread_shares_but_does_not_hold(tmp_path: Path) -> None:
    lock = HomeLock(tmp_path)
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
    with pytest.raises(RuntimeError, match="on purpose"), HomeLock(tmp_path).hold():
        raise RuntimeError("on purpose")
    with HomeLock(tmp_path).hold():
        pass


def test_a_killed_holder_leaves_no_lock(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from search.lock import HomeLock\n"
        "with HomeLock(Path(sys.argv[1])).hold():\n    print('held', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"held\n"
    with pytest.raises(LibraryBusyError, match=f"pid {child.pid}"), HomeLock(tmp_path).hold():
        pytest.fail("two holders")
    child.kill()
    child.communicate()
    with HomeLock(tmp_path).hold():
        assert (tmp_path / "index.lock").read_text() == f"{os.getpid()}\n"
