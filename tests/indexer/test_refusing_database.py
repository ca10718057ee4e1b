"""A database that refuses one row for a reason that nobody foresaw: that item is named, and the others go in."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from indexer.importers import import_annotations
from indexer.pipeline import IndexOptions, index_paths
from search.library import Library
from search.maintenance import verify
from search.results import SearchRequest
from search.service import SearchService
from vision.encoders.base import Encoder

Draw = Callable[..., Path]
OPTIONS = IndexOptions(decode_workers=1, batch_size=8)


def forbid(library: Library, table: str, condition: str) -> None:
    """Let the database itself refuse new rows of a table that fulfil a condition."""
    if library.engine.dialect.name == "postgresql":
        statement = f"ALTER TABLE {table} ADD CONSTRAINT forbidden CHECK (NOT ({condition}))"
    else:
        statement = (
            f"CREATE TRIGGER forbidden BEFORE INSERT ON {table} WHEN NEW.{condition}"
            " BEGIN SELECT RAISE(ABORT, 'forbidden'); END"
        )
    with library.write() as session:
        session.execute(text(statement))


def allow(library: Library, table: str) -> None:
    on_postgres = library.engine.dialect.name == "postgresql"
    with library.write() as session:
        session.execute(
            text(f"ALTER TABLE {table} DROP CONSTRAINT forbidden" if on_postgres else "DROP TRIGGER forbidden")
        )


def test_a_picture_a_copy_and_a_refusal_that_are_refused_cost_themselves(
    library: Library, encoder: Encoder, draw: Draw, pictures: Path
) -> None:
    draw("first.png", "white", (30, 20))
    index_paths(library, encoder, [pictures], OPTIONS)
    for number in range(9):
        draw(f"{number}.png", "red", (40 + number, 30))
    draw("bad.png", "blue", (60, 30))
    shutil.copy(pictures / "first.png", pictures / "copy.png")
    shutil.copy(pictures / "first.png", pictures / "bad copy.png")
    (pictures / "broken.png").write_bytes(b"no picture")
    (pictures / "bad broken.png").write_bytes(b"no picture")
    forbid(library, "files", "name LIKE 'bad%'")
    report = index_paths(library, encoder, [pictures], OPTIONS)
    assert (report.embedded, report.reused) == (9, 1)
    codes = {Path(file.path).name: file.reason.partition(":")[0] for file in report.refused}
    assert codes == {
        "bad.png": "unstorable",
        "bad copy.png": "unstorable",
        "broken.png": "not_an_image",
        "bad broken.png": "not_an_image",
    }
    assert "INSERT" not in " ".join(file.reason for file in report.refused)
    assert len(SearchService(library, encoder).search(SearchRequest(text="red", k=100)).hits) == 10
    assert verify(library).findings == []
    allow(library, "files")
    again = index_paths(library, encoder, [pictures], OPTIONS)
    assert (again.embedded, again.reused, again.unchanged) == (1, 1, 11)
    assert verify(library).findings == []


def test_a_record_that_is_refused_costs_itself_and_is_counted_once(
    library: Library, encoder: Encoder, draw: Draw, pictures: Path, tmp_path: Path
) -> None:
    for number in range(5):
        draw(f"{number}.png", "red", (40 + number, 30))
    index_paths(library, encoder, [pictures], OPTIONS)
    forbid(library, "captions", "language = 'tlh'")
    lines = tmp_path / "a.jsonl"
    lines.write_text(
        "\n".join(
            f'{{"file": "{number}.png", "captions": [{{"text": "number {number}", "language": "{language}"}}]}}'
            for number, language in enumerate(("en", "de", "tlh", "fr", "en"))
        )
    )
    report = import_annotations(library, encoder, [lines])
    assert (report.images, report.captions, report.texts_embedded) == (4, 4, 4)
    ((skipped),) = report.skipped
    assert (skipped.where, skipped.code) == ("a.jsonl: 2.png", "unstorable")


def test_a_table_that_is_not_there_blames_no_picture(
    library: Library, encoder: Encoder, draw: Draw, pictures: Path
) -> None:
    draw("a.png")
    index_paths(library, encoder, [pictures], OPTIONS)
    draw("b.png", "blue", (60, 30))
    with library.write() as session:
        session.execute(text("ALTER TABLE images RENAME TO elsewhere"))
    with pytest.raises(Exception, match="images"):
        index_paths(library, encoder, [pictures], OPTIONS)
    with library.write() as session:
        session.execute(text("ALTER TABLE elsewhere RENAME TO images"))
    report = index_paths(library, encoder, [pictures], OPTIONS)
    assert (report.embedded, report.refused) == (1, [])
