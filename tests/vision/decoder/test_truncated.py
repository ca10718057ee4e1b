"""A picture whose file ends too soon is shown as far as it goes, and marked; of which nothing is left is refused."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.vision.decoder.conftest import Reader
from tests.vision.decoder.pictures import encoded, upright
from vision.images import Decoded


def busy(mode: str = "RGB") -> Image.Image:
    """Something in every row, so that an empty one is a missing one."""
    noise = np.random.default_rng(7).integers(0, 256, (96, 128, 3), dtype=np.uint8)
    return Image.fromarray(noise).convert(mode)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"quality": 60, "subsampling": 2}),
        ("PNG", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TGA", {}),
        ("PPM", {}),
    ],
)
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_half_a_picture_is_half_shown_and_says_so(
    reader: Reader, kind: str, options: dict[str, object], share: float
) -> None:
    data = encoded(busy(), kind, **options)
    decoded = reader.decoded(data[: int(len(data) * share)], path=f"a.{kind.lower()}")
    assert (decoded.width_px, decoded.height_px) == (128, 96)
    assert decoded.remark is not None
    assert decoded.remark.startswith("truncated: ")
    assert decoded.pixels is not None
    rows = decoded.pixels if kind not in ("BMP", "TGA") else decoded.pixels[::-1]
    assert rows[: int(96 * share) - 20].std() > 20


def test_a_jpeg_that_lacks_only_its_last_bytes_is_shown_whole(reader: Reader) -> None:
    whole = encoded(upright(), "JPEG")
    expected = reader.decoded(whole)
    decoded = reader.decoded(whole[:-2])
    assert decoded.remark is not None
    assert "100 %" in decoded.remark
    assert decoded.pixels is not None
    assert np.array_equal(decoded.pixels, expected.pixels)  # type: ignore[arg-type]
    assert expected.remark is None


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "TIFF", "JPEG2000", "GIF"])
def test_a_file_cut_anywhere_is_shown_with_a_remark_or_refused_for_what_it_is(reader: Reader, kind: str) -> None:
    whole = encoded(busy(), kind)
    for share in (0.02, 0.1, 0.3, 0.6, 0.99):
        answer = reader.answer(whole[: max(16, int(len(whole) * share))])
        if isinstance(answer, Decoded):
            assert (answer.remark or "").startswith("truncated: "), (kind, share)
        else:
            assert answer.code == "corrupt", (kind, share, answer)
            assert "not a picture" not in answer.reason


@pytest.mark.parametrize("kind", ["WEBP", "AVIF", "HEIF"])
def test_where_nothing_can_be_shown_the_reason_is_that_the_file_is_cut_short(reader: Reader, kind: str) -> None:
    whole = encoded(busy(), kind)
    reason = reader.refused(whole[: len(whole) // 2]).reason
    assert "cut short" in reason or "ends before" in reason


def test_almost_nothing_is_not_shown(reader: Reader) -> None:
    large = encoded(busy().resize((800, 1600)), "JPEG")
    assert "almost nothing" in reader.refused(large[:900]).reason
