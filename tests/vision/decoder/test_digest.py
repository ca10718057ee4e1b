"""The digest of the pixels stays when a program rewrites what is written about a picture, and only then."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from imagecodecs import jpegxl_encode
from PIL import Image, ImageCms

from tests.vision.decoder.conftest import Reader
from tests.vision.decoder.pictures import encoded, upright
from tests.vision.decoder.test_pixels import swapped_profile
from vision.decoder.digest import of_file
from vision.preprocessing import Preprocessing

SMALL = Preprocessing("exact", (8, 8), 3, None, 1.0, (0.0,) * 3, (1.0,) * 3)
KINDS = ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "HEIF", "JPEG2000", "ICO", "PPM", "TGA", "QOI"]


def digest(reader: Reader, data: bytes, path: str = "test") -> str:
    found = reader.decoded(data, path=path, preprocessing=SMALL).pixels_sha256
    assert found is not None
    return found


def exif(words: str, orientation: int = 1) -> bytes:
    made = Image.Exif()
    made[0x010E] = words
    made[0x0112] = orientation
    return made.tobytes()


def jpeg_with(data: bytes, *segments: tuple[int, bytes]) -> bytes:
    """A JPEG with segments put in behind its first marker, as programs that write keywords do it."""
    added = b"".join(struct.pack(">BBH", 0xFF, marker, 2 + len(body)) + body for marker, body in segments)
    return data[:2] + added + data[2:]


def png_with(data: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    added = b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
    return data[:33] + added + data[33:]


def webp_with(data: bytes, exif_bytes: bytes) -> bytes:
    """A WebP in its extended form with EXIF behind the picture."""
    picture = data[12:]
    wide, high = 48 - 1, 32 - 1
    head = b"VP8X" + struct.pack("<II", 10, 0x08) + wide.to_bytes(3, "little") + high.to_bytes(3, "little")
    body = b"WEBP" + head + picture + b"EXIF" + struct.pack("<I", len(exif_bytes)) + exif_bytes
    body += b"\x00" * (len(exif_bytes) & 1)
    return b"RIFF" + struct.pack("<I", len(body)) + body


JPEG = encoded(upright(), "JPEG")
XMP = b"http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta xmlns:x='adobe:ns:meta/'>quokka</x:xmpmeta>"
REWRITTEN: dict[str, tuple[bytes, bytes]] = {
    "JPEG with EXIF": (JPEG, jpeg_with(JPEG, (0xE1, exif("a quokka")))),
    "JPEG with XMP, IPTC and a comment": (
        JPEG,
        jpeg_with(JPEG, (0xE1, XMP), (0xED, b"Photoshop 3.0\x00"), (0xFE, b"hi")),
    ),
    "JPEG with another EXIF": (jpeg_with(JPEG, (0xE1, exif("one"))), jpeg_with(JPEG, (0xE1, exif("two, and longer")))),
    "JPEG without its JFIF header": (JPEG, JPEG[:2] + JPEG[20:]),
    "JPEG with something behind its end": (JPEG, JPEG + b"MotionPhoto" + bytes(500)),
    "progressive JPEG": (
        encoded(upright(), "JPEG", progressive=True),
        jpeg_with(encoded(upright(), "JPEG", progressive=True), (0xE1, XMP)),
    ),
    "PNG with text, time and EXIF": (
        encoded(upright(), "PNG"),
        png_with(
            encoded(upright(), "PNG"), (b"tEXt", b"Comment\x00quokka"), (b"eXIf", exif("a")[6:]), (b"pHYs", bytes(9))
        ),
    ),
    "WebP with EXIF": (encoded(upright(), "WEBP"), webp_with(encoded(upright(), "WEBP"), exif("a quokka"))),
    "TIFF with a description": (encoded(upright(), "TIFF"), encoded(upright(), "TIFF", description="a quokka")),
    "GIF with a comment": (encoded(upright(), "GIF"), encoded(upright(), "GIF", comment=b"a quokka")),
    "HEIC with EXIF": (encoded(upright(), "HEIF"), encoded(upright(), "HEIF", exif=exif("a quokka"))),
    "AVIF with EXIF": (encoded(upright(), "AVIF"), encoded(upright(), "AVIF", exif=exif("a quokka"))),
}


@pytest.mark.parametrize("case", REWRITTEN)
def test_writing_about_a_picture_does_not_change_its_digest(reader: Reader, case: str) -> None:
    before, after = REWRITTEN[case]
    assert before != after
    assert digest(reader, before) == digest(reader, after)


def test_jpeg_xl_in_a_container_has_the_digest_of_its_codestream() -> None:
    stream = jpegxl_encode(np.asarray(upright()))
    boxes = ((b"JXL ", b"\r\n\x87\n"), (b"ftyp", b"jxl \x00\x00\x00\x00jxl "), (b"Exif", bytes(4) + exif("a")[6:]))
    container = b"".join(struct.pack(">I", 8 + len(body)) + kind + body for kind, body in (*boxes, (b"jxlc", stream)))
    assert of_file("JXL", stream, 1, None) == of_file("JXL", container, 1, None)


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_has_a_digest_and_another_picture_another(reader: Reader, kind: str) -> None:
    other = upright()
    other.putpixel((20, 20), (255, 0, 255))
    other.paste((0, 255, 255), (0, 0, 8, 8))
    name = f"a.{kind.lower()}"
    options = {"sizes": [(48, 32)]} if kind == "ICO" else {}
    first = digest(reader, encoded(upright(), kind, **options), name)
    assert first == digest(reader, encoded(upright(), kind, **options), name)
    assert first != digest(reader, encoded(other, kind, **options), name)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_picture_that_is_turned_is_another_one(reader: Reader, kind: str) -> None:
    said = [encoded(upright(), kind, exif=exif("the same pixels", orientation)) for orientation in (1, 6)]
    assert digest(reader, said[0]) != digest(reader, said[1])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_whose_colours_mean_something_else_is_another_one(reader: Reader, kind: str) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    kinds = [encoded(upright(), kind, icc_profile=profile) for profile in (srgb, swapped_profile())]
    assert digest(reader, kinds[0]) != digest(reader, kinds[1])


def test_the_digest_does_not_depend_on_what_was_asked(reader: Reader) -> None:
    large = Preprocessing("shortest_edge", (512, 512), 3, (448, 448), 1.0, (0.0,) * 3, (1.0,) * 3)
    for kind in ("JPEG", "PNG", "BMP", "JPEG2000"):
        data = encoded(upright().resize((1200, 800)), kind)
        with_preview = reader.decoded(data, preprocessing=large, preview_px=512).pixels_sha256
        assert digest(reader, data) == with_preview, kind


@pytest.mark.parametrize(
    "read", [lambda data: of_file("JPEG", data, 1, None), lambda data: of_file("PNG", data, 1, None)]
)
def test_no_bytes_at_all_make_it_fail(read: Callable[[bytes], str | None]) -> None:
    generator = np.random.default_rng(3)
    for size in (0, 1, 2, 3, 7, 20, 300, 5000):
        data = generator.integers(0, 256, size, dtype=np.uint8).tobytes()
        for begun in (data, b"\xff\xd8\xff" + data, b"\xff\xd8" + data.replace(b"\x00", b"\xff")):
            read(begun)
    assert io.BytesIO(JPEG).read(2) == b"\xff\xd8"
