"""A small Kosmos-2 of the real architecture, saved as a folder: seeded random weights, the real processor."""

from __future__ import annotations

import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import (
    CLIPImageProcessorPil,
    Kosmos2Config,
    Kosmos2ForConditionalGeneration,
    Kosmos2Processor,
    XLMRobertaTokenizer,
)

from vision.grounding.kosmos2 import Kosmos2Captioner
from vision.grounding.prompts import TAGS
from vision.types import RgbImage

_SIDE_PX = 28
LATENTS = 8
_WORDS = ["an", "image", "of", "a", "red", "dog", "question", "answer", "describe", "this", "in", "detail", "it", "is"]
_LETTERS = string.ascii_letters + string.digits + ".,:;?!<>'()-" + "äöüßéèàñ¿¡" + "一张图片红色的狗详细描述这。，："


def save_captioner(folder: Path, *, spread: float = 0.6, **changes: Any) -> Path:
    """Save a folder as the hub has it.

    Args:
        folder: where to.
        spread: standard deviation of the weights. What one layer rounds, the next ones amplify: a deep or wide network
            whose numbers are compared needs a small one (about 1/√width).
        changes: of the text configuration.
    """
    specials = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    pieces = [("▁", -2.0), *((letter, -6.0) for letter in _LETTERS), *((f"▁{word}", -3.0) for word in _WORDS)]
    images = CLIPImageProcessorPil(do_center_crop=False, size={"height": _SIDE_PX, "width": _SIDE_PX})
    processor = Kosmos2Processor(images, XLMRobertaTokenizer(vocab=specials + pieces))
    text = {
        "vocab_size": len(processor.tokenizer),
        "embed_dim": 32,
        "layers": 2,
        "ffn_dim": 64,
        "attention_heads": 4,
        "max_position_embeddings": 256,
        **changes,
    }
    vision = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    torch.manual_seed(0)
    config = Kosmos2Config(
        text_config=text,
        vision_config={**vision, "image_size": _SIDE_PX, "patch_size": 7},
        latent_query_num=LATENTS,
        languages=["en", "de", "zh"],
    )
    model = Kosmos2ForConditionalGeneration(config)
    _make_lively(model, spread, list(processor.tokenizer.convert_tokens_to_ids(list(TAGS))))
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def _make_lively(model: Kosmos2ForConditionalGeneration, spread: float, tags: list[int]) -> None:
    """Weights of the default size hardly look at the picture and repeat one token; these do neither, and like tags."""
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim > 1:
                torch.nn.init.normal_(weight, std=0.1 if "embed_tokens" in name else spread)
        model.text_model.model.embed_tokens.weight[tags] *= 1.3


@pytest.fixture(scope="session")
def captioner_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_captioner(tmp_path_factory.mktemp("captioner"))


@pytest.fixture(scope="session")
def captioner(captioner_folder: Path) -> Kosmos2Captioner:
    return Kosmos2Captioner(captioner_folder, name="tiny", threads=1)


class Reference:
    """The library's own way, one row at a time, without a cache: what ours is held against."""

    def __init__(self, folder: Path) -> None:
        self.processor = Kosmos2Processor.from_pretrained(folder, local_files_only=True)
        self.model = Kosmos2ForConditionalGeneration.from_pretrained(folder, local_files_only=True).eval()

    def inputs(self, image: RgbImage, text: str) -> dict[str, Any]:
        # As a Pillow picture: of an array of 1×1×3 the library says that its channels come first.
        shown = Image.fromarray(image)
        return dict(self.processor(text=text, images=[shown], num_image_tokens=LATENTS, return_tensors="pt"))

    def generate(self, image: RgbImage, text: str, **options: Any) -> Any:
        return self.model.generate(
            **self.inputs(image, text),
            use_cache=False,
            return_dict_in_generate=True,
            output_logits=True,
            output_scores=True,
            **options,
        )


@pytest.fixture(scope="session")
def reference(captioner_folder: Path) -> Reference:
    return Reference(captioner_folder)


@pytest.fixture(scope="session")
def pictures() -> list[RgbImage]:
    """Random pictures of different shapes, one of a single pixel and one very long."""
    random = np.random.default_rng(0)
    sizes = [(40, 60), (28, 28), (1, 1), (10, 2000)]
    return [random.integers(0, 256, (height, width, 3)).astype(np.uint8) for height, width in sizes]


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
