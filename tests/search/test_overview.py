"""What a page says of a library: folders with counts, where they are now, and what is still to be done."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image as Pictures

from indexer.pipeline import index_paths
from search import overview as overviews
from search.library import Library
from search.overview import overview, refusals
from vision.encoders.colour import ColourEncoder


@pytest.fixture
def library(home: Path, database_url: str) -> Iterator[Library]:
    with Library.open(home, database_url, create=True) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "pictures"
    made.mkdir()
    for number in range(3):
        Pictures.new("RGB", (40 + number, 30), (200, 20 * number, 0)).save(made / f"{number}.png")
    (made / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    (made / "empty.png").write_bytes(b"")
    return made


def test_an_empty_library_has_nothing_and_says_so(library: Library) -> None:
    found = overview(library)
    assert (found.roots, found.model) == ((), None)
    assert (found.pending.images, found.pending.boxes, found.pending.read) == (0, 0, 0)


def test_each_folder_has_its_counts_and_whether_it_is_there(library: Library, folder: Path) -> None:
    index_paths(library, ColourEncoder(), [folder])
    (root,) = overview(library).roots
    assert (root.path, root.indexed, root.refused, root.missing, root.reach) == (str(folder), 3, 2, 0, "here")
    assert root.last_scanned_at is not None
    model = overview(library).model
    assert model is not None
    assert model.name == "colour"
    assert overview(library).pending.images == 3


def test_a_folder_that_is_gone_or_empty_all_at_once_is_told_from_one_that_is_there(
    library: Library, folder: Path
) -> None:
    index_paths(library, ColourEncoder(), [folder])
    aside = folder.with_name("aside")
    folder.rename(aside)
    assert overview(library).roots[0].reach == "gone"
    folder.mkdir()
    assert overview(library).roots[0].reach == "empty", "as the place of a drive that is not connected"


def test_a_drive_that_does_not_answer_keeps_nobody_waiting(
    library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index_paths(library, ColourEncoder(), [folder])
    hangs = threading.Event()
    monkeypatch.setattr(overviews, "_ANSWER_S", 0.05)
    monkeypatch.setattr(overviews.os.path, "isdir", lambda path: hangs.wait(20.0))
    try:
        assert overview(library).roots[0].reach == "silent"
    finally:
        hangs.set()


def test_what_could_not_be_read_is_listed_with_its_reason_and_counted(library: Library, folder: Path) -> None:
    index_paths(library, ColourEncoder(), [folder])
    found, codes = refusals(library, limit=10)
    assert [Path(one.path).name for one in found] == ["broken.jpg", "empty.png"]
    assert all(one.sentence for one in found)
    assert codes == {found[0].code: 1, "empty": 1}
    assert [one.path for one in refusals(library, limit=1, offset=1)[0]] == [found[1].path]
