"""A root under watch: whether the system tells of it, and when all of it is looked at."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from indexer.mounts import Mount, mount_table
from indexer.watching.events import MANY, Heard
from indexer.watching.root import WatchedRoot

ROOT = Path(__file__).resolve().parents[3]
LONG_S = 3600.0


def until(true: Callable[[], bool], what: str) -> None:
    ends = time.monotonic() + 60
    while not true():
        assert time.monotonic() < ends, what
        time.sleep(0.02)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def root(tmp_path: Path, said: list[str]) -> Iterator[WatchedRoot]:
    folder = tmp_path / "pictures"
    folder.mkdir()
    watched = WatchedRoot(str(folder), LONG_S, LONG_S / 2, said.append)
    yield watched
    watched.close()


def begin(root: WatchedRoot, table: tuple[Mount, ...] = ()) -> None:
    root.look(table)
    until(lambda: root.is_settled, "it never listens")


def hear(root: WatchedRoot, path: Path) -> None:
    until(lambda: str(path) in root.heard(), f"{path} is not heard")


def test_it_is_scanned_once_and_heard_from_then_on(root: WatchedRoot, tmp_path: Path, said: list[str]) -> None:
    begin(root)
    assert root.due() == [root.path]
    root.scanned(root.path, 0.1)
    (tmp_path / "pictures/a.jpg").touch()
    hear(root, tmp_path / "pictures/a.jpg")
    root.look(())
    assert root.due() == []
    assert said == []


def test_a_folder_that_went_and_came_back_is_scanned_and_heard_again(
    root: WatchedRoot, tmp_path: Path, said: list[str]
) -> None:
    folder = tmp_path / "pictures"
    begin(root)
    root.scanned(root.path, 0.1)
    folder.rename(tmp_path / "away")
    root.look(())
    assert (root.is_there, root.due()) == (False, [])
    (tmp_path / "away").rename(folder)
    begin(root)
    assert root.due() == [root.path]
    assert [line.removeprefix(root.path) for line in said] == [
        " is not there; what is known of it stays as it is", " is there again",
    ]  # fmt: skip
    (folder / "a.jpg").touch()
    hear(root, folder / "a.jpg")


def test_another_folder_in_its_place_is_scanned_and_heard(root: WatchedRoot, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    begin(root)
    root.scanned(root.path, 0.1)
    folder.rename(tmp_path / "away")
    folder.mkdir()
    begin(root)
    assert root.due() == [root.path]
    (folder / "b.jpg").touch()
    hear(root, folder / "b.jpg")


def test_a_name_that_cannot_be_told_costs_a_scan_and_no_ear(root: WatchedRoot, tmp_path: Path, said: list[str]) -> None:
    folder = tmp_path / "pictures"
    begin(root)
    root.scanned(root.path, 0.1)
    with open(os.fsencode(folder) + b"/b\xff.jpg", "wb"):
        pass
    until(lambda: bool(root.look(()) or said), "nothing is said of it")
    assert "does not tell of changes" in said[0]
    assert root.due() == [root.path]
    until(lambda: root.is_settled, "it does not listen again")
    root.heard()
    root.scanned(root.path, 0.1)
    (folder / "c.jpg").touch()
    hear(root, folder / "c.jpg")


def test_a_drive_that_is_plugged_in_below_it_is_scanned(root: WatchedRoot) -> None:
    begin(root)
    root.scanned(root.path, 0.1)
    table = (Mount("ext4", "/dev/sdb1", f"{root.path}/usb", 7),)
    begin(root, table)
    assert root.due() == [root.path]
    root.scanned(root.path, 0.1)
    root.look(table)
    assert root.due() == []
    root.look(())
    assert root.due() == [root.path]


SHARE = "36 35 0:51 / {} rw,relatime shared:1 - {} nas:/photo rw,vers=4.2\n"


@pytest.mark.parametrize("fstype", ["nfs4", "cifs", "fuse.sshfs", "fuse.mergerfs", "9p", "virtiofs"])
def test_what_tells_nothing_is_scanned_often(tmp_path: Path, root: WatchedRoot, fstype: str) -> None:
    table = tmp_path / "mountinfo"
    table.write_text("20 1 8:1 / / rw - ext4 /dev/sda1 rw\n" + SHARE.format(root.path, fstype))
    often = WatchedRoot(root.path, LONG_S, 0.0, lambda line: None)
    often.look(mount_table(table))
    assert often.is_settled
    for _ in range(2):
        assert often.due() == [root.path]
        often.scanned(root.path, 0.0)
    often.scanned(root.path, 100.0)
    assert often.due() == [], "scanning takes no more than a tenth of the time"


@pytest.mark.parametrize("fstype", ["fuseblk", "ext4", "btrfs", "vfat"])
def test_what_tells_is_not(tmp_path: Path, root: WatchedRoot, fstype: str) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(SHARE.format(root.path, fstype))
    often = WatchedRoot(root.path, LONG_S, 0.0, lambda line: None)
    begin(often, tuple(mount_table(table)))
    often.scanned(root.path, 0.0)
    assert often.due() == []
    often.close()


def test_of_a_share_below_it_that_alone_is_scanned_often(tmp_path: Path, root: WatchedRoot) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(SHARE.format(f"{root.path}/my\\040nas", "nfs4"))
    often = WatchedRoot(root.path, LONG_S, 0.0, lambda line: None)
    begin(often, tuple(mount_table(table)))
    often.scanned(root.path, 0.0)
    assert often.due() == [f"{root.path}/my nas"]
    often.close()


def test_a_single_file_is_looked_at_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"a")
    watched = WatchedRoot(str(path), LONG_S, LONG_S, lambda line: None)
    watched.look(())
    assert watched.due() == [str(path)]
    watched.scanned(str(path), 0.0)
    watched.look(())
    assert watched.due() == []
    (tmp_path / "b.jpg").write_bytes(b"b")
    (tmp_path / "b.jpg").replace(path)
    watched.look(())
    assert watched.due() == [str(path)]
    path.unlink()
    watched.look(())
    assert (watched.is_there, watched.due()) == (False, [])


# Every descriptor is in use: the kernel refuses to make an inotify.
DEAF = """
import os, resource, sys, time
from indexer.watching import root as module
from indexer.watching.root import WatchedRoot
module._AGAIN_S = 0.2
said = []
root = WatchedRoot(sys.argv[1], 3600, 60, said.append)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
held = []
try:
    while True:
        held.append(os.dup(0))
except OSError:
    pass
ends = time.monotonic() + 60
while not said and time.monotonic() < ends:
    root.look(())
    time.sleep(0.05)
print(said, root.due() == [root.path])
for one in held:
    os.close(one)
root.scanned(root.path, 0.0)
while not root.due():
    assert time.monotonic() < ends
    root.look(())
    root.heard()
    time.sleep(0.05)
print(root.due() == [root.path])
root.close()
"""


def test_a_system_that_has_no_ear_left_is_tried_again_later(tmp_path: Path) -> None:
    child = subprocess.run(
        [sys.executable, "-c", DEAF, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    first, second = child.stdout.splitlines()
    assert "it is scanned instead" in first
    assert first.endswith("] True"), "it is scanned at once"
    assert second == "True", "what nobody told of meanwhile is looked for"


def test_too_many_changes_are_told_as_too_many() -> None:
    heard = Heard()
    heard.add(str(number) for number in range(MANY))
    assert heard.take() == ({str(number) for number in range(MANY)}, False)
    for number in range(MANY + 2):
        heard.add([str(number)])
    assert heard.take() == ({str(MANY + 1)}, True)
    assert heard.take() == (set(), False)
