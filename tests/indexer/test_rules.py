"""Who decides what is passed over: the person, then ignore files, then markers, then the table."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.patterns import IGNORE_FILE, PatternError, compiled, exactly, moved_below
from indexer.rules import Rules
from indexer.scan import Scan, ScanOptions, scan_root
from search.db.images import KnownFile
from search.folder_rules import FolderRules

JPEG = b"\xff\xd8\xff one"


def make(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(JPEG)


def scan_with(root: Path, known: dict[str, KnownFile] | None = None, /, **rules: object) -> Scan:
    return scan_root(
        str(root),
        known or {},
        ScanOptions(str(root), Rules({str(root): FolderRules(**rules)})),  # type: ignore[arg-type]  # a shorthand
    )


def found(root: Path, scan: Scan) -> list[str]:
    return sorted(str(Path(fact.path).relative_to(root)) for fact in scan.work)


@pytest.mark.parametrize(
    ("exclude", "include", "expected"),
    [
        ((), (), ["2019/a.jpg", "2019/best/b.jpg", "c.jpg", "raw/d.jpg"]),
        (("raw/",), (), ["2019/a.jpg", "2019/best/b.jpg", "c.jpg"]),
        (("*.jpg",), (), []),
        (("/2019/",), ("/2019/best/",), ["2019/best/b.jpg", "c.jpg", "raw/d.jpg"]),
        (("/2019/",), ("best/",), ["c.jpg", "raw/d.jpg"]),
        (("*.jpg",), ("c.jpg",), ["c.jpg"]),
        (("*.jpg", "!c.jpg"), (), ["c.jpg"]),
        ((), ("@eaDir/",), ["2019/a.jpg", "2019/best/b.jpg", "@eaDir/e.jpg", "c.jpg", "raw/d.jpg"]),
        ((), (".hidden/deep/",), [".hidden/deep/f.jpg", "2019/a.jpg", "2019/best/b.jpg", "c.jpg", "raw/d.jpg"]),
        (("/2019/**/b.jpg",), (), ["2019/a.jpg", "c.jpg", "raw/d.jpg"]),
    ],
)
def test_include_wins_over_exclude_and_both_over_the_table(
    tmp_path: Path, exclude: tuple[str, ...], include: tuple[str, ...], expected: list[str]
) -> None:
    make(tmp_path, "2019/a.jpg", "2019/best/b.jpg", "c.jpg", "raw/d.jpg", "@eaDir/e.jpg", ".hidden/deep/f.jpg")
    assert found(tmp_path, scan_with(tmp_path, exclude=exclude, include=include)) == expected


def test_ignore_files_are_nested_and_the_nearest_decides(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg", "b.jpg", "sub/a.jpg", "sub/b.jpg", "sub/deep/a.jpg", "sub/@eaDir/c.jpg")
    (tmp_path / IGNORE_FILE).write_text("# words\n\na.jpg\n")
    (tmp_path / "sub" / IGNORE_FILE).write_text("!a.jpg\n/b.jpg\n!@eaDir/\n")
    scan = scan_with(tmp_path)
    assert found(tmp_path, scan) == ["b.jpg", "sub/@eaDir/c.jpg", "sub/a.jpg", "sub/deep/a.jpg"]
    assert {entry.kind for entry in scan.passed_over} == {"deixisignore", "hidden"}


def test_an_ignore_file_above_holds_when_only_a_folder_below_is_indexed(tmp_path: Path) -> None:
    make(tmp_path, "sub/a.jpg", "sub/b.jpg")
    (tmp_path / IGNORE_FILE).write_text("sub/b.jpg\n")
    scan = scan_root(str(tmp_path / "sub"), {}, ScanOptions(str(tmp_path), Rules({str(tmp_path): FolderRules()})))
    assert found(tmp_path, scan) == ["sub/a.jpg"]


@pytest.mark.parametrize("trouble", ["fifo", "folder", "large", "dangling"])
def test_an_ignore_file_that_cannot_be_read_closes_its_folder_and_removes_nothing(tmp_path: Path, trouble: str) -> None:
    make(tmp_path, "a.jpg", "sub/b.jpg")
    path = tmp_path / "sub" / IGNORE_FILE
    if trouble == "fifo":
        os.mkfifo(path)
    elif trouble == "folder":
        path.mkdir()
    elif trouble == "large":
        path.write_bytes(b"x\n" * 600_000)
    else:
        path.symlink_to("nowhere")
    remembered = KnownFile(1, str(tmp_path / "sub" / "b.jpg"), "indexed", None, 1, 1, "1", 1, True)
    scan = scan_with(tmp_path, {remembered.path: remembered})
    assert found(tmp_path, scan) == ["a.jpg"]
    assert [entry.path for entry in scan.unreadable] == [str(tmp_path / "sub")]
    assert scan.unavailable == [remembered]


def test_a_bad_line_is_named_and_the_others_hold(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg", "b.jpg")
    (tmp_path / IGNORE_FILE).write_bytes(b"!\nb.jpg\n*a*a*a*a*a*a*a*b\n\xff\xfe\n[[:alpha:]]\n")
    scan = scan_with(tmp_path)
    assert found(tmp_path, scan) == ["a.jpg"]
    assert [entry.reason.split(":")[0] for entry in scan.unreadable] == ["line 1", "line 3", "line 5"]


def test_what_is_passed_over_now_leaves_like_a_missing_file(tmp_path: Path) -> None:
    make(tmp_path, "raw/a.jpg", "b.jpg")
    remembered = KnownFile(1, str(tmp_path / "raw" / "a.jpg"), "indexed", None, 1, 1, "1", 1, True)
    scan = scan_with(tmp_path, {remembered.path: remembered}, exclude=("raw/",))
    assert scan.excluded == [remembered]
    assert (scan.gone, scan.unavailable) == ([], [])


def test_a_root_that_lies_in_a_passed_over_folder_is_looked_at_and_homes_never(tmp_path: Path) -> None:
    make(tmp_path, "@eaDir/mine/a.jpg", "@eaDir/b.jpg", "home/c.jpg")
    roots = {str(tmp_path): FolderRules(include=("home/",)), str(tmp_path / "@eaDir" / "mine"): FolderRules()}
    scan = scan_root(str(tmp_path), {}, ScanOptions(str(tmp_path), Rules(roots, {str(tmp_path / "home")})))
    assert found(tmp_path, scan) == ["@eaDir/mine/a.jpg"]
    assert {entry.kind for entry in scan.passed_over} == {"thumbnails", "library"}


def test_linked_folders_are_named_or_followed_once_and_circles_end(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    make(tmp_path, "root/real/a.jpg", "outside/b.jpg")
    (root / "again").symlink_to(outside)
    (root / "away").symlink_to(outside)
    (root / "circle").symlink_to(root)
    (root / "up").symlink_to(root / "real")
    (outside / "back").symlink_to(root)
    (root / "linked.jpg").symlink_to(outside / "b.jpg")
    named = scan_with(root)
    assert found(root, named) == ["linked.jpg", "real/a.jpg"]
    assert [entry.kind for entry in named.passed_over] == ["link"] * 4
    assert named.not_pictures == []
    followed = scan_with(root, follow_links=True)
    assert found(root, followed) == ["again/b.jpg", "linked.jpg", "real/a.jpg"]
    assert {Path(entry.path).name for entry in followed.passed_over} == {"away", "circle", "up", "back"}


def test_a_dead_link_to_a_folder_removes_nothing(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg")
    (tmp_path / "disk").symlink_to(tmp_path / "nowhere")
    remembered = KnownFile(1, str(tmp_path / "disk" / "b.jpg"), "indexed", None, 1, 1, "1", 1, True)
    scan = scan_with(tmp_path, {remembered.path: remembered}, follow_links=True)
    assert scan.unavailable == [remembered]


@pytest.mark.parametrize(
    "pattern", ["", "  ", "#x", "!", "a\nb", "a\0b", "*a*b*c*d*", "a" * 9_000, "[[:alpha:]]", "\\"]
)
def test_what_is_no_pattern_is_refused_with_a_remedy(pattern: str) -> None:
    with pytest.raises(PatternError) as caught:
        compiled("/pictures", [pattern])
    assert "gitignore" in caught.value.remedy


NAMES = st.text(st.characters(exclude_characters="/\0", codec=None), min_size=1, max_size=12).filter(
    lambda name: name not in (".", "..")
)


@settings(max_examples=150, deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=4), NAMES, st.booleans())
def test_the_exact_pattern_of_a_path_fits_it_and_nothing_beside_it(parts: list[str], other: str, folder: bool) -> None:
    path = "/pictures/" + "/".join(parts)
    patterns = compiled("/pictures", [exactly(path, "/pictures", folder=folder)])
    assert patterns is not None
    assert patterns.says(path, folder=folder) is True
    beside = f"/pictures/{other}/" + "/".join(parts)
    assert patterns.says(beside, folder=folder) is not True or other == parts[0] or "\n" in path or "\r" in path


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("raw/", "/2019/**/raw/"),
        ("/raw/", "/2019/raw/"),
        ("a/b", "/2019/a/b"),
        ("!x", "!/2019/**/x"),
        ("*", "/2019/**/*"),
    ],
)
def test_patterns_are_relative_to_the_folder_that_is_named(pattern: str, expected: str) -> None:
    assert moved_below(pattern, "/pictures/2019", "/pictures") == expected
    assert moved_below(pattern, "/pictures", "/pictures") == pattern
