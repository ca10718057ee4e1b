"""The demo's proof: the pages of a real server answer, and one that does not start says why."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from deixis.cli import run
from deixis.probe import probe
from search.errors import LibraryError


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A library of two pictures."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name in ("red", "blue"):
        Image.new("RGB", (60, 40), name).save(pictures / f"{name}.png")
    assert run(["index", str(pictures), "--home", str(tmp_path / "home"), "--model", "colour"]) == 0
    return tmp_path / "home"


def test_a_library_s_pages_answer_and_the_server_stops(home: Path) -> None:
    said: list[str] = []
    probe(home, "red", said.append, model="colour")
    assert all(" answers, " in line for line in said)
    asked = " ".join(said)
    for part in ("readyz", "healthz", "/search?", "/api/v1/search?", "/images/", "/media/", "/api/v1/openapi.json"):
        assert part in asked


def test_a_server_that_does_not_start_says_why(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEIXIS_THREADS", "many")
    with pytest.raises(LibraryError, match=r"ended before it answered[\s\S]*DEIXIS_THREADS"):
        probe(home, "red", lambda _line: None, model="colour")
