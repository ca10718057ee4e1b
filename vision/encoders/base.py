"""What a dual encoder is: the protocol that every backend fulfils and the facts that identify it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from vision.preprocessing import Preprocessing
from vision.types import Embeddings, RgbImage


@dataclass(frozen=True, slots=True)
class EncoderFacts:
    """The identity of an encoder: two indexes are compatible if and only if their facts have the same `identity`.

    Attributes:
        name: preset or folder name, for people; not part of the identity.
        backend: `transformers`, `onnx` or `openvino`; behind a colon the precision or variant, unless it is float32.
        revision: the hub commit, or the SHA-256 over the files of a local folder (first 40 hex digits).
        dim: length of one embedding.
        context_length: tokens of text that are read; the rest is cut.
        preprocessing: how an image becomes the model's input.
        text_recipe: how a text becomes tokens, in words that change when the tokens would
            (e.g. `lower|pad=max_length:64|right`).
        location: where the model was loaded from (folder); not part of the identity.
    """

    name: str
    backend: str
    revision: str
    dim: int
    context_length: int
    preprocessing: Preprocessing
    text_recipe: str
    location: str

    @property
    def identity(self) -> str:
        """SHA-256 (64 hex digits) over everything that changes the embeddings."""
        parts = asdict(self)
        del parts["name"], parts["location"]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Calibration:
    """How a model was trained to turn the cosine of a picture and a text into a probability.

    Attributes:
        scale: factor of the cosine.
        bias: added to it by a model that judges each pair alone, by a sigmoid (SigLIP); None for one that compares
            texts with each other, by a softmax (CLIP).
    """

    scale: float
    bias: float | None


class Encoder(Protocol):
    """Text and images into one space, where the dot product of two embeddings is their cosine similarity."""

    @property
    def facts(self) -> EncoderFacts:
        """What this encoder is."""

    def encode_text(self, texts: Sequence[str]) -> Embeddings:
        """Embed texts in order; returns `(n, dim)` float32, L2-normalised. An empty list gives `(0, dim)`."""

    def encode_images(self, images: Sequence[RgbImage]) -> Embeddings:
        """Embed images of any size in order; returns `(n, dim)` float32, L2-normalised."""

    def encode_prepared(self, pixels: NDArray[np.uint8]) -> Embeddings:
        """Embed images that `facts.preprocessing.prepare` has already resized and cropped.

        Args:
            pixels: `(n, height, width, 3)` uint8, RGB, at the size of `facts.preprocessing.output_hw`.

        Returns:
            `(n, dim)` float32, L2-normalised, in order.
        """


@runtime_checkable
class LocatingEncoder(Encoder, Protocol):
    """An encoder whose patches lie in the space of its texts, so that any words have a heat map over a picture."""

    @property
    def locates(self) -> bool:
        """Whether it can: a folder of graphs may lack the one for patches."""

    def encode_patches(self, images: Sequence[RgbImage]) -> NDArray[np.float32]:
        """Embed every patch of images of any size, in order.

        Each patch goes alone through the last step in which the model pools its patches into a picture. SigLIP: the
        attention pool of this one patch. CLIP: value and out-projection of the last layer, norm and projection. It
        knows its surroundings through the layers before.

        Returns:
            `(n, rows, columns, dim)` float32, each vector L2-normalised, row by row from the upper left of what
            `facts.preprocessing` keeps of the picture.
        """


@runtime_checkable
class CalibratedEncoder(Encoder, Protocol):
    """An encoder that knows what its cosines meant in training."""

    @property
    def calibration(self) -> Calibration:
        """The scale and bias that were learnt."""


@runtime_checkable
class ReadingEncoder(Encoder, Protocol):
    """An encoder whose vocabulary can be asked: one that does not know a word takes it for any other such word."""

    def can_read(self, word: str) -> bool:
        """Whether the word has tokens of its own; one made of known pieces has."""
