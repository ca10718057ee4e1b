"""Single places at which something has changed: looked at as a scan of all would, and without one."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import select

from indexer.options import IndexOptions
from indexer.pipeline import index_paths
from indexer.report import IndexReport
from indexer.roots import RuleChange
from search.db.schema import Caption, File, TextBody
from search.library import Library
from vision.encoders.colour import ColourEncoder

Draw = Callable[..., Path]
Changed = Callable[..., IndexReport]

SAID = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><r:Description xmlns:d="http://purl.org/dc/elements/1.1/"><d:description><r:Alt><r:li xml:lang="x-default">{}</r:li></r:Alt></d:description></r:Description></r:RDF></x:xmpmeta>'  # noqa: E501


@pytest.fixture
def library(sqlite_library: Library) -> Library:
    return sqlite_library


@pytest.fixture
def index(library: Library, encoder: ColourEncoder, pictures: Path) -> Changed:
    """Make the folder a root."""

    def run(*paths: Path, **options: object) -> IndexReport:
        return index_paths(library, encoder, paths or [pictures], IndexOptions(decode_workers=1, **options))  # type: ignore[arg-type]

    return run


@pytest.fixture
def changed(index: Changed) -> Changed:
    """Look at places at which something has changed."""
    return lambda *paths, **options: index(*paths, changed=True, **options)


def shown(library: Library, pictures: Path) -> set[str]:
    with library.read() as session:
        paths = session.scalars(select(File.path).where(File.state == "indexed"))
        return {os.path.relpath(path, pictures) for path in paths}


def test_new_altered_moved_and_deleted_files_are_seen_without_a_walk(
    library: Library, pictures: Path, draw: Draw, index: Changed, changed: Changed
) -> None:
    paths = [draw(f"{name}.png", "red", (20 + place, 20)) for place, name in enumerate("abcd")]
    index()
    new, altered = draw("sub/new.png", "blue"), draw("a.png", "green")
    moved = pictures / "moved.png"
    paths[1].rename(moved)
    paths[2].unlink()
    unnamed = draw("unnamed.png", "yellow")
    report = changed(new, altered, moved, paths[1], paths[2])
    assert (report.embedded, report.reused, report.missing) == (2, 1, 2)
    assert shown(library, pictures) == {"a.png", "d.png", "moved.png", "sub/new.png"}
    assert changed(unnamed).embedded == 1
    assert changed(unnamed, new).embedded == 0


def test_what_is_no_picture_is_not_refused(pictures: Path, draw: Draw, index: Changed, changed: Changed) -> None:
    draw("a.png")
    index()
    (pictures / "notes.txt").write_text("words")
    os.mkfifo(pictures / "pipe")
    report = changed(
        pictures / "notes.txt", pictures / "pipe", pictures / "a.png/x.jpg", Path("/etc/hostname"), Path("/no/where")
    )
    assert report.refused == []
    assert sorted(report.not_pictures) == [str(pictures / "notes.txt"), str(pictures / "pipe")]


def test_whole_folders_come_and_go(
    library: Library, pictures: Path, tmp_path: Path, draw: Draw, index: Changed, changed: Changed
) -> None:
    draw("a.png")
    for number in range(3):
        draw(f"in/deep/{number}.png", "blue", (30 + number, 20))
    index()
    (pictures / "in").rename(tmp_path / "out")
    assert changed(pictures / "in", pictures / "in/deep", pictures / "in/deep/0.png").missing == 3
    assert shown(library, pictures) == {"a.png"}
    (tmp_path / "out").rename(pictures / "back")
    report = changed(pictures / "back")
    assert (report.embedded, report.reused) == (0, 3)
    assert len(shown(library, pictures)) == 4


def test_a_folder_that_was_emptied_file_by_file_is_believed(
    library: Library, pictures: Path, draw: Draw, index: Changed, changed: Changed
) -> None:
    draw("a.png")
    path = draw("in/b.png", "blue")
    index()
    path.unlink()
    report = changed(path, path.parent)
    assert (report.missing, report.unavailable) == (1, 0)
    assert shown(library, pictures) == {"a.png"}


def test_an_unplugged_drive_removes_nothing(
    library: Library, pictures: Path, tmp_path: Path, draw: Draw, index: Changed, changed: Changed
) -> None:
    paths = [draw(f"{name}.png", "red", (20 + place, 20)) for place, name in enumerate("ab")]
    index()
    pictures.rename(tmp_path / "elsewhere")
    assert changed(pictures, *paths).missing == 0, "the root has gone with it"
    pictures.mkdir()
    report = changed(pictures, *paths)
    assert report.missing == 0, "an empty folder is what an unplugged drive leaves"
    assert report.unavailable >= 2
    assert len(shown(library, pictures)) == 2


def test_what_rules_pass_over_is_not_looked_at(
    library: Library, pictures: Path, draw: Draw, index: Changed, changed: Changed
) -> None:
    draw("a.png")
    (pictures / ".deixisignore").write_text("private/\n")
    draw("private/best/.deixisignore.png")
    index(rules=RuleChange(exclude=("raw/", "*_edited.png"), include=("/raw/keep/",)))
    passed = ["raw/b.png", "c_edited.png", "private/d.png", ".hidden/e.png", "@eaDir/f.png", "marked/g.png"]
    for place, name in enumerate([*passed, "raw/keep/h.png"]):
        draw(name, "blue", (30 + place, 20))
    (pictures / "marked/.nomedia").touch()
    paths = [pictures / name for name in [*passed, "raw/keep/h.png"]]
    assert changed(*paths, *{path.parent for path in paths}).embedded == 1
    assert shown(library, pictures) == {"a.png", "raw/keep/h.png"}


@pytest.mark.parametrize("marker", [".deixisignore", ".nomedia"])
def test_a_rule_that_comes_and_goes_is_heard(
    library: Library, pictures: Path, draw: Draw, index: Changed, changed: Changed, marker: str
) -> None:
    draw("a.png")
    draw("in/b.png", "blue")
    index()
    (pictures / "in" / marker).write_text("*\n")
    assert changed(pictures / "in" / marker).excluded == 1
    assert shown(library, pictures) == {"a.png"}
    (pictures / "in" / marker).unlink()
    report = changed(pictures / "in" / marker)
    assert (report.embedded, report.reused) == (0, 1)
    assert shown(library, pictures) == {"a.png", "in/b.png"}


def test_libraries_are_never_looked_into(
    library: Library, home: Path, tmp_path: Path, encoder: ColourEncoder, draw: Draw, pictures: Path
) -> None:
    draw("a.png")
    with Library.open(pictures / "other", create=True) as other:
        index_paths(other, encoder, [pictures / "a.png"], IndexOptions(decode_workers=1))
    # The root is above the library's own home, too.
    index_paths(library, encoder, [tmp_path], IndexOptions(decode_workers=1))
    before = shown(library, pictures)
    planted = [pictures / "other/previews/x.png", home / "y.png"]
    for path in planted:
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (30, 20), "blue").save(path)
    options = IndexOptions(decode_workers=1, changed=True)
    assert index_paths(library, encoder, [*planted, planted[0].parent, home], options).embedded == 0
    assert shown(library, pictures) == before


def test_a_folder_told_by_a_link_is_the_folder_itself(
    library: Library, pictures: Path, tmp_path: Path, draw: Draw, index: Changed, changed: Changed
) -> None:
    real = draw("real/a.png")
    outside = tmp_path / "outside"
    outside.mkdir()
    shutil.copy(draw("b.png", "blue"), outside / "c.png")
    (pictures / "inside").symlink_to(real.parent)
    (pictures / "out").symlink_to(outside)
    index()
    draw("real/new.png", "green")
    assert changed(pictures / "inside/new.png", pictures / "out/c.png", pictures / "out").embedded == 1
    assert shown(library, pictures) == {"real/a.png", "real/new.png", "b.png"}
    index(rules=RuleChange(follow_links=True))
    Image.new("RGB", (77, 20), "green").save(outside / "d.png")
    assert changed(pictures / "out/d.png").embedded == 1
    assert shown(library, pictures) == {"real/a.png", "real/new.png", "b.png", "out/c.png", "out/d.png"}


@pytest.mark.parametrize("sidecar", ["a.png.xmp", "A.XMP"])
def test_a_sidecar_refreshes_its_picture(
    library: Library, pictures: Path, draw: Draw, index: Changed, changed: Changed, sidecar: str
) -> None:
    draw("a.png")
    draw("b.png", "blue")
    index()

    def captions() -> list[str]:
        with library.read() as session:
            return list(session.scalars(select(TextBody.body).join(Caption, Caption.text_id == TextBody.id)))

    path = pictures / sidecar
    for words in ("A boat on the lake", "Two boats on the lake"):
        path.write_text(SAID.format(words))
        report = changed(path)
        assert report.embedded == 0
        assert report.texts_embedded == 1
        assert captions() == [words]
    path.unlink()
    changed(path)
    assert captions() == []


def test_takeouts_words_are_read_again(
    library: Library, pictures: Path, draw: Draw, index: Changed, changed: Changed
) -> None:
    draw("IMG(1).png")
    index()
    path = pictures / "IMG.png(1).json"
    path.write_text('{"title": "IMG.png", "description": "A grey seal", "url": "x"}')
    changed(path)
    with library.read() as session:
        assert session.scalars(select(TextBody.body).join(Caption, Caption.text_id == TextBody.id)).all() == [
            "A grey seal"
        ]


def test_files_that_were_just_written_are_left_unless_they_are_named(
    library: Library, pictures: Path, draw: Draw, index: Changed, changed: Changed
) -> None:
    draw("a.png")
    index()
    path = draw("in/b.png", "blue")
    report = changed(path.parent, settle_s=60.0)
    assert (report.embedded, report.unsettled) == (0, [str(path)])
    assert changed(path, settle_s=60.0).embedded == 1
    assert changed(path.parent, settle_s=60.0).unsettled == []


def test_a_file_that_is_a_root_is_looked_at(
    library: Library, pictures: Path, draw: Draw, index: Changed, changed: Changed
) -> None:
    path = draw("a.png")
    index(path)
    draw("a.png", "blue")
    draw("b.png", "green")
    assert changed(path, pictures / "b.png", settle_s=60.0).embedded == 1
    path.unlink()
    assert (changed(path).missing, shown(library, pictures)) == (0, {"a.png"})


def test_many_changes_at_once_take_few_statements(
    library: Library, pictures: Path, draw: Draw, index: Changed, changed: Changed
) -> None:
    path = draw("0.png")
    index()
    for number in range(1, 1500):
        shutil.copy(path, pictures / f"{number}.png")
    paths = [pictures / f"{number}.png" for number in range(1, 1500)]
    assert changed(*paths).reused == 1499
    for path in paths:
        path.unlink()
    assert changed(*paths).missing == 1499
    assert shown(library, pictures) == {"0.png"}


def test_an_archive_is_looked_at_again_as_a_whole(
    library: Library, pictures: Path, draw: Draw, index: Changed, changed: Changed
) -> None:
    draw("a.png")
    index(rules=RuleChange(archives=True))
    path = pictures / "some.zip"
    for names in (["x.png"], ["x.png", "y.png"], ["y.png"]):
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.write(draw(f"../{name}", "blue", (50 + ord(name[0]), 20)), name)
        changed(path, path / "x.png")
        assert shown(library, pictures) == {"a.png", *(f"some.zip/{name}" for name in names)}
    path.unlink()
    changed(path)
    assert shown(library, pictures) == {"a.png"}
