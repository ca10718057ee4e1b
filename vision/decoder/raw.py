"""Camera RAW: the picture that the camera itself developed where it is large enough, else LibRaw's at half size."""

from __future__ import annotations

import io
from dataclasses import dataclass

from PIL import Image

from vision.decoder import cost, known, tiff_layout
from vision.decoder.contract import DecodeLimits, RefusalError
from vision.decoder.samples import picture_of

_SMALLEST_PREVIEW_PX = 1024
"""A preview is taken for the picture when its long side has so many pixels, or half of the sensor's."""

_TURNS = {0: 1, 3: 3, 5: 8, 6: 6}
"""LibRaw's `flip` as EXIF orientation."""


@dataclass(frozen=True, slots=True)
class Developed:
    """A RAW file as far as it was opened.

    Attributes:
        preview: the camera's own JPEG; empty where `picture` was developed by LibRaw.
        picture: developed at half size; None where `preview` serves.
        full_wh: of the whole picture as it lies in the file.
        orientation: EXIF's number.
    """

    preview: bytes
    picture: Image.Image | None
    full_wh: tuple[int, int]
    orientation: int


def is_raw(path: str, data: bytes) -> bool:
    """Whether a file holds a sensor's samples, by its content; names only help where TIFF's header says nothing."""
    entry = known.recognise(data[: known.HEAD_BYTES])
    if entry is None or entry.code not in ("RAW", "TIFF"):
        return False
    return entry.code == "RAW" or tiff_layout.is_camera_raw(data)


def as_tiff(data: bytes) -> bytes:
    """The file as TIFF readers take it, for its EXIF: some cameras put letters of their own into the first bytes."""
    order = {b"II": b"II*\x00", b"MM": b"MM\x00*"}.get(data[:2])
    return b"" if order is None else order + data[4:]


def develop(data: bytes, limits: DecodeLimits) -> Developed:
    """Open a RAW file.

    Raises:
        RefusalError: unsupported_format, corrupt, too_many_pixels, out_of_memory.
    """
    import rawpy  # noqa: PLC0415  # a child without such pictures does without

    try:
        with rawpy.imread(io.BytesIO(data)) as raw:
            sizes = raw.sizes
            full_wh = (int(sizes.width), int(sizes.height))
            if min(full_wh) < 1:
                raise RefusalError("corrupt", "The RAW file says that its picture has no size.")
            cost.require_sensible(full_wh, 16, len(data), limits)
            preview = _preview(raw, full_wh)
            orientation = _TURNS.get(int(sizes.flip), 1)
            if preview:
                return Developed(preview, None, full_wh, orientation)
            # LibRaw keeps 16 bits for each sensor pixel and four of them for each one of half the size.
            cost.require_memory(full_wh[0] * full_wh[1] * 8, limits)
            samples = raw.postprocess(half_size=True, use_camera_wb=True, output_bps=8, user_flip=0)
            return Developed(b"", picture_of(samples), full_wh, orientation)
    except rawpy.LibRawFileUnsupportedError as error:
        reason = "The camera RAW file is of a kind that LibRaw does not know."
        raise RefusalError("unsupported_format", reason) from error
    except rawpy.LibRawUnsufficientMemoryError as error:
        raise MemoryError from error
    except rawpy.LibRawTooBigError as error:
        raise RefusalError("too_large", "The camera RAW file is larger than LibRaw reads.") from error
    except rawpy.LibRawError as error:
        words = str(error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else error)
        raise RefusalError("corrupt", f"The camera RAW file cannot be developed: {words}.") from error


def _preview(raw: object, full_wh: tuple[int, int]) -> bytes:
    """Return the largest JPEG in the file if it can stand for the picture; a thumbnail cannot."""
    import rawpy  # noqa: PLC0415

    try:
        thumb = raw.extract_thumb()  # type: ignore[attr-defined]
        if thumb.format != rawpy.ThumbFormat.JPEG:
            return b""
        data = bytes(thumb.data)
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as picture:
            longest = max(picture.size)
    except (rawpy.LibRawError, OSError, SyntaxError, ValueError):
        return b""
    return data if longest >= min(_SMALLEST_PREVIEW_PX, max(full_wh) / 2) else b""
