"""The quick look at a library counts what the engine counts, and leaves everything unusual to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import null, update

from deixis.cli import run
from search.db.schema import Generation
from search.glance import glance
from search.library import Library
from search.service import SearchService
from search.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    folder = tmp_path / "pictures"
    (folder / "raw").mkdir(parents=True)
    for name, colour in (("red.png", "red"), ("blue.png", "blue"), ("raw/green.png", "green")):
        Image.new("RGB", (40, 30), colour).save(folder / name)
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    home = tmp_path / "home"
    flags = ["--home", str(home), "--model", "colour", "--quiet"]
    assert run(["index", str(folder), "--exclude", "raw/", *flags]) == 3
    (folder / "blue.png").unlink()
    assert run(["index", *flags]) == 3
    return Settings(home=home)


def test_a_glance_sees_what_the_engine_sees(settings: Settings) -> None:
    with Library.open(settings.home) as library:
        expected = SearchService(library).status()
    assert glance(settings) == expected
    assert expected.roots[0].exclude == ("raw/",)
    assert (expected.images, expected.files_missing, expected.files_refused) == (1, 1, 1)


def test_vectors_of_boxes_are_counted(settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    boxes = tmp_path / "boxes.jsonl"
    sea, shore = ('{{"phrase": "{}", "box": [0, 0, {}, 1]}}'.format(*pair) for pair in (("sea", 0.5), ("shore", 0.4)))
    boxes.write_text(f'{{"file": "red.png", "regions": [{sea}, {shore}]}}')
    home = ["--home", str(settings.home)]
    assert run(["import", str(boxes), *home]) == 0
    assert "2 boxes embedded" in capsys.readouterr().out
    with Library.open(settings.home) as library:
        expected = SearchService(library).status()
    assert glance(settings) == expected
    assert expected.published["region"] == 2
    assert run(["status", *home]) == 0
    assert "2 region" in capsys.readouterr().out
    assert run(["verify", *home]) == 0
    assert "0 boxes_without_vector" in capsys.readouterr().out


def test_a_library_that_is_out_of_the_ordinary_is_left_to_the_engine(settings: Settings) -> None:
    (settings.home / "library.json").write_text('{"uid": "another"}')
    assert glance(settings) is None


def test_an_index_is_told_with_what_it_was_measured_to_find(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    measured = {"k_factor": {"10": 4}, "k_recall": {"10": 0.9961}, "queries": 80, "of": "texts"}
    for facts, told in (
        (measured, "image: Flat, compares 40 for 10 hits: recall@10 0.9961 on 80 texts"),
        (measured | {"k_factor": {}}, "image: Flat, compares all; codes found too little on 80 texts"),
        (None, "image: Flat, compares all"),
    ):
        with Library.open(settings.home) as library, library.write() as session:
            session.execute(update(Generation).where(Generation.kind == "image").values(measured=facts or null()))
        capsys.readouterr()
        assert run(["status", "--home", str(settings.home)]) == 0
        assert told + "\n" in capsys.readouterr().out
        with Library.open(settings.home) as library:
            assert glance(settings) == SearchService(library).status()
