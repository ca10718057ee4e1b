"""Zero-shot classification: pictures against labels in words, each label an average over several sentences."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vision.encoders.arrays import to_unit_length
from vision.encoders.base import CalibratedEncoder, Calibration, Encoder
from vision.errors import DeixisError
from vision.types import Embeddings

SLOT = "{}"
TEMPLATES = (
    "{}",
    "a {}",
    "a photo of a {}.",
    "a picture of a {}",
    "a close-up photo of a {}.",
    "a drawing of a {}",
    "This picture shows a {}.",
)
"""English sentences around a label; before a vowel "a" becomes "an"."""

_ARTICLE = re.compile(r"\b([Aa]) \{\}")


class LabelError(DeixisError):
    """Labels or templates that cannot be told apart or filled in."""


@dataclass(frozen=True, slots=True)
class LabelScore:
    """How well a label fits a picture.

    Attributes:
        label: as given, without blanks around it.
        similarity: cosine of the picture and the label's averaged embedding, in [-1, 1].
        probability: in [0, 1], as the model was trained to say it; None for a model that does not tell.
    """

    label: str
    similarity: float
    probability: float | None


class Classifier:
    """Labels that were read once, against any number of pictures.

    The embeddings of all sentences about a label are averaged and scaled to length 1 (Radford et al., 2021, 3.1.4).

    Args:
        encoder: what reads the labels; the pictures' embeddings must be of the same.
        labels: at least one, in words; blanks around a label do not count.
        templates: sentences that hold `{}` once, where the label goes.

    Attributes:
        labels: as given, without blanks around them.
        probability: `softmax`: the probabilities of a picture's labels sum to 1, so one of them is taken to be right;
            `sigmoid`: each label is judged alone, so that all or none may fit; None: cosines only.

    Raises:
        LabelError: no label, an empty one, one that comes twice (case does not count), or a template without its slot.
    """

    def __init__(self, encoder: Encoder, labels: Sequence[str], *, templates: Sequence[str] = TEMPLATES) -> None:
        self.labels = _checked_labels(labels)
        _check_templates(templates)
        sentences = [fill(template, label) for label in self.labels for template in templates]
        embedded = encoder.encode_text(sentences).reshape(len(self.labels), len(templates), -1)
        self._embeddings = to_unit_length(embedded.mean(axis=1), first=0, kind="label")
        self._calibration = encoder.calibration if isinstance(encoder, CalibratedEncoder) else None
        self.probability: Literal["softmax", "sigmoid"] | None = None
        if self._calibration is not None:
            self.probability = "softmax" if self._calibration.bias is None else "sigmoid"

    def rank(self, pictures: Embeddings) -> list[tuple[LabelScore, ...]]:
        """Score every label for every picture.

        Args:
            pictures: `(n, dim)` float32, L2-normalised, of the classifier's encoder.

        Returns:
            For each picture all labels, the best first; equal ones in the order given.
        """
        similarities = np.clip(pictures @ self._embeddings.T, -1, 1)
        chances = None if self._calibration is None else _probabilities(similarities, self._calibration)
        ranked = []
        for row, order in enumerate(np.argsort(-similarities, axis=1, kind="stable")):
            ranked.append(
                tuple(
                    LabelScore(
                        label=self.labels[column],
                        similarity=float(similarities[row, column]),
                        probability=None if chances is None else float(chances[row, column]),
                    )
                    for column in order
                )
            )
        return ranked


def fill(template: str, label: str) -> str:
    """Put a label into a template; an English "a" before it becomes "an" where the label begins with a vowel letter."""
    if label[0].lower() in "aeiou":
        template = _ARTICLE.sub(rf"\1n {SLOT}", template)
    return template.replace(SLOT, label)


def _checked_labels(labels: Sequence[str]) -> tuple[str, ...]:
    clean = tuple(label.strip() for label in labels)
    if not clean:
        raise LabelError("there are no labels", remedy="Give some, such as: cat, dog, nothing of these.")
    if "" in clean:
        raise LabelError(
            f"label {clean.index('') + 1} of {len(clean)} is empty", remedy="Take out the comma or blank line too many."
        )
    label, count = Counter(label.casefold() for label in clean).most_common(1)[0]
    if count > 1:
        raise LabelError(f"the label {label!r} comes {count} times", remedy="Give each label once.")
    return clean


def _check_templates(templates: Sequence[str]) -> None:
    if not templates:
        raise LabelError("there are no templates", remedy=f"Give one, such as: a photo of a {SLOT}.")
    for template in templates:
        if template.count(SLOT) != 1:
            raise LabelError(
                f"the template {template!r} must hold {SLOT} once, where the label goes",
                remedy=f"For example: a photo of a {SLOT}.",
            )


def _probabilities(similarities: NDArray[np.float32], calibration: Calibration) -> NDArray[np.float64]:
    """`(n, labels)` float64 in [0, 1]."""
    logits = similarities.astype(np.float64) * calibration.scale
    if calibration.bias is not None:
        # Through log(1 + exp(-x)): a plain exponential overflows for labels that fit badly.
        return np.asarray(np.exp(-np.logaddexp(0.0, -(logits + calibration.bias))))
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))
