"""EXIF is read as cameras write it, through the decoder as it runs, and nothing in it can harm."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from tests.vision.decoder.pictures import encoded, upright
from vision.carried.exif import camera_name
from vision.carried.facts import Carried
from vision.images import Decoded, DecodeRequest, DecoderPool


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    with DecoderPool(workers=1) as pool:
        yield pool


def _exif(top: dict[int, Any], details: dict[int, Any] | None = None, gps: dict[int, Any] | None = None) -> Image.Exif:
    exif = Image.Exif()
    for tag, value in top.items():
        exif[tag] = value
    exif.get_ifd(0x8769).update(details or {})
    exif.get_ifd(0x8825).update(gps or {})
    return exif


def _facts(carried: Carried) -> dict[str, str | float | None]:
    assert {fact.source for fact in carried.facts} <= {"exif"}
    return {fact.name: fact.number if fact.text is None else fact.text for fact in carried.facts}


def _read(pool: DecoderPool, data: bytes) -> dict[str, str | float | None]:
    answer = pool.decode(DecodeRequest("test", data=data))
    assert isinstance(answer, Decoded), answer
    return _facts(answer.carried)


FULL = (
    {0x010F: "Canon", 0x0110: "Canon EOS 90D\0\0", 0x4746: 4},
    {0x829A: IFDRational(1, 250), 0x829D: IFDRational(28, 10), 0x8827: 3200, 0x920A: IFDRational(50, 1),
     0xA434: "EF 50mm f/1.8 STM"},
    {1: "S", 2: (33.0, 51.0, 36.0), 3: "W", 4: (151.0, 12.0, 0.0), 5: b"\1", 6: 12.5},
)  # fmt: skip


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF"])
def test_facts_are_found_in_every_format_that_has_exif(pool: DecoderPool, kind: str) -> None:
    assert _read(pool, encoded(upright(), kind, exif=_exif(*FULL))) == {
        "camera": "Canon EOS 90D", "lens": "EF 50mm f/1.8 STM", "exposure": 0.004, "aperture": 2.8, "iso": 3200.0,
        "focal": 50.0, "latitude": -33.86, "longitude": -151.2, "altitude": -12.5, "rating": 4.0,
    }  # fmt: skip


def test_a_picture_without_exif_carries_nothing(pool: DecoderPool) -> None:
    assert _read(pool, encoded(upright(), "JPEG")) == {}


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (({0x0110: "  "}, {0x829A: 0.0}), {}),
        (({0x010F: "a", 0x0110: "x" * 10_000}, {}), {"camera": "a " + "x" * 100}),
        (({}, {0xA432: (24.0, 70.0, 2.8, 2.8)}), {"lens": "24-70mm f/2.8"}),
        (({}, {0xA432: (0.0, 0.0, 0.0, 0.0)}), {}),
        (({}, {0x9201: 8.0, 0x9202: 5.0}), {"exposure": 0.0039062, "aperture": 5.7}),
        (({}, {0x8827: 65535, 0x8832: 102400}), {"iso": 102400.0}),
        (({}, {}, {1: "N", 2: (0.0, 0.0, 0.0), 3: "E", 4: (0.0, 0.0, 0.0)}), {}),
        (({}, {}, {1: "N", 2: (91.0, 0.0, 0.0), 3: "E", 4: (2.0, 0.0, 0.0)}), {}),
        (({}, {}, {1: "N", 2: (48.0, 51.0, 0.0)}), {}),
        (({0x4746: 99}, {0x920A: -3.0}), {}),
    ],
)
def test_what_cannot_be_is_left_out(pool: DecoderPool, parts: tuple[dict[int, Any], ...], expected: Any) -> None:
    exif = _exif({0x9999: 1, **parts[0]}, *parts[1:])
    assert _read(pool, encoded(upright(), "JPEG", exif=exif)) == expected


@pytest.mark.parametrize(
    ("make", "model", "expected"),
    [
        ("NIKON CORPORATION", "NIKON D850", "NIKON D850"),
        ("OLYMPUS IMAGING CORP.", "E-M1", "OLYMPUS IMAGING CORP. E-M1"),
        ("Apple", "iPhone 15 Pro", "Apple iPhone 15 Pro"),
        ("SONY", "", "SONY"),
        (None, "DSC-RX100", "DSC-RX100"),
        ("unknown", b"X100\xff\xfe", "X100��"),
        (7, ("a",), ""),
        ("EASTMAN KODAK COMPANY", "KODAK DX4330", "KODAK DX4330"),
    ],
)
def test_maker_and_model_are_one_name(make: Any, model: Any, expected: str) -> None:
    assert camera_name(make, model) == expected


def test_real_cameras(robustness_dir: Path, pool: DecoderPool) -> None:
    """Nothing that real and broken files carry stops a picture, and what is found is what a camera can have."""
    cameras = set()
    for path in sorted(robustness_dir.rglob("*")):
        if path.suffix.lower() in (".jpg", ".heic") and path.stat().st_size < 1_000_000:
            answer = pool.decode(DecodeRequest(str(path)))
            if isinstance(answer, Decoded):
                cameras.add(_facts(answer.carried).get("camera"))
    assert len(cameras) >= 8
