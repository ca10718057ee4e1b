"""A small library of colours with captions, for commands that need one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from deixis.cli import run


@pytest.fixture(scope="session")
def made_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a library with three pictures and a person's captions; beside it what commands measure with."""
    place = tmp_path_factory.mktemp("library")
    pictures = place / "pictures"
    pictures.mkdir()
    for width, colour in enumerate(("red", "green", "blue"), start=40):
        Image.new("RGB", (width, 30), colour).save(pictures / f"{colour}.png")
    (place / "notes.jsonl").write_text(
        '{"file": "red.png", "captions": [{"text": "a red kayak"}], "regions": '
        '[{"phrase": "kayak", "box": [0, 0, 1, 1]}]}\n'
    )
    _write_entities(place / "entities")
    arguments = ["--home", str(place / "home"), "--quiet"]
    assert run(["index", str(pictures), "--model", "colour", *arguments]) == 0
    assert run(["import", str(place / "notes.jsonl"), *arguments]) == 0
    return place / "home"


@pytest.fixture
def colour_home(made_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that library which a test may change; DEIXIS_HOME leads to it, and other folders are this test's."""
    home = shutil.copytree(made_home, tmp_path / "home")
    monkeypatch.setenv("DEIXIS_HOME", str(home))
    monkeypatch.setenv("DEIXIS_THREADS", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return home


def _write_entities(folder: Path) -> None:
    """Flickr30k Entities about red.png, as its own pictures are named."""
    (folder / "Sentences").mkdir(parents=True)
    (folder / "Annotations").mkdir()
    (folder / "Sentences" / "1.txt").write_text("[/EN#5/other A red kayak] on [/EN#0/scene a lake] .\n")
    corners = "<xmin>1</xmin><ymin>1</ymin><xmax>41</xmax><ymax>31</ymax>"
    (folder / "Annotations" / "1.xml").write_text(
        "<annotation><filename>1.jpg</filename><size><width>40</width><height>30</height><depth>3</depth></size>"
        f"<object><name>5</name><bndbox>{corners}</bndbox></object></annotation>"
    )
    Image.new("RGB", (40, 30), "red").save(folder / "1.jpg")
