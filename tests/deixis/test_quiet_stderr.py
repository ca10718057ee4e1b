"""The error stream of a run that goes well holds nothing of other libraries."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from vision.encoders.builtin import built_in_folder

ROOT = Path(__file__).resolve().parents[2]


def _deixis(home: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("DEIXIS_", "TRANSFORMERS"))
    }
    return subprocess.run(
        [sys.executable, "-m", "deixis", *arguments],
        cwd=ROOT,
        env=environment | {"DEIXIS_HOME": str(home), "OMP_NUM_THREADS": "1", **environ},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def remarkable_model(tmp_path: Path) -> Path:
    """A real CLIP whose configuration leaves its text tower's special tokens to the library, as hub models do."""
    folder = shutil.copytree(built_in_folder("storybook-encoder"), tmp_path / "model")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    for name in ("bos_token_id", "eos_token_id"):
        config["text_config"].pop(name, None)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def test_a_good_run_says_nothing_on_the_error_stream(remarkable_model: Path, tmp_path: Path) -> None:
    Image.new("RGB", (40, 30), "red").save(tmp_path / "red.png")
    home = tmp_path / "home"
    loud = _deixis(home, "index", str(tmp_path / "red.png"), "--model", str(remarkable_model))
    assert (loud.returncode, loud.stderr) == (0, "")
    searched = _deixis(home, "search", "red")
    assert (searched.returncode, searched.stderr) == (0, "")


def test_whoever_asks_the_library_to_speak_hears_it(remarkable_model: Path, tmp_path: Path) -> None:
    Image.new("RGB", (40, 30), "red").save(tmp_path / "red.png")
    arguments = ("classify", str(tmp_path / "red.png"), "--labels", "a,b", "--model", str(remarkable_model))
    asked = _deixis(tmp_path / "home", *arguments, TRANSFORMERS_VERBOSITY="warning")
    assert asked.returncode == 0
    assert "token_id" in asked.stderr  # so that the test above would see it
