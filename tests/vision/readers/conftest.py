"""The reader that an installed package carries, and pictures with words that are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from vision.readers.base import Reader
from vision.readers.registry import installed_reader, load_reader
from vision.types import RgbImage

Write = Callable[..., RgbImage]


@pytest.fixture(scope="session")
def reader() -> Reader:
    if installed_reader("rapidocr") is None:
        pytest.skip("needs the extra ocr")
    return load_reader("rapidocr", threads=1)


@pytest.fixture(scope="session")
def write() -> Write:
    """A white picture with lines of text at given places, in the font that Pillow carries."""

    def draw(*lines: tuple[str, tuple[int, int]], size_wh: tuple[int, int] = (640, 360), size_px: int = 36) -> RgbImage:
        picture = Image.new("RGB", size_wh, "white")
        drawing = ImageDraw.Draw(picture)
        for text, at in lines:
            drawing.text(at, text, fill=(10, 10, 60), font=ImageFont.load_default(size_px))
        return np.array(picture, np.uint8)

    return draw
