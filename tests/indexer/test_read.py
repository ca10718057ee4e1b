"""`read` over a real library, with the reader of the extra: what is written is found, once, and nothing is lost."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from indexer.forget import forget
from indexer.pipeline import IndexOptions, index_paths
from indexer.read import ReadOptions, read_library, reader_source
from search.errors import LibraryEmptyError, NotFoundError
from search.library import Library
from search.maintenance import rebuild, verify
from search.results import SearchRequest
from search.service import SearchService
from vision.encoders.colour import ColourEncoder
from vision.errors import ModelError
from vision.readers.base import Reader, ReaderFacts, Reading
from vision.readers.registry import installed_reader, load_reader
from vision.types import RgbImage

TWO_AT_A_TIME = ReadOptions(batch_size=2)
SIGNS = {"a.png": "Museum entrance", "b.png": "", "c.png": "No parking", "d.png": "Breakfast 1924", "e.png": ""}


@pytest.fixture(scope="module")
def reader() -> Reader:
    if installed_reader("rapidocr") is None:
        pytest.skip("needs the extra ocr")
    return load_reader("rapidocr", threads=1)


@pytest.fixture
def signs(pictures: Path) -> Path:
    for number, (name, text) in enumerate(SIGNS.items()):
        picture = Image.new("RGB", (400 + number, 200), "white")
        ImageDraw.Draw(picture).text((40, 80), text, fill="navy", font=ImageFont.load_default(32))
        picture.save(pictures / name)
    return pictures


@pytest.fixture
def indexed(library: Library, encoder: ColourEncoder, signs: Path) -> Library:
    index_paths(library, encoder, [signs], IndexOptions(decode_workers=1))
    return library


def _found(library: Library, query: str) -> list[str]:
    return [Path(hit.path).name for hit in SearchService(library, ColourEncoder()).search(SearchRequest(query)).hits]


class Stumbling:
    """Reads with another reader, and fails as it is told to where a picture is so many pixels wide."""

    def __init__(self, reader: Reader, width_px: int, error: BaseException) -> None:
        self._reader = reader
        self._width_px = width_px
        self._error = error

    @property
    def facts(self) -> ReaderFacts:
        return self._reader.facts

    def read(self, pictures: Sequence[RgbImage]) -> Sequence[Reading]:
        if any(picture.shape[1] == self._width_px for picture in pictures):
            raise self._error
        return self._reader.read(pictures)


def test_every_picture_is_read_and_its_words_are_found(
    indexed: Library, encoder: ColourEncoder, reader: Reader
) -> None:
    report = read_library(indexed, encoder, reader, TWO_AT_A_TIME)
    assert (report.pictures, report.with_text, report.lines, report.glanced) == (5, 3, 3, 2)
    assert report.texts_embedded == 3
    assert _found(indexed, "text:museum") == ["a.png"]
    assert _found(indexed, 'text:"no parking"') == ["c.png"]
    assert _found(indexed, "text:1924") == ["d.png"]
    assert sorted(_found(indexed, "has:text")) == ["a.png", "c.png", "d.png"]
    assert verify(indexed).findings == []
    rebuild(indexed)
    assert _found(indexed, "text:musuem") == ["a.png"]
    assert verify(indexed).findings == []


def test_what_is_written_in_pictures_of_an_archive_is_read(
    sqlite_library: Library, encoder: ColourEncoder, reader: Reader, signs: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "signs.zip", "w") as archive:
        for name in SIGNS:
            archive.write(signs / name, f"signs/{name}")
    index_paths(sqlite_library, encoder, [tmp_path / "signs.zip"], IndexOptions(decode_workers=1))
    report = read_library(sqlite_library, encoder, reader, TWO_AT_A_TIME)
    assert (report.pictures, report.with_text, report.refused) == (5, 3, [])
    assert _found(sqlite_library, "text:museum") == ["a.png"]


def test_a_second_run_reads_only_what_is_new(
    indexed: Library, encoder: ColourEncoder, reader: Reader, signs: Path
) -> None:
    read_library(indexed, encoder, reader, TWO_AT_A_TIME)
    Image.open(signs / "c.png").resize((800, 400)).save(signs / "new.png")
    index_paths(indexed, encoder, [signs], IndexOptions(decode_workers=1))
    report = read_library(indexed, encoder, reader, TWO_AT_A_TIME)
    assert (report.pictures, report.lines) == (1, 1)
    assert set(_found(indexed, "text:parking")) == {"c.png", "new.png"}
    assert read_library(indexed, encoder, reader).pictures == 0


def test_one_folder_may_be_read_alone(indexed: Library, encoder: ColourEncoder, reader: Reader, signs: Path) -> None:
    report = read_library(indexed, encoder, reader, ReadOptions(folder=signs / "c.png"))
    assert (report.pictures, report.lines) == (1, 1)
    with pytest.raises(NotFoundError):
        read_library(indexed, encoder, reader, ReadOptions(folder=signs / "nothing"))


def test_a_stopped_run_keeps_what_it_has_read(indexed: Library, encoder: ColourEncoder, reader: Reader) -> None:
    with pytest.raises(KeyboardInterrupt) as caught:
        read_library(indexed, encoder, Stumbling(reader, 402, KeyboardInterrupt()), ReadOptions(batch_size=1))
    kept = int(caught.value.__notes__[0].split()[0])
    assert 0 < kept < 5
    found = _found(indexed, "has:text")
    assert found
    assert "c.png" not in found
    assert read_library(indexed, encoder, reader).pictures == 5 - kept
    assert sorted(_found(indexed, "has:text")) == ["a.png", "c.png", "d.png"]
    assert verify(indexed).findings == []


def test_a_picture_on_which_the_reader_fails_is_refused_and_the_others_are_read(
    indexed: Library, encoder: ColourEncoder, reader: Reader
) -> None:
    report = read_library(indexed, encoder, Stumbling(reader, 402, RuntimeError("bad\0shape")))
    assert [(Path(one.path).name, one.reason.partition(":")[0]) for one in report.refused] == [("c.png", "not_read")]
    assert (report.pictures, report.lines) == (4, 2)
    assert read_library(indexed, encoder, reader).pictures == 1, "it is tried again"


def test_a_reader_that_fails_on_everything_ends_the_run(
    indexed: Library, encoder: ColourEncoder, reader: Reader
) -> None:
    class Broken(Stumbling):
        def read(self, pictures: Sequence[RgbImage]) -> Sequence[Reading]:
            raise ModelError("the graph is damaged")

    with pytest.raises(ModelError, match="damaged"):
        read_library(indexed, encoder, Broken(reader, 0, ValueError()))


def test_a_file_that_turned_bad_is_listed(
    indexed: Library, encoder: ColourEncoder, reader: Reader, signs: Path
) -> None:
    (signs / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n rotten")
    report = read_library(indexed, encoder, reader)
    assert [Path(one.path).name for one in report.refused] == ["a.png"]
    assert report.pictures == 4


def test_what_was_read_goes_with_its_picture(
    indexed: Library, encoder: ColourEncoder, reader: Reader, signs: Path
) -> None:
    read_library(indexed, encoder, reader)
    forget(indexed, [signs / "c.png"])
    assert _found(indexed, "text:parking") == []
    assert verify(indexed).findings == []


def test_a_large_picture_is_read_at_the_size_that_text_needs(
    library: Library, encoder: ColourEncoder, reader: Reader, pictures: Path
) -> None:
    picture = np.full((1500, 4000, 3), 255, np.uint8)
    drawn = Image.fromarray(picture)
    ImageDraw.Draw(drawn).text((3000, 1200), "Platform", fill="black", font=ImageFont.load_default(90))
    drawn.save(pictures / "wide.jpg")
    index_paths(library, encoder, [pictures], IndexOptions(decode_workers=1))
    read_library(library, encoder, reader)
    (hit,) = SearchService(library, encoder).search(SearchRequest("text:platform")).hits
    (line,) = hit.regions
    assert line.box.x0 == pytest.approx(3000 / 4000, abs=0.02)
    assert line.box.y0 == pytest.approx(1220 / 1500, abs=0.03)


def test_an_empty_library_and_another_source_are_told_apart(
    library: Library, encoder: ColourEncoder, reader: Reader
) -> None:
    with pytest.raises(LibraryEmptyError):
        read_library(library, encoder, reader)
    assert reader_source(reader.facts).startswith("rapidocr:")
