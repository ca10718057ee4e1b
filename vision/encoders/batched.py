"""What encoders over batches of pictures share: prepare, check, and run in pieces that fit into memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vision.batching import Batches
from vision.encoders.arrays import check_images, check_prepared
from vision.encoders.base import EncoderFacts
from vision.types import Embeddings, RgbImage


class BatchedEncoder(ABC):
    """The image half of an encoder whose backend embeds one batch of normalised pixels at a time."""

    _facts: EncoderFacts
    _image_batches: Batches

    @property
    def picture_batches(self) -> Batches:
        """How batches of pictures are sized."""
        return self._image_batches

    def encode_images(self, images: Sequence[RgbImage]) -> Embeddings:
        """Embed HWC uint8 RGB images of any size in order; returns `(n, dim)` float32, L2-normalised.

        Raises:
            ModelError: an image is not HWC uint8 RGB, or its embedding is not finite; the message names its position.
        """
        check_images(images)

        def embed(part: slice) -> Embeddings:
            pixels = np.stack([self._facts.preprocessing.prepare(image) for image in images[part]])
            return self._embed_pixels(pixels, part.start)

        return self._image_batches.run(len(images), embed, dim=self._facts.dim)

    def encode_prepared(self, pixels: NDArray[np.uint8]) -> Embeddings:
        """Embed `(n, height, width, 3)` uint8 RGB at the size of `facts.preprocessing.output_hw`.

        Returns:
            `(n, dim)` float32, L2-normalised, in order.

        Raises:
            ModelError: another shape or dtype, or an embedding that is not finite.
        """
        check_prepared(pixels, self._facts.preprocessing)
        return self._image_batches.run(
            len(pixels), lambda part: self._embed_pixels(pixels[part], part.start), dim=self._facts.dim
        )

    @abstractmethod
    def _embed_pixels(self, pixels: NDArray[np.uint8], first: int) -> Embeddings:
        """Embed one batch of prepared pictures, of which the first has this position among all."""
