"""`deixis caption --language`: the captioner's own languages, a translator's, and neither's."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deixis.cli import run
from tests.vision.grounding.conftest import save_captioner
from tests.vision.translation.conftest import save_translator


def test_a_language_of_the_translator_is_written_and_one_of_neither_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    for name in [name for name in os.environ if name.startswith("DEIXIS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DEIXIS_HOME", str(tmp_path / "home"))
    (tmp_path / "pictures").mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (30, 40, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "pictures" / "one.png")
    captioner = str(save_captioner(tmp_path / "captioner"))
    translator = str(save_translator(tmp_path / "translator", max_position_embeddings=160))
    assert run(["index", str(tmp_path / "pictures"), "--model", "colour", "--threads", "1"]) == 0
    capsys.readouterr()

    words = ["caption", "--captioner", captioner, "--threads", "1", "--quiet", "--language"]
    assert run([*words, "it"]) == 1
    assert "--translator m2m100" in capsys.readouterr().err
    assert run([*words, "tlh", "--translator", translator]) == 1
    assert "'tlh'" in capsys.readouterr().err
    assert run([*words, "it", "--translator", translator]) == 0
    assert "1 pictures captioned" in capsys.readouterr().out
