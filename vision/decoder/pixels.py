"""From the bytes of a picture to upright sRGB pixels, whatever mode, depth and profile they were stored in."""

from __future__ import annotations

import functools
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, UnidentifiedImageError

from vision.decoder import formats, metadata
from vision.decoder.contract import RefusalError

MAX_ICC_BYTES = 4 * 1024 * 1024
"""A larger colour profile is ignored; the largest that printers and scanners come with are about 2.5 MB."""

_BITS_PER_SAMPLE = 258  # TIFF tag

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

_PROFILE_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}


def open_picture(data: bytes, max_pixels: int) -> Image.Image:
    """Read the header of a picture in an accepted format; no pixel is decoded yet.

    Raises:
        RefusalError: unsupported_format, not_an_image, corrupt, too_many_pixels.
    """
    try:
        picture = Image.open(io.BytesIO(data), formats=formats.accepted())
    except UnidentifiedImageError as error:
        raise _unidentified(data) from error
    require_pixels(picture.size, max_pixels)
    return picture


def require_pixels(size_wh: tuple[int, int], max_pixels: int) -> None:
    """Refuse a picture of more than `max_pixels`.

    Raises:
        RefusalError: too_many_pixels.
    """
    width, height = size_wh
    if width * height > max_pixels:
        raise RefusalError(
            "too_many_pixels",
            f"The picture has {width:,} × {height:,} pixels; at most {max_pixels:,} are decoded.",
        )


def upright_srgb(picture: Image.Image) -> Image.Image:
    """Decode the first picture of the file to mode RGB.

    Steps: 16-bit, 32-bit and float samples are scaled to 8 bits (`_to_eight_bits`); palettes are resolved; an embedded
    colour profile, if usable, is converted to sRGB; transparency goes over white, because that is the page on which
    people saw the picture; EXIF orientation is applied.
    """
    picture.load()
    profile = picture.info.get("icc_profile")
    turn = _TURNS.get(metadata.orientation(picture))
    base, alpha = _split_alpha(_to_eight_bits(picture))
    rgb = _to_srgb(base, profile)
    if alpha is not None:
        page = Image.new("RGB", rgb.size, "white")
        page.paste(rgb, mask=alpha)
        rgb = page
    return rgb if turn is None else rgb.transpose(turn)


def _unidentified(data: bytes) -> RefusalError:
    recognised = formats.recognise(data)
    if recognised is None:
        return RefusalError("not_an_image", "The file is not a picture in any format that is known.")
    name, is_read = recognised
    if is_read:
        return RefusalError("corrupt", f"The file begins like {name}, but its header is damaged.")
    return RefusalError("unsupported_format", f"The file looks like {name}, a format that is not read.")


def _to_eight_bits(picture: Image.Image) -> Image.Image:
    """Scale samples of more than 8 bits to L; leave other modes alone.

    Samples have a nominal range, and it is kept, so that a dark picture stays dark: 16 bits mean [0, 65535], or
    fewer bits where TIFF says so. Wider integers and floats have none. They are read as [0, 1] (floats), [0, 255] or
    [0, 65535] if all of them lie there, and stretched from their smallest to their largest value if not. What is not
    finite becomes black.
    """
    if picture.mode.startswith("I;16"):
        samples = np.asarray(picture.convert("I"))
        bits = _bits_per_sample(picture)
        return _scaled(samples, 0.0, float(2**bits - 1))
    if picture.mode == "I":
        return _scaled_from_extremes(np.asarray(picture), (255.0, 65535.0))
    if picture.mode == "F":
        samples = np.array(picture)
        finite = np.isfinite(samples)
        if not finite.all():
            floor = samples[finite].min() if finite.any() else 0.0
            samples[~finite] = floor
        return _scaled_from_extremes(samples, (1.0, 255.0, 65535.0))
    return picture


def _bits_per_sample(picture: Image.Image) -> int:
    bits = getattr(picture, "tag_v2", {}).get(_BITS_PER_SAMPLE, (16,))
    first = bits[0] if isinstance(bits, tuple) and bits else bits
    return first if isinstance(first, int) and 8 < first <= 16 else 16


def _scaled_from_extremes(samples: NDArray[np.generic], nominal: tuple[float, ...]) -> Image.Image:
    low, high = float(samples.min()), float(samples.max())
    if low >= 0:
        for whole in nominal:
            if high <= whole:
                return _scaled(samples, 0.0, whole)
    return _scaled(samples, low, high)


def _scaled(samples: NDArray[np.generic], low: float, high: float) -> Image.Image:
    # Row by row in strips: a picture at the pixel limit must not need three float copies of itself.
    grey = np.empty(samples.shape, dtype=np.uint8)
    factor = 255.0 / (high - low) if high > low else 0.0
    for start in range(0, samples.shape[0], 256):
        strip = samples[start : start + 256].astype(np.float64)
        grey[start : start + 256] = np.clip(np.rint((strip - low) * factor), 0, 255).astype(np.uint8)
    return Image.fromarray(grey)


def _split_alpha(picture: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Reduce a mode to L, RGB or CMYK and, where anything shows through, an alpha mask in mode L."""
    if picture.mode in ("1", "L", "RGB", "CMYK") and "transparency" not in picture.info:
        return (picture.convert("L") if picture.mode == "1" else picture), None
    if not picture.has_transparency_data:
        return picture.convert("RGB"), None
    with_alpha = picture.convert("RGBA")
    alpha = with_alpha.getchannel("A")
    lowest, highest = alpha.getextrema()
    # A picture of which nothing is visible was written by a program that forgot the alpha channel.
    visible = (lowest, highest) not in ((255, 255), (0, 0))
    return with_alpha.convert("RGB"), alpha if visible else None


def _to_srgb(picture: Image.Image, profile: object) -> Image.Image:
    if isinstance(profile, bytes) and 0 < len(profile) <= MAX_ICC_BYTES:
        try:
            converted = _through_profile(picture, profile)
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            converted = None  # a profile that cannot be used is no reason to refuse the picture
        if converted is not None:
            return converted
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _through_profile(picture: Image.Image, profile: bytes) -> Image.Image | None:
    transform = _transform(profile, picture.mode)
    return None if transform is None else ImageCms.applyTransform(picture, transform)


@functools.lru_cache(maxsize=4)  # pictures of one camera share a profile, and building its transform takes 5 ms
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    if source.profile.xcolor_space.strip() != _PROFILE_SPACES.get(mode):
        return None
    if "sRGB" in ImageCms.getProfileDescription(source):
        return None  # already there: converting would only add rounding
    srgb = ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(source, srgb, mode, "RGB", ImageCms.Intent.PERCEPTUAL)
