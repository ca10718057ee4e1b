"""The reader that the extra brings reads plain words where they stand, and nothing where there is nothing."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.vision.readers.conftest import Write
from vision.readers.base import Reader
from vision.readers.registry import load_reader

ROOT = Path(__file__).resolve().parents[3]


def test_lines_are_read_in_their_order_with_boxes_around_them(reader: Reader, write: Write) -> None:
    picture = write(("Closed on Monday", (60, 200)), ("Museum 1924", (200, 60)))
    (reading,) = reader.read([picture])
    assert [line.text for line in reading.lines] == ["Museum 1924", "Closed on Monday"]
    assert not reading.glanced
    for line in reading.lines:
        x0, y0, x1, y1 = (side * length for side, length in zip(line.box.as_xyxy(), (640, 360, 640, 360), strict=True))
        ink = np.argwhere(picture[int(y0) : int(y1) + 1, int(x0) : int(x1) + 1].min(axis=2) < 100)
        assert len(ink) > 200
        assert line.confidence > 0.8
        assert line.script == "Latn"
        assert len(line.corners) == 4
    outside = picture.copy()
    for line in reading.lines:
        x0, y0, x1, y1 = line.box.as_xyxy()
        outside[int(y0 * 360) : int(y1 * 360) + 1, int(x0 * 640) : int(x1 * 640) + 1] = 255
    assert (outside.min(axis=2) < 100).mean() < 0.001, "no ink lies outside the boxes"


def test_a_first_look_is_enough_where_nothing_is_written(reader: Reader) -> None:
    ramp = np.tile(np.linspace(0, 255, 320).astype(np.uint8)[None, :, None], (240, 1, 3))
    (reading,) = reader.read([ramp])
    assert reading.glanced
    assert reading.lines == ()


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_picture_is_read_all_the_same(reader: Reader, write: Write, turns: int) -> None:
    (reading,) = reader.read([np.ascontiguousarray(np.rot90(write(("Departures", (150, 150))), turns))])
    assert "Departures" in [line.text for line in reading.lines]


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 3000), (3000, 1), (2, 2), (33, 31)])
def test_pictures_of_any_shape_are_looked_at(reader: Reader, size_hw: tuple[int, int]) -> None:
    (reading,) = reader.read([np.full((*size_hw, 3), 128, np.uint8)])
    assert reading.lines == ()


def test_a_picture_is_read_alike_alone_and_among_others(reader: Reader, write: Write) -> None:
    one, other = write(("Platform 9", (60, 100))), write(("Bakery", (60, 100)), size_wh=(400, 300))
    assert reader.read([one, other]) == [*reader.read([one]), *reader.read([other])]


def test_words_of_a_photograph_are_read(reader: Reader, photos_dir: Path) -> None:
    with Image.open(photos_dir / "images" / "000000000885.jpg") as picture:
        (reading,) = reader.read([np.array(picture.convert("RGB"))])
    assert {"J.P.Morgan", "POLO"} <= {line.text for line in reading.lines}


def test_who_looks_more_closely_is_another_reader(reader: Reader) -> None:
    thorough = load_reader("rapidocr", thorough=True)
    assert thorough.facts.identity != reader.facts.identity
    assert load_reader("rapidocr", threads=2).facts == reader.facts
    ramp = np.tile(np.linspace(0, 255, 320).astype(np.uint8)[None, :, None], (240, 1, 3))
    assert not thorough.read([ramp])[0].glanced


def test_reading_imports_no_package_that_downloads_or_logs_and_opens_no_connection(reader: Reader) -> None:
    script = (
        "import socket, sys, numpy\n"
        "def refuse(*_): raise SystemExit('a connection was opened')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from vision.readers.registry import load_reader\n"
        "load_reader('rapidocr').read([numpy.full((64, 64, 3), 99, numpy.uint8)])\n"
        "print(*sorted({'rapidocr', 'requests', 'torch'} & set(sys.modules)))\n"
    )
    assert socket.socket.connect is not None
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == ""
    assert done.stderr == ""
