"""The command line as a user meets it: a process, its output and its exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from deixis.cli import run

Deixis = Callable[..., "subprocess.CompletedProcess[str]"]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def deixis(tmp_path: Path) -> Deixis:
    """Run one command line in a process of its own."""

    def call(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DEIXIS_")}
        environment |= {"DEIXIS_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1", **environ}
        return subprocess.run(
            [sys.executable, "-m", "deixis", *arguments],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
            cwd=ROOT,
            timeout=300,
        )

    return call


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for width, colour in enumerate(("red", "green", "blue"), start=40):
        Image.new("RGB", (width, 30), colour).save(folder / f"{colour}.png")
    return folder


def test_a_person_indexes_searches_imports_and_verifies(deixis: Deixis, pictures: Path, tmp_path: Path) -> None:
    indexed = deixis("index", str(pictures), "--model", "colour")
    assert indexed.returncode == 0, indexed.stderr
    assert "3 pictures embedded" in indexed.stdout

    found = deixis("search", "blue", "-k", "1", "--json")
    (hit,) = json.loads(found.stdout)["hits"]
    assert hit["path"] == str(pictures / "blue.png")

    like = deixis("search", "--like", str(pictures / "red.png"))
    assert str(pictures / "red.png") in like.stdout.splitlines()[1]

    annotations = tmp_path / "a.jsonl"
    annotations.write_text('{"file": "red.png", "regions": [{"phrase": "kayak", "box": [0, 0, 1, 1]}]}')
    imported = deixis("import", str(annotations))
    assert "0 captions and 1 boxes imported" in imported.stdout
    assert "kayak" in deixis("search", "kayak").stdout.splitlines()[1]

    assert "all agree" in deixis("verify").stdout
    (next((tmp_path / "home" / "generations").iterdir())).write_bytes(b"rotten")
    broken = deixis("verify")
    assert broken.returncode == 1
    assert "deixis rebuild" in broken.stderr
    assert deixis("rebuild").returncode == 0
    assert deixis("verify").returncode == 0
    assert "pictures   3 in 3 files" in deixis("status").stdout


def test_refused_files_are_listed_and_change_the_exit_code(deixis: Deixis, pictures: Path) -> None:
    (pictures / "bad.jpg").write_bytes(b"\xff\xd8\xff and no more")
    outcome = deixis("index", str(pictures), "--model", "colour")
    assert outcome.returncode == 3
    assert "bad.jpg: corrupt" in outcome.stderr
    report = json.loads(deixis("index", "--json").stdout)
    assert [file["earlier"] for file in report["refused"]] == [True]


@pytest.mark.parametrize(
    ("arguments", "environ", "code", "message"),
    [
        (["search", "red"], {}, 1, "deixis index FOLDER"),
        (["index", "/nowhere/at/all", "--model", "colour"], {}, 1, "no such file or folder"),
        (["index", ".", "--model", "/nowhere"], {}, 1, "no such model folder"),
        (["search"], {}, 1, "give a query, --like FILE, or both"),
        (["status"], {"DEIXIS_PORT": "many"}, 1, "DEIXIS_PORT"),
        (["status"], {"DEIXIS_HOEM": "x"}, 1, "DEIXIS_HOEM is not a setting"),
        (["frobnicate"], {}, 2, "No such command"),
        (["search", "red", "-k"], {}, 2, "requires an argument"),
        (["index", ".", "--batch-size", "0"], {}, 2, "batch-size"),
    ],
)
def test_misuse_and_failure_say_what_to_do(
    deixis: Deixis, arguments: list[str], environ: dict[str, str], code: int, message: str
) -> None:
    outcome = deixis(*arguments, **environ)
    assert outcome.returncode == code, outcome.stderr
    assert message in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_the_demo_draws_indexes_and_answers_without_a_download(deixis: Deixis, tmp_path: Path) -> None:
    arguments = ("demo", "--folder", str(tmp_path / "demo"), "--count", "24", "--no-serve")
    first = deixis(*arguments)
    assert first.returncode == 0, first.stderr
    assert "24 pictures embedded" in first.stdout
    asked = [line.split("”")[0].strip("“") for line in first.stdout.splitlines() if line.startswith("“")]
    best = [line for line in first.stdout.splitlines() if line.startswith("  1. ")]
    assert len(asked) == len(best) == 3
    # English queries are a caption of their picture: the first hit must be the picture that has it.
    lines = (tmp_path / "demo" / "gallery" / "annotations.jsonl").read_text(encoding="utf-8").splitlines()
    file_of = {caption["text"]: row["file"] for row in map(json.loads, lines) for caption in row["captions"]}
    assert file_of[asked[0]] in best[0]
    assert "24 captioned" in first.stdout
    again = deixis(*arguments)
    assert "24 pictures are drawn already" in again.stdout
    assert "24 unchanged" in again.stdout


def test_the_demo_leaves_other_peoples_pictures_alone(deixis: Deixis, tmp_path: Path) -> None:
    mine = tmp_path / "demo" / "gallery" / "scene-0001.png"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"mine")
    outcome = deixis("demo", "--folder", str(tmp_path / "demo"), "--count", "2", "--no-serve")
    assert outcome.returncode == 1
    assert "--folder" in outcome.stderr
    assert mine.read_bytes() == b"mine"


def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    commands = (
        "index import caption classify explain export quality search serve status verify rebuild demo eval models"
    )
    for command in commands.split():
        assert run([command, "--help"]) == 0
        assert "Usage:" in capsys.readouterr().out


def test_the_check_figures_of_the_real_encoder_are_met(deixis: Deixis, photos_dir: Path, photo_tiny_dir: Path) -> None:
    """R@1 29.9, R@5 72.0, R@10 85.6 by an independent script on the same photographs."""
    deixis("index", str(photos_dir / "images"), "--model", str(photo_tiny_dir), "--quiet")
    outcome = deixis("eval", "retrieval", "--captions", str(photos_dir / "captions.json"), "--json")
    recall = json.loads(outcome.stdout)["text_to_image"]["recall_at"]
    assert [recall["1"], recall["5"], recall["10"]] == pytest.approx([29.9, 72.0, 85.6], abs=0.6)
