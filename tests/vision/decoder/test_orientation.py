"""A picture stands as its photographer saw it, whatever container says so, and is never turned twice."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from imagecodecs import jpegxl_encode
from PIL import Image

from tests.vision.decoder.conftest import Reader
from tests.vision.decoder.pictures import UNTURN, UPRIGHT_WH, encoded, turned, upright
from tests.vision.decoder.test_pixels import assert_looks_upright

ORIENTATIONS = range(1, 9)


def exif_saying(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def as_stored(orientation: int) -> Image.Image:
    stored = upright()
    return stored.transpose(UNTURN[orientation]) if orientation in UNTURN else stored


def heif_by_exif_alone(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation  # given as an object, the encoder writes it but makes no box of it
    return encoded(as_stored(orientation), "HEIF", exif=exif)


def avif_by_exif_alone(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0115] = 1  # the encoder would make a box of an orientation: it is put in afterwards, where this tag was
    data = encoded(as_stored(orientation), "AVIF", exif=exif.tobytes())
    for order in "<>":
        stand_in = struct.pack(order + "HHIH", 0x0115, 3, 1, 1)
        data = data.replace(stand_in, struct.pack(order + "HHIH", 0x0112, 3, 1, orientation))
    assert b"irot" not in data
    return data


def jxl_by_exif_alone(orientation: int) -> bytes:
    def box(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", 8 + len(content)) + kind + content

    stream = jpegxl_encode(np.asarray(as_stored(orientation)), level=95)
    exif = bytes(4) + exif_saying(orientation).removeprefix(b"Exif\x00\x00")
    parts = (b"JXL ", b"\r\n\x87\n"), (b"ftyp", b"jxl \x00\x00\x00\x00jxl "), (b"Exif", exif), (b"jxlc", stream)
    return b"".join(box(*part) for part in parts)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("written", [heif_by_exif_alone, avif_by_exif_alone, jxl_by_exif_alone])
def test_exif_is_obeyed_where_the_container_is_silent(reader: Reader, written: object, orientation: int) -> None:
    assert callable(written)
    decoded = reader.decoded(written(orientation))
    assert (decoded.width_px, decoded.height_px) == UPRIGHT_WH
    assert_looks_upright(decoded.pixels, tolerance=40)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_what_the_container_turns_is_not_turned_by_exif_again(reader: Reader, kind: str, orientation: int) -> None:
    data = turned(orientation, kind)
    if orientation > 1:
        assert b"irot" in data or b"imir" in data
    for order in "<>":  # the encoders put EXIF's own word aside; other writers leave it
        said = struct.pack(order + "HHIH", 0x0112, 3, 1, 1)
        data = data.replace(said, said[:-2] + struct.pack(order + "H", orientation))
    assert_looks_upright(reader.decoded(data).pixels)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_picture_that_is_decoded_at_a_fraction_stands_upright_too(reader: Reader, orientation: int) -> None:
    stored = as_stored(orientation)
    stored = stored.resize((stored.width * 50, stored.height * 50), Image.Resampling.NEAREST)
    decoded = reader.decoded(encoded(stored, "JPEG", exif=exif_saying(orientation)), preview_px=48)
    assert (decoded.width_px, decoded.height_px) == (2400, 1600)
    assert decoded.preview is not None
    preview = reader.decoded(decoded.preview)
    assert_looks_upright(preview.pixels, tolerance=60)
