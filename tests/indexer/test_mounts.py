"""A disk is the same disk on another port, another disk at the same place is another, and neither removes anything."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from indexer.mounts import Mounts
from indexer.scan import Scan, scan_root
from search.db.images import FileFact, KnownFile

JPEG = b"\xff\xd8\xff one"


def remembered(facts: list[FileFact], **changes: object) -> dict[str, KnownFile]:
    files = (
        KnownFile(n, f.path, "indexed", None, f.size_bytes, f.mtime_ns, f.device, n, True, f.ctime_ns)
        for n, f in enumerate(facts, start=1)
    )
    return {file.path: replace(file, **changes) for file in files}  # type: ignore[arg-type]  # a shorthand


def told(scan: Scan) -> dict[str, list[str]]:
    names = ("work", "unchanged", "gone", "unavailable")
    lists = {name: sorted(Path(entry.path).name for entry in getattr(scan, name)) for name in names}
    return {name: entries for name, entries in lists.items() if entries}


def number_line(device: int, fstype: str, source: str, point: Path) -> str:
    return f"20 1 {os.major(device)}:{os.minor(device)} / {point} rw,relatime - {fstype} {source} rw\n"


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Mounts]:
    """Mounts as the kernel would tell of them."""

    def write(fstype: str, source: str, *, uuid: str | None = None) -> Mounts:
        mountinfo, uuids = tmp_path / "mountinfo", tmp_path / "by-uuid"
        mountinfo.write_text(number_line(tmp_path.stat().st_dev, fstype, source, tmp_path))
        shutil.rmtree(uuids, ignore_errors=True)
        uuids.mkdir()
        if uuid is not None:
            (uuids / uuid).symlink_to(source)
        return Mounts(mountinfo, uuids)

    return write


def test_file_systems_are_known_by_what_lasts(tmp_path: Path, table: Callable[..., Mounts]) -> None:
    device = tmp_path.stat().st_dev
    kinds = {
        ("ext4", "/dev/sda1"): "fsid",
        ("nfs4", "nas:/photo"): "from",
        ("cifs", "//nas/photo"): "from",
        ("fuse.sshfs", "me@host:/p"): "from",
        ("fuse.mergerfs", "pool"): "from",
        ("xfs", "/dev/sda1"): "size",
        ("vfat", "/dev/sda1"): "size",
        ("ramfs", "none"): "",
    }
    tokens = {of: table(*of).token(str(tmp_path), device) for of in kinds}
    assert {of: token.partition(":")[0] if ":" in token else "" for of, token in tokens.items()} == kinds
    assert len(set(tokens.values())) == len(tokens)
    assert all(len(token) <= 32 for token in tokens.values())
    assert table("nfs", "nas:/photo").token(str(tmp_path), device) == tokens["nfs4", "nas:/photo"]


def test_a_uuid_is_taken_where_udev_tells_it(tmp_path: Path, table: Callable[..., Mounts]) -> None:
    device = tmp_path.stat().st_dev
    disks = [str(path) for path in Path("/dev").iterdir() if path.is_block_device()]
    if not disks:
        pytest.skip("needs a disk in /dev")
    one, other = (
        table("vfat", disks[0], uuid=uuid).token(str(tmp_path), device) for uuid in ("1234-ABCD", "9999-0000")
    )
    assert one.startswith("uuid:")
    assert one != other


def test_a_system_without_a_table_of_mounts_still_tells_disks_apart(tmp_path: Path) -> None:
    token = Mounts(tmp_path / "none", tmp_path / "none").token(str(tmp_path), tmp_path.stat().st_dev)
    assert token.startswith("size:") or token.isdecimal()


@pytest.mark.parametrize(
    ("before", "now", "same"),
    [
        ("2049", "fsid:a", True),
        ("2049", "2065", True),
        ("size:a", "uuid:a", True),
        ("uuid:a", "fsid:a", True),
        ("fsid:a", "fsid:b", False),
        ("uuid:a", "uuid:b", False),
        ("from:a", "from:b", False),
    ],
)
def test_a_file_that_is_found_unaltered_tells_that_the_disk_is_the_same(before: str, now: str, same: bool) -> None:
    mounts = Mounts()
    assert not mounts.is_same(before, now, 1)
    mounts.seen_again(before, now)
    assert mounts.is_same(before, now, 1) is same


def test_a_deleted_file_is_gone_though_the_disk_came_back_under_another_number(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(JPEG)
    known = remembered(scan_root(str(tmp_path), {}).work, device="424242")
    (tmp_path / "b.jpg").unlink()
    scan = scan_root(str(tmp_path), known)
    assert told(scan) == {"unchanged": ["a.jpg"], "gone": ["b.jpg"]}
    assert [fact.device for fact, _ in scan.noted] == [fact.device for fact in scan_root(str(tmp_path), {}).work]


def test_the_number_of_an_older_library_is_understood(tmp_path: Path) -> None:
    (tmp_path / "keep.txt").write_text("the folder is not empty")
    (tmp_path / "a.jpg").write_bytes(JPEG)
    known = remembered(scan_root(str(tmp_path), {}).work, device=str(tmp_path.stat().st_dev))
    (tmp_path / "a.jpg").unlink()
    assert told(scan_root(str(tmp_path), known)) == {"gone": ["a.jpg"]}


@contextmanager
def mounted(*arguments: object) -> Iterator[None]:
    point = str(arguments[-1])
    done = subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", point], check=True)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")


@needs_root
def test_a_tmpfs_that_is_unmounted_takes_nothing_along(tmp_path: Path) -> None:
    (tmp_path / "here.jpg").write_bytes(JPEG)
    point = tmp_path / "disk"
    point.mkdir()
    with mounted("-t", "tmpfs", "none", point):
        (point / "a.jpg").write_bytes(JPEG)
        known = remembered(scan_root(str(tmp_path), {}).work)
        assert told(scan_root(str(tmp_path), known)) == {"unchanged": ["a.jpg", "here.jpg"]}
        assert told(scan_root(str(point), {k: v for k, v in known.items() if "disk" in k})) == {"unchanged": ["a.jpg"]}
    assert told(scan_root(str(tmp_path), known)) == {"unchanged": ["here.jpg"], "unavailable": ["a.jpg"]}
    on_it = {path: file for path, file in known.items() if "disk" in path}
    (point / "left behind.txt").write_text("x")
    assert told(scan_root(str(point), on_it)) == {"unavailable": ["a.jpg"]}
    with mounted("-t", "tmpfs", "none", point):  # another one
        (point / "other.jpg").write_bytes(JPEG)
        assert told(scan_root(str(point), on_it)) == {"work": ["other.jpg"], "unavailable": ["a.jpg"]}


@needs_root
@pytest.mark.skipif(shutil.which("mkfs.ext4") is None, reason="needs mkfs.ext4")
def test_a_real_disk_on_another_port_is_the_same_and_another_disk_is_not(tmp_path: Path) -> None:
    disks = [tmp_path / "one.img", tmp_path / "two.img"]
    for disk in disks:
        with open(disk, "wb") as file:
            file.truncate(8 << 20)
        subprocess.run(["mkfs.ext4", "-q", str(disk)], check=True)
    point = tmp_path / "disk"
    point.mkdir()
    with mounted("-o", "loop", disks[0], point):
        for name in ("a.jpg", "b.jpg"):
            (point / name).write_bytes(JPEG)
        first = point.stat().st_dev
        known = remembered(scan_root(str(point), {}).work)
    assert told(scan_root(str(point), known)) == {"unavailable": ["a.jpg", "b.jpg"]}
    with mounted("-o", "loop", disks[1], point):
        shutil.rmtree(point / "lost+found")
        (point / "c.jpg").write_bytes(JPEG)
        assert told(scan_root(str(point), known)) == {"work": ["c.jpg"], "unavailable": ["a.jpg", "b.jpg"]}
        # While that one is in the first port, the other comes to the second.
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        with mounted("-o", "loop", disks[0], elsewhere):
            second = elsewhere.stat().st_dev
            (elsewhere / "b.jpg").unlink()
            moved = {
                path.replace("/disk/", "/elsewhere/"): replace(file, path=path.replace("/disk/", "/elsewhere/"))
                for path, file in known.items()
            }
            assert first != second
            assert told(scan_root(str(elsewhere), moved)) == {"unchanged": ["a.jpg"], "gone": ["b.jpg"]}
