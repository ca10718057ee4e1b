"""A library that was exported and imported is the same library: rows, ids, vectors, answers."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from indexer.export_library import ExportOptions, export_library
from indexer.import_library import ImportOptions, import_library
from indexer.pipeline import IndexOptions, index_paths
from indexer.report import Progress
from search.captioning import list_generations
from search.db.contents import get_or_create_images
from search.db.images import ImageFact
from search.db.schema import Base, File, Image, Root
from search.errors import ExportFormatError, LibraryEmptyError, LibraryError, SettingsError
from search.library import Library
from search.maintenance import rebuild, verify
from search.originals import first_originals
from search.patches.store import PatchStore
from search.portable.tables import CARRIED, NOT_CARRIED
from search.previews import GALLERY_PX, PreviewStore
from search.results import SearchRequest
from search.service import SearchService
from storybook.drawing import render
from storybook.scenes import generate_scene
from tests.indexer.portable import PICTURES, fill, rows_of
from vision.encoders.base import Encoder
from vision.encoders.registry import load_encoder

ALL = ExportOptions(previews=True)
QUERIES = ("a red circle", "red circle left of a blue square -green", "camera:x100 circle", "a box", "iso:>102")


@pytest.fixture(scope="module")
def storybook() -> Encoder:
    return load_encoder("storybook-encoder", threads=1)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, storybook: Encoder) -> Path:
    """Pictures, the library of them in `home`, and its export in `export`."""
    folder = tmp_path_factory.mktemp("portable")
    fill(folder, storybook)
    with Library.open(folder / "home") as library:
        report = export_library(library, folder / "export", ALL)
    assert report.dead_vectors == 2
    assert report.counts["images"] == report.counts["patches"] == PICTURES
    return folder


@pytest.fixture
def original(place: Path) -> Iterator[Library]:
    with Library.open(place / "home") as library:
        yield library


def answers(library: Library, encoder: Encoder) -> list[object]:
    """What searches say, without what tells the time."""
    service = SearchService(library, encoder)
    said: list[object] = []
    for text in QUERIES:
        result = service.search(SearchRequest(text=text, k=50))
        assert result.hits
        said.append(result.hits)
    said.append(service.search(SearchRequest(like_image_id=1, k=50)).hits)
    return said


def test_a_library_comes_back_as_it_was(
    place: Path, original: Library, library: Library, storybook: Encoder, tmp_path: Path
) -> None:
    """On each database; the second export is of the imported library, so that Postgres is exported as well."""
    import_library(library, place / "export")
    assert verify(library).findings == []
    before, after = verify(original), verify(library)
    assert before.findings == []
    for what in ("files", "images", "texts", "captions", "regions", "previews", "patches", "unused_texts"):
        assert after.checked[what] == before.checked[what] != 0
    assert (before.checked["dead_embeddings"], after.checked["dead_embeddings"]) == (2, 0)
    assert answers(library, storybook) == answers(original, storybook)
    assert list_generations(library) == list_generations(original)
    assert [one.resting for one in list_generations(library)] == [True]

    export_library(library, tmp_path / "again", ALL)
    assert rows_of(tmp_path / "again") == rows_of(place / "export")
    first, second = (json.loads((one / "manifest.json").read_text()) for one in (place / "export", tmp_path / "again"))
    for what in ("models", "next_ids", "counts", "patches", "schema"):
        assert second[what] == first[what]
    with Library.open(tmp_path / "third", create=True) as third:
        import_library(third, tmp_path / "again")
        assert answers(third, storybook) == answers(original, storybook)


def test_ids_go_on_where_they_were(place: Path, library: Library) -> None:
    with Library.open(place / "home") as original, original.write() as session:
        erased = image_with(session, "f" * 64)
        session.delete(session.get_one(Image, erased))
    with Library.open(place / "home") as original:
        export_library(original, library.home.parent / "later")
    import_library(library, library.home.parent / "later")
    with library.write() as session:
        assert image_with(session, "e" * 64) == erased + 1


def test_what_is_kept_beside_the_rows_comes_back_byte_for_byte(place: Path, tmp_path: Path) -> None:
    with Library.open(tmp_path / "home", create=True) as library:
        report = import_library(library, place / "export")
        assert (report.left_out, report.counts["previews"], report.counts["patches"]) == (0, PICTURES, PICTURES)
    for folder in ("previews", "patches"):
        kept = {path.name: path.read_bytes() for path in (place / "home" / folder).rglob("*.*")}
        assert {path.name: path.read_bytes() for path in (tmp_path / "home" / folder).rglob("*.*")} == kept != {}


def test_index_has_nothing_to_do_after_an_import(place: Path, tmp_path: Path, storybook: Encoder) -> None:
    with Library.open(tmp_path / "home", create=True) as library:
        import_library(library, place / "export")
        report = index_paths(library, storybook, [], IndexOptions(decode_workers=1))
        assert (report.embedded, report.texts_embedded, report.boxes.embedded) == (0, 0, 0)
        assert report.patches is not None
        assert report.patches.made == 0


def test_pictures_may_lie_elsewhere(place: Path, tmp_path: Path, storybook: Encoder) -> None:
    moved = shutil.copytree(place / "pictures", tmp_path / "moved")
    pairs = ((str(place), "/nowhere"), (f"{place / 'pictures'}/", str(moved)))  # the longer one counts
    with Library.open(tmp_path / "home", create=True) as library:
        with pytest.raises(SettingsError, match=f"{place}: the export has nothing"):
            import_library(library, place / "export", ImportOptions(moved=pairs))
        import_library(library, place / "export", ImportOptions(moved=pairs[1:]))
        with library.read() as session:
            assert session.scalars(select(Root.path)).all() == [str(moved)]
            paths = set(session.scalars(select(File.path)))
        assert paths == {os.fsdecode(bytes(moved) + b"/" + name) for name in os.listdir(bytes(moved))}
        assert verify(library).findings == []
        report = index_paths(library, storybook, [], IndexOptions(decode_workers=1))
        assert (report.embedded, len(paths)) == (0, PICTURES + 1)


def test_archives_may_lie_elsewhere(library: Library, tmp_path: Path, storybook: Encoder) -> None:
    (tmp_path / "old").mkdir()
    with zipfile.ZipFile(tmp_path / "old" / "x.zip", "w") as archive:
        file = io.BytesIO()
        render(generate_scene(1, "test"), 160).image.save(file, "png")
        archive.writestr("beach/1.png", file.getvalue())
    options = IndexOptions(decode_workers=1)
    index_paths(library, storybook, [tmp_path / "old" / "x.zip"], options)
    export_library(library, tmp_path / "export")
    there = tmp_path / "a longer name"
    (tmp_path / "old").rename(there)
    with Library.open(tmp_path / "home 2", create=True) as other:
        inside = ImportOptions(moved=((f"{tmp_path}/old/x.zip/beach", str(there)),))
        with pytest.raises(ExportFormatError, match="where its bytes are"):
            import_library(other, tmp_path / "export", inside)
        import_library(other, tmp_path / "export", ImportOptions(moved=((f"{tmp_path}/old", str(there)),)))
        with other.read() as session:
            assert session.scalars(select(File.path)).all() == [f"{there}/x.zip/beach/1.png"]
            (original,) = first_originals(session, tmp_path, [1]).values()
        with original.open() as opened:
            assert opened.read() == file.getvalue()
        assert verify(other).findings == []
        report = index_paths(other, storybook, [], options)
        assert (report.embedded, report.unchanged + report.reused, report.missing) == (0, 1, 0)


@pytest.mark.parametrize(
    ("pairs", "error", "said"),
    [
        ([("/never/there", "/x")], SettingsError, "nothing at or below this folder"),
        ([("relative", "/x")], SettingsError, "not an absolute path"),
        ([("/a", "/x"), ("/a/", "/y")], SettingsError, "is to become two"),
        ([("{pictures}/0.png", "/x/0.png")], Exception, "does not lie in"),
        ([("{pictures}", "/x" * 1400)], Exception, "bytes"),
    ],
)
def test_a_map_that_fits_nothing_imports_nothing(
    place: Path, tmp_path: Path, pairs: list[tuple[str, str]], error: type[Exception], said: str
) -> None:
    moved = tuple((old.format(pictures=place / "pictures"), new) for old, new in pairs)
    with Library.open(tmp_path / "home", create=True) as library:
        with pytest.raises(error, match=said):
            import_library(library, place / "export", ImportOptions(moved=moved))
        import_library(library, place / "export")  # still empty


def test_a_library_that_holds_something_is_left_alone(place: Path, original: Library) -> None:
    with original.read() as session:
        before = session.scalars(select(File.path)).all()
    with pytest.raises(LibraryError, match="is not empty"):
        import_library(original, place / "export")
    with original.read() as session:
        assert session.scalars(select(File.path)).all() == before


def test_the_export_is_one_state_of_the_library_whatever_is_written_meanwhile(
    place: Path, tmp_path: Path, storybook: Encoder
) -> None:
    with Library.open(tmp_path / "home", create=True) as library:
        import_library(library, place / "export")
        (tmp_path / "more").mkdir()
        render(generate_scene(90, "test"), 160).image.save(tmp_path / "more" / "90.png")
        stages: list[str] = []

        def meanwhile(step: Progress) -> None:
            if step.stage not in stages:
                stages.append(step.stage)
                with Library.open(tmp_path / "home") as other:
                    index_paths(other, storybook, [tmp_path / "more"], IndexOptions(decode_workers=1))
                    rebuild(other, compact=True)

        export_library(library, tmp_path / "export", on_progress=meanwhile)
        assert stages[:2] == ["rows", "vectors"]
        found, wanted = rows_of(tmp_path / "export"), rows_of(place / "export")
        assert {name: rows for name, rows in wanted.items() if name != "previews.parquet"} == found
        export_library(library, tmp_path / "later")
        assert len(rows_of(tmp_path / "later")["images.parquet"]) == PICTURES + 1


def test_an_export_that_is_stopped_leaves_nothing(original: Library, tmp_path: Path) -> None:
    def stop(step: Progress) -> None:
        if step.stage == "vectors":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        export_library(original, tmp_path / "export", on_progress=stop)
    assert list(tmp_path.iterdir()) == []
    assert "nothing was exported" in caught.value.__notes__[0]


@pytest.mark.parametrize("stage", ["files", "rows", "vectors"])
def test_an_import_that_is_stopped_leaves_an_empty_library(place: Path, library: Library, stage: str) -> None:
    def stop(step: Progress) -> None:
        if step.stage == stage and step.done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        import_library(library, place / "export", on_progress=stop)
    assert caught.value.__notes__ == ["nothing was imported"]
    assert verify(library).findings == []
    import_library(library, place / "export")
    assert verify(library).findings == []


def test_an_import_that_is_stopped_behind_the_rows_is_finished_by_rebuild(place: Path, library: Library) -> None:
    def stop(step: Progress) -> None:
        if step.stage == "publish":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        import_library(library, place / "export", on_progress=stop)
    assert "rebuild" in caught.value.__notes__[0]
    with pytest.raises(LibraryError, match="`deixis rebuild` finishes it"):
        import_library(library, place / "export")
    rebuild(library)
    assert verify(library).findings == []


def test_only_a_new_folder_is_written_to(original: Library, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    export_library(original, tmp_path / "mine")
    with pytest.raises(LibraryError, match="holds something already"):
        export_library(original, tmp_path / "mine")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine"]


def test_an_empty_library_has_nothing_to_export(library: Library, tmp_path: Path) -> None:
    with pytest.raises(LibraryEmptyError):
        export_library(library, tmp_path / "export")
    assert not (tmp_path / "export").exists()


def test_others_can_read_it(place: Path, original: Library) -> None:
    """Paths as text where they are text, instants as instants, vectors as lists of one length."""
    files = pq.read_table(place / "export" / "files.parquet").to_pylist()
    assert [row["name"] for row in files if row["path_raw"] is not None] == ["caf\ufffd.png"]
    table = pq.read_table(place / "export" / "vectors-m1-image.parquet")
    matrix = np.stack(table["vector"].to_numpy())
    ids = table["image_id"].to_pylist()
    assert matrix.dtype == np.float32
    with original.read() as session:
        assert sorted(ids) == sorted(session.scalars(select(Image.id)))
    stored = original.vectors.fetch(table["id"].to_pylist())
    assert np.array_equal(matrix, stored)


def test_the_script_of_the_page_runs_as_it_stands(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "backup.md"
    (script,) = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "pictures-2026").symlink_to(place / "export")
    monkeypatch.chdir(tmp_path)
    exec(compile(script, str(page), "exec"), {})
    told = capsys.readouterr().out
    assert "a red circle beside thing" in told
    assert f"({PICTURES}, " in told


def test_every_table_is_carried_or_has_a_reason_not_to_be() -> None:
    names = {table.name for table in CARRIED}
    assert names | set(NOT_CARRIED) == set(Base.metadata.tables)
    assert names.isdisjoint(NOT_CARRIED)


def test_stores_are_where_the_export_looks_for_them(place: Path) -> None:
    sha256 = pq.read_table(place / "export" / "images.parquet")["sha256"][0].as_py()
    assert PreviewStore(place / "home").path(sha256, GALLERY_PX).is_file()
    assert PatchStore(place / "home").kept() is not None


def image_with(session: Session, sha256: str) -> int:
    """The id of an image of this content, made where there is none."""
    return get_or_create_images(session, {sha256: ImageFact(sha256, 1, 1, "PNG", 9, None)})[0][sha256]
