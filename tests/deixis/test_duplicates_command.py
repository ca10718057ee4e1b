"""`deixis duplicates` on real files: the same picture saved again is found, and every file stays as it is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from sqlalchemy import update

from deixis.cli import run
from deixis.output import byte_count
from indexer.pipeline import IndexOptions, index_paths
from search.db.schema import Image
from search.library import Library
from storybook.drawing import render
from storybook.scenes import generate_scene
from vision.encoders.colour import ColourEncoder


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two scenes; one of them smaller and compressed again, and copied under a hostile name."""
    folder = tmp_path_factory.mktemp("scenes")
    (folder / "phone").mkdir()
    first, second = (render(generate_scene(seed, "test")).image for seed in (1, 2))
    first.save(folder / "first.png")
    second.save(folder / "second.png")
    first.resize((128, 128)).save(folder / "phone" / "small.jpg", quality=50)
    shutil.copyfile(folder / "phone" / "small.jpg", folder / "phone" / "a\x1b[31m\n\udcff.jpg")
    return folder


@pytest.fixture(scope="module")
def made(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("made") / "home"
    with Library.open(home, create=True) as library:
        index_paths(library, ColourEncoder(), [pictures], IndexOptions(decode_workers=1))
    return home


@pytest.fixture
def own(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that library which a test may change; DEIXIS_HOME leads to it."""
    home = shutil.copytree(made, tmp_path / "home")
    monkeypatch.setenv("DEIXIS_HOME", str(home))
    return home


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_copies_stand_together_and_nothing_changes(
    own: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(pictures)
    assert run(["duplicates"]) == 0
    shown = capsys.readouterr().out
    lines = shown.splitlines()
    assert lines[0].startswith("1. nearly the same: 3 files, ")
    assert lines[1].startswith("   256 × 256  ")
    assert "  PNG   " in lines[1]
    assert lines[1].endswith(f"  largest, oldest  {pictures}/first.png")
    assert lines[2].endswith("a\\x1b[31m\\n\ufffd.jpg")
    assert lines[3].endswith(f"  {pictures}/phone/small.jpg")
    assert "3 pictures: 1 groups of 3 files" in shown
    assert lines[-1] == "Nothing was deleted or changed."
    assert "\x1b" not in shown
    assert contents(pictures) == before


def test_json_has_every_fact(own: Path, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["duplicates", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    (group,) = found["groups"]
    assert (found["groups_found"], found["files"], found["pictures"], found["unhashed"]) == (1, 3, 3, 0)
    assert (group["equal"], group["spare_bytes"]) == (False, found["spare_bytes"])
    first, again, small = group["files"]
    assert (first["path"], first["largest"], first["format"]) == (f"{pictures}/first.png", True, "PNG")
    assert (small["width_px"], small["height_px"], small["format"]) == (128, 128, "JPEG")
    assert small["size_bytes"] == (pictures / "phone" / "small.jpg").stat().st_size
    assert again["image_id"] == small["image_id"] != first["image_id"]
    assert again["path"].endswith("\ufffd.jpg")


def test_exact_paths_and_limits_narrow_it_down(own: Path, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def files(*options: str) -> list[int]:
        assert run(["duplicates", "--json", *options]) == 0
        return [len(group["files"]) for group in json.loads(capsys.readouterr().out)["groups"]]

    assert files("--exact") == [2]
    assert files("--below", str(pictures / "phone")) == [3]
    assert files("--below", str(pictures / "second.png")) == []
    assert files("--limit", "1") == [3]
    assert run(["duplicates", "--below", "/nowhere"]) == 1
    assert "nothing at or below" in capsys.readouterr().err
    assert run(["duplicates", "--limit", "0"]) == 2


def test_pictures_of_an_older_version_are_left_out_and_said(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Library.open(own) as library, library.write() as session:
        session.execute(update(Image).values(perceptual_hash=None))
    assert run(["duplicates", "--json"]) == 3
    shown = capsys.readouterr()
    assert [group["equal"] for group in json.loads(shown.out)["groups"]] == [True]
    assert "3 pictures were indexed by an older version" in shown.err
    assert "index --rescan" in shown.err
    assert run(["duplicates", "--exact"]) == 0
    assert capsys.readouterr().err == ""


def test_a_rescan_brings_what_was_missing(own: Path, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Library.open(own) as library:
        with library.write() as session:
            session.execute(update(Image).values(perceptual_hash=None))
        index_paths(library, ColourEncoder(), [pictures], IndexOptions(decode_workers=1, rescan=True))
    assert run(["duplicates", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["groups"][0]["files"]) == 3


def test_an_empty_library_has_none(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Library.open(home, create=True).close()
    assert run(["duplicates", "--home", str(home)]) == 0
    assert "0 pictures: 0 groups of 0 files" in capsys.readouterr().out


_SAID = {0: "0 bytes", 999: "999 bytes", 1000: "1.0 kB", 999_949: "999.9 kB", 999_950: "1.0 MB", 10**16: "10000.0 TB"}


@pytest.mark.parametrize(("count", "said"), _SAID.items())
def test_bytes_are_said_in_powers_of_a_thousand(count: int, said: str) -> None:
    assert byte_count(count) == said
