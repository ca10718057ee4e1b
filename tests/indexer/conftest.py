"""Pictures of plain colours, and an encoder that knows nothing but colours: fast, and yet the real pipeline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from vision.encoders.colour import ColourEncoder

Draw = Callable[..., Path]


@pytest.fixture(scope="session")
def encoder() -> ColourEncoder:
    return ColourEncoder()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    return folder


@pytest.fixture
def draw(pictures: Path) -> Draw:
    """Write a picture of one colour; the size makes contents differ."""

    def write(name: str, colour: str = "red", size_wh: tuple[int, int] = (48, 32)) -> Path:
        path = pictures / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size_wh, colour).save(path)
        return path

    return write
