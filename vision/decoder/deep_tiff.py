"""TIFF files that Pillow does not know (colour in floats or wide integers, odd layouts) through tifffile."""

from __future__ import annotations

import io
import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vision.decoder import cost
from vision.decoder.contract import DecodeLimits, RefusalError
from vision.decoder.samples import picture_of

_BLACK_AND_WHITE, _RGB, _PALETTE, _YCBCR = (0, 1), 2, 3, 6


def decode(data: bytes, limits: DecodeLimits) -> Image.Image:
    """Decode the first full picture of a TIFF file to mode L, LA, RGB or RGBA.

    Raises:
        RefusalError: unsupported_format, corrupt, too_many_pixels, out_of_memory.
    """
    import tifffile  # noqa: PLC0415  # a child without such pictures does without

    logging.getLogger("tifffile").disabled = True
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            page = _full_picture(file)
            _require_affordable(page, len(data), limits)
            samples = page.asarray(maxworkers=1)
            photometric, planar = int(page.photometric), int(page.planarconfig)
    except (MemoryError, RefusalError):
        raise
    except Exception as error:  # tifffile raises whatever comes of a damaged file
        words = " ".join(str(error).split())[:200] or type(error).__name__
        raise RefusalError("corrupt", f"The file begins like TIFF, but cannot be read: {words}.") from error
    return picture_of(_upright_channels(samples, photometric, planar))


def _full_picture(file: Any) -> Any:
    """Choose the first page that is no reduced copy, also among the pages below pages."""
    pages = []
    for page in list(file.pages)[:64]:
        pages.append(page)
        pages += list(page.pages)[:16] if page.pages else []
    full = [page for page in pages if not getattr(page, "is_reduced", False) and page.shape]
    if not full:
        raise RefusalError("unsupported_format", "This kind of TIFF is not read: it holds nothing but a thumbnail.")
    return full[0]


def _require_affordable(page: Any, file_bytes: int, limits: DecodeLimits) -> None:
    height, width = int(page.imagelength), int(page.imagewidth)
    if width < 1 or height < 1 or int(page.imagedepth) != 1:
        raise RefusalError("unsupported_format", "This kind of TIFF is not read: it is no flat picture.")
    if page.dtype is None or int(page.photometric) not in (*_BLACK_AND_WHITE, _RGB, _YCBCR):
        raise RefusalError("unsupported_format", f"This kind of TIFF is not read: its colours are {page.photometric}.")
    sample_bits = int(page.bitspersample) * int(page.samplesperpixel)
    cost.require_sensible((width, height), sample_bits, file_bytes, limits)
    # The samples twice (once compressed rows are put together), their bytes, and the working copies.
    cost.require_memory(width * height * (sample_bits // 4 + 12), limits)


def _upright_channels(samples: NDArray[Any], photometric: int, planar: int) -> NDArray[Any]:
    """Put the channels last, and make black 0."""
    samples = np.squeeze(samples) if samples.ndim > 3 else samples
    if planar == 2 and samples.ndim == 3:
        samples = np.moveaxis(samples, 0, -1)
    if photometric == 0 and samples.dtype.kind == "u":  # white is zero
        samples = np.iinfo(samples.dtype).max - samples
    return samples
