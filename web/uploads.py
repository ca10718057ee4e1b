"""Uploaded pictures, decoded one after the other to what a search needs of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from fastapi import UploadFile

from search.query.sources.crops import cropped
from vision.decoder.contract import FULL_SIZE_PIXELS
from vision.types import RgbImage
from web.deps import Engine
from web.templating import file_name

NEEDED_PIXELS = 4_000_000
"""Of what is searched with: a quarter of these at least are kept, which is twice what any encoder takes, each way."""

_POINT: RgbImage = np.zeros((1, 1, 3), np.uint8)


def decoded_uploads(engine: Engine, uploads: Sequence[UploadFile], crops: Sequence[str]) -> tuple[RgbImage, ...]:
    """Decode uploads and cut them; one at a time, so that only one is ever there whole.

    Args:
        engine: decodes.
        uploads: in their order.
        crops: as for `cropped`.

    Raises:
        ImageRefusedError: one is no picture, or beyond the limits.
        QueryError: a crop is none.
        NobodyWaitsError: nobody waits for the answer any more.
    """
    cropped([_POINT] * len(uploads), crops)  # before anything is decoded for nothing
    cut: list[RgbImage] = []
    for number, upload in enumerate(uploads):
        crop = crops[number] if number < len(crops) else ""
        name = file_name(upload.filename or "upload")
        pixels = engine.decode_upload(upload.file.read(), name, _pixels_for(crop))
        cut.extend(cropped([pixels], [crop]))
    return tuple(cut)


def _pixels_for(crop: str) -> int:
    """How many pixels of the whole picture make a part that has as many as are needed."""
    if not crop.strip():
        return NEEDED_PIXELS
    x0, y0, x1, y1 = (float(value) for value in crop.split(","))
    share = max((x1 - x0) * (y1 - y0), NEEDED_PIXELS / FULL_SIZE_PIXELS)
    return min(FULL_SIZE_PIXELS, int(NEEDED_PIXELS / share))
