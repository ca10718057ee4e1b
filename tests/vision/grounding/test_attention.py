"""Words to patches: the weights are those of the library's plain attention, and what is dropped is told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from transformers import Kosmos2ForConditionalGeneration

from vision.errors import ModelError
from vision.grounding.base import Decoding
from vision.grounding.errors import PromptError
from vision.grounding.kosmos2 import Kosmos2Captioner
from vision.grounding.seeing import AttentionMaps, words_of
from vision.types import RgbImage, Span

_SIDE = 4
_TEXT = "a red dog in this image"


@pytest.fixture(scope="module")
def maps(captioner: Kosmos2Captioner, pictures: list[RgbImage]) -> AttentionMaps:
    return captioner.attend(pictures[:1], [_TEXT])[0]


def test_every_word_has_a_map_that_sums_to_one(maps: AttentionMaps):
    assert [maps.text[word.start : word.end] for word in maps.words] == _TEXT.split()
    assert maps.heat.shape == (6, _SIDE, _SIDE)
    assert maps.heat.dtype == np.float32
    assert maps.heat.min() >= 0
    assert maps.heat.sum(axis=(1, 2)) == pytest.approx(np.ones(6), abs=1e-5)


def test_maps_and_dropped_shares_are_those_of_the_library(
    maps: AttentionMaps, captioner_folder: Any, reference: Any, pictures: list[RgbImage]
):
    eager = Kosmos2ForConditionalGeneration.from_pretrained(captioner_folder, attn_implementation="eager").eval()
    inputs = reference.inputs(pictures[0], f"<grounding>An image of {_TEXT}")
    with torch.inference_mode():
        output = eager(**inputs, output_attentions=True, use_cache=False)
    rows = torch.stack([layer[0].mean(0) for layer in output.attentions]).mean(0)
    to_patches = output.projection_attentions[0].mean(0)[:, 1 : 1 + _SIDE**2]
    length, slots = inputs["input_ids"].shape[1], inputs["image_embeds_position_mask"][0].bool()
    for number in range(6):  # every word of the text is one token of the small vocabulary
        weights = rows[length - 6 + number - 1][slots]
        expected = weights @ (to_patches / to_patches.sum(1, keepdim=True))
        assert torch.from_numpy(maps.heat[number]).flatten().tolist() == pytest.approx(
            (expected / expected.sum()).tolist(), abs=1e-5
        )
        assert maps.off_picture[number] == pytest.approx(1 - float(weights.sum()), abs=1e-5)
        lost = 1 - float(weights @ to_patches.sum(1)) / float(weights.sum())
        assert maps.off_patches[number] == pytest.approx(lost, abs=1e-5)


def test_watching_leaves_the_models_own_attention_and_memory_alone(captioner: Kosmos2Captioner, maps: AttentionMaps):
    model, twin = captioner._engine.network.model, captioner._watcher._model
    assert model.config._attn_implementation == "sdpa"
    assert twin.config._attn_implementation == "eager"
    own = {weight.data_ptr() for weight in model.parameters()}
    assert {weight.data_ptr() for weight in twin.parameters()} == own
    assert not any(buffer.is_meta for buffer in twin.buffers())


def test_an_explained_caption_is_the_caption_with_its_words_mapped(
    captioner: Kosmos2Captioner, pictures: list[RgbImage]
):
    decoding = Decoding(max_new_tokens=20)
    plain = captioner.caption(pictures, decoding=decoding)
    for caption, explained in zip(plain, captioner.explain(pictures, decoding=decoding), strict=True):
        # Batches may be cut elsewhere the second time, so the last digits of a probability may differ.
        assert explained.caption.text == caption.text
        assert explained.caption.log_probability == pytest.approx(caption.log_probability, abs=1e-4)
        assert explained.maps.text == caption.text
        assert len(explained.maps.heat) == len(explained.maps.words) > 0


def test_the_map_of_a_phrase_is_the_mean_of_its_words(maps: AttentionMaps):
    assert maps.heat_of(Span(0, 9)) == pytest.approx(maps.heat[:3].mean(axis=0))
    assert not maps.heat_of(Span(500, 501)).any()
    assert maps.heat_of(Span(500, 501)).shape == (_SIDE, _SIDE)


def test_chinese_has_a_word_for_every_token():
    spans = [Span(0, 2), Span(2, 3), None, Span(4, 7)]
    assert list(words_of("红色的 dog", spans)) == [
        (Span(0, 2), [0]),
        (Span(2, 3), [1]),
        (Span(4, 7), [3]),
    ]


def test_patch_tokens_are_what_the_resampler_reads(
    captioner: Kosmos2Captioner, reference: Any, pictures: list[RgbImage]
):
    tokens = captioner.patch_tokens(pictures)
    assert tokens.patches.shape == (len(pictures), _SIDE, _SIDE, 16)
    assert tokens.overall.shape == (len(pictures), 16)
    assert tokens.positions.shape == (1 + _SIDE**2, 16)
    assert tokens.latents.shape == (len(pictures), 8, 32)
    assert np.linalg.norm(tokens.patches, axis=-1) == pytest.approx(np.ones((len(pictures), _SIDE, _SIDE)), abs=1e-5)
    assert tokens.centres_xy[0, 3] == pytest.approx([0.875, 0.125])
    with torch.inference_mode():
        expected = reference.model(**reference.inputs(pictures[1], "x")).image_embeds[0]
    assert torch.allclose(torch.from_numpy(tokens.latents[1]), expected, atol=1e-5)


def test_bad_pictures_and_texts_are_refused(captioner: Kosmos2Captioner, pictures: list[RgbImage]):
    with pytest.raises(ModelError, match="image 0"):
        captioner.patch_tokens([pictures[0][..., 0]])
    with pytest.raises(PromptError, match="no pictures"):
        captioner.patch_tokens([])
    with pytest.raises(PromptError, match="text is empty"):
        captioner.attend(pictures[:1], [""])
