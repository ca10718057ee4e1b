"""Pictures whose file ends too soon are shown as far as they go, and marked."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from vision.decoder import boxes, formats
from vision.decoder.contract import RefusalError
from vision.decoder.scale import draft_jpeg

_LEAST_SHARE = 0.05
"""With less of its rows a picture is refused: what would be shown and found is a grey area."""

_PARTLY_SHOWN = frozenset({"JPEG", "PNG", "GIF", "BMP", "TIFF", "TGA", "PPM", "SGI", "PCX", "ICO"})
_END_OF_JPEG = b"\xff\xd9"


def is_cut_short(kind: str, data: bytes) -> bool:
    """Whether a file says itself that it should be longer; False where its format does not tell."""
    if kind == "WEBP":
        return int.from_bytes(data[4:8], "little") + 8 > len(data)
    if kind in ("HEIF", "AVIF", "JPEG2000", "JXL"):
        return any(not box.whole for box in boxes.walk(data)) if data[:1] == b"\x00" else False
    if kind == "PNG":
        return b"IEND" not in data[-64:]
    if kind == "GIF":
        return not data.rstrip(b"\x00").endswith(b";")
    return False


def require_whole(kind: str, data: bytes, error: Exception) -> None:
    """Return when an error comes of a file that ends too soon and whose beginning can be shown.

    Raises:
        RefusalError: corrupt; the file is cut short, and nothing of it can be shown.
        Exception: `error` itself, where it says something else.
    """
    said = "truncated" in str(error)
    if kind in _PARTLY_SHOWN and (said or is_cut_short(kind, data)) and not isinstance(error, MemoryError):
        return
    require_readable(kind, data, error)
    raise error


def require_readable(kind: str, data: bytes, error: Exception) -> None:
    """Refuse a file of which nothing can be shown because it is cut short.

    Raises:
        RefusalError: corrupt.
    """
    if is_cut_short(kind, data):
        reason = f"The file is cut short, and of such a {kind} file nothing can be shown."
        raise RefusalError("corrupt", reason) from error


def as_far_as_possible(data: bytes, kind: str, divisor: int) -> tuple[Image.Image, str]:
    """Decode the beginning of a picture.

    Args:
        data: the file, which ends too soon.
        kind: a code of `known.CODES`.
        divisor: by which the sides of a JPEG are divided.

    Returns:
        The picture, loaded, its end grey or black; the remark.

    Raises:
        RefusalError: corrupt; almost nothing of it is there.
    """
    if kind == "JPEG":
        # With an end to read, libjpeg fills what is missing with grey, and shows a progressive picture as far as it is.
        picture = Image.open(io.BytesIO(data + _END_OF_JPEG), formats=["JPEG", "MPO"])
        draft_jpeg(picture, divisor)
        picture.load()
    else:
        with formats.as_far_as_it_goes():
            picture = Image.open(io.BytesIO(data), formats=[kind])
            picture.load()
    share = _share_of_rows(picture, upside_down=kind in ("BMP", "TGA"))
    if share < _LEAST_SHARE:
        raise RefusalError("corrupt", "The file is cut short: almost nothing of the picture is there.")
    return picture, f"truncated: the file is cut short; about {100 * share:.0f} % of the picture can be seen."


def _share_of_rows(picture: Image.Image, *, upside_down: bool) -> float:
    """Tell how many rows are there: what is missing is filled with one colour to the edge."""
    rows = np.asarray(picture)
    if upside_down:
        rows = rows[::-1]
    last = rows[-1]
    if (last != last[0]).any():
        return 1.0
    missing = 0
    for row in rows[::-1]:
        if (row != last[0]).any():
            break
        missing += 1
    return 1.0 - missing / len(rows)
