"""The door to foreign pictures, as the rooms above use it."""

from __future__ import annotations

import hashlib
import io
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.vision.decoder.pictures import UPRIGHT_WH, dated, encoded, turned, upright
from vision.errors import ImageRefusedError
from vision.images import REFUSALS, DecodeLimits, DecodeRequest, decode_one
from vision.preprocessing import Preprocessing


def test_a_file_becomes_upright_pixels_and_facts(tmp_path: Path) -> None:
    data = turned(6, "PNG")
    path = tmp_path / "a.jpg"  # the content counts, not the name
    path.write_bytes(data)
    decoded = decode_one(DecodeRequest(str(path)))
    assert decoded.path == str(path)
    assert decoded.sha256 == hashlib.sha256(data).hexdigest()
    assert decoded.size_bytes == len(data)
    assert (decoded.width_px, decoded.height_px, decoded.format, decoded.frames) == (*UPRIGHT_WH, "PNG", 1)
    assert decoded.taken_at is None
    assert decoded.preview is None
    np.testing.assert_array_equal(decoded.pixels, np.asarray(upright()))


def test_an_upload_needs_no_file() -> None:
    decoded = decode_one(DecodeRequest("holiday.jpg", data=dated("JPEG", "2024:03:01 12:30:05")))
    assert decoded.path == "holiday.jpg"
    assert decoded.taken_at == datetime(2024, 3, 1, 12, 30, 5)


@pytest.mark.parametrize(
    ("preview_px", "expected_wh"),
    [(24, (24, 16)), (7, (7, 5)), (1, (1, 1)), (48, (48, 32)), (4000, (48, 32))],
)
def test_a_preview_is_a_small_jpeg_that_is_never_enlarged(preview_px: int, expected_wh: tuple[int, int]) -> None:
    decoded = decode_one(DecodeRequest("test", data=turned(8, "JPEG"), preview_px=preview_px))
    assert decoded.pixels is None
    assert decoded.preview is not None
    with Image.open(io.BytesIO(decoded.preview)) as preview:
        assert preview.format == "JPEG"
        assert preview.size == expected_wh
        assert not preview.info.get("exif")
        assert not preview.info.get("icc_profile")


def test_pixels_and_preview_come_from_one_decoding() -> None:
    steps = Preprocessing("exact", (10, 12), 3, None, 1 / 255, (0.5,) * 3, (0.5,) * 3)
    decoded = decode_one(DecodeRequest("test", data=encoded(upright(), "PNG"), preprocessing=steps, preview_px=16))
    assert decoded.pixels is not None
    assert decoded.pixels.shape == (10, 12, 3)
    assert decoded.preview is not None
    assert (decoded.width_px, decoded.height_px) == UPRIGHT_WH


def test_a_refusal_says_what_happened_and_what_to_do() -> None:
    with pytest.raises(ImageRefusedError) as caught:
        decode_one(DecodeRequest("upload.jpg", data=encoded(upright(), "JPEG")[:-300]))
    assert caught.value.code == "corrupt"
    assert caught.value.remedy == REFUSALS["corrupt"]
    assert "upload.jpg" in str(caught.value)


def test_a_limit_that_is_lowered_holds() -> None:
    width, height = UPRIGHT_WH
    request = DecodeRequest("test", data=encoded(upright(), "PNG"))
    assert decode_one(request, DecodeLimits(max_pixels=width * height)).width_px == width
    with pytest.raises(ImageRefusedError) as caught:
        decode_one(request, DecodeLimits(max_pixels=width * height - 1))
    assert caught.value.code == "too_many_pixels"


def test_a_request_and_an_answer_do_not_print_their_pixels() -> None:
    request = DecodeRequest("test", data=encoded(upright(), "PNG"), preview_px=16)
    assert len(repr(request)) < 200
    assert len(repr(decode_one(request))) < 400
