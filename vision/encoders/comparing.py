"""One encoder against its float32 reference: how much faster, and how far its embeddings moved."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vision.encoders.base import Encoder
from vision.encoders.probes import PROBE_TEXTS, probe_pictures
from vision.types import Embeddings

_ROUNDS = 3


class Probed(NamedTuple):
    """What an encoder made of the built-in pictures and texts: `(8, dim)` and `(12, dim)` float32, L2-normalised."""

    images: Embeddings
    texts: Embeddings


@dataclass(frozen=True, slots=True)
class Sample:
    """An encoder's answers and its speed.

    Attributes:
        probed: what it made of the built-in pictures and texts.
        picture_s: seconds per picture in one batch of the eight, the fastest of three rounds after a first.
    """

    probed: Probed
    picture_s: float


@dataclass(frozen=True, slots=True)
class Measured:
    """A backend in one precision, measured against the reference in the same run.

    Attributes:
        backend: its name, as `openvino:int8`.
        speed: pictures per second relative to the reference.
        image_cosine: between its embedding and the reference's, of the picture that suffers most.
        text_cosine: the same of texts.
    """

    backend: str
    speed: float
    image_cosine: float
    text_cosine: float

    @property
    def worst_cosine(self) -> float:
        """The smaller of both."""
        return min(self.image_cosine, self.text_cosine)


def probe(encoder: Encoder) -> Probed:
    """Embed the built-in pictures and texts."""
    pictures = probe_pictures(*encoder.facts.preprocessing.output_hw)
    return Probed(encoder.encode_prepared(pictures), encoder.encode_text(PROBE_TEXTS))


def worst_cosines(found: Probed, reference: Probed) -> tuple[float, float]:
    """The smallest cosine between an embedding and its reference, of the pictures and of the texts."""
    images, texts = ((ours * theirs).sum(axis=1).min() for ours, theirs in zip(found, reference, strict=True))
    return float(images), float(texts)


def take_sample(encoder: Encoder) -> Sample:
    """Embed the built-in pictures and texts, and time the pictures."""
    pictures = probe_pictures(*encoder.facts.preprocessing.output_hw)
    probed = probe(encoder)
    rounds = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        encoder.encode_prepared(pictures)
        rounds.append(time.perf_counter() - started)
    return Sample(probed, min(rounds) / len(pictures))


def glance(encoder: Encoder) -> float:
    """Seconds per picture of one small batch, after a first picture that only warms up."""
    pictures = probe_pictures(*encoder.facts.preprocessing.output_hw)
    encoder.encode_prepared(pictures[:1])
    return _picture_s(encoder, pictures[:2])


def quick_sample(encoder: Encoder, *, every: int = 1) -> Sample:
    """Embed some of the built-in pictures and texts of an encoder that is warm, and time the pictures while at it.

    Args:
        encoder: has run before.
        every: take every so-manieth picture and text; 1 for all.
    """
    pictures = probe_pictures(*encoder.facts.preprocessing.output_hw)[::every]
    started = time.perf_counter()
    images = encoder.encode_prepared(pictures)
    took = time.perf_counter() - started
    return Sample(Probed(images, encoder.encode_text(PROBE_TEXTS[::every])), took / len(pictures))


def _picture_s(encoder: Encoder, pictures: NDArray[np.uint8]) -> float:
    started = time.perf_counter()
    encoder.encode_prepared(pictures)
    return (time.perf_counter() - started) / len(pictures)


def compare(backend: str, sample: Sample, reference: Sample) -> Measured:
    """Hold a sample against the reference's."""
    return Measured(backend, reference.picture_s / sample.picture_s, *worst_cosines(sample.probed, reference.probed))
