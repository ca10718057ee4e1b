"""`deixis captions`: what people see of generations, how they choose, and that erasing is asked for."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from deixis.cli import run
from search.captioning import begin_generation
from search.db.annotations import CaptionFact, add_annotations
from search.library import Library

SOURCE = "kosmos2:0123456789ab"


@pytest.fixture
def captioned(colour_home: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    with Library.open(colour_home, create=True) as library, library.write() as session:
        number = begin_generation(session, SOURCE, "en", "brief")
        add_annotations(session, 1, [CaptionFact("a red wall", "en")], [], SOURCE, number)
    assert run(["index", "--quiet"]) == 0
    capsys.readouterr()
    return colour_home


def test_a_captioner_can_rest_be_told_again_and_be_erased(
    captioned: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["captions", "list"]) == 0
    assert "#1 told: en, brief; 1 of 3 pictures, since 20" in capsys.readouterr().out
    with Library.open(captioned, create=True) as library, library.write() as session:
        begin_generation(session, "florence2:0123456789ab", "en", "brief")
    assert run(["captions", "use", "florence2"]) == 0
    assert f"resting  {SOURCE} (en, brief)" in capsys.readouterr().out
    assert run(["captions", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [(one["source"], one["resting"], one["images"]) for one in listed["generations"]] == [
        (SOURCE, True, 1),
        ("florence2:0123456789ab", False, 0),
    ]
    assert [source["name"] for source in listed["sources"]] == ["import", SOURCE]
    assert run(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["captions"] == 1
    assert run(["captions", "use", "all"]) == 0
    capsys.readouterr()

    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))  # no terminal: nobody to ask
    assert run(["captions", "drop", "kosmos2"]) == 1
    assert "Add --yes" in capsys.readouterr().err
    assert run(["captions", "drop", "kosmos2", "--yes"]) == 0
    assert "1 captions, 0 boxes and 1 texts erased" in capsys.readouterr().out
    assert run(["captions", "drop", "kosmos2", "--yes"]) == 1
    assert "no captioner's captions are called 'kosmos2'" in capsys.readouterr().err
    assert run(["verify"]) == 0
