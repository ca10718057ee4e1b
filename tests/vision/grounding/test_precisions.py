"""The captioner in every precision that this processor computes in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.vision.grounding.conftest import save_captioner
from vision.errors import ModelError
from vision.grounding.base import Decoding
from vision.grounding.kosmos2 import Kosmos2Captioner
from vision.grounding.registry import load_captioner
from vision.packed_int8 import PackedInt8Linear
from vision.types import RgbImage

on_the_cpu = pytest.mark.skipif(torch.cuda.is_available(), reason="the device here is CUDA, which has other precisions")
_DECODING = Decoding(max_new_tokens=16)
_TEXTS = ["a red dog", "an image of a dog", "is", "in detail"]


@pytest.fixture(scope="module")
def int8(captioner_folder: Path) -> Kosmos2Captioner:
    if torch.cuda.is_available():
        pytest.skip("int8 is of the CPU, and the device here is CUDA")
    return Kosmos2Captioner(captioner_folder, name="tiny", threads=1, precision="int8")


def test_int8_holds_every_linear_layer_packed(int8: Kosmos2Captioner):
    model = int8._engine.network.model
    assert isinstance(model.text_model.lm_head, PackedInt8Linear)
    assert isinstance(model.image_to_text_projection.dense, PackedInt8Linear)
    assert not any(type(part) is torch.nn.Linear for part in model.modules())


@on_the_cpu
def test_int8_sees_and_scores_nearly_as_float32_does(tmp_path: Path, pictures: list[RgbImage]):
    # Weights of 1/√32: larger ones amplify from layer to layer what any kernel rounds, 8 bits above all.
    folder = save_captioner(tmp_path, spread=0.18)
    full, int8 = (Kosmos2Captioner(folder, name="calm", threads=1, precision=one) for one in ("float32", "int8"))
    ours, theirs = int8.patch_tokens(pictures).latents, full.patch_tokens(pictures).latents
    cosines = (ours * theirs).sum(-1) / np.linalg.norm(ours, axis=-1) / np.linalg.norm(theirs, axis=-1)
    assert cosines.min() > 0.99
    scores, exact = int8.score(pictures, _TEXTS).per_token, full.score(pictures, _TEXTS).per_token
    assert np.abs(scores - exact).max() < 0.1


def test_int8_writes_valid_boxes_and_shows_where_it_looked(int8: Kosmos2Captioner, pictures: list[RgbImage]):
    explained = int8.explain(pictures[:1], decoding=_DECODING)[0]
    (caption,) = int8.caption(pictures[:1], decoding=_DECODING)
    assert explained.caption.text == caption.text
    assert explained.maps.heat.sum(axis=(1, 2)) == pytest.approx(1, abs=1e-4)
    found = int8.refer(pictures, ["red dog"] * len(pictures))
    assert all(regions for regions in found)


def test_int8_writes_the_same_alone_and_in_a_batch(int8: Kosmos2Captioner, pictures: list[RgbImage]):
    together = int8.caption(pictures, decoding=_DECODING)
    alone = [int8.caption([picture], decoding=_DECODING)[0] for picture in pictures]
    assert [caption.text for caption in together] == [caption.text for caption in alone]


@on_the_cpu
def test_every_precision_has_an_identity_of_its_own(captioner: Kosmos2Captioner, int8: Kosmos2Captioner):
    half = load_captioner(captioner.facts.location, threads=1, precision="bfloat16")
    identities = {one.facts.identity for one in (captioner, int8, half)}
    assert len(identities) == 3
    assert [one.facts.precision for one in (captioner, int8, half)] == ["float32", "int8", "bfloat16"]


@on_the_cpu
def test_float16_on_the_cpu_is_refused_with_what_to_choose(captioner_folder: Path):
    with pytest.raises(ModelError, match="does not compute in 'float16' on cpu") as refusal:
        load_captioner(str(captioner_folder), threads=1, precision="float16")
    assert refusal.value.remedy == "Choose bfloat16 or int8."
