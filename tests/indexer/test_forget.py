"""`forget` takes a folder out with all that hangs on it alone, and the next `index` does not bring it back."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from indexer.forget import forget
from indexer.options import IndexOptions
from indexer.pipeline import index_paths
from indexer.roots import RuleChange
from search.db.annotations import CaptionFact, add_annotations
from search.db.roots import all_rules
from search.db.schema import Caption, File, Image, Root, TextBody
from search.errors import LibraryError, NotFoundError
from search.folder_rules import FolderRules
from search.library import Library
from search.maintenance import verify
from search.previews import GALLERY_PX, PreviewStore
from search.results import SearchRequest
from search.service import SearchService
from vision.encoders.base import Encoder

Draw = Callable[..., Path]
ONE_CHILD = IndexOptions(decode_workers=1, batch_size=4)


def names_in(library: Library) -> list[str]:
    with library.read() as session:
        return sorted(Path(path).name for path in session.scalars(select(File.path).where(File.state == "indexed")))


def rules_in(library: Library) -> dict[str, FolderRules]:
    with library.read() as session:
        return all_rules(session)


def saying(**rules: object) -> IndexOptions:
    return IndexOptions(decode_workers=1, batch_size=4, rules=RuleChange(**rules))  # type: ignore[arg-type]  # shorthand


def test_a_folder_leaves_with_all_that_hangs_on_it_alone_and_does_not_come_back(
    library: Library, encoder: Encoder, draw: Draw, pictures: Path
) -> None:
    keep = draw("keep.png", "red")
    gone = draw("scans/a.png", "blue", (50, 30))
    shutil.copy(keep, pictures / "scans" / "copy of keep.png")
    index_paths(library, encoder, [pictures], ONE_CHILD)
    with library.write() as session:
        image = session.scalar(select(Image).join(File).where(File.path == str(gone)))
        assert image is not None
        add_annotations(session, image.id, [CaptionFact(text="a blue scan", language="en", regions=())], [], "import")
        preview = PreviewStore(library.home).path(image.sha256, GALLERY_PX)
    index_paths(library, encoder, [pictures], ONE_CHILD)
    tried = forget(library, [pictures / "scans"], trial=True)
    assert (tried.files, tried.pictures, tried.captions, tried.previews) == (2, 1, 1, 1)
    assert names_in(library) == ["a.png", "copy of keep.png", "keep.png"]
    report = forget(library, [pictures / "scans"])
    assert (report.files, report.pictures, report.captions, report.previews) == (2, 1, 1, 1)
    assert report.excluded == [(str(pictures), "/scans/")]
    assert names_in(library) == ["keep.png"]
    assert not preview.exists()
    with library.read() as session:
        for table in (Caption, TextBody):
            assert session.scalar(select(func.count()).select_from(table)) == 0
    assert [hit.path for hit in SearchService(library, encoder).search(SearchRequest(text="blue")).hits] == [str(keep)]
    again = index_paths(library, encoder, [], ONE_CHILD)
    assert (again.embedded, again.unchanged, again.excluded) == (0, 1, 0)
    assert {entry.kind for entry in again.passed_over} == {"excluded"}
    assert verify(library).findings == []
    # By its name it comes back, and stays.
    assert index_paths(library, encoder, [pictures / "scans"], ONE_CHILD).embedded == 1
    assert index_paths(library, encoder, [], ONE_CHILD).unchanged == 3
    assert verify(library).findings == []


def test_a_root_that_is_gone_from_the_disk_can_be_forgotten(
    library: Library, encoder: Encoder, draw: Draw, pictures: Path
) -> None:
    draw("one/a.png")
    draw("two/b.png", "blue", (50, 30))
    index_paths(library, encoder, [pictures / "one", pictures / "two"], ONE_CHILD)
    shutil.rmtree(pictures / "one")
    report = forget(library, [pictures / "one"])
    assert (report.files, report.roots, report.excluded) == (1, [str(pictures / "one")], [])
    assert names_in(library) == ["b.png"]
    assert index_paths(library, encoder, [], ONE_CHILD).unchanged == 1


def test_a_single_file_of_any_name_can_be_forgotten(
    library: Library, encoder: Encoder, draw: Draw, pictures: Path
) -> None:
    draw("a.png")
    strange = os.fsdecode(os.fsencode(pictures) + b"/[b]* \xe9!.png")
    draw("b.png", "blue", (50, 30)).rename(strange)
    index_paths(library, encoder, [pictures], ONE_CHILD)
    assert forget(library, [strange]).files == 1
    report = index_paths(library, encoder, [], ONE_CHILD)
    assert (report.embedded, report.unchanged) == (0, 1)


@pytest.mark.parametrize("path", ["nowhere", "pictures/a", "pictures/a.pn", "pictures2"])
def test_what_is_not_in_the_library_is_refused_and_nothing_is_forgotten(
    sqlite_library: Library, encoder: Encoder, draw: Draw, pictures: Path, path: str
) -> None:
    draw("a.png")
    index_paths(sqlite_library, encoder, [pictures], ONE_CHILD)
    with pytest.raises(NotFoundError, match="nothing at or below") as caught:
        forget(sqlite_library, [pictures, pictures.parent / path])
    assert "deixis status" in caught.value.remedy
    assert names_in(sqlite_library) == ["a.png"]


def test_rules_are_remembered_and_shown_and_can_be_taken_back(
    library: Library, encoder: Encoder, draw: Draw, pictures: Path
) -> None:
    draw("a.png")
    draw("raw/b.png", "blue", (50, 30))
    draw("2019/raw/c.png", "green", (51, 30))
    index_paths(library, encoder, [pictures], ONE_CHILD)
    report = index_paths(library, encoder, [pictures], saying(exclude=("/raw/",)))
    assert (report.excluded, report.unchanged) == (1, 2)
    assert index_paths(library, encoder, [], ONE_CHILD).unchanged == 2
    index_paths(library, encoder, [pictures / "2019"], saying(exclude=("raw/",)))
    assert rules_in(library) == {str(pictures): FolderRules(exclude=("/raw/", "/2019/**/raw/"))}
    (shown,) = SearchService(library, encoder).status().roots
    assert (shown.path, shown.exclude) == (str(pictures), ("/raw/", "/2019/**/raw/"))
    assert names_in(library) == ["a.png"]
    back = index_paths(library, encoder, [pictures], saying(include=("/raw/",)))
    assert (back.embedded, back.reused) == (0, 1)
    assert index_paths(library, encoder, [], saying(clear=True)).reused == 1
    assert rules_in(library) == {str(pictures): FolderRules()}
    assert names_in(library) == ["a.png", "b.png", "c.png"]
    assert verify(library).findings == []


def test_links_are_followed_from_the_day_it_is_said(
    sqlite_library: Library, encoder: Encoder, draw: Draw, pictures: Path
) -> None:
    draw("a.png")
    outside = pictures.parent / "outside"
    outside.mkdir()
    shutil.move(draw("b.png", "blue", (50, 30)), outside / "b.png")
    (pictures / "way").symlink_to(outside)
    report = index_paths(sqlite_library, encoder, [pictures], ONE_CHILD)
    assert (report.embedded, [entry.kind for entry in report.passed_over]) == (1, ["link"])
    assert index_paths(sqlite_library, encoder, [pictures], saying(follow_links=True)).embedded == 1
    assert index_paths(sqlite_library, encoder, [], ONE_CHILD).unchanged == 2
    assert forget(sqlite_library, [pictures / "way"]).files == 1
    assert index_paths(sqlite_library, encoder, [], ONE_CHILD).unchanged == 1


@pytest.mark.parametrize("rules", ["x", ["a"], {"exclude": "a"}, {"exclude": [1]}, {"follow_links": 1}, {"new": []}])
def test_rules_that_cannot_be_read_are_an_error_and_can_be_cleared(
    sqlite_library: Library, encoder: Encoder, draw: Draw, pictures: Path, rules: object
) -> None:
    draw("a.png")
    index_paths(sqlite_library, encoder, [pictures], ONE_CHILD)
    with sqlite_library.write() as session:
        session.execute(update(Root).values(rules=rules))
    with pytest.raises(LibraryError, match="cannot be read") as caught:
        index_paths(sqlite_library, encoder, [], ONE_CHILD)
    assert "--clear-rules" in caught.value.remedy
    assert index_paths(sqlite_library, encoder, [pictures], saying(clear=True)).unchanged == 1
