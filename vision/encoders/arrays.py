"""What every backend checks on the way in and does on the way out, so that all of them refuse the same things."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vision.errors import ModelError
from vision.preprocessing import Preprocessing
from vision.types import Embeddings, RgbImage

_SURROGATE = re.compile("[\ud800-\udfff]")


def check_images(images: Sequence[RgbImage]) -> None:
    """Refuse what is not a list of HWC uint8 RGB pictures of at least one pixel.

    Raises:
        ModelError: names the position, and states the expected and the actual shape and dtype.
    """
    for position, image in enumerate(images):
        right = isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3
        if not right or 0 in image.shape:
            got = f"{image.shape} {image.dtype}" if isinstance(image, np.ndarray) else type(image).__name__
            raise ModelError(
                f"image {position}: expected an array (height, width, 3) uint8, got {got}",
                remedy="Decode to upright RGB first.",
            )


def readable_texts(texts: Sequence[str]) -> list[str]:
    """Texts that every tokenizer can encode: a lone surrogate, which none can, becomes U+FFFD.

    Raises:
        ModelError: one text in place of a list, whose letters would be embedded one by one.
    """
    if isinstance(texts, str):
        raise ModelError(f"expected a list of texts, got the text {texts[:40]!r}", remedy="Put it into a list.")
    return [_SURROGATE.sub("\ufffd", text) for text in texts]


def check_prepared(pixels: NDArray[np.uint8], preprocessing: Preprocessing) -> None:
    """Refuse pixels that `preprocessing.prepare` cannot have made.

    Raises:
        ModelError: states the expected and the actual shape and dtype.
    """
    height, width = preprocessing.output_hw
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[1:] != (height, width, 3):
        raise ModelError(
            f"prepared pixels: expected (n, {height}, {width}, 3) uint8, got {pixels.shape} {pixels.dtype}",
            remedy="Prepare the images with this encoder's own preprocessing.",
        )


def to_unit_length(raw_embeddings: NDArray[np.floating], *, first: int, kind: str) -> Embeddings:
    """L2-normalise a batch.

    Args:
        raw_embeddings: `(n, dim)`, any float dtype, not normalised.
        first: position of the batch's first row among the caller's inputs, for the error message.
        kind: `text` or `image`, for the error message.

    Returns:
        `(n, dim)` float32, every row of length 1.

    Raises:
        ModelError: a row is not finite or has no direction; the message names the input's position.
    """
    raw = np.asarray(raw_embeddings, dtype=np.float32)
    # float64 for the length alone: the square of a large float32 overflows long before the value does.
    lengths: NDArray[np.float64] = np.sqrt(np.square(raw, dtype=np.float64).sum(axis=1, keepdims=True))
    broken = np.flatnonzero(~(np.isfinite(lengths) & (lengths > 0)).ravel())
    if broken.size:
        what = "zero" if np.isfinite(lengths[broken[0]]).all() else "not finite"
        raise ModelError(
            f"{kind} {first + int(broken[0])}: the model's embedding is {what}",
            remedy="The weights are damaged or overflow in this precision; try another model folder or backend.",
        )
    unit: Embeddings = (raw / lengths).astype(np.float32)
    return unit
