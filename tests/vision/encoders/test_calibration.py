"""Probabilities of labels are those that the library's own forward pass gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer

from vision.classify import Classifier
from vision.encoders.transformers import TransformersEncoder
from vision.types import RgbImage

LABELS = ["a red mat", "cat", "dog"]


@pytest.mark.parametrize(
    ("family", "length", "kind", "probabilities"),
    [
        ("clip_folder", 77, "softmax", lambda logits: torch.softmax(logits, dim=1)),
        ("siglip_folder", 64, "sigmoid", torch.sigmoid),
    ],
)
def test_labels_have_the_probabilities_that_the_library_gives(
    family: str,
    length: int,
    kind: str,
    probabilities: Any,
    request: pytest.FixtureRequest,
    pictures: list[RgbImage],
) -> None:
    folder: Path = request.getfixturevalue(family)
    encoder = TransformersEncoder(folder, name="tiny", threads=1)
    if kind == "sigmoid":  # a fresh model has neither
        encoder.model.logit_scale.data.fill_(2.0)
        encoder.model.logit_bias.data.fill_(-1.5)
    tokens = AutoTokenizer.from_pretrained(folder, padding_side="right")(
        LABELS, padding="max_length", max_length=length, return_tensors="pt"
    )
    names = ("input_ids", "attention_mask") if kind == "softmax" else ("input_ids",)
    preprocessing = encoder.facts.preprocessing
    pixels = preprocessing.normalise(np.stack([preprocessing.prepare(picture) for picture in pictures]))
    with torch.inference_mode():
        output = encoder.model(**{name: tokens[name] for name in names}, pixel_values=torch.from_numpy(pixels))
    classifier = Classifier(encoder, LABELS, templates=("{}",))
    ranked = classifier.rank(encoder.encode_images(pictures))
    ours = [[score.probability for score in sorted(scores, key=lambda score: score.label)] for scores in ranked]
    assert classifier.probability == kind
    np.testing.assert_allclose(ours, probabilities(output.logits_per_image).numpy(), atol=1e-5)
