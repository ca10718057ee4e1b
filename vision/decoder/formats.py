"""Which of Pillow's plugins run in a child, and what bounds them."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator

import pillow_heif
from PIL import AvifImagePlugin, Image, ImageFile, MpoImagePlugin, PngImagePlugin

# The child imports exactly these plugins and never calls `Image.init()`. Pillow knows thirty more formats; some start
# other programs (EPS runs Ghostscript, WMF the system's own renderer), some are parsers that nobody has looked
# at for decades (FLI, MIC, FPX). None of them is what a camera, a scanner, a phone or a browser writes.
_PLUGINS = {
    "JPEG": "JpegImagePlugin",
    "PNG": "PngImagePlugin",
    "WEBP": "WebPImagePlugin",
    "GIF": "GifImagePlugin",
    "TIFF": "TiffImagePlugin",
    "BMP": "BmpImagePlugin",
    "AVIF": "AvifImagePlugin",
    "JPEG2000": "Jpeg2KImagePlugin",
    "ICO": "IcoImagePlugin",
    "PPM": "PpmImagePlugin",
    "PCX": "PcxImagePlugin",
    "SGI": "SgiImagePlugin",
    "QOI": "QoiImagePlugin",
    "DDS": "DdsImagePlugin",
    "PSD": "PsdImagePlugin",
    "TGA": "TgaImagePlugin",
}

_SAME_FORMAT = {MpoImagePlugin.MpoImageFile.format: "JPEG"}
"""A phone's JPEG with a second picture behind the first is a JPEG to everybody but Pillow."""


def install(max_pixels: int, max_text_bytes: int) -> None:
    """Register the accepted formats in this process and bound what Pillow itself checks."""
    for plugin in _PLUGINS.values():
        importlib.import_module(f"PIL.{plugin}")
    pillow_heif.register_heif_opener(decode_threads=1, thumbnails=False, depth_images=False, aux_images=False)
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # the pool is what runs in parallel
    Image.MAX_IMAGE_PIXELS = max_pixels
    PngImagePlugin.MAX_TEXT_CHUNK = max_text_bytes


def accepted() -> list[str]:
    """Pillow's names of the formats to try, in order.

    A name that Pillow does not know would make it load every plugin it has: a build of Pillow without
    AVIF must shorten this list. TGA has no magic number, so its plugin would try its luck with anything: it is asked
    by name.
    """
    return [name for name in (*_PLUGINS, "HEIF") if name in Image.OPEN and name != "TGA"]


def common_name(pillow_format: str | None) -> str:
    """The name of the format that people know."""
    return _SAME_FORMAT.get(pillow_format or "", pillow_format or "")


@contextlib.contextmanager
def as_far_as_it_goes() -> Iterator[None]:
    """Within this context Pillow leaves the rest of a truncated picture empty instead of raising OSError."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False
