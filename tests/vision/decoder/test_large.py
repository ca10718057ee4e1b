"""Large pictures are decoded as small as the answer allows; what would cost too much is refused beforehand."""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.vision.decoder.pictures import encoded, png
from vision.decoder.contract import FULL_SIZE_PIXELS, full_size_factor, full_size_hw
from vision.decoder.cost import coefficient_bytes
from vision.decoder.scale import SHRINK_ABOVE_PIXELS
from vision.images import Decoded, DecodeLimits, DecodeRequest, DecoderPool, Refused
from vision.preprocessing import Preprocessing

EDGE = Preprocessing("shortest_edge", (256, 256), 3, (224, 224), 1.0, (0.0,) * 3, (1.0,) * 3, "nearest")
SQUASH = Preprocessing("exact", (224, 224), 3, None, 1.0, (0.0,) * 3, (1.0,) * 3)
MIB = 1024 * 1024


def peak_address_space(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmPeak:"))


def soft(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Something like a photograph: large shapes, and nothing finer than a few pixels."""
    seeds = np.random.default_rng(width * height).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    return Image.fromarray(seeds).convert(mode).resize((width, height), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("steps", [EDGE, SQUASH], ids=["shortest edge", "squashed"])
@pytest.mark.parametrize("size_wh", [(4000, 3000), (3999, 3001), (2501, 4003), (9001, 1201), (1203, 6001)])
def test_a_jpeg_at_reduced_scale_gives_the_pixels_of_the_whole_one(
    pool: DecoderPool, size_wh: tuple[int, int], steps: Preprocessing
) -> None:
    data = encoded(soft(*size_wh), "JPEG")
    small = pool.decode(DecodeRequest("test", data=data, preprocessing=steps, preview_px=400))
    assert isinstance(small, Decoded)
    assert (small.width_px, small.height_px) == size_wh
    with Image.open(io.BytesIO(data)) as picture:
        expected = steps.prepare_picture(picture.convert("RGB"))
    assert small.pixels is not None
    difference = np.abs(small.pixels.astype(int) - expected)
    assert difference.mean() < 1.0
    assert np.percentile(difference, 99) <= 4
    assert small.preview is not None
    with Image.open(io.BytesIO(small.preview)) as preview:
        factor = 400 / max(size_wh)
        assert preview.size == (round(size_wh[0] * factor), round(size_wh[1] * factor))


@pytest.mark.parametrize("progressive", [False, True])
def test_a_picture_of_108_megapixels_goes_in_by_default_and_takes_little_memory(progressive: bool) -> None:
    grey = Image.linear_gradient("L").resize((12_000, 9_000), Image.Resampling.NEAREST)
    data = encoded(grey, "JPEG", quality=80, progressive=progressive)
    with DecoderPool(DecodeLimits(timeout_s=200)) as pool:
        decoded = pool.decode(DecodeRequest("test", data=data, preprocessing=EDGE, preview_px=1600))
        peak = peak_address_space(pool.child_pids()[0])
    assert isinstance(decoded, Decoded)
    assert (decoded.width_px, decoded.height_px) == (12_000, 9_000)
    assert peak < (650 if progressive else 420) * MIB


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1", "I;16", "F"])
def test_averaging_strips_equals_preparing_the_whole(pool: DecoderPool, mode: str) -> None:
    source = soft(6_400, 4_000, "L" if mode in ("1", "I;16", "F") else "RGB")  # 25.6 megapixels: just beyond
    if mode == "I;16":
        stored = Image.fromarray(np.asarray(source, dtype=np.uint16) * 257)
    elif mode == "P":
        stored = soft(640, 400).quantize(32).resize(source.size, Image.Resampling.NEAREST)
    else:
        stored = source.convert(mode)
    data = encoded(stored, "TIFF")
    assert stored.width * stored.height > SHRINK_ABOVE_PIXELS
    small = pool.decode(DecodeRequest("test", data=data, preprocessing=SQUASH))
    assert isinstance(small, Decoded), small
    shown = source if mode == "I;16" else stored
    expected = SQUASH.prepare_picture(shown.convert("RGB"))
    assert small.pixels is not None
    assert np.abs(small.pixels.astype(int) - expected).mean() < 1.5


def test_a_picture_asked_for_at_full_size_is_bounded_too() -> None:
    data = encoded(soft(9_001, 6_001, "L"), "JPEG")
    with DecoderPool() as pool:
        decoded = pool.decode(DecodeRequest("test", data=data))
    assert isinstance(decoded, Decoded)
    assert (decoded.width_px, decoded.height_px) == (9_001, 6_001)
    assert decoded.pixels is not None
    assert decoded.pixels.shape == (3_001, 4_501, 3)


def test_full_size_is_full_up_to_a_limit_and_a_power_of_two_below() -> None:
    for width, height in ((1, 1), (8000, 5000), (8001, 5000), (16320, 12240), (1, 10**9), (30_000, 30_000)):
        factor = full_size_factor(width, height)
        assert math.log2(factor).is_integer()
        rows, columns = full_size_hw(height, width)
        assert rows * columns <= FULL_SIZE_PIXELS
        assert factor == 1 or -(-width // (factor // 2)) * -(-height // (factor // 2)) > FULL_SIZE_PIXELS


def refusal(data: bytes, **limits: int) -> Refused:
    with DecoderPool(DecodeLimits(**limits)) as pool:  # type: ignore[arg-type]
        answer = pool.decode(DecodeRequest("test", data=data, preprocessing=SQUASH))
        assert isinstance(answer, Refused)
        assert len(pool.child_pids()) == 1, "it was refused by estimate: the child lives"
    return answer


def test_what_would_not_fit_is_refused_before_it_is_decoded_and_the_setting_is_named() -> None:
    wide = encoded(Image.new("RGB", (6_000, 5_000), "teal"), "WEBP", quality=10, method=0)
    answer = refusal(wide, memory_bytes=512 * MIB)
    assert answer.code == "out_of_memory"
    assert "DEIXIS_DECODE_MEMORY_BYTES" in answer.reason


@pytest.mark.parametrize(
    ("data", "limits", "named"),
    [
        (png(100, 100, pixels=bytes(101 * 100)), {"max_pixels": 9_999}, "DEIXIS_MAX_PIXELS"),
        (png(9_400, 9_400, pixels=bytes(9_401 * 9_400)), {}, "DEIXIS_MAX_EXPANSION"),
        (encoded(Image.new("RGB", (8_000, 8_000)), "WEBP", lossless=True, method=0), {}, "DEIXIS_MAX_EXPANSION"),
        (encoded(Image.new("1", (30_000, 30_000)), "TIFF", compression="group4"), {}, "DEIXIS_MAX_EXPANSION"),
        (b"\xff\x0a" + (((1 << 30) - 1) << 6 | 3 << 1).to_bytes(8, "little") + bytes(20), {}, "DEIXIS_MAX_PIXELS"),
    ],
    ids=["pixels", "PNG bomb", "WebP bomb", "fax bomb", "JPEG XL bomb"],
)
def test_bombs_are_refused_by_their_header_and_the_setting_is_named(
    data: bytes, limits: dict[str, int], named: str
) -> None:
    answer = refusal(data, **limits)
    assert answer.code == "too_many_pixels"
    assert named in answer.reason


@pytest.mark.parametrize(
    ("mode", "options", "bytes_a_pixel"),
    [
        ("RGB", {"progressive": True, "subsampling": 0}, 6),
        ("RGB", {"progressive": True, "subsampling": 2}, 3),
        ("L", {"progressive": True}, 2),
        ("CMYK", {"progressive": True}, 8),
        ("RGB", {}, 0),
    ],
)
def test_a_progressive_jpeg_is_known_to_keep_its_coefficients(
    mode: str, options: dict[str, object], bytes_a_pixel: int
) -> None:
    data = encoded(soft(640, 480).convert(mode), "JPEG", **{"subsampling": 0, **options})
    assert coefficient_bytes(data) == bytes_a_pixel * 640 * 480
