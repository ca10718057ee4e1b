"""Which picture formats are read, and the names of those that are recognised only to be refused."""

from __future__ import annotations

import pillow_heif
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

# The child imports exactly these plugins and never calls `Image.init()`. Pillow knows forty more formats; some start
# other programs (EPS runs Ghostscript, WMF the system's own renderer), some are parsers that nobody has looked
# at for decades (FLI, MIC, FPX). None of them is what a camera, a phone or a browser writes.
_PLUGINS = {
    "JPEG": JpegImagePlugin,
    "PNG": PngImagePlugin,
    "WEBP": WebPImagePlugin,
    "GIF": GifImagePlugin,
    "TIFF": TiffImagePlugin,
    "BMP": BmpImagePlugin,
    "AVIF": AvifImagePlugin,
}

_SAME_FORMAT = {MpoImagePlugin.MpoImageFile.format: "JPEG"}
"""A phone's JPEG with a second picture behind the first is a JPEG to everybody but Pillow."""

_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (8, b"WEBP", "WEBP"),
    (0, b"GIF87a", "GIF"),
    (0, b"GIF89a", "GIF"),
    (0, b"II*\x00", "TIFF"),
    (0, b"MM\x00*", "TIFF"),
    (0, b"BM", "BMP"),
    (4, b"ftypavi", "AVIF"),
    (4, b"ftyphei", "HEIF"),
    (4, b"ftypmif1", "HEIF"),
)

_REFUSED_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%!PS", "PostScript"),
    (0, b"\xc5\xd0\xd3\xc6", "PostScript"),
    (0, b"%PDF", "PDF"),
    (0, b"8BPS", "Photoshop"),
    (0, b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (0, b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (0, b"\xff\x0a", "JPEG XL"),
    (0, b"DDS ", "DDS texture"),
    (0, b"BLP", "BLP texture"),
    (0, b"FTC\x00", "FTEX texture"),
    (0, b"FTU\x00", "FTEX texture"),
    (0, b"qoif", "QOI"),
    (0, b"\x00\x00\x01\x00", "icon"),
    (0, b"\x00\x00\x02\x00", "TGA or cursor"),
    (0, b"SIMPLE  =", "FITS"),
    (0, b"\xd7\xcd\xc6\x9a", "Windows metafile"),
    (0, b"\x01\xda", "SGI"),
    (0, b"\x0a\x05\x01", "PCX"),
    (4, b"\x11\xaf", "FLI animation"),
    (4, b"\x12\xaf", "FLC animation"),
    (0, b"DanM", "MSP"),
    (0, b"LinS", "MSP"),
    (0, b"#define", "XBM"),
    (0, b"<svg", "SVG"),
    (0, b"<?xml", "SVG or other XML"),
    (0, b"\xd0\xcf\x11\xe0", "Microsoft compound document"),
    *((0, b"P%d" % kind, "portable anymap") for kind in range(1, 8)),
    (0, b"Pf", "portable float map"),
    (0, b"PF", "portable float map"),
)


def install(max_pixels: int, max_text_bytes: int) -> None:
    """Register the accepted formats in this process and bound what Pillow itself checks."""
    pillow_heif.register_heif_opener(decode_threads=1, thumbnails=False, depth_images=False, aux_images=False)
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # the pool is what runs in parallel
    Image.MAX_IMAGE_PIXELS = max_pixels
    PngImagePlugin.MAX_TEXT_CHUNK = max_text_bytes


def accepted() -> list[str]:
    """Pillow's names of the formats to try, in order.

    A name that Pillow does not know would make it load every plugin it has: a build of Pillow without
    AVIF must shorten this list.
    """
    return [name for name in (*_PLUGINS, "HEIF") if name in Image.OPEN]


def common_name(pillow_format: str | None) -> str:
    """The name of the format that people know."""
    return _SAME_FORMAT.get(pillow_format or "", pillow_format or "")


def recognise(data: bytes) -> tuple[str, bool] | None:
    """Guess from the first bytes what a file is that no accepted decoder would open.

    Returns:
        Its name, and whether the format is one that is read (so that the file must be damaged); None for no idea.
    """
    for offset, magic, name in _MAGIC:
        if data.startswith(magic, offset):
            return name, True
    for offset, magic, name in _REFUSED_MAGIC:
        if data.startswith(magic, offset):
            return name, False
    return None
