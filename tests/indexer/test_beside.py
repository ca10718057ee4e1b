"""Sidecars and Takeout's JSON: found by their names, read when they change, and never trusted."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pictures
from sqlalchemy import func, select

from indexer.beside import Beside, read_takeout
from indexer.forget import forget
from indexer.pipeline import IndexOptions, index_paths
from search.db.schema import Caption, Embedding, Fact, File, Image, Region, TextBody
from search.library import Library
from search.maintenance import verify
from search.results import SearchRequest
from search.service import SearchService
from tests.vision.carried.packets import MICROSOFT, TITLE, xmp
from vision.carried.boxes import Frame
from vision.carried.facts import NOTHING
from vision.encoders.colour import ColourEncoder

OPTIONS = IndexOptions(decode_workers=1, batch_size=4)
TAKEOUT = {
    "title": "a.jpg", "description": "zorblax on the beach", "photoTakenTime": {"timestamp": "1700000000"},
    "geoData": {"latitude": 48.85, "longitude": 2.35, "altitude": 35.0}, "people": [{"name": "Ana"}, {"name": ""}, 7],
}  # fmt: skip


@pytest.fixture
def encoder() -> ColourEncoder:
    return ColourEncoder()


def said(library: Library) -> set[tuple[str, str]]:
    with library.read() as session:
        rows = session.execute(select(TextBody.body, Caption.source).join(Caption)).all()
        boxes = session.execute(select(TextBody.body, Region.source).join(Region)).all()
        facts = [(one.name, one.source) for one in session.scalars(select(Fact))]
    return {*map(tuple, rows), *map(tuple, boxes), *facts}


@pytest.mark.parametrize(
    ("picture", "beside"),
    [
        ("a.jpg", "a.jpg.xmp"), ("a.jpg", "a.xmp"), ("A.JPG", "a.XMP"), ("a.jpg", "a.jpg.json"),
        ("a.jpg", "a.jpg.supplemental-metadata.json"), ("a.jpg", "a.jpg.supplemental-me.json"),
        ("a.jpg", "a.jpg.s.json"),
        ("a(2).jpg", "a.jpg.supplemental-metadata(2).json"), ("a(2).jpg", "a.jpg(2).json"),
        ("a(2).jpg", "a(2).jpg.json"),
        ("x" * 60 + ".jpg", "x" * 46 + ".json"), ("x" * 40 + ".jpg", "x" * 40 + ".jpg.s.json"),
    ],
)  # fmt: skip
def test_what_speaks_of_a_picture(tmp_path: Path, picture: str, beside: str) -> None:
    for name in (beside, "b.xmp", "b.jpg.json", "a.json", "a.png.json", "metadata.json", "a.jpg.super.json"):
        (tmp_path / name).write_text("x")
    assert Beside().files(str(tmp_path / picture)) == [str(tmp_path / beside)]


def test_a_sidecar_comes_changes_and_goes(library: Library, encoder: ColourEncoder, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    Pictures.new("RGB", (48, 32), "red").save(folder / "a.jpg")
    sidecar = folder / "a.jpg.xmp"
    expected: list[tuple[bytes | None, set[tuple[str, str]]]] = [
        (None, set()),
        (xmp(TITLE), {("Walter", "xmp-sidecar")}),
        (xmp(MICROSOFT), {("Bo", "xmp-sidecar"), ("person", "xmp-sidecar")}),
        (b"<broken", set()),
        (xmp(TITLE, MICROSOFT), {("Walter", "xmp-sidecar"), ("Bo", "xmp-sidecar"), ("person", "xmp-sidecar")}),
        (None, set()),
    ]
    for content, words in expected:
        sidecar.unlink(missing_ok=True)
        if content is not None:
            sidecar.write_bytes(content)
        index_paths(library, encoder, [folder], OPTIONS)
        assert said(library) == words
        again = index_paths(library, encoder, [folder], OPTIONS)
        assert (again.embedded, again.unchanged, again.texts_embedded) == (0, 1, 0)
        with library.read() as session:
            pictures = select(func.count()).select_from(Embedding).where(Embedding.image_id.is_not(None))
            assert session.scalar(pictures) == 1
    assert verify(library).findings == []


def test_takeout_is_found_by_its_words_its_day_and_its_place(
    library: Library, encoder: ColourEncoder, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, colour in (("a.jpg", "red"), ("b.jpg", "blue")):
        Pictures.new("RGB", (48, 32), colour).save(folder / name)
    (folder / "a.jpg.supplemental-metadata.json").write_text(json.dumps(TAKEOUT))
    index_paths(library, encoder, [folder], OPTIONS)
    search = SearchService(library, encoder).search
    for query in ("zorblax", "date:2023-11-14", "near:48.85,2.35", "person:ana", "source:takeout"):
        assert search(SearchRequest(text=query)).hits[0].path == str(folder / "a.jpg"), query
    with library.read() as session:
        assert max(one for one in session.scalars(select(Image.taken_at)) if one) == datetime.fromtimestamp(
            1700000000, UTC
        )
    os.unlink(folder / "a.jpg.supplemental-metadata.json")
    index_paths(library, encoder, [folder], OPTIONS)
    assert said(library) == set()
    with library.read() as session:
        assert set(session.scalars(select(Image.taken_at))) == {None}


def test_what_lay_beside_a_forgotten_copy_is_forgotten(
    library: Library, encoder: ColourEncoder, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("a.jpg", "copy.jpg"):
        Pictures.new("RGB", (48, 32), "red").save(folder / name)
    (folder / "a.jpg.json").write_text(json.dumps(TAKEOUT))
    index_paths(library, encoder, [folder], OPTIONS)
    assert ("zorblax on the beach", "takeout") in said(library)
    forget(library, [folder / "a.jpg"])
    assert said(library) == set()
    with library.read() as session:
        assert session.scalars(select(File.name)).all() == ["copy.jpg"]
        assert session.scalars(select(TextBody)).all() == []


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[" * 100_000, b"null", b"[]", b'{"title": ' + b"9" * 5000 + b"}", b"\xff\xfe",
        b'{"description": "mine"}',
        b'{"title": {}, "description": [1], "people": "Ana", "geoData": [], "photoTakenTime": "now"}',
        b'{"geoData": {"latitude": NaN, "longitude": 1e999}, "photoTakenTime": {"timestamp": "1e300"}}',
        b'{"title": "b.jpg", "geoData": {"latitude": 0.0, "longitude": 0.0, "altitude": 0.0}}',
    ],
)  # fmt: skip
def test_json_that_is_none_or_hostile_says_nothing(content: bytes) -> None:
    assert read_takeout(content, "a.jpg") == NOTHING


def test_what_is_no_file_or_too_large_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jpg.xmp")
    (tmp_path / "a.xmp").mkdir()
    (tmp_path / "a.jpg.json").write_bytes(json.dumps(TAKEOUT | {"x": "y" * 2_000_000}).encode())
    (tmp_path / "a.jpg.s.json").symlink_to(tmp_path / "nowhere")
    assert len(Beside().files(str(tmp_path / "a.jpg"))) == 4
    assert Beside().said(str(tmp_path / "a.jpg"), Frame((4, 4))) == NOTHING


def test_a_title_that_is_no_file_name_is_said() -> None:
    written: dict[str, Any] = TAKEOUT | {"title": "My summer"}
    carried = read_takeout(json.dumps(written).encode(), "a.jpg")
    assert [one.text for one in carried.texts] == ["My summer", "zorblax on the beach"]
