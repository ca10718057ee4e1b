"""Files made after other programs' bug reports: each is shown as people expect it, or refused with the true reason."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.vision.decoder.conftest import Reader

CORNERS = {"top left": (255, 0, 0), "top right": (0, 255, 0), "bottom left": (0, 0, 255), "bottom right": (255, 255, 0)}


@pytest.fixture(scope="module")
def reports(shared_dir: Path) -> Path:
    folder = shared_dir / "data" / "reports"
    if not folder.is_dir():
        pytest.skip("needs the test data in ../shared/data/reports")
    return folder


@pytest.mark.parametrize(
    ("name", "kind"), [("phone.jxl", "JXL"), ("codestream_named.jpg", "JXL"), ("pic.jp2", "JPEG2000")]
)
def test_the_bear_is_read_whatever_its_format_and_its_name(
    reader: Reader, reports: Path, photos_dir: Path, name: str, kind: str
) -> None:
    decoded = reader.decoded((reports / "formats" / name).read_bytes())
    assert (decoded.format, decoded.width_px, decoded.height_px) == (kind, 586, 640)
    assert decoded.pixels is not None
    bear = np.asarray(Image.open(photos_dir / "images" / "000000000285.jpg").convert("RGB"), dtype=int)
    assert np.abs(decoded.pixels.astype(int) - bear).mean() < 6


def test_the_thumbnail_of_a_raw_file_is_never_taken_for_the_picture(reader: Reader, reports: Path) -> None:
    decoded = reader.decoded((reports / "formats" / "camera.dng").read_bytes())
    assert (decoded.format, decoded.width_px, decoded.height_px) == ("RAW", 1024, 768)
    assert decoded.pixels is not None
    assert decoded.pixels.shape == (768, 1024, 3)


@pytest.mark.parametrize("name", ["samsung_exif6_noirot.heic", "exif6_by_pillow_heif.heic", "rgb_float.tif"])
def test_the_four_corners_are_where_they_belong(reader: Reader, reports: Path, name: str) -> None:
    decoded = reader.decoded((reports / "pixels" / name).read_bytes())
    assert (decoded.width_px, decoded.height_px) == (400, 300)
    assert decoded.pixels is not None
    found = dict(zip(CORNERS, (decoded.pixels[y, x] for y in (20, -20) for x in (20, -20)), strict=True))
    for corner, colour in CORNERS.items():
        assert np.abs(found[corner].astype(int) - colour).max() < 40, (corner, found[corner])


def test_a_white_logo_on_transparency_is_seen(reader: Reader, reports: Path) -> None:
    answer = reader.decoded((reports / "pixels" / "white_logo_transparent.png").read_bytes(), preview_px=200)
    assert answer.preview is not None
    with Image.open(io.BytesIO(answer.preview)) as preview:
        grey = np.asarray(preview.convert("L"), dtype=int)
    assert grey.max() > 240
    assert grey.min() < 120
