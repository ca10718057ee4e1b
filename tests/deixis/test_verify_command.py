"""`verify` and `rebuild` on the command line: what is wrong is named, as text and as JSON, and neither hides it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import update

from deixis.cli import run
from indexer.pipeline import IndexOptions, index_paths
from search.db.annotations import CaptionFact, add_annotations
from search.db.schema import TextBody
from search.library import Library
from vision.encoders.colour import ColourEncoder


@pytest.fixture
def filled(home: Path, tmp_path: Path) -> Path:
    """A library of one picture with a caption; returns its home."""
    (tmp_path / "pictures").mkdir()
    Image.new("RGB", (60, 40), "red").save(tmp_path / "pictures" / "a.png")
    with Library.open(home, create=True) as library:
        for _ in range(2):
            index_paths(library, ColourEncoder(), [tmp_path / "pictures"], IndexOptions(decode_workers=1))
            with library.write() as session:
                add_annotations(session, 1, [CaptionFact("a red wall")], (), "import")
    return home


def damage(home: Path) -> None:
    with Library.open(home) as library, library.write() as session:
        session.execute(update(TextBody).values(body="a red\x1b wall"))


def test_a_sound_library_is_a_clean_object(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", "--json", "--home", str(filled)]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["clean"], report["findings"]) == (True, [])
    assert report["checked"]["images"] == report["checked"]["previews"] == 1


def test_a_finding_has_its_row_in_json_and_its_remedy_on_the_screen(
    filled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(filled)
    assert run(["verify", "--json", "--home", str(filled)]) == 1
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert set(finding) == {"code", "where", "message", "remedy", "table", "row"}
    assert (finding["code"], finding["table"], finding["row"]) == ("text_digest", "texts", 1)
    assert run(["verify", "--home", str(filled)]) == 1
    assert finding["remedy"] in capsys.readouterr().err


def test_rebuild_does_not_call_a_damaged_text_sound(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damage(filled)
    assert run(["rebuild", "--home", str(filled)]) == 1
    said = capsys.readouterr()
    assert "text_digest: texts row 1" in said.err
    assert "verify finds 1 wrong" in said.out
