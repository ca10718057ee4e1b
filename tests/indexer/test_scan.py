"""The scan tells new from changed from gone from merely out of reach."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from indexer.places import PathError, resolve_root
from indexer.scan import ScanOptions, scan_root
from search.db.images import KnownFile


def known(path: Path, /, **changes: object) -> KnownFile:
    info = path.stat()
    file = KnownFile(
        file_id=1,
        path=str(path),
        state="indexed",
        reason=None,
        size_bytes=info.st_size,
        mtime_ns=info.st_mtime_ns,
        device=str(info.st_dev),
        image_id=1,
        embedded=True,
    )
    return replace(file, **changes)  # type: ignore[arg-type]  # a test's shorthand


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff one")
    return tmp_path


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({}, "unchanged"),
        ({"size_bytes": 1}, "work"),
        ({"mtime_ns": 1}, "work"),
        ({"embedded": False}, "work"),
        ({"state": "missing"}, "returned"),
        ({"state": "missing", "embedded": False}, "work"),
        ({"state": "refused", "embedded": False}, "refused_before"),
        ({"state": "refused", "embedded": False, "mtime_ns": 1}, "work"),
    ],
)
def test_a_file_is_placed_by_what_is_remembered_of_it(folder: Path, changes: dict[str, object], where: str) -> None:
    file = known(folder / "a.jpg", **changes)
    scan = scan_root(str(folder), {file.path: file})
    filled = [name for name in ("work", "unchanged", "returned", "refused_before", "gone") if getattr(scan, name)]
    assert filled == [where]


def test_refused_files_are_tried_again_when_asked(folder: Path) -> None:
    file = known(folder / "a.jpg", state="refused", embedded=False)
    assert len(scan_root(str(folder), {file.path: file}, ScanOptions(retry_refused=True)).work) == 1


def test_a_deleted_file_is_gone(folder: Path) -> None:
    deleted = known(folder / "a.jpg", path=str(folder / "deleted.jpg"))
    scan = scan_root(str(folder), {deleted.path: deleted})
    assert [file.path for file in scan.gone] == [deleted.path]


def test_a_deleted_folder_takes_its_files_along(folder: Path) -> None:
    deleted = known(folder / "a.jpg", path=str(folder / "deep" / "deeper" / "deleted.jpg"))
    scan = scan_root(str(folder), {deleted.path: deleted})
    assert [file.path for file in scan.gone] == [deleted.path]


def test_files_of_another_device_are_unavailable_not_gone(folder: Path) -> None:
    on_a_drive = known(folder / "a.jpg", path=str(folder / "drive" / "b.jpg"), device="424242")
    scan = scan_root(str(folder), {on_a_drive.path: on_a_drive})
    assert not scan.gone
    assert [file.path for file in scan.unavailable] == [on_a_drive.path]


def test_a_root_that_is_suddenly_empty_loses_nothing(tmp_path: Path) -> None:
    mountpoint = tmp_path / "mountpoint"
    mountpoint.mkdir()
    device = str(mountpoint.stat().st_dev)
    lost = KnownFile(1, str(mountpoint / "a.jpg"), "indexed", None, 1, 1, device, 1, True)
    scan = scan_root(str(mountpoint), {lost.path: lost})
    assert not scan.gone
    assert scan.unavailable == [lost]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_locked_folder_loses_nothing_and_is_named(folder: Path) -> None:
    locked = folder / "locked"
    locked.mkdir()
    (locked / "b.jpg").write_bytes(b"\xff\xd8\xff")
    file = known(locked / "b.jpg")
    locked.chmod(0)
    try:
        scan = scan_root(str(folder), {file.path: file})
    finally:
        locked.chmod(0o700)
    assert [entry.path for entry in scan.unreadable] == [str(locked)]
    assert scan.unavailable == [file]


def test_pictures_are_known_by_name_or_by_content(tmp_path: Path) -> None:
    (tmp_path / "named.JPG").write_bytes(b"not a picture at all")
    (tmp_path / "no-suffix").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "photoshop.psd").write_bytes(b"8BPS")
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "film.mp4").write_bytes(b"\0\0\0\x18ftypisom")
    scan = scan_root(str(tmp_path), {})
    assert sorted(Path(fact.path).name for fact in scan.work) == ["named.JPG", "no-suffix", "photoshop.psd"]
    assert sorted(Path(path).name for path in scan.not_pictures) == ["film.mp4", "notes.txt"]


def test_hidden_files_folders_and_linked_folders_are_passed_over(tmp_path: Path) -> None:
    for name in (".hidden.jpg", "._mac.jpg", ".cache/a.jpg", "real/a.jpg"):
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\xff\xd8\xff")
    (tmp_path / "root" / "loop").symlink_to(tmp_path / "root")
    scan = scan_root(str(tmp_path / "root"), {})
    assert [fact.path for fact in scan.work] == [str(tmp_path / "root" / "real" / "a.jpg")]


def test_a_fifo_does_not_hang_the_scan_and_a_dangling_link_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "dangling.jpg").symlink_to(tmp_path / "nowhere.jpg")
    scan = scan_root(str(tmp_path), {})
    assert scan.work == []
    assert sorted(Path(entry.path).name for entry in scan.unreadable) == ["dangling.jpg", "pipe.jpg"]


def test_names_that_are_not_utf8_are_found(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9.jpg"
    with open(path, "wb") as file:
        file.write(b"\xff\xd8\xff")
    (fact,) = scan_root(str(tmp_path), {}).work
    assert os.fsencode(fact.path) == path


def test_a_single_file_is_a_root_of_its_own(folder: Path) -> None:
    assert [fact.path for fact in scan_root(str(folder / "a.jpg"), {}).work] == [str(folder / "a.jpg")]


def test_a_path_that_does_not_exist_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(PathError, match="no such file or folder") as caught:
        resolve_root(tmp_path / "nowhere")
    assert "Nothing was removed" in caught.value.remedy
