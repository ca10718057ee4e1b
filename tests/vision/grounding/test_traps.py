"""What transformers gets wrong around Kosmos-2: a test for each trap that no other file holds; decision 8 lists all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from vision.grounding.base import Decoding
from vision.grounding.decoding import Row, Sampling, write
from vision.grounding.kosmos2 import Kosmos2Captioner
from vision.grounding.language import Context, Reader
from vision.types import RgbImage

_DECODING = Decoding(max_new_tokens=16)


def _changed(folder: Path, copy: Path, name: str, **changes: Any) -> Kosmos2Captioner:
    shutil.copytree(folder, copy)
    path = copy / name
    content = json.loads(path.read_text()) if path.is_file() else {}
    path.write_text(json.dumps({**content, **changes}))
    return Kosmos2Captioner(copy, name="changed", threads=1)


def test_a_tokenizer_that_pads_left_or_right_makes_no_difference(
    captioner: Kosmos2Captioner, captioner_folder: Path, tmp_path: Path, pictures: list[RgbImage]
):
    questions = ["it?", "is it a red dog in this image?"] * 2
    expected = captioner.ask(pictures, questions, decoding=_DECODING)
    for side in ("left", "right"):
        other = _changed(captioner_folder, tmp_path / side, "tokenizer_config.json", padding_side=side)
        assert [answer.text for answer in other.ask(pictures, questions, decoding=_DECODING)] == [
            answer.text for answer in expected
        ]


def test_a_generation_config_in_the_folder_changes_nothing(
    captioner: Kosmos2Captioner, captioner_folder: Path, tmp_path: Path, pictures: list[RgbImage]
):
    other = _changed(
        captioner_folder, tmp_path / "other", "generation_config.json", eos_token_id=9, max_new_tokens=1, num_beams=2
    )
    # Their first batches differ in size, and so may the last digit of a probability.
    texts = [[caption.text for caption in one.caption(pictures, decoding=_DECODING)] for one in (other, captioner)]
    assert texts[0] == texts[1]


def test_a_processor_that_crops_is_overruled_because_boxes_would_refer_to_the_crop(
    captioner: Kosmos2Captioner, captioner_folder: Path, tmp_path: Path
):
    cropping = {
        "image_processor_type": "CLIPImageProcessor",
        "do_center_crop": True,
        "crop_size": {"height": 28, "width": 28},
        "size": {"shortest_edge": 28},
        "image_mean": list(captioner.facts.preprocessing.mean),
        "image_std": list(captioner.facts.preprocessing.std),
    }
    other = _changed(captioner_folder, tmp_path / "other", "preprocessor_config.json", **cropping)
    assert other.facts.preprocessing == captioner.facts.preprocessing
    wide = np.zeros((20, 200, 3), np.uint8)
    wide[:, :20] = 255  # lost to a centre crop
    assert float(other._engine.pixels([wide])[0, 0, 14, 0]) > float(other._engine.pixels([wide])[0, 0, 14, 14])


def test_a_picture_of_one_pixel_keeps_its_channels_in_order(captioner: Kosmos2Captioner):
    red = np.array([[[255, 0, 0]]], np.uint8)
    pixels = captioner._engine.pixels([red])[0]
    large = captioner._engine.pixels([np.broadcast_to(red, (28, 28, 3)).copy()])[0]
    assert torch.equal(pixels, large)


class _CountingReader(Reader):
    """Counts the prompts that are read."""

    def read(self, latents: Tensor, picture_of: Sequence[int], texts: Sequence[Sequence[int]], *, room: int) -> Context:
        self.texts_read = len(texts)
        return super().read(latents, picture_of, texts, room=room)


def test_samples_of_one_prompt_share_one_prefill(captioner: Kosmos2Captioner, pictures: list[RgbImage]):
    engine = captioner._engine
    reader = _CountingReader(engine.network, engine.vocabulary)
    prompt = engine.vocabulary.prompt_ids(["<grounding>An image of"])[0]
    rows = [Row(picture, prompt, 6, frozenset(), seed=(number,)) for picture in (0, 1) for number in range(5)]
    with torch.inference_mode():
        latents = reader.see(engine.pixels(pictures[:2]))
        written = write(reader, latents, rows, grammar=None, sampling=Sampling())
    assert reader.texts_read == 2
    assert len(written) == 10


@pytest.mark.parametrize("length", [100, 240])
def test_positions_beyond_the_first_table_agree_with_the_library(
    captioner: Kosmos2Captioner, reference: Any, pictures: list[RgbImage], length: int
):
    text = "a " * length
    engine = captioner._engine
    (ids,) = engine.vocabulary.prompt_ids([text])
    with torch.inference_mode():
        latents = engine.reader.see(engine.pixels(pictures[:1]))
        context = engine.reader.read(latents, [0], [ids], room=1)
        expected = reference.model(**reference.inputs(pictures[0], text)).logits[:, -1]
    assert float((context.logits - expected).abs().max()) <= 1e-4
