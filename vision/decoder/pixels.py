"""From a loaded picture to upright sRGB pixels, whatever mode, depth and profile it was stored in."""

from __future__ import annotations

import numpy as np
from PIL import Image

from vision.decoder.colour import to_srgb
from vision.decoder.samples import to_eight_bits

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

_STRIP_PIXELS = 4_000_000

_DARK_GROUND = (72, 72, 72)
"""What lies under a light drawing on transparency; on white it would not be seen."""

_LIGHT = 225
"""A colour whose three parts are all at least this can hardly be told from white."""

_SEEN_ON_WHITE = 0.05
"""A drawing of which less than this share can be told from white is put on the dark ground."""


def upright_srgb(picture: Image.Image, orientation: int, averaged: int = 1) -> tuple[Image.Image, str | None]:
    """Turn a loaded picture into mode RGB.

    Steps: samples of more than 8 bits are scaled; palettes are resolved; sides are divided by `averaged`, in strips;
    an embedded colour profile, if usable, is converted to sRGB; transparency goes over white, because that is the page
    on which people saw the picture, or over dark grey where the drawing itself is nearly white; EXIF orientation is
    applied.

    Returns:
        The picture, and a remark where its colour profile could not be used.
    """
    profile = picture.info.get("icc_profile")
    plain = _plain(to_eight_bits(picture)) if averaged == 1 else _averaged(picture, averaged)
    base, alpha = _split_alpha(plain)
    rgb, remark = to_srgb(base, profile)
    if alpha is not None:
        page = Image.new("RGB", rgb.size, _ground(rgb, alpha))
        page.paste(rgb, mask=alpha)
        rgb = page
    turn = _TURNS.get(orientation)
    return (rgb if turn is None else rgb.transpose(turn)), remark


def _plain(picture: Image.Image) -> Image.Image:
    """Reduce a mode to L, RGB, CMYK, LAB or, where anything may show through, RGBA."""
    if picture.mode in ("1", "L", "RGB", "CMYK", "LAB") and "transparency" not in picture.info:
        return picture.convert("L") if picture.mode == "1" else picture
    return picture.convert("RGBA" if picture.has_transparency_data else "RGB")


def _averaged(picture: Image.Image, factor: int) -> Image.Image:
    """Divide the sides of a large picture, strip by strip: no second picture of its size is ever in memory."""
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        picture = to_eight_bits(picture)  # its range is that of the whole picture, not of a strip
    rows = max(1, _STRIP_PIXELS // picture.width // factor) * factor
    small: Image.Image | None = None
    size_wh = (-(-picture.width // factor), -(-picture.height // factor))
    nothing_visible = _alpha_is_forgotten(picture)
    for top in range(0, picture.height, rows):
        strip = _plain(picture.crop((0, top, picture.width, min(top + rows, picture.height))))
        strip = strip.convert("RGB") if strip.mode == "LAB" else strip
        if nothing_visible:
            strip.putalpha(255)
        strip = strip.reduce(factor)
        if small is None:
            small = Image.new(strip.mode, size_wh)
        small.paste(strip, (0, top // factor))
    return picture if small is None else small


def _alpha_is_forgotten(picture: Image.Image) -> bool:
    return picture.mode == "RGBA" and picture.getchannel("A").getextrema() == (0, 0)


def _split_alpha(picture: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Separate the colours from the alpha mask in mode L, where anything shows through."""
    if picture.mode != "RGBA":
        return picture, None
    alpha = picture.getchannel("A")
    # A picture of which nothing is visible was written by a program that forgot the alpha channel.
    visible = alpha.getextrema() not in ((255, 255), (0, 0))
    return picture.convert("RGB"), alpha if visible else None


def _ground(rgb: Image.Image, alpha: Image.Image) -> tuple[int, int, int] | str:
    """Choose what lies under a see-through picture: white, unless the drawing would vanish on it."""
    factor = max(1, max(rgb.size) // 1024)  # a look from afar is enough
    opacity = np.asarray(alpha.reduce(factor), dtype=np.float64)
    page = Image.new("RGB", rgb.size, "white")
    page.paste(rgb, mask=alpha)
    shown = np.asarray(page.reduce(factor))
    # Weighted by opacity: what is hardly there is hardly seen, whatever its colour.
    seen = opacity[shown.min(axis=2) < _LIGHT].sum()
    return "white" if seen >= _SEEN_ON_WHITE * opacity.sum() else _DARK_GROUND
