"""Colours as they were meant: an embedded profile is converted to sRGB, and one that cannot be used is said."""

from __future__ import annotations

import functools
import io

from PIL import Image, ImageCms

MAX_ICC_BYTES = 4 * 1024 * 1024
"""A larger colour profile is ignored; the largest that printers and scanners come with are about 2.5 MB."""

_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK", "LAB": "Lab"}
"""What a profile must be for, by the mode of the picture."""


def to_srgb(picture: Image.Image, profile: object) -> tuple[Image.Image, str | None]:
    """Convert a picture in mode L, RGB, CMYK or LAB to sRGB.

    Returns:
        The picture in mode RGB, and a remark where its profile was of no use.
    """
    remark = None
    if isinstance(profile, bytes) and profile:
        try:
            converted = _through_profile(picture, profile)
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
            # A profile that cannot be used is no reason to refuse the picture.
            remark = f"colour_profile: its colour profile is not used: {_words(error)}."
        else:
            if converted is not None:
                return converted, None
    return (picture if picture.mode == "RGB" else picture.convert("RGB")), remark


def _words(error: Exception) -> str:
    text = " ".join(str(error).split()).rstrip(".")
    return text[:120] or "it is damaged"


def _through_profile(picture: Image.Image, profile: bytes) -> Image.Image | None:
    if len(profile) > MAX_ICC_BYTES:
        raise ValueError(f"it has {len(profile):,} bytes")
    transform = _transform(profile, picture.mode)
    return None if transform is None else ImageCms.applyTransform(picture, transform)


@functools.lru_cache(maxsize=4)  # pictures of one camera share a profile, and building its transform takes 5 ms
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    space = source.profile.xcolor_space.strip()
    if space != _SPACES.get(mode):
        raise ValueError(f"it is for {space} colours, and the picture is {mode}")
    if "sRGB" in ImageCms.getProfileDescription(source):
        return None  # already there: converting would only add rounding
    srgb = ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(source, srgb, mode, "RGB", ImageCms.Intent.PERCEPTUAL)
