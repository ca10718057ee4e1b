"""An export that is damaged, foreign, newer or tampered with is refused in words, and nothing of it is imported."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import func, select

from indexer.export_library import ExportOptions, export_library
from indexer.import_library import import_library
from search.db.schema import Base
from search.errors import ExportFormatError
from search.library import Library
from search.maintenance import verify
from search.portable import parquet
from tests.indexer.portable import PICTURES, fill, restate, seal, tamper
from vision.encoders.registry import load_encoder
from vision.errors import DeixisError

Change = Callable[[Path], None]


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    fill(folder, load_encoder("storybook-encoder", threads=1))
    with Library.open(folder / "home") as library:
        export_library(library, folder / "export", ExportOptions(previews=True))
    return folder / "export"


@pytest.fixture
def copy(export: Path, tmp_path: Path) -> Path:
    return shutil.copytree(export, tmp_path / "copy")


def setting(column: str, value: Any, row: int = 1) -> Callable[[list[dict[str, Any]]], None]:
    def change(rows: list[dict[str, Any]]) -> None:
        rows[row][column] = value

    return change


def doubled(rows: list[dict[str, Any]]) -> None:
    rows.append(dict(rows[0]))


NAN, TOO_LONG = [float("nan")] * 192, "a" * 70


Rows = list[dict[str, Any]]
IMPOSSIBLE = [
    ("regions", setting("x1", 1.5), "its box is"),
    ("regions", setting("x0", float("nan")), "not a finite number"),
    ("regions", setting("span_end", 1000, 0), "its span ends at 1000"),
    ("regions", setting("image_id", 3, 0), "is on image 3, its caption on image"),
    ("captions", setting("source", " "), "names no source"),
    ("captions", setting("source", TOO_LONG), "has 70 characters where 64 fit"),
    ("captions", setting("language", "not a tag"), "its language is"),
    ("captions", setting("created_at", datetime(1, 1, 1, tzinfo=UTC)), "outside the calendar"),
    ("captions", setting("id", 0), "no row can have the id 0"),
    ("captions", setting("id", 2**62), "no row can have the id"),
    ("texts", setting("body", "something else"), "its digest is another one"),
    ("texts", setting("body", None), "body is empty"),
    ("texts", setting("body", "NUL \0"), "holds NUL"),
    ("images", setting("sha256", "../../etc/passwd"), "64 hex digits"),
    ("images", setting("width_px", -1), "px and"),
    ("files", setting("path", "relative"), "not absolute"),
    ("files", setting("path", "/elsewhere/1.png"), "does not lie in"),
    ("files", setting("name", "other.png"), "not the last part"),
    ("files", setting("state", "stolen"), "its state is"),
    ("files", setting("image_id", None), "without saying as what"),
    ("facts", setting("number", float("inf")), "not a finite number"),
    ("facts", setting("text", "both"), "says 'both'"),
    ("roots", setting("rules", "{", 0), "is no JSON"),
    ("roots", setting("rules", '{"exclude": NaN}', 0), "is no JSON"),
    ("models", setting("identity", "0" * 64, 0), "is not of the models that"),
    ("models", setting("facts", "[]", 0), "its facts are no object"),
    ("vectors-m1-image", setting("vector", NAN), "not finite and of unit length"),
    ("vectors-m1-image", setting("vector", [1e30] * 192), "not finite and of unit length"),
    ("vectors-m1-image", setting("vector", [0.0] * 192), "not finite and of unit length"),
    ("vectors-m1-image", setting("vector", None), "that is empty"),
    ("vectors-m1-text", setting("id", -5), "an id that none can be"),
]
REFUSED_BY_THE_DATABASE = [
    ("regions", setting("text_id", 999), "refers by text_id to 999, which is in no row of texts"),
    ("captions", setting("image_id", 999), "refers by image_id to 999, which is in no row of images"),
    ("captions", doubled, "is refused by the database"),
    ("captions", setting("generation_id", 999), "refers to a row of caption_generations that does not exist"),
    ("vectors-m1-image", setting("image_id", 999), "refers by image_id to 999"),
    ("vectors-m1-region", setting("region_id", 999), "refers to a row of regions that does not exist"),
    ("vectors-m1-text", doubled, "is refused by the database"),
]


@pytest.mark.parametrize(("name", "change", "said"), IMPOSSIBLE)
def test_a_value_that_cannot_be_imports_nothing(
    copy: Path, sqlite_library: Library, name: str, change: Callable[[Rows], None], said: str
) -> None:
    tamper(copy, f"{name}.parquet", change)
    refuse(sqlite_library, copy, said)
    assert not list(sqlite_library.vectors.segments_folder.glob("*"))


@pytest.mark.parametrize(("name", "change", "said"), REFUSED_BY_THE_DATABASE)
def test_a_row_that_contradicts_another_imports_nothing(
    copy: Path, library: Library, name: str, change: Callable[[Rows], None], said: str
) -> None:
    tamper(copy, f"{name}.parquet", change)
    refuse(library, copy, said)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def replace_by(folder: Path, name: str, table: pa.Table) -> None:
    pq.write_table(table, folder / name)
    seal(folder, name, table.num_rows)


def without(folder: Path, column: str) -> None:
    replace_by(folder, "captions.parquet", pq.read_table(folder / "captions.parquet").drop_columns([column]))


def with_more(folder: Path) -> None:
    table = pq.read_table(folder / "captions.parquet")
    replace_by(folder, "captions.parquet", table.append_column("mood", pa.array(["good"] * table.num_rows)))


def not_parquet(folder: Path) -> None:
    (folder / "texts.parquet").write_bytes(b"PAR1 no PAR1")
    seal(folder, "texts.parquet", 1)


def damaged_and_sealed(folder: Path) -> None:
    """Bytes that the checksum covers, for whoever changed them has changed the manifest as well."""
    path = folder / "texts.parquet"
    data = bytearray(path.read_bytes())
    data[4:200] = bytes(196)
    path.write_bytes(data)
    seal(folder, path.name, json.loads((folder / "manifest.json").read_text())["files"][path.name]["rows"])


def rename_in_manifest(folder: Path) -> None:
    said = json.loads((folder / "manifest.json").read_text())
    said["files"]["../outside.parquet"] = said["files"]["texts.parquet"]
    restate(folder, files=said["files"])


def forget_in_manifest(folder: Path) -> None:
    said = json.loads((folder / "manifest.json").read_text())
    del said["files"]["texts.parquet"]
    restate(folder, files=said["files"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda folder: (folder / "manifest.json").unlink(), "is no exported library"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "is no JSON"),
        (lambda folder: (folder / "manifest.json").write_text("[" * 100_000), "is no JSON"),
        (lambda folder: (folder / "manifest.json").write_text('{"format": "other"}'), "not the manifest"),
        (lambda folder: restate(folder, version=2), "newer version of Deixis"),
        (lambda folder: restate(folder, schema="9999"), "newer version of Deixis"),
        (lambda folder: restate(folder, next_ids={"images": 2**63}), "where a number belongs"),
        (lambda folder: restate(folder, models=[]), "names vectors-m1-"),
        (lambda folder: restate(folder, files=[]), "something else than an object"),
        (rename_in_manifest, "a file of the name"),
        (forget_in_manifest, "names no texts.parquet"),
        (lambda folder: (forget_in_manifest(folder), restate(folder, schema="0005")), "by an older version of Deixis"),
        (lambda folder: (folder / "texts.parquet").unlink(), "is missing"),
        (lambda folder: cut(folder / "texts.parquet"), "bytes instead of"),
        (lambda folder: flip(folder / "vectors-m1-image.parquet"), "SHA-256 is another one"),
        (not_parquet, "cannot be read"),
        (damaged_and_sealed, "cannot be read"),
        (lambda folder: without(folder, "source"), "lacks the column source"),
        (with_more, "a column mood of another kind or meaning"),
        (lambda folder: seal(folder, "texts.parquet", 1), "another number of rows"),
    ],
)
def test_an_export_that_is_not_whole_imports_nothing(
    copy: Path, sqlite_library: Library, change: Change, said: str
) -> None:
    change(copy)
    refuse(sqlite_library, copy, said)


def refuse(library: Library, folder: Path, said: str) -> None:
    with pytest.raises(ExportFormatError) as caught:
        import_library(library, folder)
    assert said in str(caught.value)
    assert caught.value.remedy
    assert verify(library).findings == []
    with library.read() as session:
        for table in Base.metadata.sorted_tables:
            if table.name != "library":
                assert session.scalar(select(func.count()).select_from(table)) == 0, table.name


def test_a_column_that_an_older_version_did_not_write_is_empty(copy: Path, sqlite_library: Library) -> None:
    without(copy, "language")
    import_library(sqlite_library, copy)
    assert verify(sqlite_library).findings == []


def test_previews_and_patches_that_cannot_be_are_left_out(copy: Path, sqlite_library: Library) -> None:
    def spoil(rows: list[dict[str, Any]]) -> None:
        rows[0]["preview"] = rows[0]["preview"][:-200]
        rows[1]["preview"] = b"\x89PNG"
        rows[2]["sha256"] = "../../../../tmp/x"
        rows[3]["size_px"] = 7

    tamper(copy, "previews.parquet", spoil)
    tamper(copy, "patches.parquet", setting("patches", b"\x89DXPAT\r\n" + bytes(100), 0))
    report = import_library(sqlite_library, copy)
    assert (report.counts["previews"], report.counts["patches"], report.left_out) == (PICTURES - 4, PICTURES - 1, 5)
    assert verify(sqlite_library).findings == []


def test_without_the_extra_it_says_what_to_install(
    export: Path, sqlite_library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(parquet.importlib.import_module("sys").modules, "pyarrow", None)
    with pytest.raises(DeixisError, match=r"pip install 'deixis\[parquet\]'"):
        import_library(sqlite_library, export)
