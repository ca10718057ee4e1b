"""What is still being written is waited for, and bursts are taken together; by a clock of the test's own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from indexer.watching.settling import AT_MOST_S, QUIET_S, Settling


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settling(clock: Clock) -> Settling:
    return Settling(clock)


def test_a_file_is_taken_once_and_not_before_it_was_quiet(settling: Settling, clock: Clock, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"whole")
    settling.add([str(path)])
    assert settling.ready() == []
    clock.now += QUIET_S - 0.1
    assert settling.ready() == []
    clock.now += 0.1
    assert settling.ready() == [str(path)]
    clock.now += QUIET_S
    assert settling.ready() == []
    assert len(settling) == 0


def test_a_file_that_grows_without_a_word_is_waited_for(settling: Settling, clock: Clock, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"a")
    settling.add([str(path)])
    for size in range(2, 12):
        path.write_bytes(b"a" * size)
        clock.now += QUIET_S
        assert settling.ready() == []
    clock.now += QUIET_S
    assert settling.ready() == [str(path)]


def test_a_burst_is_taken_together_and_in_order(settling: Settling, clock: Clock, tmp_path: Path) -> None:
    for name in "cab":
        settling.add([str(tmp_path / name)])
        clock.now += QUIET_S / 2
        assert settling.ready() == []
    clock.now += QUIET_S
    assert settling.ready() == [str(tmp_path / name) for name in "abc"]


def test_of_a_burst_without_end_what_is_quiet_is_taken(settling: Settling, clock: Clock, tmp_path: Path) -> None:
    taken: list[str] = []
    noisy = tmp_path / "noisy"
    settling.add([str(tmp_path / "quiet")])
    ticks = 0
    while not taken:
        noisy.write_bytes(b"x" * ticks)
        settling.add([str(noisy)])
        clock.now += 0.5
        ticks += 1
        taken = settling.ready()
    assert taken == [str(tmp_path / "quiet")]
    assert ticks * 0.5 == AT_MOST_S
    clock.now += QUIET_S
    assert settling.ready() == [str(noisy)]


def test_what_is_gone_or_a_folder_is_not_waited_for_longer(settling: Settling, clock: Clock, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    settling.add([str(folder), str(tmp_path / "gone"), "/no\0path"])
    (folder / "new").write_bytes(b"")
    clock.now += QUIET_S
    assert settling.ready() == ["/no\0path", str(folder), str(tmp_path / "gone")]


def test_a_file_that_is_put_in_the_place_of_another_is_another(
    settling: Settling, clock: Clock, tmp_path: Path
) -> None:
    path, other = tmp_path / "a.jpg", tmp_path / "b.jpg"
    path.write_bytes(b"aaaa")
    other.write_bytes(b"bbbb")
    facts = path.stat()
    os.utime(other, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    settling.add([str(path)])
    os.replace(other, path)
    clock.now += QUIET_S
    assert settling.ready() == []
