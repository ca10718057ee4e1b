"""The house itself: every room is ours, and nothing personal or local is written into it."""

from __future__ import annotations

import importlib
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("room", ["deixis", "web", "indexer", "search", "vision", "storybook", "migrations"])
def test_each_room_is_imported_from_this_checkout(room: str) -> None:
    """Packages on the index have names like `web`; one of them shadowing a room would be a puzzling day."""
    module = importlib.import_module(room)
    places = [Path(place) for place in module.__path__]
    assert places == [ROOT / room]


def test_every_python_file_of_the_product_states_its_purpose_in_its_first_line() -> None:
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("needs a git checkout to tell which files belong to it")
    for name in listed.stdout.split():
        first = (ROOT / name).read_text(encoding="utf-8").split("\n", 1)[0]
        assert first.startswith('"""'), f"{name} begins with {first!r}"
