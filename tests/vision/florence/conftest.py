"""A small Florence-2 of the real architecture, saved as a folder: seeded random weights, a byte-level tokenizer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    CLIPImageProcessorPil,
    Florence2Config,
    Florence2ForConditionalGeneration,
    Florence2Processor,
    PreTrainedTokenizerFast,
)

from vision.florence.captioner import Florence2Captioner
from vision.florence.locations import BINS
from vision.florence.prompts import CAPTION_TASKS
from vision.types import RgbImage

SIDE_PX = 64
IMAGE_TOKENS = 5
NAMELESS = ["it", "the image"]
_SENTENCES = [*CAPTION_TASKS.values(), "Locate the phrases in the caption: a red dog", "What does the region describe?"]
_TAGS = ["<mask>", "<od>", "</od>", "<poly>", "</poly>", "<sep>", "<and>"]


def make_tokenizer() -> Tokenizer:
    """Byte-level pairs, then the tags, the thousand locations and `<image>`, each one token."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=330,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_SENTENCES, trainer)
    places = [f"<loc_{number}>" for number in range(BINS)]
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in [*_TAGS, *places, "<image>"]])
    return tokenizer


def save_florence(folder: Path, **changes: Any) -> Path:
    """Save a folder as the hub has it; `changes` go into the text configuration."""
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=make_tokenizer(),
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        extra_special_tokens={"image_token": "<image>"},
    )
    size = {"height": SIDE_PX, "width": SIDE_PX}
    images = CLIPImageProcessorPil(
        do_center_crop=False,
        size=size,
        crop_size=size,
        image_mean=[0.485, 0.456, 0.406],
        image_std=[0.229, 0.224, 0.225],
        image_seq_length=IMAGE_TOKENS,
    )
    rules = {"phrase_grounding": {"banned_grounding_tokens": NAMELESS}, "pure_text": {}, "description_with_bboxes": {}}
    processor = Florence2Processor(images, tokenizer, post_processor_config=rules)
    text = {
        "model_type": "bart",
        # Wider than the tokenizer, as the hub's.
        "vocab_size": len(tokenizer) + 24,
        "d_model": 32,
        "encoder_layers": 2,
        "decoder_layers": 2,
        "encoder_ffn_dim": 64,
        "decoder_ffn_dim": 64,
        "encoder_attention_heads": 4,
        "decoder_attention_heads": 4,
        "max_position_embeddings": 128,
        **changes,
    }
    stages = {"depths": (1, 1, 1, 1), "embed_dim": (8, 16, 16, 32), "num_heads": (2,) * 4, "num_groups": (2,) * 4}
    vision = {**stages, "window_size": 4, "projection_dim": 32, "max_position_embeddings": 4}
    torch.manual_seed(0)
    config = Florence2Config(
        text_config=text, vision_config=vision, image_token_id=int(tokenizer.convert_tokens_to_ids("<image>"))
    )
    model = Florence2ForConditionalGeneration(config)
    with torch.no_grad():  # weights of the default size hardly look at the picture and repeat one token
        for name, weight in model.named_parameters():
            if weight.ndim > 1:
                torch.nn.init.normal_(weight, std=0.1 if "shared" in name else 0.5)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def change_json(path: Path, **changes: Any) -> None:
    """Replace entries of a JSON object on disk."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.fixture(scope="session")
def florence_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_florence(tmp_path_factory.mktemp("florence"))


@pytest.fixture(scope="session")
def florence(florence_folder: Path) -> Florence2Captioner:
    return Florence2Captioner(florence_folder, name="tiny", threads=1)


class Reference:
    """The library's own way, one row at a time: what ours is held against."""

    def __init__(self, folder: Path) -> None:
        self.processor = Florence2Processor.from_pretrained(folder, local_files_only=True)
        self.model = Florence2ForConditionalGeneration.from_pretrained(folder, local_files_only=True).eval()

    def inputs(self, image: RgbImage, text: str) -> dict[str, Any]:
        return dict(self.processor(text=text, images=[image], return_tensors="pt"))

    def generate(self, image: RgbImage, text: str, **options: Any) -> Any:
        return self.model.generate(
            **self.inputs(image, text),
            do_sample=False,
            forced_eos_token_id=None,
            return_dict_in_generate=True,
            output_logits=True,
            **options,
        )


@pytest.fixture(scope="session")
def reference(florence_folder: Path) -> Reference:
    return Reference(florence_folder)


@pytest.fixture(scope="session")
def pictures() -> list[RgbImage]:
    """Random pictures of different shapes."""
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (*size, 3)).astype(np.uint8) for size in [(40, 60), (64, 64), (10, 900)]]


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
